"""Forward-only migrations: the files sql/schema/*.sql in order of name, each once and in its own transaction."""

import hashlib
import logging
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from waybill import installed_files
from waybill.installed_files import SQL
from waybill.model.errors import ConfigurationError
from waybill.warehouse import locks
from waybill.warehouse.connection import connected
from waybill.warehouse.queries import only_row, only_value

OLDEST_SERVER = 150_000
YEARS_BACK = 5

TABLE_PATIENCE_SECONDS = 3
"""How long a file waits for a table that another session reads: new readers of that table wait behind the file."""
PAUSE_SECONDS = 2
"""The pause between two tries, in which readers continue."""
PATIENCE_SECONDS = 600
"""How long one file is tried."""

log = logging.getLogger("waybill.warehouse")


def migrate(url: str, report_timezone: str = "UTC") -> list[str]:
    """Apply the files that the warehouse lacks; returns their names.

    :param report_timezone: zone of local days for a new warehouse; a warehouse that has a zone keeps it
    :raises ConfigurationError: Postgres is too old, a file changed after it was applied, the login lacks rights, or
        files of this installation are missing
    :raises UnavailableError: another session held a lock or a table for too long; the files before are applied
    """
    installed_files.check()
    applied = []
    with connected(url) as connection, connection.cursor() as cursor:
        if connection.server_version < OLDEST_SERVER:
            raise ConfigurationError(f"Postgres 15 or later is needed; this is {connection.server_version}.")
        locks.bound(cursor)
        connection.commit()
        locks.take(cursor, locks.MIGRATE, "another migration", "migrate", is_of_session=True)
        try:
            cursor.execute("create schema if not exists ops")
            cursor.execute(
                "create table if not exists ops.migration ("
                " name text primary key, checksum text not null,"
                " applied_at timestamptz not null default clock_timestamp())"
            )
            connection.commit()
            for file in _pending(cursor):
                _apply_in_turn(connection, cursor, file)
                applied.append(file.name)
            cursor.execute("set role waybill_owner")
            cursor.execute(
                "insert into ops.setting (name, value) values ('report_timezone', %s) on conflict do nothing",
                (report_timezone,),
            )
            ensure_partitions(cursor, datetime.now(UTC))
            connection.commit()
        except psycopg2.errors.InsufficientPrivilege as error:
            connection.rollback()
            raise ConfigurationError(
                f"Migrating needs a login that may create roles and schemas: {str(error).strip()}"
            ) from None
    return applied


def is_migrated(url: str) -> bool:
    """Return whether every file of this release is applied."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('ops.migration')")
        return only_row(cursor)[0] is not None and not _pending(cursor)


def ensure_partitions(cursor: Cursor, until: datetime) -> int:
    """Create the missing monthly partitions of fact.event, up to the month after `until`; returns how many."""
    from_at = until.replace(year=until.year - YEARS_BACK, month=1, day=1)
    cursor.execute("select fact.ensure_partitions(%s, %s)", (from_at, until))
    return only_value(cursor, int)


def migration_files() -> list[Path]:
    """Return the migrations of this release, in the order in which they are applied.

    :raises ConfigurationError: files of this installation are missing
    """
    installed_files.check()
    return sorted((SQL / "schema").glob("*.sql"))


def _pending(cursor: Cursor) -> list[Path]:
    cursor.execute("select name, checksum from ops.migration")
    known = dict(cursor.fetchall())
    files = migration_files()
    for file in files:
        if file.name in known and known[file.name] != _checksum(file):
            raise ConfigurationError(
                f"sql/schema/{file.name} was changed after it was applied. Restore it, and put the change into a new "
                "file with the next number."
            )
    return [file for file in files if file.name not in known]


def _apply_in_turn(connection: Connection, cursor: Cursor, file: Path) -> None:
    """Apply a file and commit. Tries again while other sessions use its tables."""

    def step_back(state: RetryCallState) -> None:
        connection.rollback()
        if state.attempt_number == 1:
            log.info("migrate: waiting for sessions that use tables of %s", file.name)

    tries = Retrying(
        retry=retry_if_exception_type(psycopg2.errors.LockNotAvailable),
        wait=wait_fixed(PAUSE_SECONDS),
        stop=stop_after_delay(PATIENCE_SECONDS),
        before_sleep=step_back,
        reraise=True,
    )
    for attempt in tries:
        with attempt:
            _apply(cursor, file)
            connection.commit()


def _apply(cursor: Cursor, file: Path) -> None:
    cursor.execute("reset role")
    if not file.name.startswith("0001"):
        cursor.execute("set role waybill_owner")
    # Loads hold this lock, shared, while they publish. Without it, a load and a file that locks tables in another order
    # would wait for each other until Postgres ends one of them.
    locks.take(cursor, locks.ZONE, "loads that are publishing", "migrate")
    cursor.execute("select set_config('lock_timeout', %s, true)", (f"{TABLE_PATIENCE_SECONDS}s",))
    cursor.execute(file.read_text())
    cursor.execute("reset role")
    cursor.execute("insert into ops.migration (name, checksum) values (%s, %s)", (file.name, _checksum(file)))


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
