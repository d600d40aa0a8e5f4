"""Live monitoring: counts of messages, kept up to date by differences.

`fact.counted_message` has the counts of one message. A load sums its touched messages before and after, and adds the
difference to fact.live_count and fact.live_reason. Changes of opened and clicked wait in ops.changed_engagement for
the next build.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import sql_of


@dataclass(frozen=True)
class LiveTable:
    """A table of counts in schema fact.

    :ivar grain: the columns of its key
    :ivar measures: counts; each is the sum of the column of that name in fact.counted_message
    """

    name: str
    grain: tuple[str, ...]
    measures: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.grain + self.measures

    @property
    def table(self) -> str:
        return f"fact.{self.name}"


_CAMPAIGN = ("account", "campaign_id", "channel")
LIVE_COUNT = LiveTable(
    "live_count",
    _CAMPAIGN,
    (
        "targeted",
        "sent",
        "delivered",
        "bounced_hard",
        "bounced_soft",
        "not_delivered",
        "in_gateway",
        "marked_spam",
        "marked_unsubscribed",
        "not_sent",
        "not_sent_internally_suppressed",
        "not_sent_incomplete_or_invalid",
        "not_sent_system_error",
        "not_sent_other",
        "in_progress_queued",
        "in_progress_about_to_be_sent",
    ),
)
LIVE_REASON = LiveTable("live_reason", (*_CAMPAIGN, "category", "reason"), ("message_count",))
LIVE_ENGAGEMENT = LiveTable("live_engagement", _CAMPAIGN, ("delivered", "opened", "clicked"))

WRITTEN_BY_LOADS = (LIVE_COUNT, LIVE_REASON)
LIVE_TABLES = (*WRITTEN_BY_LOADS, LIVE_ENGAGEMENT)

_FINEST = LIVE_REASON.grain
_MEASURES = tuple(dict.fromkeys(measure for table in LIVE_TABLES for measure in table.measures))
_TOUCHED = sql.SQL("touched_message inner join fact.counted_message using (message_key)")


def note_before(cursor: Cursor) -> None:
    """Store the counts of touched_message before any message is written."""
    cursor.execute(
        sql.SQL("create temporary table live_change on commit drop as {}").format(
            summed(_TOUCHED, _FINEST, _MEASURES, sign="-")
        )
    )


def write_difference(cursor: Cursor, load_id: int) -> None:
    """Add the changes since `note_before` in key order; unchanged counts are not written."""
    cursor.execute(sql.SQL("insert into live_change {}").format(summed(_TOUCHED, _FINEST, _MEASURES)))
    for table in WRITTEN_BY_LOADS:
        add(cursor, table, sql.SQL("live_change"))
    cursor.execute(
        sql.SQL(
            "insert into ops.changed_engagement (load_id, {columns}) select %s, changed.* from ({totals}) as changed"
        ).format(columns=_names(LIVE_ENGAGEMENT.columns), totals=totals(LIVE_ENGAGEMENT, sql.SQL("live_change"))),
        (load_id,),
    )


def note_as_of(cursor: Cursor, load_id: int, accounts: Iterable[str]) -> None:
    """Store the time of a load for these accounts and the load's own, just before its commit."""
    cursor.execute(sql_of("facts/changes", "note_as_of"), {"accounts": list(accounts), "load_id": load_id})


def create_recount(cursor: Cursor) -> None:
    """Sum all messages into the temporary table live_recount. The time grows with the history."""
    counted = sql.SQL("fact.counted_message")
    cursor.execute(
        sql.SQL("create temporary table live_recount on commit drop as {}").format(summed(counted, _FINEST, _MEASURES))
    )


def totals(table: LiveTable, source: sql.Composable) -> sql.Composable:
    """Return a SELECT that sums a source to the rows of `table`, in key order, without rows that are zero."""
    return sql.SQL("select {grain}, {sums} from {source} group by {grain} having {is_there} order by {grain}").format(
        grain=_names(table.grain),
        sums=_listed("sum({0})::bigint as {0}", table.measures),
        source=source,
        is_there=_listed("sum({0}) <> 0", table.measures, " or "),
    )


def add(cursor: Cursor, table: LiveTable, source: sql.Composable) -> int:
    """Add the totals of a source to a table, remove rows that become zero, and return the number of written rows.

    Several transactions may write the table. They all write in key order, so they never deadlock.
    """
    parts = {
        "table": sql.Identifier("fact", table.name),
        "columns": _names(table.columns),
        "grain": _names(table.grain),
        "totals": totals(table, source),
        "sums": _listed("{0} = stored.{0} + excluded.{0}", table.measures),
        "source": source,
        "is_zero": _listed("{0} = 0", table.measures, " and "),
    }
    cursor.execute(
        sql.SQL("insert into {table} as stored ({columns}) {totals} on conflict ({grain}) do update set {sums}").format(
            **parts
        )
    )
    written = cursor.rowcount
    cursor.execute(
        sql.SQL("delete from {table} where {is_zero} and ({grain}) in (select {grain} from {source})").format(**parts)
    )
    return written


def summed(source: sql.Composable, grain: Iterable[str], measures: Iterable[str], sign: str = "") -> sql.Composable:
    """Return a SELECT of the sums of `measures` by `grain`; `sign` "-" negates them."""
    return sql.SQL("select {grain}, {sums} from {source} group by {grain}").format(
        grain=_names(grain), sums=_listed(sign + "sum({0}) as {0}", measures), source=source
    )


def _names(columns: Iterable[str]) -> sql.Composable:
    return _listed("{0}", columns)


def _listed(template: str, columns: Iterable[str], separator: str = ", ") -> sql.Composable:
    return sql.SQL(separator).join(sql.SQL(template).format(sql.Identifier(column)) for column in columns)
