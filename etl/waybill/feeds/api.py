"""The base of every feed that is pulled: which lists show a window, and what a page says of the next one.

Pure like every feed: `etl/waybill/pull` does the asking, waiting and landing.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NamedTuple

from waybill.feeds.base import Feed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """A stretch of time: from_at <= t < until_at, both aware."""

    from_at: datetime
    until_at: datetime


class Listing(NamedTuple):
    """One list to page through.

    :ivar name: which list, in words; the same for the same window, because a pull that died goes on by it
    :ivar link: path of the first page below the provider's origin
    :ivar params: its query
    :ivar oldest: newest first: nothing older than this is wanted; None: to the last page
    """

    name: str
    link: str
    params: tuple[tuple[str, str], ...]
    oldest: datetime | None = None


class Page(NamedTuple):
    """What a page says of itself.

    :ivar record_ids: the provider's ids of its records, in order; of a record that has none, anything that tells it
        from others
    :ivar next_link: where the next one is, as written; None: there is none
    :ivar place: of its first and last record in the list, counted from 0; None: it does not say
    :ivar is_past: every record, and so all that follow, stand behind what the listing wants
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
        """*feed*: the lists that show everything of a window.

        :param account_id: the provider's own id of the account
        :param swept_from: list also what no window shows, newest first down to this time; None: leave it
        """
        raise NotImplementedError

    def page(self, body: bytes, listing: Listing) -> Page:
        """*feed*: what a response body says.

        :raises SourceError: it is no whole page of this list; tells in a sentence what is wrong with it
        """
        raise NotImplementedError


def on_grid(window: Window, span: timedelta) -> Iterator[Window]:
    """The stretches of a fixed grid (multiples of `span` since 1970) that cover a window.

    Asked for again in the same stretches, what has not changed comes in the same bytes, and is not loaded again.
    """
    start = _EPOCH + (window.from_at - _EPOCH) // span * span
    while start < window.until_at:
        yield Window(start, start + span)
        start += span
