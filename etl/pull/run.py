"""Pull: what a provider's API shows of a window, or what lies in the inbox, landed and noted page by page.

A page is noted once it is landed and known to be whole, with the link to the next one: a pull that dies goes on
there, and fetches at most the page again that it was about to note.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple
from urllib.parse import urlencode

from psycopg2.extensions import connection as Connection  # noqa: N812

from etl.feeds.api import ApiFeed, Listing, Page, Window
from etl.feeds.base import Feed
from etl.load import landing
from etl.load.sources import landed_inbox
from etl.model.errors import SourceError, UsageError
from etl.pull.client import Client
from etl.settings import Access, Settings
from etl.warehouse.connection import LOADER, connected

RESUMED_WITHIN = timedelta(hours=12)
"""How old a pull may be that is gone on with: tokens of pages do not live for ever."""

MOST_PAGES = 100_000
NORMALLY_BUSY = 20
"""Records in the window before, from which on an empty one is an alarm."""

Progress = Callable[[str], None]
Connect = Callable[[Access], Client]


class Pulled(NamedTuple):
    """What a pull came to.

    :ivar page_count: pages (of the inbox: files) that it landed, those of a pull that it went on with included
    :ivar record_count: records on them, as often as they were shown; of files unknown: 0
    :ivar broken: what could not be read, in words
    """

    pull_id: int
    page_count: int
    record_count: int
    broken: tuple[str, ...] = ()


def pull_window(
    settings: Settings,
    url: str,
    feed: ApiFeed,
    account: str,
    window: Window,
    swept_from: datetime | None,
    connect_to: Connect,
    now: Callable[[], datetime],
    progress: Progress = lambda message: None,
) -> Pulled:
    """Land every page of a window. The same call again goes on where one died; after one that ended it looks anew.

    :param swept_from: as in `ApiFeed.listings`
    :param connect_to: opens a client to the provider
    :param now: the time, aware
    :raises UsageError: the window lies in the future
    :raises ConfigurationError: credentials are missing or refused
    :raises SourceError: the provider could not be read to the end, or contradicts itself
    """
    if window.until_at > now():
        raise UsageError(f"The window ends at {window.until_at.isoformat()}: what is yet to come cannot be pulled.")
    access = settings.access_of(feed, account)
    with _alone(url, feed, account, progress) as connection:
        _note_feed(connection, feed)
        pull_id = _resumed(connection, feed, account, window, now()) or _begin(connection, feed, account, window)
        with closing(connect_to(access)) as client:
            for listing in feed.listings(access.account_id, window, swept_from):
                pages = _Pages(settings, connection, feed, account, pull_id, window, listing, client, now, progress)
                pages.fetch()
        if (alarm := _emptiness(connection, pull_id, feed)) is not None:
            _end(connection, pull_id, [alarm])
            raise SourceError(alarm)
        return _end(connection, pull_id)


def pull_inbox(
    settings: Settings, url: str, feed: Feed, account: str, progress: Progress = lambda message: None
) -> Pulled:
    """Land and note every file in the inbox of one feed and account. What cannot be read is named in the result."""
    with _alone(url, feed, account, progress) as connection:
        _note_feed(connection, feed)
        pull_id = _begin(connection, feed, account, None)
        broken: list[str] = []
        for number, item in enumerate(landed_inbox(settings, feed, account), start=1):
            if isinstance(item, SourceError):
                broken.append(str(item))
                continue
            with connection, connection.cursor() as cursor:
                recorded = landing.record(cursor, item)
                cursor.execute(
                    "insert into ops.pull_page (pull_id, listing, page_no, object_id) values (%s, 'inbox', %s, %s)",
                    (pull_id, number, recorded.object_id),
                )
            progress(f"pull {feed.slug} {account}: {number:,} files")
        return _end(connection, pull_id, broken)


class _Pages:
    """The pages of one listing, one after the other."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        feed: ApiFeed,
        account: str,
        pull_id: int,
        window: Window,
        listing: Listing,
        client: Client,
        now: Callable[[], datetime],
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._feed = feed
        self._account = account
        self._pull_id = pull_id
        self._window = window
        self._listing = listing
        self._client = client
        self._now = now
        self._progress = progress
        self._asked: set[bytes] = set()
        self._shown: frozenset[str] = frozenset()

    def fetch(self) -> None:
        """Land and note every page that is not noted yet."""
        number, link, params = 1, self._listing.link, self._listing.params
        noted = self._last_noted()
        if noted is not None:
            number, link, params = noted[0] + 1, noted[1], ()
        while link is not None:
            request = f"{link}?{urlencode(params)}" if params else link
            self._asked.add(_digest(request))
            try:
                answer = self._client.get(link, params)
            except SourceError as error:
                if noted is not None:
                    _end(self._connection, self._pull_id, [str(error)])  # its token may be dead: begin anew next time
                raise
            noted = None
            page = self._feed.page(answer.body, self._listing)
            self._check(page, number)
            self._note(number, request, answer.body, page)
            self._progress(f"pull {self._feed.slug} {self._account}: {self._listing.name}, page {number}")
            number, link, params = number + 1, None if page.is_past else page.next_link, ()

    def _last_noted(self) -> tuple[int, str | None] | None:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "select page_no, next_link from ops.pull_page where pull_id = %s and listing = %s order by page_no",
                (self._pull_id, self._listing.name),
            )
            pages = cursor.fetchall()
        self._asked.update(_digest(link) for _, link in pages[:-1] if link)
        return pages[-1] if pages else None

    def _check(self, page: Page, number: int) -> None:
        """Refuse a page that leads in circles, before it is noted: asked for again it may be right."""
        where = f"{self._feed.slug} of account {self._account}, {self._listing.name}, page {number}"
        again = "Nothing of it was taken; run the same command again: it goes on with this page."
        if page.next_link is not None:
            self._client.check(page.next_link)
            if _digest(page.next_link) in self._asked:
                raise SourceError(f"{where} names a page as the next one that was there before. {again}")
            if not page.record_ids:
                raise SourceError(f"{where} is empty, but names a next one. {again}")
            if number >= MOST_PAGES:
                raise SourceError(f"{where} is the last that a list may have: ask for a shorter window.")
        shown = frozenset(page.record_ids)
        if shown and shown <= self._shown:
            raise SourceError(f"{where} shows what the page before it showed. {again}")
        self._shown = shown

    def _note(self, number: int, request: str, body: bytes, page: Page) -> None:
        landed = landing.land(
            BytesIO(body),
            self._account,
            self._feed.slug,
            self._settings.landing_url,
            self._now(),
            request=request,
            window=tuple(self._window),
            record_count=len(page.record_ids),
        )
        with self._connection, self._connection.cursor() as cursor:
            recorded = landing.record(cursor, landed)
            cursor.execute(
                "insert into ops.pull_page (pull_id, listing, page_no, object_id, next_link)"
                " values (%s, %s, %s, %s, %s)",
                (
                    self._pull_id,
                    self._listing.name,
                    number,
                    recorded.object_id,
                    None if page.is_past else page.next_link,
                ),
            )
            cursor.execute(
                "update ops.pull set record_count = record_count + %s where pull_id = %s",
                (len(page.record_ids), self._pull_id),
            )


def _digest(link: str) -> bytes:
    return sha256(link.encode()).digest()


@contextmanager
def _alone(url: str, feed: Feed, account: str, progress: Progress) -> Iterator[Connection]:
    """A connection that holds the lock of this feed and account: pulls of one come one after the other."""
    with connected(url, LOADER, f"waybill:pull:{feed.slug}") as connection:
        with connection, connection.cursor() as cursor:
            key = f"{account}/{feed.slug}"
            cursor.execute("select pg_try_advisory_lock(hashtext('waybill-pull'), hashtext(%s))", (key,))
            if not cursor.fetchone()[0]:
                progress(f"pull {feed.slug} {account}: waiting for the pull that is under way")
                cursor.execute("select pg_advisory_lock(hashtext('waybill-pull'), hashtext(%s))", (key,))
        yield connection


def _note_feed(connection: Connection, feed: Feed) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.feed (feed, kind) values (%s, %s) on conflict do nothing", (feed.slug, feed.kind)
        )


def _resumed(connection: Connection, feed: Feed, account: str, window: Window, now: datetime) -> int | None:
    """The last pull of this window, if it did not come to its end: nobody else goes on with it, we hold its lock."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select pull_id, pulled_at is null and started_at > clock_timestamp() - %s from ops.pull"
            " where account = %s and feed = %s and from_at = %s and until_at = %s order by pull_id desc limit 1",
            (RESUMED_WITHIN, account, feed.slug, *window),
        )
        found = cursor.fetchone()
    return found[0] if found is not None and found[1] else None


def _begin(connection: Connection, feed: Feed, account: str, window: Window | None) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.pull (account, feed, from_at, until_at) values (%s, %s, %s, %s) returning pull_id",
            (account, feed.slug, *(window or (None, None))),
        )
        return cursor.fetchone()[0]


def _end(connection: Connection, pull_id: int, broken: Sequence[str] = ()) -> Pulled:
    """Note that a pull came to its end. With something broken its window will never count as complete."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "update ops.pull set pulled_at = clock_timestamp(), broken = %s where pull_id = %s returning record_count",
            (list(broken), pull_id),
        )
        (record_count,) = cursor.fetchone()
        cursor.execute("select count(*) from ops.pull_page where pull_id = %s", (pull_id,))
        return Pulled(pull_id, cursor.fetchone()[0], record_count, tuple(broken))


def _emptiness(connection: Connection, pull_id: int, feed: Feed) -> str | None:
    """What is wrong with a pull that shows nothing of a time that was busy when it was asked for before."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select b.from_at, b.until_at, b.record_count from ops.pull as p inner join ops.pull as b"
            " on b.account = p.account and b.feed = p.feed and b.committed_at is not null and b.record_count >= %s"
            " and least(b.until_at, p.until_at) - greatest(b.from_at, p.from_at) > (b.until_at - b.from_at) / 2"
            " where p.pull_id = %s and p.record_count = 0 order by b.pull_id desc limit 1",
            (NORMALLY_BUSY, pull_id),
        )
        before = cursor.fetchone()
    if before is None:
        return None
    return (
        f"{feed.slug} showed no record at all, but {before[2]} between {before[0].isoformat()} and "
        f"{before[1].isoformat()} when it was asked before, and most of that time lies in this window. Are these the "
        "credentials of the same account? The window does not count as complete."
    )
