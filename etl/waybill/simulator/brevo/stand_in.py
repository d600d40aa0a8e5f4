"""A simulated Brevo: its report of events (`GET /v3/smtp/statistics/events`).

Pages are asked for by limit and offset, windows in whole days; an answer without events has no list. Rows have words of
their own, and neither the sender's metadata nor the user agent.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from urllib.parse import SplitResult, urlencode

from waybill.simulator.brevo.events import BREVO
from waybill.simulator.email.stand_in import EmailStandIn, whole
from waybill.simulator.http.answer import JSON, Answer
from waybill.simulator.http.listed import InvalidQueryError, Query, Style
from waybill.simulator.http.page import Page
from waybill.simulator.records import WrittenRecord

PATH = "/v3/smtp/statistics/events"
_DAY = timedelta(days=1)
_DEFAULT_DAYS, _MOST_DAYS = 30, 90
_DEFAULT_PAGE_SIZE, GREATEST_PAGE_SIZE = 2500, 5000
_CODES = {400: "invalid_parameter", 401: "unauthorized", 404: "document_not_found", 429: "too_many_requests"}
_WORDS = {
    "request": "requests",
    "hard_bounce": "hardBounces",
    "soft_bounce": "softBounces",
    "invalid_email": "invalid",
    "proxy_open": "loadedByProxy",
    "click": "clicks",
    "unsubscribe": "unsubscribed",
}
"""The word of a post to that of a row; other words are the same."""


class BrevoStandIn(EmailStandIn):
    sheet = BREVO
    longest_lag = timedelta(minutes=30)

    def lists(self, emails: Sequence[WrittenRecord]) -> Mapping[str, Iterable[WrittenRecord]]:
        return {PATH: map(_row, emails)}

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("api-key")

    def refusal(self, status: int, headers: Mapping[str, str] | None = None, message: str | None = None) -> Answer:
        code = _CODES.get(status, "internal_server_error")
        return Answer(
            status, json.dumps({"code": code, "message": message or code}).encode(), JSON | dict(headers or {})
        )

    def page(self, account: str, parts: SplitResult, query: Mapping[str, str], moment: datetime) -> Page | Answer:
        events = self.list_of(account, parts.path)
        if events is None:
            return self.refusal(404)
        first, last = _days(query, moment)
        size = whole(query, "limit", _DEFAULT_PAGE_SIZE, 1, GREATEST_PAGE_SIZE)
        order = query.get("sort", "desc")
        if order not in ("asc", "desc"):
            raise InvalidQueryError("sort: expected asc or desc")
        asked = Query(_midnight(first), _midnight(last) + _DAY, order == "desc", size)
        asked = asked._replace(offset=whole(query, "offset", 0, 0, 10**9))
        bounds = {"startDate": first.isoformat(), "endDate": last.isoformat(), "limit": str(size), "sort": order}
        style = Style("events", partial(_target, bounds), _body, by_offset=True)
        return events.page(asked, moment, style)


def _row(record: WrittenRecord) -> WrittenRecord:
    ((name, happening),) = record.events
    post = record.fields
    row: dict[str, object] = {
        "date": happening.at.isoformat(timespec="milliseconds"),
        "email": post["email"],
        "event": _WORDS.get(str(post["event"]), post["event"]),
        "messageId": post["message-id"],
        "subject": post["subject"],
    }
    row |= {field: post[field] for field in ("reason", "ip", "link") if field in post}
    tags = post["tags"]
    assert isinstance(tags, list)
    if tags:
        row["tag"] = tags[0]
    campaign = (4, str(tags[0])) if tags else None
    seen = replace(happening, dispatch_id=None, campaign=campaign, template=None, machine_rule=None)
    return record._replace(fields=row, events=((name, seen),))


def _target(bounds: Mapping[str, str], query: Query) -> str:
    return f"{PATH}?{urlencode({**bounds, 'offset': str(query.offset)})}"


def _body(page: Page, count: int) -> object:
    return {"events": list(page.rows)} if page.rows else {}


def _days(query: Mapping[str, str], moment: datetime) -> tuple[date, date]:
    """Returns the first and the last day of the window."""
    if ("startDate" in query) != ("endDate" in query):
        raise InvalidQueryError("startDate and endDate are needed together")
    if "startDate" not in query:
        return moment.date() - _DAY * (whole(query, "days", _DEFAULT_DAYS, 1, _MOST_DAYS) - 1), moment.date()
    try:
        first, last = (date.fromisoformat(query[name]) for name in ("startDate", "endDate"))
    except ValueError:
        raise InvalidQueryError("startDate, endDate: expected days such as 2026-03-27") from None
    if not timedelta(0) <= last - first <= _DAY * _MOST_DAYS:
        raise InvalidQueryError(f"endDate: expected at most {_MOST_DAYS} days from startDate")
    return first, last


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
