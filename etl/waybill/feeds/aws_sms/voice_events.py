"""AWS End User Messaging (once Pinpoint SMS and voice): events of text, media, RCS and voice messages, landed as files.

Sources: event format and event types of configuration sets (docs.aws.amazon.com/sms-voice/latest/userguide,
configuration-sets-event-format and configuration-sets-event-types). Not compared with the records of a real account:
events of RCS, and the currency of prices, are the least certain.
Files: Firehose objects (one event after another, with or without line breaks), bodies of SNS, messages of SQS, events
of EventBridge, CloudWatch Logs; or the bare events.

Quirks
- No event has an id. The identity is the message, the event type and the millisecond. It does not contain the
  recipient, because events of EventBridge may have none.
- A receipt can come 72 hours later. If none comes, AWS reports UNKNOWN: `undelivered`.
- SUCCESSFUL (the carrier accepted the message) and DELIVERED mean the same, depending on the country. Both can come for
  one message, also after `isFinal`. Both are `delivered`.
- PROTECT_BLOCKED means that your own protect configuration forbids the message: `dropped`.
- `totalMessagePrice` is in US dollars, without `totalCarrierFee`, which is in `extra`.
- `context` contains the customer's values of the send call.
- Events of calls have no duration. `originationPhoneNumber` is left out.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

from waybill.feeds import failures, fields
from waybill.feeds.records import AccountNotice, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier = fields.text, fields.identifier


class AwsSmsEvent(Record, rename="camel"):
    """One event. A field of type `object` is read if it has the documented type, else it counts as absent."""

    event_type: str | None = None
    event_timestamp: int | float | str | None = None
    message_id: object = None
    destination_phone_number: object = None
    origination_phone_number: object = None
    message_status_description: object = None
    total_message_parts: int | float | str | None = None
    total_message_price: int | float | str | None = None
    context: object = None


class AwsSmsVoiceEvents(TypedFeed[AwsSmsEvent]):
    slug = "aws_sms_voice_events"
    title = "AWS End User Messaging events"
    provider = "aws_sms"
    channel = "all"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=4)
    rules_version = failures.RULES_VERSION
    record_type = AwsSmsEvent

    types_of_text = {  # of TEXT_ and MEDIA_
        "QUEUED": "processed",
        "PENDING": "processed",
        "SENT": "sent",
        "SUCCESSFUL": "delivered",
        "DELIVERED": "delivered",
        "INVALID": "undelivered",
        "INVALID_MESSAGE": "undelivered",
        "UNREACHABLE": "undelivered",
        "CARRIER_UNREACHABLE": "undelivered",
        "BLOCKED": "undelivered",
        "CARRIER_BLOCKED": "undelivered",
        "SPAM": "undelivered",
        "UNKNOWN": "undelivered",
        "TTL_EXPIRED": "undelivered",
        "PROTECT_BLOCKED": "dropped",
    }
    event_types = {
        **{f"TEXT_{word}": event_type for word, event_type in types_of_text.items()},
        **{f"MEDIA_{word}": event_type for word, event_type in types_of_text.items()},
        "MEDIA_FILE_INACCESSIBLE": "dropped",
        "MEDIA_FILE_TYPE_UNSUPPORTED": "dropped",
        "MEDIA_FILE_SIZE_EXCEEDED": "dropped",
        "RCS_QUEUED": "processed",
        "RCS_SENT": "sent",
        "RCS_DELIVERED": "delivered",
        "RCS_READ": "opened",
        "RCS_FAILED": "undelivered",
        "RCS_TTL_EXPIRED": "undelivered",
        "RCS_PROTECT_BLOCKED": "dropped",
        "RCS_FALLEN_BACK_TO_SMS": "processed",
        "VOICE_INITIATED": "processed",
        "VOICE_RINGING": "ringing",
        "VOICE_ANSWERED": "answered",
        "VOICE_COMPLETED": "completed",
        "VOICE_BUSY": "busy",
        "VOICE_NO_ANSWER": "no_answer",
        "VOICE_TTL_EXPIRED": "no_answer",
        "VOICE_FAILED": "failed",
    }
    account_words = ("SubscriptionConfirmation", "UnsubscribeConfirmation")  # `Type` of SNS

    failure_classes = {
        "invalid": "INVALID",
        "soft_bounce": "UNREACHABLE CARRIER_UNREACHABLE TTL_EXPIRED",
        "blocked": "BLOCKED CARRIER_BLOCKED SPAM PROTECT_BLOCKED",
    }
    class_of_status = {status: name for name, statuses in failure_classes.items() for status in statuses.split()}

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="eventType")

    def account_notice(self, record: AwsSmsEvent) -> AccountNotice | None:
        envelope = record.other  # of SNS: a message without an event
        word = envelope.get("Type")
        if record.event_type is not None or word not in self.account_words:
            return None
        noticed_at = fields.written_instant("Timestamp", _text(envelope.get("Timestamp")))
        return AccountNotice(str(word), _identifier(envelope.get("TopicArn")), noticed_at)

    def sightings(self, record: AwsSmsEvent) -> Iterable[Sighting]:
        word, message_id = _identifier(record.event_type), _identifier(record.message_id)
        if word is None or message_id is None:
            raise RejectRecord("eventType: missing" if word is None else "messageId: missing")
        at = fields.instant("eventTimestamp", record.event_timestamp)
        price = fields.decimal("totalMessagePrice", record.total_message_price)
        arguments = dict(record.context) if isinstance(record.context, dict) else {}
        sighting = Sighting(
            identity=(message_id, word),
            key_at=at,  # in milliseconds
            channel="ivr" if word.startswith("VOICE_") else "sms",
            recipient=_text(record.destination_phone_number),
            provider_message_id=message_id,
            provider_event=word,
            provider_code=word,
            provider_reason=_text(record.message_status_description),
            segments=fields.whole_number("totalMessageParts", record.total_message_parts),
            price=price,
            currency=None if price is None else "USD",
        )
        self.add_ids(sighting, arguments)
        context = arguments if isinstance(record.context, dict) else record.context
        sighting.extra = record.other | ({"context": context} if context else {}) or None
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event or "", "unknown")
        event.failure_class = event.failure_reason = None
        if event.event_type in ("undelivered", "dropped", "failed"):
            _, _, status = (event.provider_code or "").partition("_")
            event.failure_class = self.class_of_status.get(status, "unknown")
            event.failure_reason = self.verdict(event).reason
