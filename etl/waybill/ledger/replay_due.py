"""Which feeds have to be replayed, because keys of messages are made otherwise since they were loaded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.model.identity import key_milliseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOADED_BEFORE = """
    with published as (
        select o.object_id, max(l.rules_version) as version, min(i.first_key::text collate "C") as first_key,
            max(i.last_key::text collate "C") as last_key
        from ops.object as o
        inner join ops.load_object as i on i.object_id = o.object_id
        inner join ops.load as l on l.load_id = i.load_id
        where o.feed = %(feed)s and l.feed = o.feed and l.status = 'published'
        group by o.object_id
    )

    select count(*), min(first_key), max(last_key)
    from published
    where version < %(since)s and first_key is not null
"""


class ReplayDue(NamedTuple):
    """What `waybill replay` is to be asked for.

    :ivar object_count: landed objects that hold events under keys of before
    :ivar from_at: whole second (UTC) at or before the first of them
    :ivar until_at: whole second (UTC) after the last
    """

    feed: str
    object_count: int
    from_at: datetime
    until_at: datetime

    @property
    def command(self) -> str:
        """As it is typed."""
        return (
            f"waybill replay {self.feed} --from {self.from_at:%Y-%m-%dT%H:%M:%SZ}"
            f" --until {self.until_at:%Y-%m-%dT%H:%M:%SZ}"
        )


def replays_due(cursor: Cursor) -> list[ReplayDue]:
    """By feed, in order of their slugs; a feed is done when each of its objects was published under newer keys."""
    due = []
    for slug, feed in sorted(FEEDS.items()):
        cursor.execute(_LOADED_BEFORE, {"feed": slug, "since": feed.identity_since})
        count, first_key, last_key = cursor.fetchone()
        if count:
            due.append(ReplayDue(slug, count, _second(first_key), _second(last_key) + timedelta(seconds=1)))
    return due


def _second(event_key: str) -> datetime:
    """The whole second (UTC) in an event key."""
    return _EPOCH + timedelta(seconds=key_milliseconds(UUID(event_key)) // 1000)


def in_words(due: Sequence[ReplayDue]) -> str:
    """One sentence for people: what is due, and the commands."""
    commands = " and ".join(f"`{replay.command}`" for replay in due)
    return (
        f"Messages of {' and '.join(replay.feed for replay in due)} were loaded before recipients told messages apart, "
        f"and count as they did then until you run {commands}."
    )
