"""Which feeds need a replay, because the keys of their messages are made in another way since they were loaded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.model.identity import key_time
from waybill.warehouse.queries import only_row, sql_of


class ReplayDue(NamedTuple):
    """One replay that is due.

    :ivar object_count: landed objects whose events have old keys
    :ivar from_at: whole second (UTC) at or before the first of these events
    :ivar until_at: whole second (UTC) after the last
    """

    feed: str
    object_count: int
    from_at: datetime
    until_at: datetime

    @property
    def command(self) -> str:
        """The command that does it."""
        return (
            f"waybill replay {self.feed} --from {self.from_at:%Y-%m-%dT%H:%M:%SZ}"
            f" --until {self.until_at:%Y-%m-%dT%H:%M:%SZ}"
        )


def replays_due(cursor: Cursor) -> list[ReplayDue]:
    """Return the replays that are due, by slug. A feed is done when each of its objects was published with new keys."""
    due = []
    for slug, feed in sorted(FEEDS.items()):
        cursor.execute(sql_of("ledger/replay_due"), {"feed": slug, "since": feed.identity_since})
        count, first_key, last_key = only_row(cursor)
        if count:
            due.append(ReplayDue(slug, count, _second(first_key), _second(last_key) + timedelta(seconds=1)))
    return due


def _second(event_key: str) -> datetime:
    """Return the whole second (UTC) in an event key."""
    return key_time(UUID(event_key)).replace(microsecond=0)


def in_words(due: Sequence[ReplayDue]) -> str:
    """Return one sentence for people: what is due, and the commands."""
    commands = " and ".join(f"`{replay.command}`" for replay in due)
    return (
        f"Messages of {' and '.join(replay.feed for replay in due)} were loaded before recipients distinguished "
        f"messages, and are counted the old way until you run {commands}."
    )
