"""Pull: lands the pages of a provider's API for a window, or the files of the inbox, and records each in the ledger.

A page is recorded after it is landed and checked, together with the link to the next page. A pull that died continues
at that link, so it fetches at most one page twice.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from hashlib import sha256
from io import BytesIO
from urllib.parse import urlencode

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.feeds.api import ApiFeed, Listing, Page, Window
from waybill.feeds.base import Feed
from waybill.landing import objects as landing
from waybill.landing.objects import LandedObject
from waybill.landing.sources import landed_new
from waybill.ledger import loads as ledger
from waybill.ledger import pulls as journal
from waybill.ledger.objects import first_day_to_read, record
from waybill.ledger.pulls import Pulled
from waybill.model.counted import counted
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.pull.client import Answer, Client
from waybill.pull.retrying import UnavailableError
from waybill.settings import Access, DispatchTable, Settings
from waybill.warehouse.connection import Warehouse

MOST_PAGES = 100_000
MOST_REMEMBERED = 500_000
"""How many ids of a list's records are remembered, at least; at most twice as many."""

log = logging.getLogger("waybill.pull")

Connect = Callable[[Access], Client]


def pull_window(
    warehouse: Warehouse,
    feed: ApiFeed,
    account: str,
    window: Window,
    swept_from: datetime | None,
    connect_to: Connect,
    now: Callable[[], datetime],
) -> Pulled:
    """Land every page of a window. If the last pull of this window died, this one continues it.

    :param swept_from: as in `ApiFeed.listings`
    :param connect_to: opens a client to the provider
    :param now: returns the time, aware
    :raises UsageError: the window ends in the future
    :raises ConfigurationError: credentials are missing or refused
    :raises SourceError: the provider could not be read to the end, or contradicts itself
    """
    if window.until_at > now():
        raise UsageError(f"The window ends at {window.until_at.isoformat()}, which is in the future.")
    settings = warehouse.settings
    access = settings.access_of(feed, account)
    with journal.alone(warehouse, feed, account) as connection:
        pull_id = journal.unfinished(connection, feed, account, window)
        if pull_id is None:
            pull_id = journal.begin(connection, feed, account, window)
        with closing(_opened(connect_to, access, feed, account)) as client:
            for listing in feed.listings(access.account_id, window, swept_from):
                pages = _Pages(settings, connection, feed, account, pull_id, window, listing, client, now)
                pages.fetch()
        if (alarm := journal.emptiness(connection, pull_id, feed)) is not None:
            journal.end(connection, pull_id, [alarm])
            raise SourceError(alarm)
        return journal.end(connection, pull_id)


def pull_inbox(warehouse: Warehouse, feed: Feed, account: str) -> Pulled:
    """Land every file in the inbox of one feed and account, and the last days of its dispatch log in a database; record
    what is not loaded yet. The result names files that cannot be read."""
    with journal.alone(warehouse, feed, account) as connection:
        pull_id = journal.begin(connection, feed, account, None)
        broken: list[str] = []

        def since(table: DispatchTable) -> date | None:
            with connection, connection.cursor() as cursor:
                return first_day_to_read(cursor, feed, account, table.path)

        for number, item in enumerate(landed_new(warehouse.settings, feed, account, since), start=1):
            if isinstance(item, SourceError):
                broken.append(str(item))
                continue
            with connection, connection.cursor() as cursor:
                recorded = record(cursor, item)
                if not ledger.published_with(cursor, [recorded.object_id], feed.rules_version):
                    journal.note_file(cursor, pull_id, number, recorded.object_id)
            _log_progress(feed, account, counted(number, "file", "files"), file_count=number)
        return journal.end(connection, pull_id, broken)


def _log_progress(feed: Feed, account: str, progress: str, **counts: int) -> None:
    fields = {"feed": feed.slug, "account": account, "step": "pull", **counts}
    log.info("pull %s %s: %s", feed.slug, account, progress, extra=fields)


def _opened(connect_to: Connect, access: Access, feed: Feed, account: str) -> Client:
    try:
        return connect_to(access)
    except ConfigurationError as error:
        raise ConfigurationError(f"{feed.slug} of account {account}: {error}") from None


class _Pages:
    """Lands the pages of one listing, in order."""

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
        self._requested: set[bytes] = set()
        self._previous_ids: frozenset[str] = frozenset()
        self._remembered: set[int] = set()
        self._remembered_before: set[int] = set()
        self._next_place: int | None = 0

    def fetch(self) -> None:
        """Land and record every page that is not recorded yet."""
        number, params = 1, self._listing.params
        link: str | None = self._listing.link
        last = journal.last_page(self._connection, self._pull_id, self._listing.name)
        if last is not None:
            number, link, params = last.number + 1, last.next_link, ()
            self._requested.update(map(_digest, last.asked_links))
            if link is not None:
                self._remember(self._landed_page(last.landed))
        is_resumed = last is not None
        while link is not None:
            request = f"{link}?{urlencode(params)}" if params else link
            self._requested.add(_digest(request))
            answer = self._get(link, params, number, is_resumed)
            if number > 1 and self._is_empty(answer):
                answer = self._get(link, params, number, is_resumed)
            page = self._checked(answer, number)
            next_link = None if page.is_past else page.next_link
            self._note(number, request, answer.body, page, next_link)
            _log_progress(self._feed, self._account, f"{self._listing.name}, page {number}", page_number=number)
            number, link, params, is_resumed = number + 1, next_link, (), False

    def _landed_page(self, landed: LandedObject) -> Page:
        """Return a landed page; an empty one if its file is missing or damaged, which the load reports."""
        try:
            with landing.open_object(self._settings.landing_url, landed) as body:
                return self._feed.page(body.read(), self._listing)
        except SourceError:
            return Page((), None)

    def _is_empty(self, answer: Answer) -> bool:
        try:
            return not self._feed.page(answer.body, self._listing).record_ids
        except SourceError:
            return False  # `_checked` raises the error

    def _remember(self, page: Page) -> None:
        self._previous_ids = frozenset(page.record_ids)
        self._next_place = None if page.place is None else page.place[1] + 1
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered_before, self._remembered = self._remembered, set()
        self._remembered.update(map(hash, page.record_ids))

    def _has_nothing_new(self, page: Page) -> bool:
        return all(
            number in self._remembered or number in self._remembered_before for number in map(hash, page.record_ids)
        )

    def _get(self, link: str, params: tuple[tuple[str, str], ...], number: int, is_resumed: bool) -> Answer:
        try:
            return self._client.get(link, params)
        except (SourceError, ConfigurationError) as error:
            message = f"{self._where(number)}: {error}"
            if is_resumed and isinstance(error, SourceError) and not isinstance(error, UnavailableError):
                journal.end(self._connection, self._pull_id, [message])
                message += " Its link may have expired: the same command again starts from the first page."
            raise type(error)(message) from None

    def _checked(self, answer: Answer, number: int) -> Page:
        """Return the page of an answer. A page that contradicts other pages is refused before it is recorded, because
        it may be right when it is requested again."""
        try:
            page = self._feed.page(answer.body, self._listing)
            self._check(page, number)
        except SourceError as error:
            message = f"{self._where(number)}: {error} This page was not landed"
            is_over = journal.note_failure(self._connection, self._pull_id, message)
            continues = "starts from the first page" if is_over else "continues with this page"
            raise SourceError(f"{message}; the same command again {continues}.") from None
        self._remember(page)
        return page

    def _check(self, page: Page, number: int) -> None:
        if page.next_link is not None:
            self._client.check(page.next_link)
            if _digest(page.next_link) in self._requested:
                raise SourceError("its next page is one that was requested before.")
            if not page.record_ids:
                raise SourceError("it is empty, but names a next page.")
            if number >= MOST_PAGES:
                raise SourceError(f"it names a next page, but a list may have {MOST_PAGES:,} pages: pull less time.")
        if page.record_ids and self._previous_ids.issuperset(page.record_ids):
            raise SourceError("it has the same records as the page before.")
        if page.record_ids and self._has_nothing_new(page):
            raise SourceError("it has only records of earlier pages of this list.")
        if not page.record_ids and number > 1:
            raise SourceError("it is empty twice, but the page before names it.")
        if page.place is not None and self._next_place is not None and page.place[0] != self._next_place:
            raise SourceError(f"it begins with row {page.place[0]} of the list, expected row {self._next_place}.")

    def _where(self, number: int) -> str:
        return f"{self._feed.slug} of account {self._account}, {self._listing.name}, page {number}"

    def _note(self, number: int, request: str, body: bytes, page: Page, next_link: str | None) -> None:
        record_count = len(page.record_ids)
        landed = landing.land(
            BytesIO(body),
            self._account,
            self._feed.slug,
            self._settings.landing_url,
            self._now(),
            request=request,
            window=(self._window.from_at, self._window.until_at),
            record_count=record_count,
        )
        journal.note_page(self._connection, self._pull_id, self._listing.name, number, landed, record_count, next_link)


def _digest(link: str) -> bytes:
    return sha256(link.encode()).digest()
