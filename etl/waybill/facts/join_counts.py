"""Joins, counted: hand-overs of which the gateway never spoke, and messages of a gateway without a dispatch row.

`fact.counted_join` says what one message counts as. A load sums up the messages that it touches before and after, and
adds the difference to fact.join_count, by the day: reading it costs nothing of the history.
"""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts.live_counts import LiveTable, add, summed

JOIN_COUNT = LiveTable(
    "join_count",
    ("account", "channel", "gateway", "day"),
    ("dispatched", "handed_over", "handed_over_unseen", "gateway_message", "gateway_message_undispatched"),
)
RECOUNT = sql.SQL("join_recount")
_COUNTED = sql.SQL("fact.counted_join")
_TOUCHED = sql.SQL("touched_message inner join fact.counted_join using (message_key)")


def note_before(cursor: Cursor) -> None:
    """Note what the messages of touched_message count as, before any leg or message is written."""
    before = summed(_TOUCHED, JOIN_COUNT.grain, JOIN_COUNT.measures, sign="-")
    cursor.execute(sql.SQL("create temporary table join_change on commit drop as {}").format(before))


def write_difference(cursor: Cursor) -> None:
    """Add what has changed since `note_before`, in key order; counts that stay the same are not written."""
    after = summed(_TOUCHED, JOIN_COUNT.grain, JOIN_COUNT.measures)
    cursor.execute(sql.SQL("insert into join_change {}").format(after))
    add(cursor, JOIN_COUNT, sql.SQL("join_change"))


def create_recount(cursor: Cursor) -> None:
    """Sum up every message there is, into the temporary table RECOUNT. Its time follows the history."""
    counted = summed(_COUNTED, JOIN_COUNT.grain, JOIN_COUNT.measures)
    cursor.execute(sql.SQL("create temporary table {} on commit drop as {}").format(RECOUNT, counted))
