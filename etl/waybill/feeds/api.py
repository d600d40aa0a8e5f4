"""The base of all pulled feeds: the lists that show a window, and the request of each page after the first.

Pure like all feeds: `etl/waybill/pull` sends requests, waits and lands pages.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from waybill.feeds.base import Feed
from waybill.feeds.pages import Listing, Page, Window, request_of
from waybill.feeds.paging import Paging
from waybill.model.days import EPOCH
from waybill.model.errors import SourceError

__all__ = ["ApiFeed", "Listing", "Page", "Window", "on_grid"]

SHORTEST_STRETCH = timedelta(seconds=2)


class ApiFeed(Feed, is_base=True):
    """Subclasses set, besides those of Feed, `base_url`, `listing_span`, `paging` and `listing`; feeds whose lists no
    shape of `paging.py` describes set `listings` and `page`."""

    kind = "api"
    base_url: ClassVar[str]  # the provider's origin; a setting may name another
    listing_span: ClassVar[timedelta]  # windows are asked for in stretches of this length, on a fixed grid
    sweep: ClassVar[timedelta] = timedelta(0)  # how far back records that no window shows are listed, newest first
    paging: ClassVar[Paging | None] = None
    is_read_once: ClassVar[bool] = False  # an answer shows each record once: what is lost cannot be asked for again

    @property
    def asks_further(self) -> bool:
        """Whether pages may make other lists necessary."""
        return self.paging is not None and (bool(self.paging.details) or self.paging.may_be_cut_off)

    def listing(self, account_id: str, stretch: Window) -> Listing:
        """*feed*: return the list that shows a stretch of time.

        :param account_id: the provider's own id of the account
        """
        raise NotImplementedError

    def listings(self, account_id: str, window: Window, swept_from: datetime | None) -> Sequence[Listing]:
        """Return the lists that together show a whole window.

        :param swept_from: also list the records that no window shows, newest first down to this time; None to skip them
        """
        return [self.listing(account_id, stretch) for stretch in on_grid(window, self.listing_span)]

    def page(self, body: bytes, listing: Listing, request: str | None = None) -> Page:
        """Return what a response body says.

        :param request: the request that it answers, as in `Page.next_link`; None: the first of the list
        :raises SourceError: the body is no complete page of this list; the message is the end of a sentence
        """
        if self.paging is None:
            raise NotImplementedError
        return self.paging.page(body, listing, request or request_of(listing))

    def further(self, account_id: str, listing: Listing, page: Page) -> list[Listing]:
        """Return the lists that a page makes necessary: both halves of a stretch of time if the answer was cut off at
        its limit, and the details of the records.

        :raises SourceError: the stretch cannot be divided
        """
        found = []
        if page.is_cut_off:
            if listing.stretch is None or (length := _length(listing.stretch)) < SHORTEST_STRETCH:
                raise SourceError("its list is cut off at the limit of an answer, and its time cannot be divided.")
            middle = listing.stretch.from_at + timedelta(seconds=length.total_seconds() // 2)
            halves = (listing.stretch._replace(until_at=middle), listing.stretch._replace(from_at=middle))
            found += [self.listing(account_id, half) for half in halves]
        if self.paging is not None and self.paging.details and not listing.is_detail:
            found += [
                Listing(f"{listing.name}, {one}", self.paging.details.format(quote(one, safe="")), (), is_detail=True)
                for one in page.record_ids
            ]
        return found


def on_grid(window: Window, span: timedelta) -> Iterator[Window]:
    """Yield the stretches of a fixed grid (multiples of `span` since 1970) that cover a window.

    A later pull requests the same stretches, so unchanged records come in the same bytes and are not loaded again.
    """
    start = EPOCH + (window.from_at - EPOCH) // span * span
    while start < window.until_at:
        yield Window(start, start + span)
        start += span


def _length(stretch: Window) -> timedelta:
    return stretch.until_at - stretch.from_at
