"""Windows, lists and pages of an API."""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode


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
    :ivar body: a JSON object that is sent with POST; empty for GET
    :ivar stretch: the time that it shows, if the list of a part of that time can be asked for
    :ivar is_detail: it is one record, not a list
    """

    name: str
    link: str
    params: tuple[tuple[str, str], ...]
    oldest: datetime | None = None
    body: str = ""
    stretch: Window | None = None
    is_detail: bool = False


class Page(NamedTuple):
    """What a page says about itself.

    :ivar record_ids: the provider's ids of its records, in order; any unique text for a record without an id
    :ivar next_link: link of the next page, as written, and behind a space the JSON body of a POST; None on the last
        page
    :ivar is_past: all its records, and so all that follow, are older than `Listing.oldest`
    :ivar place: positions of its first and last record in the list, from 0; None if the page does not name them
    :ivar is_end: it is empty, as the last page of such a list may be
    :ivar is_cut_off: the list goes on, but no request shows the rest: parts of the time must be asked for
    """

    record_ids: tuple[str, ...]
    next_link: str | None
    is_past: bool = False
    place: tuple[int, int] | None = None
    is_end: bool = False
    is_cut_off: bool = False


def request_of(listing: Listing) -> str:
    """Return the first request of a list, in the form of `Page.next_link`."""
    return written(listing.link, listing.params, listing.body)


def written(link: str, params: tuple[tuple[str, str], ...], body: str = "") -> str:
    """Return a request as text: its link with the query and, behind a space, its body."""
    link = f"{link}?{urlencode(params)}" if params else link
    return f"{link} {body}" if body else link
