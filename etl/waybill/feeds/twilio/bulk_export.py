"""Twilio's bulk exports of messages and of calls, landed as files.

Source: BulkExport (twilio.com/docs/usage/bulkexport). Not compared with the export of a real account.
Files: the days as exported (gzip, one row on a line), compressed or plain; arrays.

Quirks
- A row is that of the Messages or Calls list, as it was when the day was exported. So its events, keys and legs are
  those of `messages.py` and `calls.py`. Later changes of the row are missing.
- Times are in ISO 8601. `price_unit` and `error_message` are missing, so a price has no currency.
- The sid says what a row is: `CA…` is a call. Conferences (`CF…`) and their participants are ignored.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO, cast

from waybill.feeds.failures import RULES_VERSION
from waybill.feeds.records import Sighting
from waybill.feeds.twilio.calls import TwilioCall, TwilioCalls
from waybill.feeds.twilio.messages import TwilioMessage, TwilioMessages
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model.event import EventDraft


class TwilioExportRow(TwilioCall):
    """One row: the fields of a call, and those that only a message has."""

    conference_sid: object = None
    date_sent: str | None = None
    error_code: int | float | str | None = None
    error_message: str | None = None
    num_segments: int | float | str | None = None
    messaging_service_sid: object = None
    num_media: object = None


class TwilioBulkExport(TypedFeed[TwilioExportRow]):
    slug = "twilio_bulk_export"
    title = "Twilio bulk export"
    provider = "twilio"
    channel = "all"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + RULES_VERSION
    record_type = TwilioExportRow

    messages, calls = TwilioMessages(), TwilioCalls()
    event_types = calls.event_types | messages.event_types  # `failed` of a call is `failed`
    ignored_words = messages.ignored_words

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="date_created")

    def sightings(self, record: TwilioExportRow) -> Iterable[Sighting]:
        sid = record.sid or ""
        if record.conference_sid or sid.startswith("CF"):
            return ()
        is_call = sid.startswith("CA")
        as_message = cast(TwilioMessage, record)  # has all its fields
        found = self.calls.sightings(record) if is_call else self.messages.sightings(as_message)
        for sighting in found:
            sighting.channel = "ivr" if is_call else "sms"
        return found

    def classify(self, event: EventDraft) -> None:
        (self.calls if event.channel == "ivr" else self.messages).classify(event)
