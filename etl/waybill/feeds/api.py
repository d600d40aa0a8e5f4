"""The base of all pulled feeds: the lists that show a window, and the link from a page to the next.

Pure like all feeds: `etl/waybill/pull` sends requests, waits and lands pages.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from waybill.feeds.base import Feed
from waybill.model.days import EPOCH


class Window(NamedTuple):
    """A stretch of time: from_at <= t < until_at, both aware."""

    from_at: datetime
    until_at: datetime


class Listing(NamedTuple):
    """One list to page through.

    :ivar name: the list in words; the same for the same window, because a pull that died is resumed by it
    :ivar link: path of the first page below the provider's origin
    :ivar params: its query
    :ivar oldest: stop at records older than this (newest first); None to read to the last page
    """

    name: str
    link: str
    params: tuple[tuple[str, str], ...]
    oldest: datetime | None = None


class Page(NamedTuple):
    """What a page says about itself.

    :ivar record_ids: the provider's ids of its records, in order; any unique text for a record without an id
    :ivar next_link: link of the next page, as written; None on the last page
    :ivar place: positions of its first and last record in the list, from 0; None if the page does not name them
    :ivar is_past: all its records, and so all that follow, are older than `Listing.oldest`
    """

    record_ids: tuple[str, ...]
    next_link: str | None
    is_past: bool = False
    place: tuple[int, int] | None = None


class ApiFeed(Feed, is_base=True):
    """Subclasses set, besides those of Feed, the attributes below and the two methods marked *feed*."""

    kind = "api"
    base_url: ClassVar[str]  # the provider's origin; a setting may name another
    listing_span: ClassVar[timedelta]  # windows are asked for in stretches of this length, on a fixed grid
    sweep: ClassVar[timedelta]  # how far back records that no window shows are listed again, newest first

    def listings(self, account_id: str, window: Window, swept_from: datetime | None) -> Sequence[Listing]:
        """*feed*: return the lists that together show a whole window.

        :param account_id: the provider's own id of the account
        :param swept_from: also list the records that no window shows, newest first down to this time; None to skip them
        """
        raise NotImplementedError

    def page(self, body: bytes, listing: Listing) -> Page:
        """*feed*: return what a response body says.

        :raises SourceError: the body is no complete page of this list; the message is the end of a sentence
        """
        raise NotImplementedError


def on_grid(window: Window, span: timedelta) -> Iterator[Window]:
    """Yield the stretches of a fixed grid (multiples of `span` since 1970) that cover a window.

    A later pull requests the same stretches, so unchanged records come in the same bytes and are not loaded again.
    """
    start = EPOCH + (window.from_at - EPOCH) // span * span
    while start < window.until_at:
        yield Window(start, start + span)
        start += span
