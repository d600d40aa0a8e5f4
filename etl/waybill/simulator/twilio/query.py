"""The query of a list: filters, page size, position in the list.

The sign of an inequality is part of the name of a parameter: `DateSent>=2026-03-01` is `DateSent>` with the value
`2026-03-01`, so there is only "on or after" and "on or before". Times without a zone are UTC; a bare date means the
whole day. Unknown and empty parameters are ignored.
"""

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from waybill.simulator.twilio.page import PageLink
from waybill.simulator.twilio.rows import CALLS, MESSAGES

DEFAULT_PAGE_SIZE = 50
GREATEST_PAGE_SIZE = 1000

OWN_TIME = {MESSAGES: "date_sent", CALLS: "start_time"}
"""Feed to the field that orders its list."""

TIMES = {MESSAGES: {"DateSent": "date_sent"}, CALLS: {"StartTime": "start_time", "EndTime": "end_time"}}
EQUALS = {
    MESSAGES: {"To": "to", "From": "from"},
    CALLS: {"To": "to", "From": "from", "Status": "status", "ParentCallSid": "parent_call_sid"},
}
_SMALLEST = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class InvalidQueryError(ValueError):
    """A parameter that Twilio refuses; the text is the message of the response."""


class Span(NamedTuple):
    """Times from `since` until before `before`; None: no bound."""

    since: datetime | None = None
    before: datetime | None = None

    def holds(self, at: object) -> bool:
        """Returns whether the value of a field is in the span; a value that is not a time is not."""
        if not isinstance(at, datetime):
            return False
        return (self.since is None or self.since <= at) and (self.before is None or at < self.before)

    def within(self, other: "Span") -> "Span":
        """Returns the times that are in both spans."""
        since = max(filter(None, (self.since, other.since)), default=None)
        before = min(filter(None, (self.before, other.before)), default=None)
        return Span(since, before)


class Query(NamedTuple):
    """One request for a page.

    :ivar link: the request as a link: account, feed, filters, page size, number, token
    :ivar spans: field to the span that its time must be in
    :ivar equals: field to the value that it must have
    """

    link: PageLink
    spans: dict[str, Span]
    equals: dict[str, str]

    @property
    def own_span(self) -> Span:
        """The span of the time that orders the list."""
        return self.spans.get(OWN_TIME[self.link.feed], Span())

    def admits(self, state: dict[str, object]) -> bool:
        """Returns whether a row in this state is in the list."""
        return all(span.holds(state[field]) for field, span in self.spans.items()) and all(
            state[field] == value for field, value in self.equals.items()
        )


def read_query(account: str, feed: str, text: str, strict_upper_bounds: bool = False) -> Query:
    """Returns the query of a list.

    :param text: the part after the `?`
    :param strict_upper_bounds: the other reading of Twilio's documentation, which is ambiguous: a bare date as an upper
        bound means its midnight, and `StartTime<` and `EndTime<` exclude the time itself
    :raises InvalidQueryError: a value cannot be read
    """
    values: dict[str, str] = {}
    spans: dict[str, Span] = {}
    filters: list[tuple[str, str]] = []
    for name, value in parse_qsl(text):
        sign = name[-1:] if name.endswith(("<", ">")) else ""
        field = TIMES[feed].get(name.removesuffix(sign))
        if field is not None:
            is_strict = strict_upper_bounds and sign == "<"
            spans[field] = _span(name, sign, value, is_strict, feed == CALLS).within(spans.get(field, Span()))
        elif name in ("PageSize", "Page", "PageToken"):
            values[name] = value
            continue
        elif name not in EQUALS[feed]:
            continue
        filters.append((name, value))
    equals = {EQUALS[feed][name]: value for name, value in filters if name in EQUALS[feed]}
    page_size = min(_whole(values, "PageSize", DEFAULT_PAGE_SIZE, least=1), GREATEST_PAGE_SIZE)
    number = _whole(values, "Page", 0, least=0)
    return Query(PageLink(account, feed, tuple(filters), page_size, number, values.get("PageToken")), spans, equals)


def _whole(values: dict[str, str], name: str, default: int, least: int) -> int:
    value = values.get(name, str(default))
    if not (value.isascii() and value.isdigit()) or int(value) < least:
        raise InvalidQueryError(f"Invalid {name}: expected a whole number from {least}")
    return int(value)


def _span(name: str, sign: str, value: str, is_strict: bool, is_call: bool) -> Span:
    moment = _moment(name, value)
    if isinstance(moment, datetime):
        first = last = moment
    else:
        first = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
        last = first if is_strict else first + _DAY - _SMALLEST
    before = last if is_strict and is_call else last + _SMALLEST
    return Span(None if sign == "<" else first, None if sign == ">" else before)


def _moment(name: str, value: str) -> datetime | date:
    """Returns a time in one of the forms of Twilio's examples and clients, or a bare date."""
    for read in (date.fromisoformat, datetime.fromisoformat, _american, parsedate_to_datetime):
        try:
            moment = read(value)
        except (ValueError, TypeError, IndexError):
            continue
        if isinstance(moment, datetime):
            return moment.replace(tzinfo=moment.tzinfo or UTC)
        return moment
    raise InvalidQueryError(f"Invalid {name}: expected a date or a time in GMT")


def _american(value: str) -> datetime:
    """Returns the time of a text such as `06/11/2019 22:05:25 MST`; zones have the names of RFC 2822."""
    day, _, rest = value.partition(" ")
    return parsedate_to_datetime(f"{datetime.strptime(day, '%m/%d/%Y'):%d %b %Y} {rest}")  # noqa: DTZ007 - a bare date
