"""Candidates: the tables that one build writes from one snapshot, and that the publish compares with the reports."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts.live_counts import LIVE_TABLES
from waybill.model.counted import counted
from waybill.model.errors import QualityGateError
from waybill.quality.gate import Subject
from waybill.quality.suites import Shape
from waybill.reports import live
from waybill.reports.catalogue import CONTROL, bounded_statement, built_reports
from waybill.warehouse.queries import only_value

PENDING = "changed_day"
_PREFIX = "build_"
_PLANNING = (
    # Keys of legs and messages are hashes, but the rows of a day are stored together. With the default, the planner
    # counts each look-up as a disk seek and reads whole tables: the cost of a build would grow with the history.
    "random_page_cost = 1.1",
    "work_mem = '64MB'",
)

log = logging.getLogger("waybill.reports")


@dataclass(frozen=True)
class Snapshot:
    """The candidates of a build.

    :ivar days: local days to rebuild, in order; None: all
    :ivar as_of: start of the transaction that read the facts
    :ivar tables: candidate tables of the reports, CONTROL, PENDING and `live.selects`, by name; empty if there is
        nothing to do
    :ivar row_counts: number of rows that were written to each table
    """

    days: tuple[date, ...] | None
    as_of: datetime
    tables: dict[str, str]
    row_counts: dict[str, int]

    def subjects(self) -> list[Subject]:
        """The tables to validate."""
        if not self.tables:
            return []
        shapes = {report.name: report.shape for report in built_reports()}
        shapes |= {table.name: Shape(table.grain, table.measures) for table in LIVE_TABLES}
        return [
            Subject(name, self.tables[name], self.row_counts[name], self.tables, shape)
            for name, shape in shapes.items()
        ]


def create(
    cursor: Cursor,
    build_id: int,
    days: Sequence[date] | None,
    full: bool,
    report_timezone: str,
) -> Snapshot:
    """Write all candidates of a build. The transaction of the caller is repeatable read, so all see one snapshot."""
    cursor.execute("select transaction_timestamp()")
    as_of = only_value(cursor, datetime)
    for setting in _PLANNING:
        cursor.execute(sql.SQL("set local {}").format(sql.SQL(setting)))
    built = None if full else tuple(sorted(set(days))) if days is not None else pending_days(cursor)
    if built == () and not live.is_pending(cursor):
        return Snapshot(built, as_of, {}, {})
    parameters = {"days": None if built is None else list(built), "report_timezone": report_timezone}
    names = [*(report.name for report in built_reports()), CONTROL]
    selects: dict[str, sql.Composable] = {name: sql.SQL(bounded_statement(name)) for name in names}
    selects[PENDING] = sql.SQL(
        "select load_id, day from ops.changed_day where %(days)s::date[] is null or day = any (%(days)s)"
    )
    selects |= live.selects(cursor, full)
    snapshot = Snapshot(built, as_of, {}, {})
    for name, select in selects.items():
        table = f"staging.{_PREFIX}{build_id}_{name}"
        # The table is unlogged: its row count shows if a crash of the server emptied it.
        identifier = sql.Identifier(*table.split("."))
        cursor.execute(sql.SQL("create unlogged table {} as {}").format(identifier, select), parameters)
        snapshot.tables[name] = table
        snapshot.row_counts[name] = cursor.rowcount
        fields = {"build_id": build_id, "step": "build", "report": name, "row_count": cursor.rowcount}
        log.info("build %d: %s: %s", build_id, name, counted(cursor.rowcount, "row", "rows"), extra=fields)
        cursor.execute(sql.SQL("analyze {}").format(identifier))
    return snapshot


def check_row_counts(cursor: Cursor, snapshot: Snapshot) -> None:
    """Raise QualityGateError if a candidate lost rows, because a crash of the server empties unlogged tables."""
    for name, table in snapshot.tables.items():
        cursor.execute(sql.SQL("select count(*) from {}").format(_identifier(table)))
        found = only_value(cursor, int)
        if found != snapshot.row_counts[name]:
            raise QualityGateError(
                f"candidate_row_count: {table} has {found} rows, {snapshot.row_counts[name]} were written. Nothing "
                "was published; run the build again."
            )


def remove_pending(cursor: Cursor, snapshot: Snapshot) -> None:
    """Remove exactly the pending (load, day) pairs that the snapshot contains."""
    if snapshot.tables:
        cursor.execute(
            sql.SQL(
                "delete from ops.changed_day as pending using {} as seen"
                " where pending.load_id = seen.load_id and pending.day = seen.day"
            ).format(_identifier(snapshot.tables[PENDING]))
        )


def leftovers(cursor: Cursor, build_id: int | None = None) -> list[str]:
    """Return the candidate tables of one build, or of all."""
    number = r"\d+" if build_id is None else str(build_id)
    cursor.execute(
        "select tablename from pg_catalog.pg_tables where schemaname = 'staging' and tablename ~ %s order by tablename",
        (f"^{_PREFIX}{number}_",),
    )
    return [f"staging.{name}" for (name,) in cursor.fetchall()]


def drop(cursor: Cursor, tables: Iterable[str]) -> None:
    for table in tables:
        cursor.execute(sql.SQL("drop table if exists {}").format(_identifier(table)))


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def pending_days(cursor: Cursor) -> tuple[date, ...]:
    """Return the local days that wait to be built, in order."""
    cursor.execute("select day from ops.changed_day group by day order by day")
    return tuple(day for (day,) in cursor.fetchall())
