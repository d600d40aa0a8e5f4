"""Live monitoring and the counts of joins in builds: what a build adds, and the recount of a full build.

Loads write fact.live_count, fact.live_reason and fact.join_count; builds write fact.live_engagement. A full build
recounts all of them in its snapshot. It corrects the tables of loads by a difference, so counts that loads add
meanwhile remain.
"""

from collections.abc import Mapping

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts import join_counts
from waybill.facts.join_counts import JOIN_COUNT
from waybill.facts.live_counts import (
    LIVE_ENGAGEMENT,
    LIVE_TABLES,
    WRITTEN_BY_LOADS,
    LiveTable,
    add,
    create_recount,
    totals,
)
from waybill.reports.difference import apply_difference
from waybill.warehouse.queries import only_value

PENDING_ENGAGEMENT = "changed_engagement"
"""The candidate with the loads whose changes of opened and clicked are in the snapshot."""

RECOUNTED = (*LIVE_TABLES, JOIN_COUNT)
"""The tables that verify compares."""

_RECOUNT = sql.SQL("live_recount")
_KEPT_BY_LOADS = (*((table, _RECOUNT) for table in WRITTEN_BY_LOADS), (JOIN_COUNT, join_counts.RECOUNT))


def is_pending(cursor: Cursor) -> bool:
    """Return whether changes of opened and clicked wait for a build."""
    cursor.execute("select exists (select from ops.changed_engagement)")
    return only_value(cursor, bool)


def selects(cursor: Cursor, full: bool) -> dict[str, sql.Composable]:
    """Return the SELECT of each candidate by name: the content of LIVE_TABLES after the build; in a full build also the
    corrections of the tables that loads write; and PENDING_ENGAGEMENT.

    :param full: recount everything, without the stored counts
    """
    found: dict[str, sql.Composable] = {PENDING_ENGAGEMENT: sql.SQL("select load_id from ops.changed_engagement")}
    if full:
        create_recount(cursor)
        found |= {table.name: totals(table, _RECOUNT) for table in LIVE_TABLES}
        join_counts.create_recount(cursor)
        for table, recount in _KEPT_BY_LOADS:
            found[_correction(table)] = totals(table, _less(table, recount, sql.Identifier("fact", table.name)))
    else:
        found |= {table.name: totals(table, sql.Identifier("fact", table.name)) for table in WRITTEN_BY_LOADS}
        with_pending = _both(LIVE_ENGAGEMENT, sql.SQL("fact.live_engagement"), sql.SQL("ops.changed_engagement"))
        found[LIVE_ENGAGEMENT.name] = totals(LIVE_ENGAGEMENT, with_pending)
    return found


def derive(cursor: Cursor) -> None:
    """Create a temporary table for each table of RECOUNTED, under its name, with the recounted content. Pending
    changes of opened and clicked are not in it."""
    create_recount(cursor)
    join_counts.create_recount(cursor)
    pending = _less(LIVE_ENGAGEMENT, _RECOUNT, sql.SQL("ops.changed_engagement"))
    for table, source in (*_KEPT_BY_LOADS, (LIVE_ENGAGEMENT, pending)):
        cursor.execute(
            sql.SQL("create temporary table {} on commit drop as {}").format(
                sql.Identifier(table.name), totals(table, source)
            )
        )


def publish(cursor: Cursor, tables: Mapping[str, str]) -> dict[str, int]:
    """Apply the candidates of a build; returns the number of written rows by table.

    :param tables: candidates by name, including those of `selects`
    """
    written = {}
    for table, _ in _KEPT_BY_LOADS:
        correction = tables.get(_correction(table))
        written[table.name] = 0 if correction is None else add(cursor, table, _identifier(correction))
    written[LIVE_ENGAGEMENT.name] = apply_difference(cursor, LIVE_ENGAGEMENT, tables[LIVE_ENGAGEMENT.name], None)
    cursor.execute(
        sql.SQL("delete from ops.changed_engagement where load_id in (select load_id from {})").format(
            _identifier(tables[PENDING_ENGAGEMENT])
        )
    )
    return written


def _correction(table: LiveTable) -> str:
    return f"{table.name}_correction"


def _less(table: LiveTable, recount: sql.Composable, subtracted: sql.Composable) -> sql.Composable:
    """Return the rows of a recount together with those of another source with negative counts."""
    negative = sql.SQL(", ").join(sql.SQL("-{0} as {0}").format(sql.Identifier(name)) for name in table.measures)
    turned = sql.SQL("(select {grain}, {negative} from {subtracted}) as turned").format(
        grain=_names(table.grain), negative=negative, subtracted=subtracted
    )
    return _both(table, recount, turned)


def _both(table: LiveTable, one: sql.Composable, other: sql.Composable) -> sql.Composable:
    return sql.SQL("(select {columns} from {one} union all select {columns} from {other}) as both_of_them").format(
        columns=_names(table.columns), one=one, other=other
    )


def _names(columns: tuple[str, ...]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))
