"""Live monitoring and the counts of joins in builds: what a build adds, and the recount that they are held against.

Loads keep fact.live_count, fact.live_reason and fact.join_count, builds keep fact.live_engagement. A full build
recounts all of them in its snapshot; what loads add meanwhile stays, because what loads keep is corrected by a
difference.
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

PENDING_ENGAGEMENT = "changed_engagement"
"""Candidate that holds which loads' changes of opened and clicked the snapshot saw."""

RECOUNTED = (*LIVE_TABLES, JOIN_COUNT)
"""What verify compares."""

_RECOUNT = sql.SQL("live_recount")
_KEPT_BY_LOADS = (*((table, _RECOUNT) for table in WRITTEN_BY_LOADS), (JOIN_COUNT, join_counts.RECOUNT))


def is_pending(cursor: Cursor) -> bool:
    """Whether loads have left changes of opened and clicked that no build has added."""
    cursor.execute("select exists (select from ops.changed_engagement)")
    return cursor.fetchone()[0]


def selects(cursor: Cursor, full: bool) -> dict[str, sql.Composable]:
    """The SELECT of each candidate by name: of LIVE_TABLES, what they hold after the build, as of the snapshot; of a
    full build also the corrections to what loads have written; and PENDING_ENGAGEMENT.

    :param full: recount everything, whatever is stored
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
    """Leave a temporary table of the name of each of RECOUNTED behind: what it should hold, by a recount. Of opened
    and clicked, what loads have left pending is not in it."""
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
    """Apply what a build has found; returns rows written, by table of fact.

    :param tables: candidates by name, those of `selects` among them
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
    """The rows of a recount, and those of another source with its counts negative."""
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
