"""One page of a list as Twilio writes it: the rows, and around them where it stands and its links.

Links are relative to the origin and repeat the filters as they were asked (examples of Twilio's OpenAPI description).
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from waybill.simulator.twilio import CALLS, MESSAGES, account_sid

RESOURCES = {MESSAGES: "Messages", CALLS: "Calls"}
"""Feed to the name that its list has in paths; in lower case, the name of the rows in a body."""


class PageLink(NamedTuple):
    """What asks for one page.

    :ivar filters: (name, value) in the order of the query; the sign of an inequality belongs to the name
    :ivar token: where the page begins (`PA` and a sid: after it) or ends (`PB` and a sid: before it)
    """

    account: str
    feed: str
    filters: tuple[tuple[str, str], ...]
    page_size: int
    number: int = 0
    token: str | None = None

    @property
    def uri(self) -> str:
        """Relative to the origin."""
        query = [*self.filters, ("PageSize", str(self.page_size)), ("Page", str(self.number))]
        if self.token is not None:
            query.append(("PageToken", self.token))
        return f"{list_path(self.account, self.feed)}?{urlencode(query)}"

    def at(self, number: int, token: str | None) -> "PageLink":
        """Another page of the same list."""
        return self._replace(number=number, token=token)


def list_path(account: str, feed: str) -> str:
    """The path of an account's list."""
    return f"/2010-04-01/Accounts/{account_sid(account)}/{RESOURCES[feed]}.json"


def page_body(
    link: PageLink, states: Sequence[dict[str, object]], following: PageLink | None, preceding: PageLink | None
) -> bytes:
    """The body of one page.

    :param states: the rows, dates as datetimes
    :param following: the next page, None on the last
    :param preceding: the page before, None on the first
    """
    start = link.number * link.page_size
    body = {
        "end": start + max(len(states) - 1, 0),
        "first_page_uri": link.at(0, None).uri,
        "next_page_uri": following.uri if following else None,
        "page": link.number,
        "page_size": link.page_size,
        "previous_page_uri": preceding.uri if preceding else None,
        RESOURCES[link.feed].lower(): [as_written(state) for state in states],
        "start": start,
        "uri": link.uri,
    }
    return json.dumps(body).encode()


def as_written(state: dict[str, object]) -> dict[str, object]:
    """A row as the body has it: its dates in RFC 2822."""
    return {name: _rfc_2822(value) if isinstance(value, datetime) else value for name, value in state.items()}


@lru_cache(maxsize=200_000)
def _rfc_2822(at: datetime) -> str:
    """Most of what a page costs: kept, because the same rows are listed again and again, and written as GMT first,
    which takes half as long."""
    return format_datetime(at, usegmt=True).replace("GMT", "+0000")


def rows_of(body: dict[str, object]) -> Iterable[dict[str, object]]:
    """The rows of a decoded body of either list.

    :raises ValueError: where it is no page of a list
    """
    for resource in RESOURCES.values():
        rows = body.get(resource.lower())
        if isinstance(rows, list):
            return rows
    raise ValueError(f"expected a page with messages or calls, got an object with {', '.join(sorted(body))}")
