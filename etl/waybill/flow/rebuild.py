"""Builds of the reports: candidates from one snapshot, the gate, one transaction that applies the difference.

Everything happens under one session-level advisory lock, so builds come one after another, and what
an earlier one left unfinished is known to be dead.
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
    """What a build did.

    :ivar days: local days that it rebuilt, in order; None: all
    :ivar as_of: time of its snapshot: what was committed before it is in the reports
    :ivar rows_changed: report rows deleted, updated or inserted
    :ivar rows_changed_by_report: the same, by report; the tables behind live monitoring by their own names
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
    with _locked(connect) as connection:
        build_id = _begin(connection, days, full, report_timezone, code_version)
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
    code_version: str,
) -> int:
    """The first step of `rebuild` alone, for a scheduler that takes each step in a process of its own; the same
    arguments and errors. Returns the number of the build.

    The lock of builds is held during each step, not between them: what another build does meanwhile cannot go wrong,
    because it drops this one, whose next step then says so.
    """
    with _locked(connect) as connection:
        build_id = _begin(connection, days, full, report_timezone, code_version)
        with _failing(connection, build_id):
            _build(connection, build_id, days, full)
    return build_id


def validate(connect: Connect, build_id: int) -> tuple[str, ...]:
    """The second step: the suites over what the build has read; again, if it was done before.

    :returns: rules that failed and only warn, as `suite.rule`
    :raises QualityGateError: a critical rule failed: the reports stay as they were and are marked stale
    :raises UsageError: the build has ended already
    """
    with _locked(connect) as connection, _failing(connection, build_id):
        return _validate(connect, connection, build_id)


def publish(connect: Connect, build_id: int, is_dry: bool = False) -> BuildResult:
    """The last step: one transaction applies the difference. A build that is published is left alone.

    :param is_dry: count what would change, and change nothing
    :raises UsageError: the build was not validated, or has ended
    """
    with _locked(connect) as connection, _failing(connection, build_id):
        return _publish(connection, build_id, is_dry)


def drop_unfinished(connect: Connect, waiting_for: timedelta) -> int:
    """Drop builds that died, or have waited that long for their next step; returns how many."""
    with _locked(connect) as connection, connection, connection.cursor() as cursor:
        numbers = builds.fail_unfinished(cursor, "it died, or its next step never came", waiting_for)
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
    log.info("build %d: validating %s rows", build_id, f"{row_count:,}", extra=fields)
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
            log.info("build %d: %s: %s rows changed", build_id, name, f"{count:,}", extra=fields)
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


class _DryRun(Exception):  # noqa: N818 - takes a transaction back; no fault
    pass


@contextmanager
def _locked(connect: Connect) -> Iterator[Connection]:
    """A connection in the reporter's role that holds the lock of builds; closing it lets go of both.

    :raises UnavailableError: another build, or what somebody else holds, was in the way for too long
    """
    with closing(connect()) as connection:
        connection.rollback()
        connection.autocommit = True  # the lock is taken outside any transaction, so no snapshot is older than it
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
    """The report zone to build in. A full build may change it, with everything that facts keep by it."""
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
                f"it to {other}, or run `waybill report rebuild --full` to compute every day anew."
            )
    return zone


def _change_zone(connection: Connection, zone: str) -> None:
    with connection, connection.cursor() as cursor:
        # Loads hold the shared side while they publish: none may write days of the old zone after this.
        locks.take(cursor, locks.ZONE, "loads that are publishing", "build")
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
        builds.fail_unfinished(cursor, "it died, or another build began before its next step")


def _begin(
    connection: Connection, days: Sequence[date] | None, full: bool, report_timezone: str | None, code_version: str
) -> int:
    """Clear away what died, and write the row of a build that starts."""
    if full and days is not None:
        raise UsageError("Rebuild given days, or everything with --full, not both.")
    zone = _zone(connection, report_timezone, full)
    _drop_unfinished(connection)
    with connection, connection.cursor() as cursor:
        return builds.begin(cursor, zone, full, code_version)


def _snapshot(cursor: Cursor, build_id: int, statuses: Sequence[str]) -> candidates.Snapshot:
    """What a build has read that is to go on. Raises UsageError if it cannot."""
    state = builds.state(cursor, build_id)
    if state.status not in statuses or state.candidates is None:
        why = f" ({state.failure})" if state.failure else ""
        raise UsageError(
            f"Build {build_id} is {state.status}{why}: it cannot go on. Nothing of it was "
            "published, and its days are still pending: build again."
        )
    return msgspec.convert(state.candidates, candidates.Snapshot, strict=False)


def _published(cursor: Cursor, build_id: int) -> BuildResult:
    return BuildResult(*builds.ended(cursor, build_id))


def _end(cursor: Cursor, build_id: int, status: str, snapshot: candidates.Snapshot, rows_changed: int) -> None:
    """Write how a build ended, and drop its candidates."""
    builds.end(cursor, build_id, status, snapshot.as_of, snapshot.days, rows_changed)
    candidates.drop(cursor, snapshot.tables.values())


@contextmanager
def _failing(connection: Connection, build_id: int) -> Iterator[None]:
    """A step: what Waybill raises on purpose ends the build; after anything else (a lost connection) the same step
    may be taken again. Either way the reports are stale for now."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        _fail(
            connection,
            build_id,
            error,
            is_final=isinstance(error, WaybillError) and not isinstance(error, UnavailableError),
        )
        raise


def _fail(connection: Connection, build_id: int, error: Exception, is_final: bool = True) -> None:
    """Mark the build failed and the reports stale, in a transaction of its own; what failed is raised all the same.

    :param is_final: False: leave the build as it is, only mark the reports
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
        # The connection is gone: the next build finds this one unfinished.
        pass
