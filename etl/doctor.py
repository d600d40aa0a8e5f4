"""What `doctor` looks at: every finding says what is wrong and how to fix it."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from upath import UPath

from etl.load.ledger import check_key
from etl.model.days import offset_changes
from etl.model.errors import WaybillError
from etl.settings import Settings
from etl.warehouse.connection import LOADER, REPORTER, connected, warehouse_url, without_password
from etl.warehouse.migrations import OLDEST_SERVER, is_migrated

FIRST = datetime(2005, 1, 1, tzinfo=UTC)
UNTIL = datetime(2101, 1, 1, tzinfo=UTC)


class Finding(msgspec.Struct):
    """One thing that was looked at."""

    subject: str
    is_ok: bool
    message: str


def examine() -> Iterator[Finding]:
    """Look at settings, folders and the warehouse; what depends on something broken is left out."""
    yield Finding("python", sys.version_info[:2] == (3, 11), f"{sys.version.split()[0]} (3.11 is what is tested)")
    try:
        settings = Settings.from_environment()
        settings.keyring  # noqa: B018 - makes or checks the key
    except WaybillError as error:
        yield Finding("settings", False, str(error))
        return
    yield Finding("settings", True, f"key fingerprint {settings.keyring.fingerprint}")
    yield _landing(settings)
    try:
        url = warehouse_url(settings)
        with connected(url) as connection:
            version = connection.server_version
        yield Finding("warehouse", version >= OLDEST_SERVER, f"{without_password(url)}, Postgres {version // 10000}")
        migrated = is_migrated(url)
        yield Finding("migrations", migrated, "up to date" if migrated else "missing: run `waybill warehouse migrate`")
        if migrated:
            yield from _warehouse(settings, url)
    except WaybillError as error:
        yield Finding("warehouse", False, str(error))


def _landing(settings: Settings) -> Finding:
    probe = UPath(settings.landing_url) / f".probe-{os.getpid()}"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(
            "landing", False, f"cannot write to LANDING_URL {settings.landing_url}: {error.strerror or error}"
        )
    return Finding("landing", True, settings.landing_url)


def _warehouse(settings: Settings, url: str) -> Iterator[Finding]:
    for role in (LOADER, REPORTER):
        try:
            with connected(url, role):
                yield Finding(role, True, "can be acted as")
        except WaybillError as error:
            yield Finding(role, False, str(error))
    with connected(url) as connection, connection.cursor() as cursor:
        try:
            check_key(cursor, settings.keyring)
            yield Finding("key", True, "is the warehouse's")
        except WaybillError as error:
            yield Finding("key", False, str(error))
        connection.rollback()
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        zone = cursor.fetchone()[0]
        same = settings.report_timezone in (None, zone)
        yield Finding(
            "report zone",
            same,
            zone
            if same
            else f"REPORT_TIMEZONE is {settings.report_timezone}, the reports are in {zone}: set it to that, or run "
            "`waybill report rebuild --full`",
        )
        yield _zone_rules(cursor, zone)
        yield from _states(cursor)


def zone_rules_differ(cursor: Cursor, zone: str) -> list[datetime]:
    """Hours from 2005 to 2100 at which Postgres and Python change a zone's offset differently; none is right."""
    cursor.execute(
        "with hour as (select at,"
        " extract(epoch from (at at time zone %s) - (at at time zone 'UTC'))::integer as seconds"
        " from generate_series(%s::timestamptz, %s::timestamptz - interval '1 hour', interval '1 hour') as at),"
        " change as (select at, seconds, lag(seconds) over (order by at) as before from hour)"
        " select at, seconds from change where before is distinct from seconds order by at",
        (zone, FIRST, UNTIL),
    )
    in_postgres = set(cursor.fetchall())
    in_python = set(offset_changes(zone, FIRST, UNTIL))
    return sorted({at for at, _ in in_postgres ^ in_python})


def _zone_rules(cursor: Cursor, zone: str) -> Finding:
    differing = zone_rules_differ(cursor, zone)
    if not differing:
        return Finding("zone rules", True, f"Postgres and Python agree on {zone}, 2005 to 2100")
    return Finding(
        "zone rules",
        False,
        f"Postgres and Python differ on {zone} from {differing[0]:%Y-%m-%d %H:%M} UTC on ({len(differing)} changes): "
        "bring the time zone data of both to one version (Python: the package tzdata; Postgres: its packages)",
    )


def _states(cursor: Cursor) -> Iterator[Finding]:
    cursor.execute("select stale_reason from ops.report_state")
    stale = cursor.fetchone()[0]
    yield Finding("reports", stale is None, "not stale" if stale is None else f"stale: {stale}")
    cursor.execute(
        "select s.load_id, s.feed, s.stop_reason from ops.load as s where s.status = 'stopped' and not exists ("
        " select from ops.load as l where l.account = s.account and l.feed = s.feed and l.status = 'published'"
        " and l.load_id > s.load_id) order by s.load_id desc"
    )
    for load_id, feed, reason in cursor.fetchall():
        yield Finding("loads", False, f"load {load_id} of {feed} was stopped, and none since was published: {reason}")
    cursor.execute("select count(*) from private.rejected_record where resolved_load_id is null")
    count = cursor.fetchone()[0]
    yield Finding("rejected records", True, f"{count} wait (`waybill rejected list`)" if count else "none")
