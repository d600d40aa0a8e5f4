"""Builds of the reports: candidate tables from one snapshot, the gate, and one transaction that applies the difference.

A build holds one session-level advisory lock, so only one build runs at a time, and an unfinished earlier build is
dead.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import msgspec
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts.rezone import rezone
from waybill.ledger import builds
from waybill.model.counted import counted
from waybill.model.errors import ConfigurationError, QualityGateError, UnavailableError, UsageError, WaybillError
from waybill.quality import gate
from waybill.reports import candidates, live
from waybill.reports.catalogue import built_reports
from waybill.reports.difference import apply_difference
from waybill.warehouse import locks

ROLE = "waybill_reporter"

Connect = Callable[[], Connection]

log = logging.getLogger("waybill.flow")


@dataclass(frozen=True)
class BuildResult:
    """The result of a build.

    :ivar days: the rebuilt local days, in order; None: all
    :ivar as_of: the time of its snapshot; the reports contain everything that was committed before
    :ivar rows_changed: number of report rows that were deleted, updated or inserted
    :ivar rows_changed_by_report: the same for each report, and for each table of live monitoring
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
) -> BuildResult:
    """Rebuild the reports: the pending days, the given days, or everything.

    Waits for a running build. Only rows that change are written. If there is nothing to do, only a row in report.build
    is added.

    :param connect: opens a connection, not in autocommit, of a login that may act as waybill_reporter
    :param days: local days to rebuild; other pending days stay pending. None: all pending days
    :param full: rebuild every day, also after a change of the report zone
    :param report_timezone: IANA name; None: that of the warehouse
    :raises QualityGateError: a critical rule failed; the reports do not change and are marked stale
    :raises ConfigurationError: the zone is not that of the reports, and `full` is not set
    """
    with _locked(connect) as connection:
        build_id = _begin(connection, days, full, report_timezone)
        try:
            _build(connection, build_id, days, full)
            warnings = _validate(connect, connection, build_id)
            result = _publish(connection, build_id)
        except Exception as error:
            _fail(connection, build_id, error)
            raise
    return replace(result, warnings=warnings)


def build(
    connect: Connect,
    days: Sequence[date] | None,
    full: bool,
    report_timezone: str | None,
) -> int:
    """Run only the first step of `rebuild`, for a scheduler that runs each step in a separate process. Arguments and
    errors are the same. Returns the number of the build.

    The lock of builds is held during each step, not between steps. Another build may run in between: it drops this
    build, and the next step of this one raises UsageError.
    """
    with _locked(connect) as connection:
        build_id = _begin(connection, days, full, report_timezone)
        with _failing(connection, build_id):
            _build(connection, build_id, days, full)
    return build_id


def validate(connect: Connect, build_id: int) -> tuple[str, ...]:
    """Run the second step: validate the candidate tables. It can be repeated.

    :returns: rules that failed and only warn, as `suite.rule`
    :raises QualityGateError: a critical rule failed; the reports do not change and are marked stale
    :raises UsageError: the build has ended
    """
    with _locked(connect) as connection, _failing(connection, build_id):
        return _validate(connect, connection, build_id)


def publish(connect: Connect, build_id: int, is_dry: bool = False) -> BuildResult:
    """Run the last step: one transaction applies the difference. Does nothing if the build is published.

    :param is_dry: only count the rows that would change
    :raises UsageError: the build is not validated, or has ended
    """
    with _locked(connect) as connection, _failing(connection, build_id):
        return _publish(connection, build_id, is_dry)


def drop_unfinished(connect: Connect, waiting_for: timedelta) -> int:
    """Drop builds that died or waited too long for their next step; returns how many."""
    with _locked(connect) as connection, connection, connection.cursor() as cursor:
        numbers = builds.fail_unfinished(cursor, "it died, or its next step did not start", waiting_for)
        tables = (table for number in numbers for table in candidates.leftovers(cursor, number))
        candidates.drop(cursor, list(tables))
        return len(numbers)


def _build(connection: Connection, build_id: int, days: Sequence[date] | None, full: bool) -> None:
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
    with connection, connection.cursor() as cursor:
        zone = builds.state(cursor, build_id).report_timezone
        snapshot = candidates.create(cursor, build_id, days, full, zone)
        builds.keep_candidates(cursor, build_id, snapshot)
    connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)


def _validate(connect: Connect, connection: Connection, build_id: int) -> tuple[str, ...]:
    with connection, connection.cursor() as cursor:
        snapshot = _snapshot(cursor, build_id, ("building", "validated"))
    row_count = sum(snapshot.row_counts.values())
    fields = {"build_id": build_id, "step": "validate", "row_count": row_count}
    log.info("build %d: validating %s", build_id, counted(row_count, "row", "rows"), extra=fields)
    outcomes = gate.check(connect, connection, snapshot.subjects(), f"build {build_id}")
    with connection, connection.cursor() as cursor:
        builds.mark_validated(cursor, build_id)
    return tuple(f"{outcome.suite}.{rule.rule}" for outcome in outcomes for rule in outcome.warnings)


def _publish(connection: Connection, build_id: int, is_dry: bool = False) -> BuildResult:
    with connection, connection.cursor() as cursor:
        if builds.state(cursor, build_id).status == "published":
            return _published(cursor, build_id)
        snapshot = _snapshot(cursor, build_id, ("validated",))
    rows_changed = {}
    with suppress(_DryRun), connection, connection.cursor() as cursor:
        candidates.check_row_counts(cursor, snapshot)
        for report in built_reports() if snapshot.tables else ():
            rows_changed[report.name] = apply_difference(cursor, report, snapshot.tables[report.name], snapshot.days)
        rows_changed |= live.publish(cursor, snapshot.tables) if snapshot.tables else {}
        for name, count in rows_changed.items():
            fields = {"build_id": build_id, "step": "publish", "report": name, "row_count": count}
            log.info("build %d: %s: %s changed", build_id, name, counted(count, "row", "rows"), extra=fields)
        candidates.remove_pending(cursor, snapshot)
        _end(cursor, build_id, "published", snapshot, sum(rows_changed.values()))
        builds.mark_fresh(cursor)
        if is_dry:
            raise _DryRun
    with connection, connection.cursor() as cursor:
        if is_dry:
            candidates.drop(cursor, snapshot.tables.values())
            _end(cursor, build_id, "tried", snapshot, sum(rows_changed.values()))
        return replace(_published(cursor, build_id), rows_changed_by_report=rows_changed)


class _DryRun(Exception):  # noqa: N818 - it rolls a transaction back and is no error
    pass


@contextmanager
def _locked(connect: Connect) -> Iterator[Connection]:
    """Open a connection in the reporter's role that holds the lock of builds until it is closed.

    :raises UnavailableError: another session held the lock, a row or a table for too long
    """
    with closing(connect()) as connection:
        connection.rollback()
        connection.autocommit = True  # the lock is taken outside a transaction, so every snapshot is taken after it
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("set role {}").format(sql.Identifier(ROLE)))
            locks.bound(cursor)
            locks.take(cursor, locks.BUILD, "another build", "build", is_of_session=True)
        connection.autocommit = False
        try:
            yield connection
        except psycopg2.errors.LockNotAvailable as error:
            connection.rollback()
            with connection.cursor() as cursor:
                raise locks.timeout_error(cursor, error) from None


def _zone(connection: Connection, wanted: str | None, full: bool) -> str:
    """Return the report zone of the build. A full build may change it, together with the local days in facts."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        stored = cursor.fetchone()
        if stored is None:
            raise ConfigurationError("The warehouse has no report_timezone: run `waybill warehouse migrate`.")
        built = builds.zone_of_reports(cursor)
    zone = wanted or stored[0]
    if full:
        if zone != stored[0]:
            _change_zone(connection, zone)
        return zone
    for other in (stored[0], built):
        if other is not None and zone != other:
            raise ConfigurationError(
                f"REPORT_TIMEZONE is {zone}, but the local days of this warehouse are those of {other}. Either set "
                f"it to {other}, or run `waybill report rebuild --full` to compute all days again."
            )
    return zone


def _change_zone(connection: Connection, zone: str) -> None:
    with connection, connection.cursor() as cursor:
        # Publishing loads hold this lock, shared: after this, no load can write days of the old zone.
        locks.take(cursor, locks.ZONE, "loads that are publishing", "build")
        try:
            cursor.execute("select pg_catalog.timezone(%s, transaction_timestamp())", (zone,))
        except psycopg2.errors.InvalidParameterValue as error:
            raise ConfigurationError(f"Postgres does not know the time zone REPORT_TIMEZONE={zone!r}.") from error
        rezone(cursor, zone)
        cursor.execute("update ops.setting set value = %s where name = 'report_timezone'", (zone,))


def _drop_unfinished(connection: Connection) -> None:
    """Drop the tables of builds that died: this process holds the lock, so no other build is running."""
    with connection, connection.cursor() as cursor:
        candidates.drop(cursor, candidates.leftovers(cursor))
        builds.fail_unfinished(cursor, "it died, or another build began before its next step")


def _begin(connection: Connection, days: Sequence[date] | None, full: bool, report_timezone: str | None) -> int:
    """Drop dead builds, and add the row of a new build."""
    if full and days is not None:
        raise UsageError("Give days, or --full for every day, not both.")
    zone = _zone(connection, report_timezone, full)
    _drop_unfinished(connection)
    with connection, connection.cursor() as cursor:
        return builds.begin(cursor, zone, full)


def _snapshot(cursor: Cursor, build_id: int, statuses: Sequence[str]) -> candidates.Snapshot:
    """Return the snapshot of a build. Raises UsageError if the build cannot continue."""
    state = builds.state(cursor, build_id)
    if state.status not in statuses or state.candidates is None:
        why = f" ({state.failure})" if state.failure else ""
        raise UsageError(
            f"Build {build_id} is {state.status}{why}, so it cannot continue. Nothing of it was published, and its "
            "days are still pending: start another build."
        )
    return msgspec.convert(state.candidates, candidates.Snapshot, strict=False)


def _published(cursor: Cursor, build_id: int) -> BuildResult:
    return BuildResult(*builds.ended(cursor, build_id))


def _end(cursor: Cursor, build_id: int, status: str, snapshot: candidates.Snapshot, rows_changed: int) -> None:
    """Record the end of a build, and drop its candidate tables."""
    builds.end(cursor, build_id, status, snapshot.as_of, snapshot.days, rows_changed)
    candidates.drop(cursor, snapshot.tables.values())


@contextmanager
def _failing(connection: Connection, build_id: int) -> Iterator[None]:
    """Handle the errors of a step: Waybill's own errors end the build. After other errors (a lost connection) the step
    can be repeated. In both cases the reports are marked stale."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        is_final = isinstance(error, WaybillError) and not isinstance(error, UnavailableError)
        _fail(connection, build_id, error, is_final)
        raise


def _fail(connection: Connection, build_id: int, error: Exception, is_final: bool = True) -> None:
    """Mark the build as failed and the reports as stale, in a separate transaction.

    :param is_final: False: only mark the reports
    """
    reason = str(error) if isinstance(error, WaybillError) else f"{type(error).__name__}; see the log of the build"
    try:
        connection.rollback()
        connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)
        with connection, connection.cursor() as cursor:
            if is_final:
                candidates.drop(cursor, candidates.leftovers(cursor))
                builds.fail(cursor, build_id, reason)
            builds.mark_stale(cursor, reason if isinstance(error, QualityGateError) else f"build {build_id}: {reason}")
    except psycopg2.Error:
        # The connection is lost; the next build finds this one unfinished.
        pass
