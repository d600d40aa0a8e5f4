"""Every advisory lock, what it protects, and the one order in which locks are taken.

A process that holds a lock takes only locks that come later in `ORDER`, so no two processes wait for each other. No
other module takes an advisory lock. `fact.ensure_partitions` (in SQL) takes one more, after all others, while it runs.
A command that has to wait logs what it waits for and who holds it, and waits a bounded time.
"""

import logging
from typing import NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import UnavailableError
from waybill.warehouse.queries import only_row, sql_of

ORDER = {
    "prepare": "the preparation of a warehouse by `make run` or compose; one process prepares at a time",
    "database": "the creation of the database in an embedded Postgres",
    "migrate": "migrations; one process migrates at a time",
    "build": "everything that builds write: candidate tables, reports, the pending days",
    "pull": "the pulls of one feed and account; the second pull continues where the first ended",
    "load": "the staging tables of one load while its process lives; if the lock is free, the process died",
    "zone": "the local days in facts. Publishing loads share it; a change of the zone or a migration holds it alone",
    "account": "the facts of one account; a publish takes the locks of its accounts in order of name",
}
"""What each kind of lock protects, in the order in which locks are taken."""


class Lock(NamedTuple):
    """An advisory lock. Its two keys are hashes of `space` and `name`; the second key of a load's lock is its number.

    :ivar kind: a key of `ORDER`
    """

    kind: str
    space: str
    name: str | int

    @property
    def place(self) -> int:
        """The place of its kind in `ORDER`."""
        return list(ORDER).index(self.kind)


PREPARE = Lock("prepare", "waybill", "prepare")
DATABASE = Lock("database", "waybill", "database")
MIGRATE = Lock("migrate", "waybill", "migrate")
BUILD = Lock("build", "waybill", "build")
ZONE = Lock("zone", "waybill", "zone")


def pull_lock(feed: str, account: str) -> Lock:
    """Return the lock of the pulls of one feed (its slug) and account."""
    return Lock("pull", "waybill-pull", f"{account}/{feed}")


def load_lock(load_id: int) -> Lock:
    """Return the lock of one load."""
    return Lock("load", "waybill-load", load_id)


def account_lock(account: str) -> Lock:
    """Return the lock of the facts of one account."""
    return Lock("account", "waybill-account", account)


PATIENCE = "10min"
"""How long a command waits for a lock of another session; a setting of its connections."""
BOUNDS = {"lock_timeout": PATIENCE, "idle_in_transaction_session_timeout": "30min"}
"""Settings of sessions that write. They wait a bounded time. A session that is idle in a transaction (its process was
stopped, or its machine is gone) is ended, which releases its locks."""

log = logging.getLogger("waybill.warehouse")


def bound(cursor: Cursor) -> None:
    """Set `BOUNDS` for a session. The connection is in autocommit, or the caller commits."""
    for name, value in BOUNDS.items():
        cursor.execute(sql.SQL("set {} = %s").format(sql.Identifier(name)), (value,))


def hold(cursor: Cursor, lock: Lock) -> None:
    """Take a lock until the end of the session. Waits as long as the connection allows."""
    _call(cursor, "pg_advisory_", lock, is_shared=False, is_of_session=True)


def take_if_free(cursor: Cursor, lock: Lock) -> bool:
    """Take a lock until the end of the transaction if no other session has it; returns whether it was free."""
    return _call(cursor, "pg_try_advisory_", lock, is_shared=False, is_of_session=False)


def take(
    cursor: Cursor,
    lock: Lock,
    what: str,
    who: str,
    is_shared: bool = False,
    is_of_session: bool = False,
) -> None:
    """Take a lock until the end of the transaction or of the session.

    :param what: what is locked, in words
    :param who: who waits, for the log: `load 7`
    :raises UnavailableError: another session held it for longer than `PATIENCE`
    """
    if _call(cursor, "pg_try_advisory_", lock, is_shared, is_of_session):
        return
    holders = _holders(cursor, sql_of("warehouse/locks", "holders_of_keys"), space=lock.space, name=str(lock.name))
    log.info("%s: waiting for %s%s", who, what, holders, extra={"lock": lock.kind})
    try:
        _call(cursor, "pg_advisory_", lock, is_shared, is_of_session)
    except psycopg2.errors.LockNotAvailable:
        raise UnavailableError(_gave_up(what, holders)) from None


def _call(cursor: Cursor, function: str, lock: Lock, is_shared: bool, is_of_session: bool) -> bool:
    """Call a lock function of Postgres; returns whether the lock was taken (a function that waits returns void)."""
    name = f"{function}{'' if is_of_session else 'xact_'}lock{'_shared' if is_shared else ''}"
    key = sql.SQL("%s" if isinstance(lock.name, int) else "hashtext(%s)")
    statement = sql.SQL("select {}(hashtext(%s), {})").format(sql.Identifier(name), key)
    cursor.execute(statement, (lock.space, lock.name))
    return only_row(cursor)[0] is not False


def timeout_error(cursor: Cursor, error: psycopg2.errors.LockNotAvailable) -> UnavailableError:
    """Return the error for a row or a table that another session held for too long, with the name of that session.

    :param cursor: of a connection whose transaction was rolled back
    """
    holders = _holders(cursor, sql_of("warehouse/locks", "holders_of_relations"), context=error.diag.context or "")
    return UnavailableError(_gave_up("a row or table of the warehouse", holders))


def _holders(cursor: Cursor, query: str, **parameters: str) -> str:
    cursor.execute(query, parameters)
    found = ", ".join(f"{name or 'a session without a name'} (backend {pid})" for name, pid in cursor.fetchall())
    return f", which is held by {found}" if found else ""


def _gave_up(what: str, holders: str) -> str:
    return (
        f"Waited {PATIENCE} for {what}{holders}, and gave up. Nothing is half done: run the same command again when "
        "that session has ended, or end it (`select pg_terminate_backend(<backend>)`)."
    )
