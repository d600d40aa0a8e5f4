"""Pulls in ops.pull and ops.pull_page: the last one, how far each got, what went wrong, how it ended."""

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
from waybill.warehouse.queries import only_value, sql_of

RESUMED_WITHIN = timedelta(hours=12)
"""The greatest age of a pull that is resumed: page tokens expire."""

MOST_FAILURES = 3
"""Failures of one page after which the pull is given up, because its page token may be the cause."""

NORMALLY_BUSY = 20
"""Records in an earlier pull of a time from which on an empty pull of it raises an alarm."""


class Pulled(NamedTuple):
    """The result of a pull.

    :ivar page_count: pages that it landed, with those of the pull that it resumed; for the inbox, files not loaded yet
    :ivar record_count: records on these pages, repeated ones counted again; 0 for the inbox
    :ivar broken: what could not be read
    """

    pull_id: int
    page_count: int
    record_count: int
    broken: tuple[str, ...] = ()


class LastPage(NamedTuple):
    """The last stored page of a list.

    :ivar next_link: link of the next page; None on the last page
    :ivar asked_links: the links that led to the second page, the third, and so on up to this page
    :ivar all_landed: the bytes of all pages, in order
    """

    number: int
    next_link: str | None
    asked_links: tuple[str, ...]
    all_landed: tuple[LandedObject, ...]


@contextmanager
def alone(warehouse: Warehouse, feed: Feed, account: str) -> Iterator[Connection]:
    """Return a connection that holds the lock of this feed and account, so that its pulls run one after the other."""
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
    """Insert a new pull of a window, or of the inbox (None); return its pull_id."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.pull (account, feed, from_at, until_at) values (%s, %s, %s, %s) returning pull_id",
            (account, feed.slug, *(window or (None, None))),
        )
        return only_value(cursor, int)


def unfinished(connection: Connection, feed: Feed, account: str, window: Window) -> int | None:
    """Return the last pull of this window if it can be resumed. The caller holds its lock: nobody else resumes it."""
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
    if found is None:
        return None
    pull_id, is_unfinished = found
    return pull_id if is_unfinished else None


def interrupted(
    cursor: Cursor, feed: ApiFeed, account: str, complete_until: datetime | None, until_at: datetime
) -> Window | None:
    """Return the window of the last pull if that died, began at the watermark, and no process is working on it.

    :param complete_until: the watermark; None before the first complete window
    :param until_at: latest end of the window
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
    if found is None or not locks.take_if_free(cursor, locks.pull_lock(feed.slug, account)):
        return None
    return Window(*found)


def last_page(connection: Connection, pull_id: int, listing: str) -> LastPage | None:
    """Return the last page that a pull stored of one list; None before the first."""
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/pulls", "pages"), {"pull_id": pull_id, "listing": listing})
        pages = cursor.fetchall()
    if not pages:
        return None
    number, next_link, *_ = pages[-1]
    links = tuple(link for _, link, *_ in pages[:-1])
    return LastPage(number, next_link, links, tuple(LandedObject(*landed) for _, _, *landed in pages))


def note_page(
    connection: Connection,
    pull_id: int,
    listing: str,
    number: int,
    landed: LandedObject,
    record_count: int,
    next_link: str | None,
) -> None:
    """Store a landed page and the link of the next one, where the pull continues."""
    with connection, connection.cursor() as cursor:
        recorded = record(cursor, landed)
        _insert_page(cursor, pull_id, listing, number, recorded.object_id, next_link)
        cursor.execute(
            "update ops.pull set record_count = record_count + %s, broken = '{}' where pull_id = %s",
            (record_count, pull_id),
        )


def note_file(cursor: Cursor, pull_id: int, number: int, object_id: int) -> None:
    """Store a landed file of the inbox."""
    _insert_page(cursor, pull_id, "inbox", number, object_id, None)


def note_failure(connection: Connection, pull_id: int, reason: str) -> bool:
    """Store why the next page was refused; return whether the pull is given up after MOST_FAILURES of them."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update ops.pull set broken = broken || %s where pull_id = %s returning cardinality(broken)",
            ([reason], pull_id),
        )
        failure_count = only_value(cursor, int)
    if failure_count < MOST_FAILURES:
        return False
    end(connection, pull_id, [reason])
    return True


def note_broken(connection: Connection, pull_id: int, reason: str) -> None:
    """Store what of a pull could not be read: its window never counts as complete."""
    with connection, connection.cursor() as cursor:
        cursor.execute("update ops.pull set broken = broken || %s where pull_id = %s", ([reason], pull_id))


def broken(cursor: Cursor, pull_id: int) -> list[str]:
    """Return what of a pull could not be read."""
    cursor.execute("select broken from ops.pull where pull_id = %s", (pull_id,))
    return only_value(cursor, list)


def end(connection: Connection, pull_id: int, reasons: Sequence[str] = ()) -> Pulled:
    """Mark a pull as ended. With reasons, its window never counts as complete."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update ops.pull set pulled_at = clock_timestamp(), broken = %s where pull_id = %s returning record_count",
            (list(reasons), pull_id),
        )
        record_count = only_value(cursor, int)
        cursor.execute("select count(*) from ops.pull_page where pull_id = %s", (pull_id,))
        return Pulled(pull_id, only_value(cursor, int), record_count, tuple(reasons))


def emptiness(connection: Connection, pull_id: int, feed: Feed) -> str | None:
    """Return an alarm if a pull has no record although an earlier one found many in the same time; else None."""
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/pulls", "busy_before"), {"pull_id": pull_id, "busy": NORMALLY_BUSY})
        before = cursor.fetchone()
    if before is None:
        return None
    from_at, until_at, record_count = before
    return (
        f"{feed.slug} showed no record at all, but an earlier pull found {record_count} between {from_at.isoformat()} "
        f"and {until_at.isoformat()}, and most of that time is in this window. Are these the credentials of the same "
        "account? The window does not count as complete."
    )


def left_behind(cursor: Cursor, pull_id: int) -> list[int]:
    """Return the earlier pulls of the same feed and account with unloaded pages, because they or their loads died.

    A load that was stopped for a reason is not repeated: it would stop the same way with every pull.
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
