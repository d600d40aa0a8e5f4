"""The dispatch log: what the campaign system decided of each message.

Source: ours; DESIGN section 10. Files: CSV, lines of JSON, or Parquet.

Columns: `dispatch_id`, `occurred_at` (ISO 8601 with a zone, or whole seconds or milliseconds since 1970), `channel`
(email, sms, ivr), `status` (queued, about_to_be_sent, handed_over, not_sent), `recipient` (may be missing),
`campaign_id`, `template_id`, `reason` (of not_sent), `account` (default: the feed's), `provider` and
`provider_message_id` (of handed_over, where known). Other columns are kept in `extra`.

Quirks
- A row names the gateway's message, by which the gateway's events join the dispatch's message. A provider that is not
  ours is kept as named, and teaches nothing.
- A reason that is not ours counts as other/unclassified; the word is kept.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

from etl.feeds import fields
from etl.feeds.base import Feed, Record, Sighting
from etl.framing.raw_record import RawRecord
from etl.framing.tables import table
from etl.model.errors import RejectRecord
from etl.model.event import Event
from etl.model.providers import PROVIDERS
from etl.model.vocabulary import CHANNELS, DISPATCH, NOT_SENT_CATEGORY

REQUIRED = ("dispatch_id", "occurred_at", "channel", "status")
_DIGIT = re.compile(r"\d", re.ASCII)


class DispatchRow(Record):
    """One row. Ids may be whole numbers."""

    dispatch_id: int | str | None = None
    occurred_at: int | str | None = None
    channel: str | None = None
    status: str | None = None
    recipient: int | str | None = None
    campaign_id: int | str | None = None
    template_id: int | str | None = None
    reason: str | None = None
    account: str | None = None
    provider: str | None = None
    provider_message_id: int | str | None = None


class DispatchLog(Feed):
    slug = "dispatch_log"
    title = "Dispatch log"
    provider = DISPATCH
    channel = "all"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1
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
        dispatch_id = fields.identifier(record.dispatch_id)
        if dispatch_id is None:
            raise RejectRecord("dispatch_id: missing")
        channel, status = fields.identifier(record.channel), fields.identifier(record.status)
        if channel not in CHANNELS:
            raise RejectRecord("channel: not email, sms or ivr")
        if status not in self.event_types:
            raise RejectRecord("status: not queued, about_to_be_sent, handed_over or not_sent")
        at = fields.instant("occurred_at", record.occurred_at)
        recipient = fields.identifier(record.recipient)
        if recipient is not None and channel != "email" and not _DIGIT.search(recipient):
            raise RejectRecord("recipient: no digits")
        gateway = fields.identifier(record.provider)
        gateway = None if gateway is None else gateway.lower()
        message_id = fields.identifier(record.provider_message_id)
        if message_id is not None and gateway in PROVIDERS:
            message_id = PROVIDERS[gateway].message_id(message_id) or None
        extra = {name: value for name, value in record.other.items() if value not in (None, "")}
        if status != "not_sent" and fields.text(record.reason):
            extra["reason"] = record.reason
        event = Event(
            event_at=at,
            channel=channel,
            recipient=recipient,
            account=fields.identifier(record.account),
            provider_event=status,
            dispatch_id=dispatch_id,
            gateway=gateway,
            provider_message_id=message_id,
            not_sent_reason=_not_sent_reason(record.reason) if status == "not_sent" else None,
            extra=extra or None,
        )
        event.campaign_id, event.campaign_source = fields.first_sourced((record.campaign_id, "dispatch_log"))
        event.template_id, event.template_source = fields.first_sourced((record.template_id, "dispatch_log"))
        written_at = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        identity = (channel, dispatch_id, status, written_at, gateway or "", message_id or "")
        return (Sighting(event, identity, at),)

    def classify(self, event: Event) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.not_sent_category = None
        if event.event_type == "suppressed":
            event.not_sent_category = NOT_SENT_CATEGORY.get((event.not_sent_reason or "").lower(), "other")


def _not_sent_reason(written: object) -> str | None:
    """A known reason in its own spelling; the word itself of any other."""
    word = fields.identifier(written)
    return word.lower() if word is not None and word.lower() in NOT_SENT_CATEGORY else word
