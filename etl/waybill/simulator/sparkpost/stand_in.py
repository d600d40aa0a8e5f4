"""A simulated SparkPost: its Events API (`GET /api/v1/events/message`).

The body has the link to the next page, which contains a cursor; the last page has no such link.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlencode

from waybill.simulator.email.stand_in import EmailStandIn, whole
from waybill.simulator.http.answer import JSON, Answer
from waybill.simulator.http.listed import InvalidQueryError, Position, Query, Style
from waybill.simulator.http.page import Page
from waybill.simulator.records import WrittenRecord
from waybill.simulator.sparkpost.events import SPARKPOST

PATH = "/api/v1/events/message"
RETENTION = timedelta(days=10)
GREATEST_PAGE_SIZE, _DEFAULT_PAGE_SIZE = 10_000, 1000
_FIRST = "initial"
_WRITTEN = "%Y-%m-%dT%H:%M:%SZ"
_MESSAGES = {401: "Unauthorized.", 403: "Forbidden.", 404: "Resource could not be found", 429: "Too many requests"}


class SparkPostStandIn(EmailStandIn):
    sheet = SPARKPOST
    longest_lag = timedelta(minutes=10)

    def lists(self, emails: Sequence[WrittenRecord]) -> Mapping[str, Iterable[WrittenRecord]]:
        return {PATH: map(_row, emails)}

    def time_of(self, record: WrittenRecord) -> datetime:
        return _time_of(record)

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("authorization")

    def refusal(self, status: int, headers: Mapping[str, str] | None = None, message: str | None = None) -> Answer:
        text = message or _MESSAGES.get(status, "Internal server error")
        return Answer(status, json.dumps({"errors": [{"message": text}]}).encode(), {**JSON, **(headers or {})})

    def page(self, account: str, parts: SplitResult, query: Mapping[str, str], moment: datetime) -> Page | Answer:
        events = self.list_of(account, parts.path)
        if events is None:
            return self.refusal(404)
        since = _moment("from", query["from"]) if "from" in query else moment - timedelta(days=1)
        before = _moment("to", query["to"]) if "to" in query else moment - timedelta(minutes=1)
        size = whole(query, "per_page", _DEFAULT_PAGE_SIZE, 1, GREATEST_PAGE_SIZE)
        asked = Query(max(since, moment - RETENTION), before, True, size, _position(query.get("cursor", _FIRST)))
        bounds = {"from": f"{since:{_WRITTEN}}", "to": f"{before:{_WRITTEN}}", "per_page": str(size)}
        style = Style("results", lambda page: f"{PATH}?{urlencode({**bounds, 'cursor': _cursor(page.after)})}", _body)
        return events.page(asked, moment, style)


def _row(record: WrittenRecord) -> WrittenRecord:
    """Returns an event with its time in ISO 8601."""
    written = f"{_time_of(record):%Y-%m-%dT%H:%M:%S}.000+00:00"
    return record._replace(fields={**record.fields, "timestamp": written})


def _time_of(record: WrittenRecord) -> datetime:
    """Returns the time of an event, as posted (seconds) or as listed (ISO 8601)."""
    written = str(record.fields["timestamp"])
    return datetime.fromtimestamp(int(written), UTC) if written.isdigit() else datetime.fromisoformat(written)


def _body(page: Page, count: int) -> object:
    links = {"next": page.following} if page.following else {}
    return {"results": list(page.rows), "total_count": count, "links": links}


def _cursor(after: Position | None) -> str:
    if after is None:
        return _FIRST
    return base64.urlsafe_b64encode(json.dumps([after[0].isoformat(), after[1]]).encode()).decode()


def _position(cursor: str) -> Position | None:
    if cursor == _FIRST:
        return None
    try:
        at, number = json.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(at), int(number)
    except (ValueError, TypeError):
        raise InvalidQueryError("cursor: not one of this list") from None


def _moment(name: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, _WRITTEN).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidQueryError(f"{name}: expected a time in UTC such as 2026-03-27T00:00:00Z") from None
