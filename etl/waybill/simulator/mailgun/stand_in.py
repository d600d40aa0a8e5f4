"""A simulated Mailgun: its Events API (`GET /v3/{domain}/events`).

The next page has a link of its own, whose path contains the position; an empty page is the end. Events come into pages
that were sent before, up to half an hour late.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import SplitResult

from waybill.simulator.email.stand_in import EmailStandIn, whole
from waybill.simulator.http.answer import JSON, Answer
from waybill.simulator.http.listed import InvalidQueryError, Query, Style
from waybill.simulator.http.page import Page
from waybill.simulator.mailgun.events import MAILGUN
from waybill.simulator.records import WrittenRecord

GREATEST_PAGE_SIZE = 300
_DEFAULT_PAGE_SIZE = 100
_MESSAGES = {400: "parameters", 401: "Forbidden", 404: "Domain not found", 429: "Too many requests"}


def events_path(account: str) -> str:
    """Returns the path of the events of an account's domain."""
    return f"/v3/mg.{account}.example/events"


class MailgunStandIn(EmailStandIn):
    sheet = MAILGUN
    longest_lag = timedelta(minutes=30)

    def lists(self, emails: Sequence[WrittenRecord]) -> Mapping[str, Iterable[WrittenRecord]]:
        account = emails[0].account
        return {events_path(account): emails}

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        try:
            user, _, key = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return key if (scheme.lower(), user) == ("basic", "api") else None

    def refusal(self, status: int, headers: Mapping[str, str] | None = None, message: str | None = None) -> Answer:
        text = message or _MESSAGES.get(status, "Internal server error")
        return Answer(status, json.dumps({"message": text}).encode(), {**JSON, **(headers or {})})

    def page(self, account: str, parts: SplitResult, query: Mapping[str, str], moment: datetime) -> Page | Answer:
        path = events_path(account)
        events = self.list_of(account, path)
        if events is None or (parts.path != path and not parts.path.startswith(f"{path}/")):
            return self.refusal(404)
        token = parts.path.removeprefix(path).removeprefix("/")
        asked = _from_token(token) if token else _first(query)
        style = Style("items", partial(self._target, path), self._body, ends_empty=True)
        return events.page(asked, moment, style)

    def _target(self, path: str, query: Query) -> str:
        return f"{path}/{_token(query)}"

    def _body(self, page: Page, count: int) -> object:
        links = {"first": page.first, "next": page.following, "previous": page.preceding or page.first}
        paging = {
            name: f"{self.url}{link}" if link.startswith("/v3/") else link for name, link in links.items() if link
        }
        return {"items": list(page.rows), "paging": paging}


def _first(query: Mapping[str, str]) -> Query:
    """Returns the query of a first page: the bounds give the order, without an end `ascending` does."""
    begin, end = (_moment(name, query[name]) if name in query else None for name in ("begin", "end"))
    named = {"yes": True, "no": False}.get(query.get("ascending", ""))
    if begin and end:
        ascending = begin < end
        if named is not None and named != ascending:
            raise InvalidQueryError("ascending: it contradicts begin and end")
    elif named is None:
        raise InvalidQueryError("ascending: needed without begin and end")
    else:
        ascending = named
    since, before = (begin, end) if ascending else (end, begin)
    return Query(since, before, not ascending, whole(query, "limit", _DEFAULT_PAGE_SIZE, 1, GREATEST_PAGE_SIZE))


def _moment(name: str, text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        raise InvalidQueryError(f"{name}: expected seconds, or a time as in RFC 2822") from None


def _token(query: Query) -> str:
    bounds = [at and at.isoformat() for at in (query.since, query.before)]
    after = query.after and [query.after[0].isoformat(), query.after[1]]
    return base64.urlsafe_b64encode(json.dumps([*bounds, query.newest_first, query.size, after]).encode()).decode()


def _from_token(token: str) -> Query:
    try:
        *bounds, newest_first, size, after = json.loads(base64.urlsafe_b64decode(token))
        since, before = (at and datetime.fromisoformat(at) for at in bounds)
        return Query(since, before, newest_first, size, after and (datetime.fromisoformat(after[0]), after[1]))
    except (ValueError, TypeError):
        raise InvalidQueryError("the page is not one of this list") from None
