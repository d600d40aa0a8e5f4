"""Postmark events, as its webhooks post them, landed as files.

Sources: webhook reference (postmarkapp.com/developer/webhooks/webhooks-overview) and Bounce API; names of fields also
as django-anymail 15 reads them (anymail/webhooks/postmark.py). Not compared with the posts of a real account.
Files: one object per post; objects after one another or on lines, arrays; compressed or plain.

Quirks
- `RecordType` says what happened; `Type` says it for a bounce. So a bounce has its type as its word, as in the Bounce
  API. A change of a subscription has its `SuppressionReason` in its word; without suppression it has none.
- One `MessageID` covers all recipients of a message. The address is in `Recipient`, on bounces and complaints in
  `Email`. Each post has one recipient.
- Each record type has its own field for the time: a text with a zone and up to seven digits of a second.
- Only bounces and complaints have an `ID`. So the identity is the content, at whole seconds.
- Customers' arguments are nested in `Metadata`. The only tag is `Tag`.
- Postmark does not report that it accepted a message, and marks no open as a machine's.
- A bounce or a complaint also switches off the address and posts a `SubscriptionChange`: the same fact again.
- Inbound messages have no `RecordType`, but `FromFull`.
- `Subject`, and `Content` (the source of a bounced message, if switched on), are content of the message: not kept.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds import failures, fields
from waybill.feeds.postmark.provider import postmark_message_id
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier = fields.text, fields.identifier


class PostmarkEvent(Record, rename="pascal"):
    """One post. A field of type `object` is read if it has the documented type, else it counts as absent."""

    record_type: str | None = None
    message_id: object = msgspec.field(name="MessageID", default=None)
    recipient: str | None = None
    email: str | None = None
    delivered_at: str | None = None
    bounced_at: str | None = None
    received_at: str | None = None
    changed_at: str | None = None
    id: object = msgspec.field(name="ID", default=None)
    type: object = None
    details: object = None
    subject: object = None
    content: object = None
    tag: object = None
    metadata: object = None
    message_stream: object = None
    server_id: object = msgspec.field(name="ServerID", default=None)
    suppress_sending: object = None
    suppression_reason: object = None
    user_agent: object = None
    geo: object = None
    original_link: object = None
    click_location: object = None


class PostmarkWebhooks(TypedFeed[PostmarkEvent]):
    slug = "postmark_webhooks"
    title = "Postmark webhooks"
    provider = "postmark"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = PostmarkEvent

    event_types = {
        "Delivery": "delivered",
        "Transient": "deferred",
        "DnsError": "deferred",
        "HardBounce": "bounced",
        "SoftBounce": "bounced",
        "Blocked": "bounced",
        "DMARCPolicy": "bounced",
        "SpamNotification": "bounced",  # the receiving side took the message for spam
        "VirusNotification": "bounced",
        "Unknown": "bounced",  # Postmark does not know why
        "BadEmailAddress": "dropped",
        "ManuallyDeactivated": "dropped",
        "Unconfirmed": "dropped",
        "SMTPApiError": "dropped",
        "TemplateRenderingFailed": "dropped",
        "Open": "opened",
        "Click": "clicked",
        "SpamComplaint": "spam_reported",
        "Unsubscribe": "unsubscribed",
        "SubscriptionChange/ManualSuppression": "unsubscribed",
        "Subscribe": "resubscribed",
        "SubscriptionChange": "resubscribed",
    }
    failure_classes = {
        "HardBounce": "hard_bounce",
        "SoftBounce": "soft_bounce",
        "Blocked": "blocked",
        "DMARCPolicy": "blocked",
        "SpamNotification": "blocked",
        "VirusNotification": "blocked",
        "BadEmailAddress": "invalid",
    }
    ignored_words = (
        *("AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest"),  # replies and tests
        *("InboundError", "Inbound"),
        *("SubscriptionChange/HardBounce", "SubscriptionChange/SpamComplaint"),  # reported by a post of their own
    )

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="RecordType")

    def sightings(self, record: PostmarkEvent) -> Iterable[Sighting]:
        word = _word(record)
        if word in self.ignored_words:
            return ()
        recipient = record.recipient or record.email
        if not recipient or recipient.isspace():
            raise RejectRecord("Recipient: missing")
        at = _at(record)
        second = at.replace(microsecond=0)
        message_id = postmark_message_id(_identifier(record.message_id) or "") or None
        geo = record.geo if isinstance(record.geo, dict) else {}
        ip, user_agent, url = _text(geo.get("IP")), _text(record.user_agent), _text(record.original_link)
        tag, stream = _identifier(record.tag), _identifier(record.message_stream)
        arguments = dict(record.metadata) if isinstance(record.metadata, dict) else {}
        identity: tuple[str, ...] = (message_id or "", RECIPIENT, word, str(int(second.timestamp())))
        if word == "Open":
            identity += (ip or "", user_agent or "")
        elif word == "Click":
            identity += (ip or "", user_agent or "", url or "", _text(record.click_location) or "")
        is_subscription = self.event_types.get(word) in ("unsubscribed", "resubscribed")
        sighting = Sighting(
            identity=identity,
            key_at=second,
            event_at=at,
            recipient=recipient,
            provider_account=_identifier(record.server_id),
            provider_event=word,
            provider_event_id=_identifier(record.id),
            provider_message_id=message_id,
            provider_code=_identifier(record.type),
            provider_reason=_text(record.details),
            ip=ip,
            user_agent=user_agent,
            url=url,
            scope=f"stream:{stream}" if stream and is_subscription else None,
            tags=None if tag is None else [tag],
        )
        self.add_ids(sighting, arguments, ((tag, "category"),))
        sighting.extra = _extra(record, arguments)
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        word = event.provider_event or ""
        event.event_type = self.event_types.get(word, "unknown")
        event.failure_class = event.failure_reason = None
        if event.event_type == "bounced":
            reason = event.failure_reason = self.verdict(event).reason
            by_reason = failures.BOUNCE_CLASSES.get(reason, "unknown")
            event.failure_class = self.failure_classes.get(word, by_reason)
            if word == "HardBounce" and by_reason == "invalid":
                event.failure_class = "invalid"
        elif event.event_type == "dropped":
            event.failure_reason = self.verdict(event).reason
            event.failure_class = self.failure_classes.get(word, "gateway_suppressed")


def _word(record: PostmarkEvent) -> str:
    """Return what happened: the type of a bounce, the reason of a suppression, or the record type. Raises
    RejectRecord."""
    word = _identifier(record.record_type) or ("Inbound" if "FromFull" in record.other else None)
    if word is None:
        raise RejectRecord("RecordType: missing")
    if word == "Bounce":
        return _identifier(record.type) or word
    if word == "SubscriptionChange" and record.suppress_sending is not False:
        return f"{word}/{_identifier(record.suppression_reason) or ''}"
    return word


def _at(record: PostmarkEvent) -> datetime:
    """Return the time of the event. Raises RejectRecord."""
    times = {
        "DeliveredAt": record.delivered_at,
        "BouncedAt": record.bounced_at,
        "ReceivedAt": record.received_at,
        "ChangedAt": record.changed_at,
    }
    for name, written in times.items():
        if written is not None:
            return fields.written_instant(name, written)
    raise RejectRecord(f"{', '.join(times)}: missing")


def _extra(record: PostmarkEvent, arguments: dict[str, object]) -> dict[str, object] | None:
    """Return what has no column, under Postmark's names."""
    extra = record.other
    place = record.geo
    if isinstance(place, dict):
        place = {name: value for name, value in place.items() if name != "IP"}
    kept = {
        "Metadata": arguments if isinstance(record.metadata, dict) else record.metadata,
        "MessageStream": record.message_stream,
        "Geo": place,
        "ClickLocation": record.click_location,
    }
    extra.update((name, value) for name, value in kept.items() if value)
    return extra or None
