"""Builds of the reports: candidates from one snapshot, the gate, one transaction that applies the difference.

DESIGN section 9. Everything happens under one session-level advisory lock, so builds come one after another, and what
an earlier one left unfinished is known to be dead.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from etl import quality
from etl.model.errors import ConfigurationError, QualityGateError, UsageError, WaybillError
from etl.reports import candidates
from etl.reports.catalogue import BUILT
from etl.reports.difference import apply_difference

ROLE = "waybill_reporter"

Connect = Callable[[], Connection]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    :ivar days: local days that it rebuilt, in order; None: all
    :ivar as_of: time of its snapshot: what was committed before it is in the reports
    :ivar rows_changed: report rows deleted, updated or inserted
    :ivar rows_changed_by_report: the same, by report
    :ivar warnings: rules that failed and only warn, as `suite.rule`
    """

    build_id: int
    days: tuple[date, ...] | None
    as_of: datetime
    report_timezone: str
    rows_changed: int = 0
    rows_changed_by_report: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def rebuild(
    connect: Connect,
    days: Sequence[date] | None,
    full: bool,
    report_timezone: str | None,
    code_version: str,
    progress: Progress = lambda text: None,
) -> BuildResult:
    """Rebuild the reports: the days that loads have touched, the given days, or everything.

    Waits for a build that is under way. Rows that stay the same are not written; with nothing to do only a row in
    report.build is added.

    :param connect: opens a fresh connection, not in autocommit, of a login that may act as waybill_reporter
    :param days: local days to rebuild; the pending ones of other days stay pending. None: those that are pending
    :param full: rebuild every day, also after the report zone was changed
    :param report_timezone: IANA name; None: the one the warehouse has
    :raises QualityGateError: a critical rule failed: the reports stay as they were and are marked stale
    :raises ConfigurationError: another zone than that of the reports, without `full`
    """
    if full and days is not None:
        raise UsageError("Rebuild given days, or everything with --full, not both.")
    with _locked(connect) as connection:
        zone = _zone(connection, report_timezone, full)
        _drop_unfinished(connection)
        build_id = _begin(connection, zone, full, code_version)
        try:
            return _build(connect, connection, build_id, days, full, zone, progress)
        except Exception as error:
            _fail(connection, build_id, error)
            raise


def _build(
    connect: Connect,
    connection: Connection,
    build_id: int,
    days: Sequence[date] | None,
    full: bool,
    zone: str,
    progress: Progress,
) -> BuildResult:
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
    with connection, connection.cursor() as cursor:
        snapshot = candidates.create(cursor, build_id, days, full, zone, progress)
    connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)

    progress(f"build {build_id}: validating {sum(snapshot.row_counts.values()):,} rows")
    outcomes = quality.check(connect, connection, snapshot.subjects(), f"build {build_id}")

    with connection, connection.cursor() as cursor:
        candidates.check_row_counts(cursor, snapshot)
        rows_changed = {}
        for report in BUILT if snapshot.tables else ():
            rows_changed[report.name] = apply_difference(cursor, report, snapshot.tables[report.name], snapshot.days)
            progress(f"build {build_id}: {report.name}: {rows_changed[report.name]:,} rows changed")
        candidates.remove_pending(cursor, snapshot)
        _publish(cursor, build_id, snapshot, sum(rows_changed.values()))
        candidates.drop(cursor, snapshot.tables.values())
    return BuildResult(
        build_id=build_id,
        days=snapshot.days,
        as_of=snapshot.as_of,
        report_timezone=zone,
        rows_changed=sum(rows_changed.values()),
        rows_changed_by_report=rows_changed,
        warnings=tuple(f"{outcome.suite}.{rule['rule']}" for outcome in outcomes for rule in outcome.warnings),
    )


@contextmanager
def _locked(connect: Connect) -> Iterator[Connection]:
    """A connection in the reporter's role that holds the lock of builds; closing it lets go of both."""
    with closing(connect()) as connection:
        connection.rollback()
        connection.autocommit = True  # the lock is taken outside any transaction, so no snapshot is older than it
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("set role {}").format(sql.Identifier(ROLE)))
            cursor.execute("select pg_advisory_lock(hashtext('waybill'), hashtext('build'))")
        connection.autocommit = False
        yield connection


def _zone(connection: Connection, wanted: str | None, full: bool) -> str:
    """The report zone to build in. A full build may change it, with everything that facts keep by it."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        stored = cursor.fetchone()
        if stored is None:
            raise ConfigurationError("The warehouse has no report_timezone: run `waybill warehouse migrate`.")
        # The zone of the reports is that of the last build: facts may have been moved by a build that failed later.
        cursor.execute(
            "select report_timezone from ops.build where status = 'published' order by build_id desc limit 1"
        )
        built = cursor.fetchone()
    zone = wanted or stored[0]
    if full:
        if zone != stored[0]:
            _change_zone(connection, zone)
        return zone
    for other in (stored, built):
        if other is not None and zone != other[0]:
            raise ConfigurationError(
                f"REPORT_TIMEZONE is {zone}, but the local days of this warehouse are those of {other[0]}. Either set "
                f"it to {other[0]}, or run `waybill report rebuild --full` to compute every day anew."
            )
    return zone


def _change_zone(connection: Connection, zone: str) -> None:
    from etl.load.rezone import rezone

    with connection, connection.cursor() as cursor:
        # Loads hold the shared side while they publish: none may write days of the old zone after this.
        cursor.execute("select pg_advisory_xact_lock(hashtext('waybill'), hashtext('zone'))")
        try:
            cursor.execute("select pg_catalog.timezone(%s, transaction_timestamp())", (zone,))
        except psycopg2.errors.InvalidParameterValue as error:
            raise ConfigurationError(f"REPORT_TIMEZONE={zone!r} is no time zone that Postgres knows.") from error
        rezone(cursor, zone)
        cursor.execute("update ops.setting set value = %s where name = 'report_timezone'", (zone,))


def _drop_unfinished(connection: Connection) -> None:
    """Remove what builds left that died: we hold the lock, so none of them is alive."""
    with connection, connection.cursor() as cursor:
        candidates.drop(cursor, candidates.leftovers(cursor))
        cursor.execute(
            "update ops.build set status = 'failed', ended_at = clock_timestamp(), failure = 'died'"
            " where status = 'building'"
        )


def _begin(connection: Connection, zone: str, full: bool, code_version: str) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.build (status, report_timezone, is_full, code_version) values ('building', %s, %s, %s)"
            " returning build_id",
            (zone, full, code_version),
        )
        return cursor.fetchone()[0]


def _publish(cursor: Cursor, build_id: int, snapshot: candidates.Snapshot, rows_changed: int) -> None:
    days = None if snapshot.days is None else list(snapshot.days)
    cursor.execute(
        "update ops.build set status = 'published', as_of = %s, ended_at = clock_timestamp(), days_built = %s::date[],"
        " rows_changed = %s where build_id = %s",
        (snapshot.as_of, days, rows_changed, build_id),
    )
    cursor.execute("update ops.report_state set stale_reason = null, stale_since = null where stale_reason is not null")


def _fail(connection: Connection, build_id: int, error: Exception) -> None:
    """Mark the build failed and the reports stale, in a transaction of its own; what failed is raised all the same."""
    reason = str(error) if isinstance(error, WaybillError) else f"{type(error).__name__}; see the log of the build"
    try:
        connection.rollback()
        connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)
        with connection, connection.cursor() as cursor:
            candidates.drop(cursor, candidates.leftovers(cursor))
            cursor.execute(
                "update ops.build set status = 'failed', ended_at = clock_timestamp(), failure = %s"
                " where build_id = %s",
                (reason, build_id),
            )
            cursor.execute(
                "update ops.report_state set stale_reason = %s, stale_since = coalesce(stale_since, clock_timestamp())",
                (f"build {build_id}: {reason}" if not isinstance(error, QualityGateError) else reason,),
            )
    except psycopg2.Error:
        # The connection is gone: the next build finds this one unfinished.
        pass
