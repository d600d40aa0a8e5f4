"""Twilio messages (SMS, MMS, WhatsApp, RCS), as the Messages list shows them.

Source: Message resource and error dictionary (twilio.com/docs/messaging/api/message-resource), API 2010-04-01.
Bodies: the pages of the list, one body in a file or one on a line.

Quirks
- A row is mutable and shows one status. `rows.py` says which events it gives.
- `price` is negative and comes late; `num_segments` is 0 until a sender is chosen; an empty text means no value yet.
- The list also contains messages that the API refused with HTTP 400, as `failed`.
- `error_message` may change for one code: classes and reasons follow from `error_code` alone.
- `body`, `from` and the uris are left out: Waybill does not store the content of messages.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO

from waybill.feeds import fields
from waybill.feeds.api import ApiFeed, Listing, Page, Window
from waybill.feeds.failures import RULES_VERSION
from waybill.feeds.records import Sighting
from waybill.feeds.twilio.lists import twilio_listings, twilio_page
from waybill.feeds.twilio.provider import PROVIDER
from waybill.feeds.twilio.rows import TwilioRow, add_price, row_extra, row_sightings
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.bodies import list_body
from waybill.framing.raw_record import RawRecord
from waybill.model.event import EventDraft

EXTRA = ("direction", "messaging_service_sid", "num_media")
LEFT_OUT = ("api_version", "body", "from", "uri", "subresource_uris")


class TwilioMessage(TwilioRow):
    """One row of the list."""

    date_sent: str | None = None
    error_code: int | float | str | None = None
    error_message: str | None = None
    num_segments: int | float | str | None = None
    messaging_service_sid: object = None
    num_media: object = None


class TwilioMessages(TypedFeed[TwilioMessage], ApiFeed):
    slug = "twilio_messages"
    title = "Twilio Messages"
    provider = "twilio"
    channel = "sms"
    credentials = PROVIDER.credentials
    lateness = timedelta(days=3)
    base_url = PROVIDER.base_url
    listing_span = timedelta(hours=6)
    sweep = timedelta(days=1)
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
    initial_statuses = ("accepted", "queued", "scheduled", "sending")  # mean `processed` and nothing else
    ignored_words = ("receiving", "received")  # inbound

    reasons_from = ("provider_code",)
    refused_codes = ("21610",)  # the recipient is on Twilio's STOP list: `dropped`, not `undelivered`

    failure_classes = {
        "invalid": "21211 21214 21217 21614 30005 30006 30014 63003 63024",
        "soft_bounce": "30003 30001 30008 30017 30022 30023 30027 30036 30012 30410 21611",
        "blocked": "30004 30007 30032 30033 30034 30450 21408",
        "gateway_suppressed": "21610 30002 30010",
    }
    class_of_code = {code: name for name, codes in failure_classes.items() for code in codes.split()}

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return list_body(stream, "messages", own_field="sid")

    def listings(self, account_id: str, window: Window, swept_from: datetime | None) -> Sequence[Listing]:
        return twilio_listings(account_id, "Messages", "DateSent", window, self.listing_span, swept_from)

    def page(self, body: bytes, listing: Listing, request: str | None = None) -> Page:
        return twilio_page(body, "messages", listing)

    def sightings(self, record: TwilioMessage) -> Iterable[Sighting]:
        if record.direction == "inbound" or record.status in self.ignored_words:
            return ()
        return row_sightings(record, self.initial_statuses, self._own_time, self._add_details)

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        if event.event_type == "undelivered" and event.provider_code in self.refused_codes:
            event.event_type = "dropped"
        event.failure_class = event.failure_reason = None
        if event.event_type in ("undelivered", "dropped"):
            event.failure_class = self.class_of_code.get(event.provider_code or "", "unknown")
            event.failure_reason = self.verdict(event).reason

    def _own_time(self, record: TwilioMessage, status: str) -> datetime:
        if status == "sent" and record.date_sent:
            return fields.written_instant("date_sent", record.date_sent)
        return fields.written_instant("date_updated", record.date_updated)

    def _add_details(self, event: Sighting, record: TwilioMessage, status: str) -> None:
        """Add the details of the row's own status."""
        event.provider_event = status
        event.provider_code = fields.identifier(record.error_code)
        event.provider_reason = fields.text(record.error_message)
        event.segments = fields.whole_number("num_segments", record.num_segments)
        add_price(event, record)
        event.extra = row_extra(record, EXTRA, LEFT_OUT)
