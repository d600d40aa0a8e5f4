"""Mandrill (Mailchimp Transactional) events, as its webhooks post them, landed as files.

Sources: webhook format (mailchimp.com/developer/transactional/docs/webhooks); events of lists, and where a reason is,
as django-anymail 15 reads them (anymail/webhooks/mandrill.py). Not compared with the posts of a real account:
`delivered`, and the reason of a `reject`, are the least certain.
Files: forms as posted (the field `mandrill_events` contains a JSON array), one on a line; the array, or bare events;
after one another or on lines; compressed or plain.

Quirks
- `ts` beside `event` is the time of the event, `msg.ts` that of sending: both are whole seconds since 1970.
- `send` means that Mandrill sent the message, not that a server accepted it: it is `processed`.
- `msg` is the state of the message at the time of the post. Its `opens` and `clicks` repeat other events and are left
  out, as is its content (`subject`, `sender`). A deferral has its text in the last of `msg.smtp_events`.
- Each recipient of a message has an `_id` of its own. No event has an id. So the identity is the content: message,
  event, second; of an open and a click also address, user agent and link.
- `metadata` of a message without metadata is an empty list.
- Changes of the allow list and the deny list (`whitelist`, `blacklist`) have their word in `type`, and no message.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.posted_forms import PostedForm
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier, _inner = fields.text, fields.identifier, fields.inner

OF_COLUMNS = ("_id", "email", "metadata", "tags", "template", "subaccount", "bounce_description", "diag")
LEFT_OUT = ("opens", "clicks", "subject", "sender")
"""Fields of `msg` that are not in `extra`, beside those with a column."""


class MandrillEvent(Record):
    """One event. A field of type `object` is read if it has the documented type, else it counts as absent."""

    event: str | None = None
    type: object = None
    ts: int | float | str | None = None
    id: object = msgspec.field(name="_id", default=None)
    msg: dict[str, object] | None = None
    reject: object = None
    url: object = None
    ip: object = None
    user_agent: object = None


class MandrillWebhooks(TypedFeed[MandrillEvent]):
    slug = "mandrill_webhooks"
    title = "Mandrill webhooks"
    provider = "mandrill"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = MandrillEvent
    nested_fields = OF_COLUMNS[1:]

    event_types = {
        "send": "processed",
        "deferral": "deferred",
        "delivered": "delivered",
        "hard_bounce": "bounced",
        "soft_bounce": "bounced",
        "reject": "dropped",
        "open": "opened",
        "click": "clicked",
        "spam": "spam_reported",
        "unsub": "unsubscribed",
    }
    ignored_words = ("whitelist", "blacklist", "inbound")  # changes of lists; messages to the sender
    classes_of_word = {  # the first one, or another one of them that follows from the reason
        "hard_bounce": ("hard_bounce", "invalid", "blocked"),
        "soft_bounce": ("soft_bounce", "blocked"),
        "reject": ("gateway_suppressed", "invalid", "blocked"),
    }

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="event", form=PostedForm(json_field="mandrill_events"))

    def sightings(self, record: MandrillEvent) -> Iterable[Sighting]:
        word = _identifier(record.event) or _identifier(record.type)
        if word in self.ignored_words:
            return ()
        if word is None:
            raise RejectRecord("event: missing")
        msg = record.msg or {}
        recipient = _text(msg.get("email"))
        if recipient is None or recipient.isspace():
            raise RejectRecord("msg.email: missing")
        if record.ts is None:
            raise RejectRecord("ts: missing")
        at = fields.second("ts", record.ts)
        message_id = _identifier(msg.get("_id")) or _identifier(record.id)
        ip, user_agent, url = _text(record.ip), _text(record.user_agent), _text(record.url)
        identity: tuple[str, ...] = (message_id or RECIPIENT, word, str(int(at.timestamp())))
        if word in ("open", "click"):
            identity += (ip or "", user_agent or "", url or "")
        metadata, tags = msg.get("metadata"), fields.identifiers(msg.get("tags"))
        arguments = dict(metadata) if isinstance(metadata, dict) else {}
        sighting = Sighting(
            identity=identity,
            key_at=at,
            recipient=recipient,
            provider_account=_identifier(msg.get("subaccount")),
            provider_event=word,
            provider_message_id=message_id,
            provider_code=_code(record, msg) if word in self.classes_of_word else None,
            provider_reason=_reason(record, msg),
            ip=ip,
            user_agent=user_agent,
            url=url,
            tags=tags,
        )
        self.add_ids(sighting, arguments, ((tags[0] if tags else None, "category"),), msg.get("template"))
        sighting.extra = _extra(record, msg, arguments if isinstance(metadata, dict) else metadata)
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        word = event.provider_event or ""
        event.event_type = self.event_types.get(word, "unknown")
        event.failure_class = event.failure_reason = None
        if word in self.classes_of_word:
            event.failure_reason = self.verdict(event).reason
            event.failure_class = failures.class_among(self.classes_of_word[word], event.failure_reason)


def _code(record: MandrillEvent, msg: dict[str, object]) -> str | None:
    """Return the description of a bounce, or the reason of a rejection."""
    if record.event != "reject":
        return _identifier(msg.get("bounce_description"))
    found = next((reject for reject in (record.reject, msg.get("reject")) if reject), None)
    reason = _identifier(_inner(found, "reason")) or _identifier(found)
    return None if reason is None else f"reject/{reason}"


def _reason(record: MandrillEvent, msg: dict[str, object]) -> str | None:
    """Return the text of the remote server, or Mandrill's own about a rejection."""
    attempts = msg.get("smtp_events")
    last = attempts[-1] if record.event == "deferral" and isinstance(attempts, list) and attempts else None
    found = (msg.get("diag"), _inner(last, "diag"), _inner(record.reject, "detail"))
    return next((text for text in map(_text, found) if text), None)


def _extra(record: MandrillEvent, msg: dict[str, object], metadata: object) -> dict[str, object] | None:
    """Return what has no column, under Mandrill's names."""
    extra = record.other
    rest = {name: value for name, value in msg.items() if name not in (*OF_COLUMNS, *LEFT_OUT)}
    if metadata:
        rest["metadata"] = metadata
    kept = {
        "msg": rest,
        "reject": fields.without(record.reject, "reason", "detail"),
        "type": record.event and record.type,
    }
    extra.update((name, value) for name, value in kept.items() if value)
    return extra or None
