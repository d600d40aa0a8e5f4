"""Mailjet events, as its Event API posts them, landed as files.

Sources: Event API (dev.mailjet.com/email/guides/webhooks); single posts, greylisting and `Payload` as django-anymail 15
reads them (anymail/webhooks/mailjet.py). Not compared with the posts of a real account.
Files: an array of events per post (grouped events), or one object; after one another or on lines; compressed or plain.

Quirks
- `sent` means that the recipient's mail server accepted the message: it is `delivered`. Mailjet does not report that it
  accepted a message itself.
- `bounce` is permanent if `hard_bounce` is true. A temporary one with the error `greylisted` is a deferral: Mailjet
  tries again. Its `blocked` only says that Mailjet will not send to this address again.
- `blocked` means that Mailjet did not try.
- `MessageID` is greater than 2^53: a program that reads it as a float rounds it. A rounded id is none; then
  `Message_GUID` names the message. Each recipient has an id of its own.
- `time` is in whole seconds since 1970. No event has an id, and posts repeat for 24 hours. So the identity is the
  content: message, event, second, and the link of a click. Address and user agent are not in it, because the API does
  not have both.
- Your own ids are in `Payload`, a text of JSON. `CustomID` is one more id, of which Mailjet knows no meaning.
- `customcampaign` is the campaign as the sender named it; `mj_campaign_id` is Mailjet's number for it, 0 for none.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier = fields.text, fields.identifier

IDS = ("MessageID", "Message_GUID")
TRUE = (True, "true", "1")


class MailjetEvent(Record):
    """One event. A field of type `object` is read if it has the documented type, else it counts as absent."""

    event: str | None = None
    time: int | float | str | None = None
    message_id: object = msgspec.field(name="MessageID", default=None)
    message_guid: object = msgspec.field(name="Message_GUID", default=None)
    email: str | None = None
    hard_bounce: object = None
    error: object = None
    comment: object = None
    smtp_reply: object = None
    custom_id: object = msgspec.field(name="CustomID", default=None)
    payload: object = msgspec.field(name="Payload", default=None)
    customcampaign: object = None
    mj_campaign_id: object = None
    mj_list_id: object = None
    url: object = None
    ip: object = None
    agent: object = None


class MailjetWebhooks(TypedFeed[MailjetEvent]):
    slug = "mailjet_webhooks"
    title = "Mailjet webhooks"
    provider = "mailjet"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = MailjetEvent

    event_types = {
        "sent": "delivered",
        "bounce/hard": "bounced",
        "bounce/soft": "bounced",
        "bounce": "bounced",  # without `hard_bounce`
        "blocked": "dropped",
        "open": "opened",
        "click": "clicked",
        "spam": "spam_reported",
        "unsub": "unsubscribed",
    }
    temporary_words = ("bounce/soft", "bounce")
    temporary_code = "greylisted"
    classes_of_word = {  # the first one, or another one of them that follows from the reason
        "bounce/hard": ("hard_bounce", "invalid", "blocked"),
        "bounce/soft": ("soft_bounce", "blocked"),
        "bounce": ("unknown", "invalid", "soft_bounce", "blocked"),
        "blocked": ("gateway_suppressed", "invalid", "blocked"),
    }

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="event")

    def sightings(self, record: MailjetEvent) -> Iterable[Sighting]:
        event = _identifier(record.event)
        if event is None:
            raise RejectRecord("event: missing")
        if not record.email or record.email.isspace():
            raise RejectRecord("email: missing")
        if record.time is None:
            raise RejectRecord("time: missing")
        at = fields.second("time", record.time)
        ids = {name: id for name, id in zip(IDS, (record.message_id, record.message_guid), strict=True) if _some(id)}
        message_id, url = fields.taken(ids, IDS), _text(record.url)
        identity = (message_id or RECIPIENT, event, str(int(at.timestamp())))
        payload = fields.decoded(record.payload)
        arguments = dict(payload) if isinstance(payload, dict) else {}
        arguments.setdefault("CustomID", record.custom_id)
        sighting = Sighting(
            identity=(*identity, url or "") if event == "click" else identity,
            key_at=at,
            recipient=record.email,
            provider_event=_word(event, record.hard_bounce),
            provider_message_id=message_id,
            provider_code=_identifier(record.error),
            provider_reason=_text(record.comment) or _text(record.smtp_reply),
            ip=_text(record.ip),
            user_agent=_text(record.agent),
            url=url,
            scope=f"list:{list_id}" if event == "unsub" and (list_id := _some(record.mj_list_id)) else None,
        )
        campaigns = ((record.customcampaign, "provider"), (_some(record.mj_campaign_id), "provider"))
        self.add_ids(sighting, arguments, campaigns)
        sighting.extra = _extra(record, arguments, ids, payload)
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        word = event.provider_event or ""
        event.event_type = self.event_types.get(word, "unknown")
        event.failure_class = event.failure_reason = None
        if word in self.temporary_words and (event.provider_code or "").lower() == self.temporary_code:
            event.event_type = "deferred"
        elif word in self.classes_of_word:
            event.failure_reason = self.verdict(event).reason
            event.failure_class = failures.class_among(self.classes_of_word[word], event.failure_reason)


def _some(value: object) -> str | None:
    """Return an id; None for 0, which Mailjet writes for none."""
    found = _identifier(value)
    return None if found == "0" else found


def _word(event: str, hard_bounce: object) -> str:
    """Return the event word, for `bounce` with its kind."""
    if event != "bounce" or hard_bounce is None:
        return event
    is_hard = hard_bounce in TRUE or (isinstance(hard_bounce, str) and hard_bounce.lower() in TRUE)
    return "bounce/hard" if is_hard else "bounce/soft"


def _extra(
    record: MailjetEvent, arguments: dict[str, object], ids: dict[str, object], payload: object
) -> dict[str, object] | None:
    """Return what has no column, under Mailjet's names; `ids` are those that do not name the message."""
    extra = record.other
    kept = {
        "CustomID": arguments.pop("CustomID", None),
        "Payload": arguments if isinstance(payload, dict) else payload,
        "mj_campaign_id": record.mj_campaign_id if record.customcampaign else None,
        **ids,
    }
    extra.update((name, value) for name, value in kept.items() if value)
    return extra or None
