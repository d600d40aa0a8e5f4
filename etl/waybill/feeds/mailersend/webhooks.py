"""MailerSend events, as its webhooks post them, landed as files.

Sources: webhooks (developers.mailersend.com/api/v1/webhooks.html), models of MailerSend's SDK for Python; details of
bounces and unsubscriptions as django-anymail 15 reads them (anymail/webhooks/mailersend.py). Not compared with the
posts of a real account: `opened_unique`, `clicked_unique` and `deferred` are the least certain.
Files: one post `{"type": "activity.…", "data": {…}}`, or the bare activities; after one another or on lines, arrays;
compressed or plain.

Quirks
- `type` of a post begins with `activity.`; that in `data` does not, and is the word.
- `data.created_at` is the time of the event, with a zone; the one beside `type` that of the post.
- One `email.message.id` covers all recipients of a message; `email.id` is of one recipient.
- A first opening is also posted as `opened_unique`, a first click as `clicked_unique`. The identity has one word for
  both, so that an opening that is reported twice is one. It is the content, at whole seconds.
- An email has `tags` and no other arguments: a tag such as `dispatch_id:d-1001` gives an id.
- `morph` describes what happened: the reason of a bounce or an unsubscription, address and link of a reader.
- `url` is the address of the receiver, which may contain a password: it is not kept, nor are `subject`, `from`,
  `headers`, `text` and `html`, the content of the message.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, AccountNotice, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier, _inner = fields.text, fields.identifier, fields.inner

ACTIVITY = "activity."
OF_DATA = ("id", "type", "created_at", "object", "template_id")
OF_EMAIL = ("message", "recipient", "tags")
OF_MORPH = ("object", "reason", "readable_reason", "ip", "url")
LEFT_OUT = ("subject", "from", "headers", "text", "html")
"""Fields of the email that are not in `extra`, beside those with a column."""


class MailersendEvent(Record):
    """One post. `data` is the activity."""

    type: str | None = None
    created_at: str | None = None
    domain_id: object = None
    url: object = None
    data: dict[str, object] | None = None


class MailersendWebhooks(TypedFeed[MailersendEvent]):
    slug = "mailersend_webhooks"
    title = "MailerSend webhooks"
    provider = "mailersend"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = MailersendEvent
    nested_fields = ("id", "email", "morph", *OF_DATA[4:], *OF_EMAIL, *OF_MORPH[1:])

    event_types = {
        "queued": "processed",
        "sent": "processed",
        "deferred": "deferred",
        "delivered": "delivered",
        "soft_bounced": "bounced",
        "hard_bounced": "bounced",
        "opened": "opened",
        "opened_unique": "opened",
        "clicked": "clicked",
        "clicked_unique": "clicked",
        "spam_complaint": "spam_reported",
        "spam_complaints": "spam_reported",
        "unsubscribed": "unsubscribed",
    }
    ignored_words = (
        *("survey_opened", "survey_submitted"),  # a survey in a message that was opened already
        *("inbound.message", "inbound_forward.failed"),
        *("recipient.on_hold_added", "recipient.on_hold_removed"),
        *("email_single.verified", "email_list.verified", "bulk_email.completed"),
    )
    account_words = ("sender_identity.verified", "maintenance.start", "maintenance.end")
    words_of_identity = {"opened_unique": "opened", "clicked_unique": "clicked", "spam_complaints": "spam_complaint"}
    classes_of_word = {  # the first one, or another one of them that follows from the reason
        "hard_bounced": ("hard_bounce", "invalid", "blocked"),
        "soft_bounced": ("soft_bounce", "blocked"),
    }

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return map(_as_posted, lines_or_arrays(stream, own_field="type"))

    def account_notice(self, record: MailersendEvent) -> AccountNotice | None:
        if record.type not in self.account_words:
            return None
        return AccountNotice(record.type, None, fields.written_instant("created_at", record.created_at))

    def sightings(self, record: MailersendEvent) -> Iterable[Sighting]:
        data = record.data or {}
        word = _word(record.type, data)
        if word in self.ignored_words:
            return ()
        if word is None:
            raise RejectRecord("type: missing")
        email, morph = data.get("email"), data.get("morph")
        recipient = _text(_inner(email, "recipient", "email"))
        if recipient is None or recipient.isspace():
            raise RejectRecord("data.email.recipient.email: missing")
        created_at = data.get("created_at", record.created_at)
        at = fields.written_instant("data.created_at", created_at if isinstance(created_at, str) else None)
        second = at.replace(microsecond=0)
        message_id = _identifier(_inner(email, "message", "id"))
        ip, url = _text(_inner(morph, "ip")), _text(_inner(morph, "url"))
        same_word = self.words_of_identity.get(word, word)
        identity: tuple[str, ...] = (message_id or "", RECIPIENT, same_word, str(int(second.timestamp())))
        if same_word in ("opened", "clicked"):
            identity += (ip or "", url or "")
        tags = fields.identifiers(_inner(email, "tags")) or []
        plain, arguments = self._split(tags)
        sighting = Sighting(
            identity=identity,
            key_at=second,
            event_at=at,
            recipient=recipient,
            provider_account=_identifier(record.domain_id),
            provider_event=word,
            provider_event_id=_identifier(data.get("id")),
            provider_message_id=message_id,
            provider_reason=_text(_inner(morph, "reason")) or _text(_inner(morph, "readable_reason")),
            ip=ip,
            url=url,
        )
        self.add_ids(sighting, arguments, ((plain[0] if plain else None, "category"),), data.get("template_id"))
        sighting.tags = [tag for tag in tags if tag in plain or _name(tag) in arguments] or None
        sighting.extra = _extra(record, data, email, morph)
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        word = event.provider_event or ""
        event.event_type = self.event_types.get(word, "unknown")
        event.failure_class = event.failure_reason = None
        if word in self.classes_of_word:
            event.failure_reason = self.verdict(event).reason
            event.failure_class = failures.class_among(self.classes_of_word[word], event.failure_reason)

    def _split(self, tags: list[str]) -> tuple[list[str], dict[str, object]]:
        """Return the tags that give no id, and the ids in the others by their names."""
        options = self.options
        names = {*options.dispatch_id_arguments, *options.campaign_id_arguments, *options.template_id_arguments}
        ids: dict[str, object] = {_name(tag): tag.partition(":")[2] for tag in tags if _name(tag) in names}
        return [tag for tag in tags if _name(tag) not in names], ids


def _name(tag: str) -> str:
    """Return the name in a tag such as `dispatch_id:d-1001`; empty for any other tag."""
    name, _, value = tag.partition(":")
    return name.strip() if value else ""


def _as_posted(raw: RawRecord) -> RawRecord:
    """Return a bare activity as the data of a post; any other record as it is."""
    is_bare = raw.value is not None and "data" not in raw.value and isinstance(raw.value.get("email"), dict)
    return raw._replace(value={"data": raw.value}) if is_bare else raw


def _word(posted: str | None, data: dict[str, object]) -> str | None:
    """Return the word of the activity; of other posts their type."""
    own, whole = _identifier(data.get("type")), _identifier(posted)
    if whole is None or (own is not None and whole.startswith(ACTIVITY)):
        return own
    return whole.removeprefix(ACTIVITY)


def _extra(record: MailersendEvent, data: dict[str, object], email: object, morph: object) -> dict[str, object] | None:
    """Return what has no column, under MailerSend's names."""
    extra = record.other
    kept = data | {"email": fields.without(email, *OF_EMAIL, *LEFT_OUT), "morph": fields.without(morph, *OF_MORPH)}
    if rest := {name: value for name, value in kept.items() if value and name not in OF_DATA}:
        extra["data"] = rest
    return extra or None
