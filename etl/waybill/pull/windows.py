"""The window of a pull."""

from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds.api import ApiFeed, Window
from waybill.ledger import pulls as journal


class PullWindow(NamedTuple):
    """The window of a pull.

    :ivar swept_from: also list records that no window contains, from this time on; None: do not list them
    """

    window: Window
    swept_from: datetime | None


def next_window(cursor: Cursor, feed: ApiFeed, account: str, until_at: datetime) -> PullWindow:
    """Return the window from the time until which the feed is complete, less its lateness, to `until_at`. The first
    window begins at `until_at` less the lateness.

    The watermark decides, not the last run, so the window contains all that an outage missed. If the last pull died
    within this window, the result is the window of that pull, and its landed pages are not fetched again.
    """
    cursor.execute("select complete_until from ops.watermark where account = %s and feed = %s", (account, feed.slug))
    found = cursor.fetchone()
    complete_until = min(found[0], until_at) if found else None
    window = journal.interrupted(cursor, feed, account, complete_until, until_at)
    if window is None:
        window = Window((complete_until or until_at) - feed.lateness, until_at)
    swept_from = window.from_at if complete_until is None else max(window.from_at, complete_until - feed.sweep)
    return PullWindow(window, swept_from)


def given_window(window: Window, is_dated_only: bool = False) -> PullWindow:
    """Return the window that a user names; records that no window contains are listed from its start.

    :param is_dated_only: do not list those records: their list begins with the newest, so it is long for old windows
    """
    return PullWindow(window, None if is_dated_only else window.from_at)
