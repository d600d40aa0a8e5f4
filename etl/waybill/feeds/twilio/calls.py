"""Twilio calls (IVR), as the Calls list shows them.

Source: Call resource (twilio.com/docs/voice/api/call-resource), API 2010-04-01.
Bodies: the pages of the list, one body in a file or one on a line.

Quirks
- A row is mutable and shows one status. `rows.py` says which events it gives.
- Dialled legs have their own rows with `parent_call_sid`: they are part of the parent's call and are ignored.
- Inbound calls are ignored: `inbound`, and `trunking-originating` (from the public network into a SIP trunk).
  `trunking-terminating` goes from the trunk out to the public network, like `outbound-api` and `outbound-dial`.
- `duration` is empty for calls that did not connect, and `end_time` may be; `price` comes late, is negative and covers
  only the connection; the list has no error code.
- Only calls with answering machine detection have `answered_by`.
- Numbers in national form (`to_formatted`) and names of callers are left out.
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

EXTRA = ("direction", "group_sid", "phone_number_sid", "queue_time", "trunk_sid")
LEFT_OUT = (
    "api_version",
    "caller_name",
    "forwarded_from",
    "from",
    "from_formatted",
    "to_formatted",
    "uri",
    "subresource_uris",
)


class TwilioCall(TwilioRow):
    """One row of the list."""

    parent_call_sid: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    duration: int | float | str | None = None
    answered_by: str | None = None
    group_sid: object = None
    phone_number_sid: object = None
    queue_time: object = None
    trunk_sid: object = None


class TwilioCalls(TypedFeed[TwilioCall], ApiFeed):
    slug = "twilio_calls"
    title = "Twilio Calls"
    provider = "twilio"
    channel = "ivr"
    credentials = PROVIDER.credentials
    lateness = timedelta(days=3)
    base_url = PROVIDER.base_url
    listing_span = timedelta(hours=6)
    sweep = timedelta(days=1)
    rules_version = 1 + RULES_VERSION
    record_type = TwilioCall

    event_types = {
        None: "processed",
        "queued": "processed",
        "ringing": "ringing",
        "in-progress": "answered",
        "completed": "completed",
        "busy": "busy",
        "no-answer": "no_answer",
        "failed": "failed",
        "canceled": "canceled",
    }
    initial_statuses = ("queued",)  # mean `processed` and nothing else
    reasons_from = ("provider_code",)
    inbound_directions = ("inbound", "trunking-originating")
    in_progress = ("ringing", "in-progress")
    ended = ("completed", "busy", "no-answer", "failed", "canceled")

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return list_body(stream, "calls", own_field="sid")

    def listings(self, account_id: str, window: Window, swept_from: datetime | None) -> Sequence[Listing]:
        return twilio_listings(account_id, "Calls", "StartTime", window, self.listing_span, swept_from)

    def page(self, body: bytes, listing: Listing, request: str | None = None) -> Page:
        return twilio_page(body, "calls", listing)

    def sightings(self, record: TwilioCall) -> Iterable[Sighting]:
        if record.direction in self.inbound_directions or record.parent_call_sid:
            return ()
        return row_sightings(record, self.initial_statuses, self._own_time, self._add_details)

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.failure_class = event.failure_reason = None
        if event.event_type == "failed":
            event.failure_class = "unknown"
            event.failure_reason = self.verdict(event).reason

    def _own_time(self, record: TwilioCall, status: str) -> datetime:
        if status in self.in_progress and record.start_time:
            return fields.written_instant("start_time", record.start_time)
        if status in self.ended and record.end_time:
            return fields.written_instant("end_time", record.end_time)
        return fields.written_instant("date_updated", record.date_updated)

    def _add_details(self, event: Sighting, record: TwilioCall, status: str) -> None:
        """Add the details of the row's own status."""
        event.provider_event = status
        if status not in self.initial_statuses:
            event.answered_by = fields.identifier(record.answered_by)
        event.duration_seconds = fields.whole_number("duration", record.duration)
        add_price(event, record)
        event.extra = row_extra(record, EXTRA, LEFT_OUT)
