"""Brevo (once Sendinblue) events about emails, as its webhooks post them, landed as files.

Sources: transactional webhooks (developers.brevo.com/docs/transactional-webhooks); times, tags and metadata as
django-anymail 15 reads them (anymail/webhooks/brevo.py). Not compared with the posts of a real account: custom
metadata, and posts of campaigns, are the least certain.
Files: one object per post; objects after one another or on lines, arrays (batched posts); compressed or plain.

Quirks
- `date` has no zone, and `ts` is in the zone of the account. `ts_epoch` is in UTC: milliseconds, in some posts seconds.
  The documentation calls `ts_event` GMT, but a reader has seen it in the account's zone: it counts only where
  `ts_epoch` is missing, as in posts of campaigns.
- A first opening is `unique_opened`, and an opening by a proxy that hides the reader (Apple, Gmail) is `proxy_open` or
  `unique_proxy_open`. The API has one word for the first and the others of a kind. The identity has the API's words, so
  that an opening that is reported under both words, or by both routes, is one.
- No event has an id; `id` is that of the webhook. So the identity is the content, at whole seconds. `ip` and the user
  agent are not in it, because the API does not have both.
- One `message-id` covers all recipients of a message.
- Metadata are in `X-Mailin-custom`: a text of JSON, or `name:value|name:value`.
- `tags` is a list; `tag` the same as a text of JSON, or one tag.
- `blocked` and `invalid_email` mean that Brevo did not try.
- Inbound messages come in a list `items`, without `event`.
- `subject`, and `mirror_link`, which shows the message, are content of the message: not kept.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO, ClassVar

import msgspec

from waybill.feeds import failures, fields
from waybill.feeds.brevo.provider import brevo_message_id
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier = fields.text, fields.identifier


class BrevoEvent(Record):
    """One post. A field of type `object` is read if it has the documented type, else it counts as absent."""

    event: str | None = None
    email: object = None
    ts_epoch: int | float | str | None = None
    ts_event: int | float | str | None = None
    message_id: object = msgspec.field(name="message-id", default=None)
    reason: object = None
    tags: object = None
    tag: object = None
    custom: object = msgspec.field(name="X-Mailin-custom", default=None)
    template_id: object = None
    camp_id: object = None
    link: object = None
    url: object = msgspec.field(name="URL", default=None)
    ip: object = None
    user_agent: object = None
    subject: object = None
    mirror_link: object = None


class BrevoWebhooks(TypedFeed[BrevoEvent]):
    slug = "brevo_webhooks"
    title = "Brevo webhooks"
    provider = "brevo"
    channel = "email"
    kind = "files"
    credentials: ClassVar[tuple[str, ...]] = ()
    lateness = timedelta(days=3)
    rules_version = 2 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = BrevoEvent

    words = {  # the API's word: its event, and the words of posts
        "requests": ("processed", "request"),
        "deferred": ("deferred", "deferred"),
        "delivered": ("delivered", "delivered"),
        "hardBounces": ("bounced", "hard_bounce"),
        "softBounces": ("bounced", "soft_bounce"),
        "bounces": ("bounced", ""),
        "blocked": ("dropped", "blocked"),
        "invalid": ("dropped", "invalid_email"),
        "error": ("dropped", "error"),
        "opened": ("opened", "opened unique_opened"),
        "loadedByProxy": ("opened", "proxy_open unique_proxy_open"),
        "clicks": ("clicked", "click"),
        "spam": ("spam_reported", "spam complaint"),
        "unsubscribed": ("unsubscribed", "unsubscribe"),
    }
    words_of_api = {posted: word for word, (_, names) in words.items() for posted in names.split()}
    event_types = {posted: event_type for event_type, names in words.values() for posted in names.split()}
    # about a contact, not about a message
    ignored_words: ClassVar[tuple[str, ...]] = ("list_addition", "contact_updated", "contact_deleted")
    machine_opens = {"opened": False, "loadedByProxy": True}
    classes_of_word = {  # the first one, or another one of them that follows from the reason
        "hardBounces": ("hard_bounce", "invalid", "blocked"),
        "softBounces": ("soft_bounce", "blocked"),
        "bounces": ("unknown", "invalid", "soft_bounce", "blocked"),
        "blocked": ("gateway_suppressed", "invalid", "blocked"),
        "invalid": ("invalid",),
        "error": ("gateway_suppressed", "invalid", "blocked"),
    }

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="event")

    def sightings(self, record: BrevoEvent) -> Iterable[Sighting]:
        word = _identifier(record.event)
        if word in self.ignored_words or (word is None and "items" in record.other):
            return ()
        if word is None:
            raise RejectRecord("event: missing")
        recipient = _text(record.email)
        if recipient is None or recipient.isspace():
            raise RejectRecord("email: missing")
        name, written = self.written_time(record)
        if written is None:
            raise RejectRecord(f"{name}: missing")
        second = fields.second(name, written)
        message_id = brevo_message_id(_identifier(record.message_id) or "") or None
        url = _text(record.link) or _text(record.url)
        kind = self.words_of_api.get(word, word)
        identity = (message_id or "", RECIPIENT, kind, str(int(second.timestamp())))
        custom = _custom(record.custom)
        arguments = dict(custom) if isinstance(custom, dict) else {}
        tags = _tags(record)
        sighting = Sighting(
            identity=(*identity, url or "") if kind == "clicks" else identity,
            key_at=second,
            event_at=fields.instant(name, written),
            recipient=recipient,
            provider_event=word,
            provider_message_id=message_id,
            provider_code=self.words[kind][1] or None if kind in self.classes_of_word else None,
            provider_reason=_text(record.reason),
            ip=_text(record.ip),
            user_agent=_text(record.user_agent),
            url=url,
            is_machine=self.machine_opens.get(kind),
            tags=tags,
        )
        campaigns = ((record.camp_id, "provider"), (tags[0] if tags else None, "category"))
        self.add_ids(sighting, arguments, campaigns, record.template_id)
        sighting.extra = _extra(record, arguments if isinstance(custom, dict) else custom)
        return (sighting,)

    def written_time(self, record: BrevoEvent) -> tuple[str, int | float | str | None]:
        """Return the name and the value of the field with the time."""
        if record.ts_epoch is None and record.ts_event is not None:
            return "ts_event", record.ts_event
        return "ts_epoch", record.ts_epoch

    def classify(self, event: EventDraft) -> None:
        word = event.provider_event or ""
        word = self.words_of_api.get(word, word)  # a merged event may have the word of either route
        event.event_type = self.words[word][0] if word in self.words else "unknown"
        event.failure_class = event.failure_reason = None
        if word in self.classes_of_word:
            event.failure_reason = self.verdict(event).reason
            event.failure_class = failures.class_among(self.classes_of_word[word], event.failure_reason)


def _tags(record: BrevoEvent) -> list[str] | None:
    """Return the tags: a list, a text of JSON with a list, or one tag."""
    if (tags := fields.identifiers(record.tags)) is not None:
        return tags
    tag = fields.decoded(record.tag)
    return fields.identifiers(tag if isinstance(tag, list) else [record.tag])


def _custom(written: object) -> object:
    """Return the metadata as an object, if they are a text of JSON or `name:value|name:value`."""
    found = fields.decoded(written)
    if not isinstance(found, str) or not found:
        return found
    pairs = [part.partition(":") for part in found.split("|")]
    return {name.strip(): value for name, _, value in pairs} if all(colon for _, colon, _ in pairs) else found


def _extra(record: BrevoEvent, custom: object) -> dict[str, object] | None:
    """Return what has no column, under Brevo's names."""
    extra = record.other
    if custom:
        extra["X-Mailin-custom"] = custom
    return extra or None
