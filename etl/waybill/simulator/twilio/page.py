"""One page of a list as Twilio writes it: rows, position and links.

Links are relative to the origin and repeat the filters of the request (as in Twilio's OpenAPI description).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from waybill.simulator.twilio.rows import CALLS, MESSAGES, account_sid

RESOURCES = {MESSAGES: "Messages", CALLS: "Calls"}
"""Feed to the name of its list in paths; in lower case, the name of the rows in a body."""


class PageLink(NamedTuple):
    """The link to one page.

    :ivar filters: (name, value) in the order of the query; the sign of an inequality is part of the name
    :ivar token: the start of the page (`PA` and a sid: after that row) or its end (`PB` and a sid: before that row)
    """

    account: str
    feed: str
    filters: tuple[tuple[str, str], ...]
    page_size: int
    number: int = 0
    token: str | None = None

    @property
    def uri(self) -> str:
        """The link, relative to the origin."""
        query = [*self.filters, ("PageSize", str(self.page_size)), ("Page", str(self.number))]
        if self.token is not None:
            query.append(("PageToken", self.token))
        return f"{list_path(self.account, self.feed)}?{urlencode(query)}"

    def at(self, number: int, token: str | None) -> "PageLink":
        """Returns the link to another page of the same list."""
        return self._replace(number=number, token=token)


def list_path(account: str, feed: str) -> str:
    """Returns the path of an account's list."""
    return f"/2010-04-01/Accounts/{account_sid(account)}/{RESOURCES[feed]}.json"


def page_body(
    link: PageLink, rows: Sequence[Mapping[str, object]], following: str | None, preceding: str | None
) -> dict[str, object]:
    """Returns the body of one page.

    :param following: the link to the next page; None: this is the last
    :param preceding: the link to the previous page; None: this is the first
    """
    start = link.number * link.page_size
    return {
        "end": start + max(len(rows) - 1, 0),
        "first_page_uri": link.at(0, None).uri,
        "next_page_uri": following,
        "page": link.number,
        "page_size": link.page_size,
        "previous_page_uri": preceding,
        RESOURCES[link.feed].lower(): list(rows),
        "start": start,
        "uri": link.uri,
    }


def as_written(state: dict[str, object]) -> dict[str, object]:
    """Returns a row as in a body: dates as in RFC 2822."""
    return {name: _rfc_2822(value) if isinstance(value, datetime) else value for name, value in state.items()}


@lru_cache(maxsize=200_000)
def _rfc_2822(at: datetime) -> str:
    # Most of the cost of a page. The cache helps because the same rows are listed again; usegmt takes half the time.
    return format_datetime(at, usegmt=True).replace("GMT", "+0000")


def rows_of(body: dict[str, object]) -> Iterable[dict[str, object]]:
    """Returns the rows of a decoded body of either list.

    :raises ValueError: the body is not a page of a list
    """
    for resource in RESOURCES.values():
        rows = body.get(resource.lower())
        if isinstance(rows, list):
            return rows
    raise ValueError(f"expected a page with messages or calls, got an object with {', '.join(sorted(body))}")
