"""Twilio's status callbacks of messages and of calls, landed as files.

Sources: status callbacks of messages (twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks) and
of calls (twilio.com/docs/voice/api/call-resource, StatusCallback). Not compared with the posts of a real account.
Files: forms as posted, one on a line; JSON objects with the same fields, after one another or on lines, arrays;
compressed or plain.

Quirks
- The callback of a message has no time. The receiver adds `received_at`, its own clock. The callback of a call has
  `Timestamp`.
- No callback has the creation of the message or call. It is part of the key of the same state in the Messages and Calls
  lists. So a state that a list also shows is a second event. Both are on one leg, and reports count the leg once.
- The identity is that of the lists: the sid and the status. The time in the key is the UTC day, so that a repeated post
  with a later `received_at` is the same event, unless midnight is between them.
- There is no callback for the first status of a message. `initiated` means that Twilio dials: it is `processed`.
- `failed` is `undelivered` for a message and `failed` for a call. Classes and reasons are those of the lists.
- Callbacks have no price. `CallDuration` is in seconds; `Duration` (minutes) is in `extra`.
- `RawDlrDoneDate` has no zone and is in `extra`. `Body`, and the numbers of senders and callers, are left out.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds import fields
from waybill.feeds.failures import RULES_VERSION
from waybill.feeds.records import Record, Sighting
from waybill.feeds.twilio.calls import TwilioCalls
from waybill.feeds.twilio.messages import TwilioMessages
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.posted_forms import PostedForm
from waybill.framing.raw_record import RawRecord
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_identifier = fields.identifier

LEFT_OUT = ("ApiVersion", "Body", "Called", "Caller", "CallerName", "ForwardedFrom", "From")


class TwilioCallback(Record, rename="pascal"):
    """One post. All values of a form are texts."""

    message_sid: str | None = None
    sms_sid: str | None = None
    message_status: str | None = None
    sms_status: str | None = None
    call_sid: str | None = None
    parent_call_sid: str | None = None
    call_status: str | None = None
    account_sid: str | None = None
    direction: str | None = None
    to: str | None = None
    timestamp: int | float | str | None = None
    received_at: int | float | str | None = msgspec.field(name="received_at", default=None)
    error_code: int | float | str | None = None
    error_message: str | None = None
    call_duration: int | float | str | None = None
    answered_by: str | None = None


class TwilioStatusCallbacks(TypedFeed[TwilioCallback]):
    slug = "twilio_status_callbacks"
    title = "Twilio status callbacks"
    provider = "twilio"
    channel = "all"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + RULES_VERSION
    record_type = TwilioCallback

    event_types = {
        "accepted": "processed",
        "queued": "processed",
        "scheduled": "processed",
        "sending": "processed",
        "sent": "sent",
        "delivered": "delivered",
        "partially_delivered": "delivered",
        "undelivered": "undelivered",
        "failed": "undelivered",
        "read": "opened",
        "canceled": "canceled",
        "initiated": "processed",
        "ringing": "ringing",
        "in-progress": "answered",
        "completed": "completed",
        "busy": "busy",
        "no-answer": "no_answer",
    }
    messages, calls = TwilioMessages(), TwilioCalls()
    ignored_words = messages.ignored_words
    dialling = "initiated"
    initial_statuses = (*messages.initial_statuses, dialling)  # mean `processed` and nothing else

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="AccountSid", form=PostedForm())

    def sightings(self, record: TwilioCallback) -> Iterable[Sighting]:
        if is_call := record.call_sid is not None:
            sid, status = _identifier(record.call_sid), _identifier(record.call_status)
        else:
            sid = _identifier(record.message_sid) or _identifier(record.sms_sid)
            status = _identifier(record.message_status) or _identifier(record.sms_status)
        if status in self.ignored_words or record.direction in self.calls.inbound_directions or record.parent_call_sid:
            return ()
        if sid is None or status is None:
            raise RejectRecord(f"{'Call' if is_call else 'Message'}{'Sid' if sid is None else 'Status'}: missing")
        if record.timestamp is None:
            at = fields.instant("received_at", record.received_at)
        else:
            at = fields.instant("Timestamp", record.timestamp)
        extra = {name: value for name, value in record.other.items() if name not in LEFT_OUT and value != ""}
        if record.direction:
            extra["Direction"] = record.direction
        sighting = Sighting(
            identity=(sid, "processed" if status in self.initial_statuses else status),
            key_at=at.replace(hour=0, minute=0, second=0, microsecond=0),
            event_at=at,
            channel="ivr" if is_call else "sms",
            recipient=_identifier(record.to),
            provider_account=_identifier(record.account_sid),
            provider_message_id=sid,
            provider_event=status,
            provider_code=_identifier(record.error_code),
            provider_reason=fields.text(record.error_message),
            duration_seconds=fields.whole_number("CallDuration", record.call_duration),
            answered_by=_identifier(record.answered_by),
            extra=extra or None,
        )
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        (self.calls if event.channel == "ivr" else self.messages).classify(event)
        if event.provider_event == self.dialling:
            event.event_type = "processed"
