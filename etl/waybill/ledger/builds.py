"""The rows of ops.build (one for each build), and whether the reports are stale."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill import __version__
from waybill.model.errors import UsageError
from waybill.warehouse.queries import only_row, only_value


class Ended(NamedTuple):
    """How a published build ended.

    :ivar days: the local days that it rebuilt, in order; None for all days
    :ivar as_of: time of its snapshot
    :ivar rows_changed: report rows that it deleted, updated or inserted
    """

    build_id: int
    days: tuple[date, ...] | None
    as_of: datetime
    report_timezone: str
    rows_changed: int


class State(NamedTuple):
    """How far a build has come.

    :ivar candidates: the snapshot that `keep_candidates` stored; None before that and after the end
    :ivar failure: why it failed
    """

    status: str
    report_timezone: str
    candidates: object | None
    failure: str | None


def begin(cursor: Cursor, report_timezone: str, is_full: bool) -> int:
    """Insert the row of a new build and return its build_id."""
    cursor.execute(
        "insert into ops.build (status, report_timezone, is_full, code_version) values ('building', %s, %s, %s)"
        " returning build_id",
        (report_timezone, is_full, __version__),
    )
    return only_value(cursor, int)


def state(cursor: Cursor, build_id: int) -> State:
    """Return how far a build has come. Raises UsageError if there is no such build."""
    cursor.execute(
        "select status, report_timezone, candidates, failure from ops.build where build_id = %s", (build_id,)
    )
    found = cursor.fetchone()
    if found is None:
        raise UsageError(f"There is no build {build_id}.")
    return State(*found)


def keep_candidates(cursor: Cursor, build_id: int, snapshot: object) -> None:
    """Store the snapshot that a build has read."""
    cursor.execute(
        "update ops.build set candidates = %s where build_id = %s",
        (msgspec.json.encode(snapshot).decode(), build_id),
    )


def mark_validated(cursor: Cursor, build_id: int) -> None:
    """Mark that the candidates of a build passed their suites."""
    cursor.execute("update ops.build set status = 'validated' where build_id = %s", (build_id,))


def end(
    cursor: Cursor, build_id: int, status: str, as_of: datetime, days: Sequence[date] | None, rows_changed: int
) -> None:
    """Write how a build ended that did not fail: its status, snapshot time, days and changed rows."""
    cursor.execute(
        "update ops.build set status = %s, as_of = %s, ended_at = clock_timestamp(), days_built = %s::date[],"
        " rows_changed = %s, candidates = null where build_id = %s",
        (status, as_of, None if days is None else list(days), rows_changed, build_id),
    )


def fail(cursor: Cursor, build_id: int, failure: str) -> None:
    """Mark a build as failed."""
    cursor.execute(
        "update ops.build set status = 'failed', ended_at = clock_timestamp(), failure = %s, candidates = null"
        " where build_id = %s",
        (failure, build_id),
    )


def fail_unfinished(cursor: Cursor, failure: str, waiting_for: timedelta = timedelta(0)) -> list[int]:
    """Mark the unfinished builds that began at least `waiting_for` ago as failed; return their build_ids."""
    cursor.execute(
        "update ops.build set status = 'failed', ended_at = clock_timestamp(), candidates = null, failure = %s"
        " where status in ('building', 'validated') and started_at <= clock_timestamp() - %s returning build_id",
        (failure, waiting_for),
    )
    return [build_id for (build_id,) in cursor.fetchall()]


def ended(cursor: Cursor, build_id: int) -> Ended:
    """Return how a published build ended."""
    cursor.execute(
        "select build_id, case when not is_full then days_built end, as_of, report_timezone, rows_changed"
        " from ops.build where build_id = %s",
        (build_id,),
    )
    number, days, as_of, zone, rows_changed = only_row(cursor)
    return Ended(number, None if days is None else tuple(days), as_of, zone, rows_changed)


def zone_of_reports(cursor: Cursor) -> str | None:
    """Return the zone of the last published build, or None before the first. Facts may already have another zone, if a
    later build failed."""
    cursor.execute("select report_timezone from ops.build where status = 'published' order by build_id desc limit 1")
    found = cursor.fetchone()
    return None if found is None else found[0]


def mark_stale(cursor: Cursor, reason: str) -> None:
    """Write why the reports are not up to date."""
    cursor.execute(
        "update ops.report_state set stale_reason = %s, stale_since = coalesce(stale_since, clock_timestamp())",
        (reason,),
    )


def mark_fresh(cursor: Cursor) -> None:
    """Write that the reports are up to date."""
    cursor.execute("update ops.report_state set stale_reason = null, stale_since = null where stale_reason is not null")
