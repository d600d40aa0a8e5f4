"""Twilio messages (SMS, MMS, WhatsApp, RCS), as the Messages list shows them.

Source: Message resource and error dictionary (twilio.com/docs/messaging/api/message-resource), API 2010-04-01.
Bodies: the pages of the list, one body in a file or one on a line.

Quirks
- A row is mutable and shows one status: every row tells `processed` at its creation, and its own status. Statuses
  that were never seen are not invented.
- `price` is negative and comes late; `num_segments` is 0 until a sender is picked; empty texts mean nothing yet.
- Messages refused by the API with HTTP 400 are listed too, as `failed`.
- `error_message` may change for one code: classes and reasons follow from `error_code` alone.
- `body`, `from` and the uris are left out: what was said to whom is not ours to keep.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from etl.feeds import fields
from etl.feeds.base import Feed, RawRecord, Record, Sighting
from etl.feeds.records import list_body
from etl.model.errors import RejectRecord
from etl.model.event import Event
from etl.model.failures import RULES_VERSION, failure_reason

EXTRA = ("direction", "messaging_service_sid", "num_media")
LEFT_OUT = ("api_version", "body", "from", "uri", "subresource_uris")


class TwilioMessage(Record):
    """One row of the list. Twilio writes numbers as texts; both are taken."""

    sid: str | None = None
    status: str | None = None
    account_sid: str | None = None
    direction: str | None = None
    to: str | None = None
    date_created: str | None = None
    date_sent: str | None = None
    date_updated: str | None = None
    error_code: int | str | None = None
    error_message: str | None = None
    num_segments: int | str | None = None
    price: int | float | str | None = None
    price_unit: str | None = None
    messaging_service_sid: object = None
    num_media: object = None


class TwilioMessages(Feed):
    slug = "twilio_messages"
    title = "Twilio Messages"
    provider = "twilio"
    channel = "sms"
    kind = "api"
    credentials = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
    lateness = timedelta(days=3)
    rules_version = 1 + RULES_VERSION
    record_type = TwilioMessage

    event_types = {
        None: "processed",
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
    }
    initial_statuses = ("accepted", "queued", "scheduled", "sending")  # tell `processed` and nothing else
    inbound_statuses = ("receiving", "received")

    refused_codes = ("21610",)  # Twilio keeps the list of those who said STOP: `dropped`, not `undelivered`

    failure_classes = {
        "invalid": "21211 21214 21217 21614 30005 30006 30014 63003 63024",
        "soft_bounce": "30003 30001 30008 30017 30022 30023 30027 30036 30012 30410 21611",
        "blocked": "30004 30007 30032 30033 30034 30450 21408",
        "gateway_suppressed": "21610 30002 30010",
    }
    class_of_code = {code: name for name, codes in failure_classes.items() for code in codes.split()}

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return list_body(stream, "messages")

    def sightings(self, record: TwilioMessage) -> Iterable[Sighting]:
        if record.direction == "inbound" or record.status in self.inbound_statuses:
            return ()
        sid, status = row_identity(record)
        created_at = fields.written_instant("date_created", record.date_created)
        processed = Event(
            event_at=created_at,
            recipient=fields.identifier(record.to),
            provider_account=fields.identifier(record.account_sid),
            provider_message_id=sid,
        )
        if status in self.initial_statuses:
            self._add_details(processed, record, status)
            return (Sighting(processed, (sid, "processed"), created_at),)
        own = Event(
            event_at=self._own_time(record, status),
            recipient=processed.recipient,
            provider_account=processed.provider_account,
            provider_message_id=sid,
        )
        self._add_details(own, record, status)
        return (
            Sighting(processed, (sid, "processed"), created_at),
            Sighting(own, (sid, status), created_at),
        )

    def classify(self, event: Event) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        if event.event_type == "undelivered" and event.provider_code in self.refused_codes:
            event.event_type = "dropped"
        event.failure_class = event.failure_reason = None
        if event.event_type in ("undelivered", "dropped"):
            event.failure_class = self.class_of_code.get(event.provider_code, "unknown")
            event.failure_reason = failure_reason(self.provider, event.provider_code, None, None)

    def _own_time(self, record: TwilioMessage, status: str) -> datetime:
        if status == "sent" and record.date_sent:
            return fields.written_instant("date_sent", record.date_sent)
        return fields.written_instant("date_updated", record.date_updated)

    def _add_details(self, event: Event, record: TwilioMessage, status: str) -> None:
        """What the row says of its own status."""
        event.provider_event = status
        event.provider_code = fields.identifier(record.error_code)
        event.provider_reason = fields.text(record.error_message)
        event.segments = fields.whole_number("num_segments", record.num_segments)
        add_price(event, record.price, record.price_unit)
        event.extra = row_extra(record, EXTRA, LEFT_OUT)


def row_identity(record: Record) -> tuple[str, str]:
    """Sid and status of a row of Twilio's. Raises RejectRecord where one is missing."""
    sid, status = fields.identifier(record.sid), fields.identifier(record.status)
    if sid is None or status is None:
        raise RejectRecord("sid: missing" if sid is None else "status: missing")
    return sid, status


def add_price(event: Event, price: object, unit: str | None) -> None:
    """Price and currency. Twilio's sign is turned: what it costs is positive, a credit negative."""
    event.price = fields.turned(fields.decimal("price", price))
    event.currency = (fields.identifier(unit) or "").upper() or None


def row_extra(record: Record, named: Iterable[str], left_out: Iterable[str]) -> dict[str, object] | None:
    """The named fields that say something, and those that Twilio added since this was written."""
    extra = {name: value for name in named if (value := getattr(record, name)) not in (None, "")}
    extra.update((name, value) for name, value in record.other.items() if name not in left_out and value is not None)
    return extra or None
