"""Counts of joins: hand-overs without an event of the gateway, and messages of a gateway without a dispatch row.

`fact.counted_join` has the counts of one message. A load sums its touched messages before and after, and adds the
difference to fact.join_count by day. So a reader needs no history.
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
    """Store the counts of touched_message before any leg or message is written."""
    before = summed(_TOUCHED, JOIN_COUNT.grain, JOIN_COUNT.measures, sign="-")
    cursor.execute(sql.SQL("create temporary table join_change on commit drop as {}").format(before))


def write_difference(cursor: Cursor) -> None:
    """Add the changes since `note_before` in key order; unchanged counts are not written."""
    after = summed(_TOUCHED, JOIN_COUNT.grain, JOIN_COUNT.measures)
    cursor.execute(sql.SQL("insert into join_change {}").format(after))
    add(cursor, JOIN_COUNT, sql.SQL("join_change"))


def create_recount(cursor: Cursor) -> None:
    """Sum all messages into the temporary table RECOUNT. The time grows with the history."""
    counted = summed(_COUNTED, JOIN_COUNT.grain, JOIN_COUNT.measures)
    cursor.execute(sql.SQL("create temporary table {} on commit drop as {}").format(RECOUNT, counted))
