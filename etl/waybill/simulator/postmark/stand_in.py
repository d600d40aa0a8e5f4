"""A simulated Postmark: its lists of messages and of bounces, and the details of a message.

Pages are asked for by count and offset, newest first, and only the first 10,000 rows can be read. A row of the list of
messages says that Postmark accepted it. Its details say what became of it, and the list of bounces why it bounced.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from urllib.parse import SplitResult, urlencode
from zoneinfo import ZoneInfo

from waybill.simulator.email.stand_in import EmailStandIn, whole
from waybill.simulator.http.answer import JSON, Answer
from waybill.simulator.http.listed import InvalidQueryError, Query, Style
from waybill.simulator.http.page import Page
from waybill.simulator.postmark.events import POSTMARK, written_time
from waybill.simulator.records import WrittenRecord

MESSAGES, BOUNCES = "/messages/outbound", "/bounces"
GREATEST_PAGE_SIZE, MOST_ROWS = 500, 10_000
ZONE = ZoneInfo("America/New_York")
"""Of bounds in a query, which have no zone. Postmark's documentation does not name one: this is an assumption."""

_ROWS_NAMES = {MESSAGES: "Messages", BOUNCES: "Bounces"}
_TYPES = {
    "Delivery": "Delivered",
    "Open": "Opened",
    "Click": "LinkClicked",
    "SubscriptionChange": "SubscriptionChanged",
}
"""Record type of a post to the type of an event in the details; other posts are in the list of bounces."""

_KEPT = {"Details", "OriginalLink", "ClickLocation", "SuppressSending", "Origin"}
_ERRORS = {401: (10, "Bad or missing API token."), 404: (404, "Not found."), 429: (429, "Too many requests.")}


class PostmarkStandIn(EmailStandIn):
    sheet = POSTMARK
    longest_lag = timedelta(minutes=10)
    status_of_invalid = 422

    def lists(self, emails: Sequence[WrittenRecord]) -> Mapping[str, Iterable[WrittenRecord]]:
        events = [one for one in emails if one.events]
        by_message: dict[str, list[WrittenRecord]] = {}
        for one in events:
            by_message.setdefault(str(one.fields["MessageID"]), []).append(one)
        messages = {_details_path(name): _message(found) for name, found in by_message.items()}
        self._messages = {path: message.fields for path, message in messages.items()}
        return {
            MESSAGES: messages.values(),
            BOUNCES: [_bounce(one) for one in events if "ID" in one.fields],
            **{_details_path(name): list(_details(found)) for name, found in by_message.items()},
        }

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-postmark-server-token")

    def refusal(self, status: int, headers: Mapping[str, str] | None = None, message: str | None = None) -> Answer:
        code, usual = _ERRORS.get(status, (300 if status < 500 else 500, "Invalid request."))
        body = json.dumps({"ErrorCode": code, "Message": message or usual}).encode()
        return Answer(status, body, {**JSON, **(headers or {})})

    def page(self, account: str, parts: SplitResult, query: Mapping[str, str], moment: datetime) -> Page | Answer:
        rows = self.list_of(account, parts.path)
        if rows is None:
            return self.refusal(404)
        rows_name = _ROWS_NAMES.get(parts.path)
        if rows_name is None:
            style = Style(
                "MessageEvents", lambda query: parts.path, partial(self._detailed, parts.path), by_offset=True
            )
            return rows.page(Query(None, None, False, MOST_ROWS), moment, style)
        if "count" not in query or "offset" not in query:
            raise InvalidQueryError("Parameters 'count' and 'offset' are required.")
        size = whole(query, "count", 0, 1, GREATEST_PAGE_SIZE)
        offset = whole(query, "offset", 0, 0, MOST_ROWS - size)
        bounds = {name: query[name] for name in ("fromdate", "todate") if name in query}
        asked = Query(_bound(bounds, "fromdate", False), _bound(bounds, "todate", True), True, size, offset=offset)
        style = Style(rows_name, partial(_target, parts.path, bounds), partial(_body, rows_name), by_offset=True)
        return rows.page(asked, moment, style)

    def _detailed(self, path: str, page: Page, count: int) -> object:
        return {**self._messages[path], "MessageEvents": list(page.rows)}


def _details_path(message_id: str) -> str:
    return f"{MESSAGES}/{message_id}/details"


def _message(events: Sequence[WrittenRecord]) -> WrittenRecord:
    """Returns a row of the list of messages; the message was accepted a second before its first event."""
    first = events[0]
    ((name, happening),) = first.events
    at = happening.at.replace(microsecond=0) - timedelta(seconds=1)
    accepted = replace(happening, at=at, event_type="processed", failure_class=None, failure_reason=None)
    accepted = replace(accepted, provider_code=None, url=None, is_machine=None, machine_rule=None)
    row = {
        **{field: first.fields[field] for field in ("MessageID", "MessageStream", "Metadata", "Tag")},
        "Recipients": [happening.recipient],
        "From": f"news@mail.{happening.account}.example",
        "Subject": "News",
        "Status": "Sent",
        "ReceivedAt": written_time(at),
    }
    return first._replace(fields=row, events=(((*name[:-2], "Sent", at.isoformat()), accepted),))


def _bounce(post: WrittenRecord) -> WrittenRecord:
    """Returns a row of the list of bounces, which lacks what the sender gave."""
    row = {name: value for name, value in post.fields.items() if name not in ("RecordType", "Metadata")}
    ((name, happening),) = post.events
    campaign = (4, str(row["Tag"])) if row["Tag"] else None
    return post._replace(
        fields=row, events=((name, replace(happening, dispatch_id=None, campaign=campaign, template=None)),)
    )


def _details(events: Sequence[WrittenRecord]) -> Iterator[WrittenRecord]:
    """Yields the events in the details of a message."""
    for one in events:
        post = one.fields
        if post["RecordType"] not in _TYPES:
            continue
        ((_, happening),) = one.events
        details = {name: value for name, value in post.items() if name in _KEPT}
        row: dict[str, object] = {
            "Recipient": happening.recipient,
            "Type": _TYPES[str(post["RecordType"])],
            "ReceivedAt": written_time(happening.at),
            "Details": details,
        }
        yield one._replace(fields=row)


def _body(rows_name: str, page: Page, count: int) -> object:
    return {"TotalCount": count, rows_name: list(page.rows)}


def _target(path: str, bounds: Mapping[str, str], query: Query) -> str:
    return f"{path}?{urlencode({**bounds, 'count': str(query.size), 'offset': str(query.offset)})}"


def _bound(query: Mapping[str, str], name: str, is_end: bool) -> datetime | None:
    """Returns a bound of the window; a day as its end is in the window."""
    text = query.get(name)
    if text is None:
        return None
    try:
        if "T" in text:
            return datetime.fromisoformat(text).replace(tzinfo=ZONE) + timedelta(seconds=is_end)
        return datetime.combine(date.fromisoformat(text) + timedelta(days=is_end), time(), ZONE)
    except ValueError:
        raise InvalidQueryError(f"{name}: expected a day or a time without a zone") from None
