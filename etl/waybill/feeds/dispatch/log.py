"""The dispatch log: the decisions of the campaign system about each message.

Source: docs/feeds/dispatch_log.md, a format of Waybill. Files: CSV, JSON, or Parquet.

Columns: `dispatch_id`, `occurred_at` (ISO 8601 with a zone, or seconds or milliseconds since 1970), `channel`
(email, sms, ivr), `status` (queued, about_to_be_sent, handed_over, not_sent), `recipient` (may be missing),
`campaign_id`, `template_id`, `reason` (of not_sent), `account` (default: the feed's), `provider` and
`provider_message_id` (of handed_over, where known). Other columns are kept in `extra`.

Quirks
- Rows with the same dispatch id may name several recipients (a batch): each recipient has a message.
- A row may name the gateway's message; through it the gateway's events join the dispatched message. An unknown provider
  is stored as named, and joins nothing.
- An unknown reason counts as other/unclassified; the word is stored.
- Column names and words of this format may be in any case, with blanks or hyphens for underscores. `NULL`, `\\N`,
  `nan`, `NaT` and `None` are empty cells; `="000123"` and `'000123` are texts.
- A time without a zone is in the zone of DISPATCH_LOG_TIMEZONE. A row is rejected if that is not set, or if the clock
  change skips or repeats its time.
- Numbers that a spreadsheet has rounded (1.23457E+17), and floats above 2^53, are no ids; 4711.0 is 4711.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

from waybill.feeds import cells, fields
from waybill.feeds.providers import MESSAGE_IDS
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.raw_record import RawRecord
from waybill.framing.tables import table
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft
from waybill.model.vocabulary import CHANNELS, DISPATCH, NOT_SENT_CATEGORY

REQUIRED = ("dispatch_id", "occurred_at", "channel", "status")
_DIGIT = re.compile(r"\d")
_TWO_NUMBERS = re.compile(r"[^,;]*(?:\d[^,;\d]*){7}[,;](?:[^,;\d]*\d){7}[^,;]*")


class DispatchRow(Record):
    """One row. Ids may be whole numbers."""

    dispatch_id: int | float | str | None = None
    occurred_at: int | float | str | None = None
    channel: str | None = None
    status: str | None = None
    recipient: int | float | str | None = None
    campaign_id: int | float | str | None = None
    template_id: int | float | str | None = None
    reason: str | None = None
    account: str | None = None
    provider: str | None = None
    provider_message_id: int | float | str | None = None


class DispatchLog(TypedFeed[DispatchRow]):
    slug = "dispatch_log"
    title = "Dispatch log"
    provider = DISPATCH
    channel = "all"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 2
    identity_since = 2
    record_type = DispatchRow

    event_types = {
        "queued": "queued",
        "about_to_be_sent": "scheduled",
        "handed_over": "handed_over",
        "not_sent": "suppressed",
    }

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return table(stream, REQUIRED, self.record_type.__struct_fields__)

    def sightings(self, record: DispatchRow) -> Iterable[Sighting]:
        dispatch_id = cells.exact("dispatch_id", record.dispatch_id)
        if dispatch_id is None:
            raise RejectRecord("dispatch_id: missing")
        channel, status = cells.word(record.channel), cells.word(record.status)
        if channel not in CHANNELS:
            raise RejectRecord("channel: not email, sms or ivr")
        if status is None or status not in self.event_types:
            raise RejectRecord("status: not queued, about_to_be_sent, handed_over or not_sent")
        occurred_at = cells.cell(record.occurred_at)
        at = fields.instant("occurred_at", occurred_at, self.options.dispatch_log_zone)
        recipient = cells.exact("recipient", record.recipient)
        if recipient is not None and channel != "email" and not _DIGIT.search(recipient):
            raise RejectRecord("recipient: no digits")
        if recipient is not None and channel != "email" and _TWO_NUMBERS.match(recipient):
            raise RejectRecord("recipient: two numbers")
        gateway = fields.identifier(cells.cell(record.provider))
        gateway = None if gateway is None else gateway.lower()
        message_id = cells.exact("provider_message_id", record.provider_message_id)
        if message_id is not None and gateway in MESSAGE_IDS:
            message_id = MESSAGE_IDS[gateway].message_id(message_id) or None
        extra = {name: value for name, value in record.other.items() if cells.cell(value) is not None}
        reason = cells.cell(record.reason)
        if status != "not_sent" and reason is not None:
            extra["reason"] = reason
        campaign_id, campaign_source = _sourced("campaign_id", record.campaign_id)
        template_id, template_source = _sourced("template_id", record.template_id)
        written_at = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        whose = RECIPIENT if recipient is not None else ""
        sighting = Sighting(
            identity=(channel, dispatch_id, whose, status, written_at, gateway or "", message_id or ""),
            key_at=at,
            channel=channel,
            recipient=recipient,
            account=fields.identifier(cells.cell(record.account)) or "",
            provider_event=status,
            dispatch_id=dispatch_id,
            campaign_id=campaign_id,
            campaign_source=campaign_source,
            template_id=template_id,
            template_source=template_source,
            gateway=gateway,
            provider_message_id=message_id,
            not_sent_reason=_not_sent_reason(reason) if status == "not_sent" else None,
            extra=extra or None,
        )
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.not_sent_category = None
        if event.event_type == "suppressed":
            event.not_sent_category = NOT_SENT_CATEGORY.get((event.not_sent_reason or "").lower(), "other")


def _sourced(field: str, value: object) -> tuple[str | None, str | None]:
    return fields.first_sourced((cells.exact(field, value), "dispatch_log"))


def _not_sent_reason(written: str | None) -> str | None:
    """Return a known reason in its own spelling, any other word as written."""
    word = cells.word(written)
    return word if word in NOT_SENT_CATEGORY else written
