"""Lands the pages of one list, in order, and refuses pages that contradict each other."""

import logging
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.feeds.api import ApiFeed, Listing, Page, Window
from waybill.feeds.base import Feed
from waybill.feeds.pages import request_of
from waybill.landing import objects as landing
from waybill.landing.objects import LandedObject
from waybill.ledger import pulls as journal
from waybill.ledger.objects import known_sha256
from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.client import Client
from waybill.pull.retrying import UnavailableError
from waybill.settings import Settings

MOST_PAGES = 100_000
MOST_REMEMBERED = 500_000
"""How many ids of a list's records are remembered, at least; at most twice as many."""

log = logging.getLogger("waybill.pull")


class Task(NamedTuple):
    """One pull: what all its lists have in common.

    :ivar account_id: the provider's own id of the account
    :ivar now: returns the time, aware
    """

    settings: Settings
    connection: Connection
    feed: ApiFeed
    account: str
    account_id: str
    pull_id: int
    window: Window
    now: Callable[[], datetime]


class ListPages:
    """The pages of one list."""

    def __init__(self, task: Task, listing: Listing, client: Client) -> None:
        self._task = task
        self._feed = task.feed
        self._listing = listing
        self._client = client
        self._requested: set[bytes] = set()
        self._previous_ids: frozenset[str] = frozenset()
        self._remembered: set[int] = set()
        self._remembered_before: set[int] = set()
        self._next_place: int | None = 0
        self._further: list[Listing] = []

    def fetch(self) -> list[Listing]:
        """Land and record every page that is not recorded yet; return the lists that these pages make necessary."""
        number, request = 1, request_of(self._listing)
        last = journal.last_page(self._task.connection, self._task.pull_id, self._listing.name)
        is_resumed = last is not None
        if last is not None:
            number, asked = last.number + 1, [request, *last.asked_links]
            self._requested.update(map(_digest, asked[1:]))
            for landed, led_to_it in zip(last.all_landed, asked, strict=True):
                if self._feed.asks_further or (landed is last.all_landed[-1] and last.next_link is not None):
                    self._remember(self._landed_page(landed, led_to_it))
        following = last.next_link if last is not None else request
        if self._feed.is_read_once:
            for landed in self._unrecorded():
                following = self._take(landed, number, following or request)
                number += 1
        while following is not None:
            request = following
            self._requested.add(_digest(request))
            landed = self._land(request, number, is_resumed)
            if number > 1 and self._is_empty(landed, request):
                landing.note_read(self._task.settings.landing_url, landed, refused="empty, and asked for again")
                landed = self._land(request, number, is_resumed)
            following = self._take(landed, number, request)
            number, is_resumed = number + 1, False
        return self._further

    def _unrecorded(self) -> list[LandedObject]:
        """Return the landed pages of a pull that died before it recorded them."""
        task = self._task
        with task.connection, task.connection.cursor() as cursor:
            known = known_sha256(cursor, task.account, self._feed.slug)
        return landing.unrecorded(task.settings.landing_url, task.account, self._feed.slug, known)

    def _take(self, landed: LandedObject, number: int, request: str) -> str | None:
        """Check and record a landed page; return the next request."""
        page = self._checked(landed, number, request)
        next_link = None if page.is_past else page.next_link
        record_count = len(page.record_ids)
        task = self._task
        landed = landing.note_read(task.settings.landing_url, landed, record_count=record_count)
        journal.note_page(task.connection, task.pull_id, self._listing.name, number, landed, record_count, next_link)
        name = f"{self._listing.name}, page {number}"
        log_progress(self._feed, task.account, name, page_number=number)
        return next_link

    def _landed_page(self, landed: LandedObject, request: str) -> Page:
        """Return a landed page; an empty one if its file is missing or damaged, which the load reports."""
        try:
            return self._read(landed, request)
        except SourceError:
            return Page((), None)

    def _read(self, landed: LandedObject, request: str) -> Page:
        with landing.open_object(self._task.settings.landing_url, landed) as body:
            return self._feed.page(body.read(), self._listing, request)

    def _is_empty(self, landed: LandedObject, request: str) -> bool:
        try:
            page = self._read(landed, request)
        except SourceError:
            return False  # `_checked` raises the error
        return not page.record_ids and not page.is_end

    def _remember(self, page: Page) -> None:
        self._further += self._feed.further(self._task.account_id, self._listing, page)
        self._previous_ids = frozenset(page.record_ids)
        self._next_place = None if page.place is None else page.place[1] + 1
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered_before, self._remembered = self._remembered, set()
        self._remembered.update(map(hash, page.record_ids))

    def _has_nothing_new(self, page: Page) -> bool:
        return all(
            number in self._remembered or number in self._remembered_before for number in map(hash, page.record_ids)
        )

    def _land(self, request: str, number: int, is_resumed: bool) -> LandedObject:
        """Request a page and land its bytes, before anything of it is read."""
        task, listing = self._task, self._listing
        link, _, body = request.partition(" ")
        try:
            if request == request_of(listing):
                answer = self._client.get(listing.link, listing.params, listing.body)
            else:
                answer = self._client.get(link, body=body)
        except (SourceError, ConfigurationError) as error:
            message = f"{self._where(number)}: {error}"
            if isinstance(error, ConfigurationError):
                message += f" This feed signs in with {' and '.join(self._feed.credentials)}."
            if is_resumed and isinstance(error, SourceError) and not isinstance(error, UnavailableError):
                journal.end(task.connection, task.pull_id, [message])
                message += " Its link may have expired: the same command again starts from the first page."
            raise type(error)(message) from None
        return landing.land(
            BytesIO(answer.body),
            task.account,
            self._feed.slug,
            task.settings.landing_url,
            task.now(),
            request=request,
            window=(task.window.from_at, task.window.until_at),
        )

    def _checked(self, landed: LandedObject, number: int, request: str) -> Page:
        """Return what a landed page says. A page that contradicts other pages is refused before it is recorded, because
        it may be right when it is requested again."""
        task = self._task
        try:
            page = self._read(landed, request)
            self._check(page, number)
            self._remember(page)
        except SourceError as error:
            message = f"{self._where(number)}: {error} This page was landed as {landed.path}, but is not loaded"
            landing.note_read(task.settings.landing_url, landed, refused=f"{self._where(number)}: {error}")
            is_over = journal.note_failure(task.connection, task.pull_id, message)
            if self._feed.is_read_once:
                raise SourceError(
                    f"{message}. The provider does not show it again: when it can be read, run `waybill load` with it."
                ) from None
            continues = "starts from the first page" if is_over else "continues with this page"
            raise SourceError(f"{message}; the same command again {continues}.") from None
        return page

    def _check(self, page: Page, number: int) -> None:
        if page.next_link is not None:
            self._client.check(page.next_link.partition(" ")[0])
            if _digest(page.next_link) in self._requested and not self._feed.is_read_once:
                raise SourceError("its next page is one that was requested before.")
            if not page.record_ids:
                raise SourceError("it is empty, but names a next page.")
            if number >= MOST_PAGES:
                raise SourceError(f"it names a next page, but a list may have {MOST_PAGES:,} pages: pull less time.")
        if page.record_ids and self._previous_ids.issuperset(page.record_ids):
            raise SourceError("it has the same records as the page before.")
        if page.record_ids and self._has_nothing_new(page):
            raise SourceError("it has only records of earlier pages of this list.")
        if not page.record_ids and number > 1 and not page.is_end:
            raise SourceError("it is empty twice, but the page before names it.")
        if page.place is not None and self._next_place is not None and page.place[0] != self._next_place:
            raise SourceError(f"it begins with row {page.place[0]} of the list, expected row {self._next_place}.")

    def _where(self, number: int) -> str:
        return f"{self._feed.slug} of account {self._task.account}, {self._listing.name}, page {number}"


def log_progress(feed: Feed, account: str, progress: str, **counts: int) -> None:
    """Log how far a pull got."""
    fields = {"feed": feed.slug, "account": account, "step": "pull", **counts}
    log.info("pull %s %s: %s", feed.slug, account, progress, extra=fields)


def _digest(link: str) -> bytes:
    return sha256(link.encode()).digest()
