"""Which window a pull asks for."""

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds.api import ApiFeed, Window
from waybill.ledger import pulls as journal


class Asked(NamedTuple):
    """A window, and down to when to list what no window shows (None: not at all)."""

    window: Window
    swept_from: datetime | None


def next_window(cursor: Cursor, feed: ApiFeed, account: str, until_at: datetime) -> Asked:
    """From where the feed is complete, less its lateness, to `until_at`; the first time, as far back as its lateness.

    Whatever was missed, by whatever outage, is in it: the watermark tells, not the last run. Where the last pull died
    on that way, it is that one's window: what it landed need not be fetched again.
    """
    cursor.execute("select complete_until from ops.watermark where account = %s and feed = %s", (account, feed.slug))
    found = cursor.fetchone()
    complete_until = min(found[0], until_at) if found else None
    window = journal.interrupted(cursor, feed, account, complete_until, until_at)
    if window is None:
        window = Window((complete_until or until_at) - feed.lateness, until_at)
    swept_from = window.from_at if complete_until is None else max(window.from_at, complete_until - feed.sweep)
    return Asked(window, swept_from)


def given_window(window: Window, is_dated_only: bool = False) -> Asked:
    """A window that somebody names, with what no window shows down to its start.

    :param is_dated_only: without that: the list begins with the newest, so of a time long ago it is a long one
    """
    return Asked(window, None if is_dated_only else window.from_at)
