"""Vonage (Nexmo) webhooks landed as files: delivery receipts of SMS, statuses of the Messages API, events of calls.

Sources: delivery receipts, message status webhook and call event webhook (developer.vonage.com), Vonage's OpenAPI
descriptions sms, messages and voice. Not compared with the posts of a real account: `detail` of calls, and the errors
of the Messages API, are the least certain.
Files: objects after one another or on lines, arrays; forms or query strings, one on a line; compressed or plain.

Quirks
- A delivery receipt has `messageId`, a status of the Messages API `message_uuid`, a call `uuid` (in results of machine
  detection `call_uuid`).
- Numbers are international and have no `+`. `to` of a delivery receipt is the sender; `msisdn` is the recipient.
- The time is `message-timestamp` of a delivery receipt, else `timestamp`. `scts` has no zone and is in `extra`.
- No event has an id, and posts are repeated for a day. The identity is the message and the status; the time in the key
  is the UTC day. So a status that is reported twice on a day is one event.
- `rejected` and `failed` are `undelivered` for a message and `failed` for a call. `accepted` and `buffered` are
  `processed`: the receipt comes later.
- `human` and `machine` are results of machine detection during a call: `answered`.
- A call has no failure code. Its class is `unknown`; `detail` may give the reason.
- Receipts and calls have a price without a currency. The price of the Messages API (`usage`) has one.
- Numbers of senders, the text of messages and signatures are left out.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds import failures, fields
from waybill.feeds.records import Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.posted_forms import PostedForm
from waybill.framing.raw_record import RawRecord
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier, _inner = fields.text, fields.identifier, fields.inner

INBOUND = ("text", "keyword", "message_type", "dtmf", "speech", "recording_url")
"""Fields of posts without a status: inbound messages, answers of callers, recordings."""
LEFT_OUT = ("from", "nonce", "sig", *INBOUND)


class VonageEvent(Record):
    """One post. A field of type `object` is read if it has the documented type, else it counts as absent."""

    status: str | None = None
    message_id: object = msgspec.field(name="messageId", default=None)
    message_uuid: object = None
    uuid: object = None
    call_uuid: object = None
    msisdn: object = None
    to: object = None
    direction: object = None
    channel: object = None
    message_timestamp: int | float | str | None = msgspec.field(name="message-timestamp", default=None)
    timestamp: int | float | str | None = None
    api_key: object = msgspec.field(name="api-key", default=None)
    err_code: object = msgspec.field(name="err-code", default=None)
    error: object = None
    detail: object = None
    price: int | float | str | None = None
    usage: object = None
    sms: object = None
    duration: int | float | str | None = None
    client_reference: object = msgspec.field(name="client-ref", default=None)
    client_ref: object = None


class VonageWebhooks(TypedFeed[VonageEvent]):
    slug = "vonage_webhooks"
    title = "Vonage webhooks"
    provider = "vonage"
    channel = "all"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION
    record_type = VonageEvent

    event_types = {
        "submitted": "processed",
        "accepted": "processed",
        "buffered": "processed",
        "delivered": "delivered",
        "read": "opened",
        "expired": "undelivered",
        "failed": "undelivered",
        "rejected": "undelivered",
        "undeliverable": "undelivered",
        "unknown": "undelivered",
        "deleted": "undelivered",
        "started": "processed",
        "ringing": "ringing",
        "answered": "answered",
        "human": "answered",
        "machine": "answered",
        "completed": "completed",
        "busy": "busy",
        "timeout": "no_answer",
        "unanswered": "no_answer",
        "cancelled": "canceled",
    }
    failed_calls = ("failed", "rejected")
    answered_by = ("human", "machine")
    ignored_words = ("disconnected", "input", "record", "transfer")  # parts of a call

    failure_classes = {
        "invalid": "3 9 1170 1190 1240",
        "soft_bounce": "2 7 8 12 1180 1260",
        "blocked": "4 6 10 13 14 50 51 52 53 54 1050 1210 1270 1280",
        "gateway_suppressed": "16 1000 1070",
    }
    class_of_code = {code: name for name, codes in failure_classes.items() for code in codes.split()}
    class_of_word = {"expired": "soft_bounce", "rejected": "blocked"}  # of messages whose code has no class

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="status", form=PostedForm())

    def sightings(self, record: VonageEvent) -> Iterable[Sighting]:
        word = _identifier(record.status)
        if record.direction == "inbound" or word in self.ignored_words:
            return ()
        if word is None:
            if not record.other.keys().isdisjoint(INBOUND):
                return ()
            raise RejectRecord("status: missing")
        receipt_id, message_id = _identifier(record.message_id), _identifier(record.message_uuid)
        call_id = _identifier(record.uuid) or _identifier(record.call_uuid)
        found = receipt_id or message_id or call_id
        if found is None:
            raise RejectRecord("messageId: missing")
        if receipt_id is None:
            at = fields.instant("timestamp", record.timestamp)
        else:
            at = fields.instant("message-timestamp", record.message_timestamp)
        is_call = receipt_id is None and message_id is None
        references = {"client-ref": record.client_reference, "client_ref": record.client_ref}
        arguments = {name: value for name, value in references.items() if value}
        sighting = Sighting(
            identity=(found, word),
            key_at=at.replace(hour=0, minute=0, second=0, microsecond=0),
            event_at=at,
            channel="ivr" if is_call else "sms",
            recipient=_recipient(record, record.to if receipt_id is None else record.msisdn),
            provider_account=_identifier(record.api_key),
            provider_message_id=found,
            provider_event=word,
            provider_code=_code(record),
            provider_reason=_reason(record),
            price=fields.decimal("price", _identifier(_inner(record.usage, "price")) or record.price),
            currency=(_identifier(_inner(record.usage, "currency")) or "").upper() or None,
            segments=fields.whole_number("sms.count_total", _inner(record.sms, "count_total")),
            duration_seconds=fields.whole_number("duration", record.duration),
            answered_by=word if word in self.answered_by else None,
        )
        self.add_ids(sighting, arguments)
        sighting.extra = _extra(record, arguments)
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        word, is_call = event.provider_event or "", event.channel == "ivr"
        event.event_type = "failed" if is_call and word in self.failed_calls else self.event_types.get(word, "unknown")
        event.failure_class = event.failure_reason = None
        if event.event_type in ("undelivered", "failed"):
            by_word = "unknown" if is_call else self.class_of_word.get(word, "unknown")
            reason = self.verdict(event).reason
            event.failure_class = self.class_of_code.get((event.provider_code or "").lower(), by_word)
            event.failure_reason = "expired" if (reason, word) == ("unclassified", "expired") else reason


def _recipient(record: VonageEvent, written: object) -> str | None:
    """Return the recipient; a number with `+`, so that it has a country. Ids of Messenger are no numbers."""
    found = _identifier(_inner(written, "number")) or _identifier(_inner(written, "id")) or _identifier(written)
    return f"+{found}" if found and found[0].isdigit() and record.channel != "messenger" else found


def _code(record: VonageEvent) -> str | None:
    """Return the code of a receipt, or the number of an error of the Messages API."""
    found = (record.err_code, _inner(record.error, "title"), _inner(record.error, "code"))
    return next((code for code in map(_identifier, found) if code), None)


def _reason(record: VonageEvent) -> str | None:
    """Return the text of an error of the Messages API, or what a call says about its end."""
    found = (_inner(record.error, "detail"), _inner(record.error, "reason"), record.detail)
    return next((text for text in map(_text, found) if text), None)


def _extra(record: VonageEvent, references: dict[str, object]) -> dict[str, object] | None:
    """Return what has no column, under Vonage's names."""
    kept = {
        **{name: value for name, value in record.other.items() if name not in LEFT_OUT},
        **references,
        "channel": record.channel,
        "direction": record.direction,
        "error": fields.without(record.error, "title", "code", "detail", "reason"),
        "sms": fields.without(record.sms, "count_total"),
        "usage": fields.without(record.usage, "price", "currency"),
    }
    return {name: value for name, value in kept.items() if value not in (None, "", {})} or None
