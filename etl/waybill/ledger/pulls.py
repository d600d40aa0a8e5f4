"""What ops.pull and ops.pull_page know of pulls: which came last, how far each got, what went wrong, how it ended."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds.api import ApiFeed, Window
from waybill.feeds.base import Feed
from waybill.landing.objects import LandedObject
from waybill.ledger.loads import DIED, note_feeds
from waybill.ledger.objects import record
from waybill.warehouse import locks
from waybill.warehouse.connection import Warehouse
from waybill.warehouse.queries import sql_of

RESUMED_WITHIN = timedelta(hours=12)
"""How old a pull may be that is gone on with: tokens of pages do not live for ever."""

MOST_FAILURES = 3
"""How often one page may contradict itself; then the pull is given up, because its token may be what is wrong."""

NORMALLY_BUSY = 20
"""Records in a window before, from which on an empty one is an alarm."""


class Pulled(NamedTuple):
    """What a pull came to.

    :ivar page_count: pages that it landed, those of a pull that it went on with included; of the inbox: files that are
        not loaded yet
    :ivar record_count: records on them, as often as they were shown; of files unknown: 0
    :ivar broken: what could not be read, in words
    """

    pull_id: int
    page_count: int
    record_count: int
    broken: tuple[str, ...] = ()


class LastPage(NamedTuple):
    """The page of a list that was noted last.

    :ivar next_link: the page behind it; None: it was the last one
    :ivar asked_links: every link that was followed to get there
    :ivar landed: its bytes
    """

    number: int
    next_link: str | None
    asked_links: tuple[str, ...]
    landed: LandedObject


@contextmanager
def alone(warehouse: Warehouse, feed: Feed, account: str) -> Iterator[Connection]:
    """A connection that holds the lock of this feed and account: pulls of one come one after the other."""
    with warehouse.connected(f"pull:{feed.slug}") as connection:
        with connection, connection.cursor() as cursor:
            locks.take(
                cursor,
                locks.pull_lock(feed.slug, account),
                "the pull that is under way",
                f"pull {feed.slug} {account}",
                is_of_session=True,
            )
            note_feeds(cursor, [feed])
        yield connection


def begin(connection: Connection, feed: Feed, account: str, window: Window | None) -> int:
    """Note a new pull: of a window, or (None) of the inbox; returns its number."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.pull (account, feed, from_at, until_at) values (%s, %s, %s, %s) returning pull_id",
            (account, feed.slug, *(window or (None, None))),
        )
        return cursor.fetchone()[0]


def unfinished(connection: Connection, feed: Feed, account: str, window: Window) -> int | None:
    """The last pull of this window, if it did not come to its end: nobody else goes on with it, we hold its lock."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            sql_of("ledger/pulls", "last_of_window"),
            {
                "account": account,
                "feed": feed.slug,
                "from_at": window.from_at,
                "until_at": window.until_at,
                "within": RESUMED_WITHIN,
            },
        )
        found = cursor.fetchone()
    return found[0] if found is not None and found[1] else None


def interrupted(
    cursor: Cursor, feed: ApiFeed, account: str, complete_until: datetime | None, until_at: datetime
) -> Window | None:
    """The window of the last pull, if it died on its way from where the feed is complete, and nobody is at it now.

    :param complete_until: the watermark; None: there is none yet
    :param until_at: a window that ends later is none
    """
    cursor.execute(
        sql_of("ledger/pulls", "interrupted"),
        {
            "account": account,
            "feed": feed.slug,
            "within": RESUMED_WITHIN,
            "complete_until": complete_until,
            "lateness": feed.lateness,
            "until_at": until_at,
        },
    )
    found = cursor.fetchone()
    is_dead = found is not None and locks.is_free(cursor, locks.pull_lock(feed.slug, account))
    return Window(*found) if is_dead else None


def last_page(connection: Connection, pull_id: int, listing: str) -> LastPage | None:
    """Where a pull stands in one of its lists; None: at its beginning."""
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/pulls", "pages"), {"pull_id": pull_id, "listing": listing})
        pages = cursor.fetchall()
    if not pages:
        return None
    number, next_link, *landed = pages[-1]
    return LastPage(number, next_link, tuple(link for _, link, *_ in pages[:-1] if link), LandedObject(*landed))


def note_page(
    connection: Connection,
    pull_id: int,
    listing: str,
    number: int,
    landed: LandedObject,
    record_count: int,
    next_link: str | None,
) -> None:
    """Note a landed page, and where the next one is: from here on the pull goes on behind it."""
    with connection, connection.cursor() as cursor:
        recorded = record(cursor, landed)
        _insert_page(cursor, pull_id, listing, number, recorded.object_id, next_link)
        cursor.execute(
            "update ops.pull set record_count = record_count + %s, broken = '{}' where pull_id = %s",
            (record_count, pull_id),
        )


def note_file(cursor: Cursor, pull_id: int, number: int, object_id: int) -> None:
    """Note a landed file of the inbox."""
    _insert_page(cursor, pull_id, "inbox", number, object_id, None)


def note_failure(connection: Connection, pull_id: int, reason: str) -> bool:
    """Note why the next page was not taken; whether that was so often that the pull is given up."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update ops.pull set broken = broken || %s where pull_id = %s returning cardinality(broken)",
            ([reason], pull_id),
        )
        failure_count = cursor.fetchone()[0]
    if failure_count < MOST_FAILURES:
        return False
    end(connection, pull_id, [reason])
    return True


def note_broken(connection: Connection, pull_id: int, reason: str) -> None:
    """Note what of a pull could not be read after all: its window will never count as complete."""
    with connection, connection.cursor() as cursor:
        cursor.execute("update ops.pull set broken = broken || %s where pull_id = %s", ([reason], pull_id))


def broken(cursor: Cursor, pull_id: int) -> list[str]:
    """What of a pull could not be read, in words."""
    cursor.execute("select broken from ops.pull where pull_id = %s", (pull_id,))
    return list(cursor.fetchone()[0])


def end(connection: Connection, pull_id: int, reasons: Sequence[str] = ()) -> Pulled:
    """Note that a pull came to its end. With something broken its window will never count as complete."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update ops.pull set pulled_at = clock_timestamp(), broken = %s where pull_id = %s returning record_count",
            (list(reasons), pull_id),
        )
        (record_count,) = cursor.fetchone()
        cursor.execute("select count(*) from ops.pull_page where pull_id = %s", (pull_id,))
        return Pulled(pull_id, cursor.fetchone()[0], record_count, tuple(reasons))


def emptiness(connection: Connection, pull_id: int, feed: Feed) -> str | None:
    """What is wrong with a pull that shows nothing of a time that was busy when it was asked for before."""
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/pulls", "busy_before"), {"pull_id": pull_id, "busy": NORMALLY_BUSY})
        before = cursor.fetchone()
    if before is None:
        return None
    return (
        f"{feed.slug} showed no record at all, but {before[2]} between {before[0].isoformat()} and "
        f"{before[1].isoformat()} when it was asked before, and most of that time lies in this window. Are these the "
        "credentials of the same account? The window does not count as complete."
    )


def left_behind(cursor: Cursor, pull_id: int) -> list[int]:
    """The earlier pulls of the same feed and account that died, or whose loads did, with pages that nobody loaded.

    What a load was stopped for is not tried again by itself: it would stop the same way with every pull.
    """
    cursor.execute(sql_of("ledger/pulls", "left_behind"), {"pull_id": pull_id, "died": DIED})
    return [number for (number,) in cursor.fetchall()]


def _insert_page(
    cursor: Cursor, pull_id: int, listing: str, number: int, object_id: int, next_link: str | None
) -> None:
    cursor.execute(
        "insert into ops.pull_page (pull_id, listing, page_no, object_id, next_link) values (%s, %s, %s, %s, %s)",
        (pull_id, listing, number, object_id, next_link),
    )
