"""Resend events, as its webhooks post them, landed as files.

Sources: event types (resend.com/docs/webhooks/event-types), Resend's OpenAPI description 1.5; events of several
recipients as django-anymail 15 describes them (anymail/webhooks/resend.py). Not compared with the posts of a real
account: `email.failed` and `email.suppressed` are the least certain.
Files: one object per post; objects after one another or on lines, arrays; compressed or plain.

Quirks
- `created_at` beside `type` is the time of the event, `data.created_at` that of the email.
- An email to several recipients has one `email_id`, and each post names all of them in `to`: Resend posts an event for
  each recipient without saying for which. So every recipient has the event, once, whatever the number of posts.
  Openings and clicks are of one person: with several recipients their recipient is unknown, and they name no message.
- The id of the event is in a header (`svix-id`), not in the body. So the identity is the content. A status is reached
  once: its key has the time of the email. An opening and a click have their own second, address, program and link.
- A bounce has the words of Amazon SES (`type`, `subType`). Addresses on a suppression list are reported as bounces, or
  as `email.suppressed`, of an email that was never sent.
- `tags` are an object, or a list of `name` and `value`.
- `subject`, `from` and `headers` are content of the message: not kept.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
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

OF_COLUMNS = ("email_id", "to", "broadcast_id", "template_id", "tags")
LEFT_OUT = ("created_at", "subject", "from", "headers")
"""Fields of `data` that are not in `extra`, beside those with a column."""
OF_PARTS = ("type", "subType", "diagnosticCode", "message", "reason", "ipAddress", "userAgent", "link", "timestamp")
"""Fields of the object that describes the event, which have a column or the time of the event."""


class ResendEvent(Record):
    """One post. `data` describes the email."""

    type: str | None = None
    created_at: str | None = None
    data: dict[str, object] | None = None


class ResendWebhooks(TypedFeed[ResendEvent]):
    slug = "resend_webhooks"
    title = "Resend webhooks"
    provider = "resend"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = ResendEvent
    nested_fields = (*OF_COLUMNS, "bounce", "suppressed", "failed", "open", "click")

    event_types = {
        "email.scheduled": "processed",
        "email.sent": "processed",
        "email.delivery_delayed": "deferred",
        "email.delivered": "delivered",
        "email.bounced": "bounced",
        "email.failed": "dropped",
        "email.suppressed": "dropped",
        "email.opened": "opened",
        "email.clicked": "clicked",
        "email.complained": "spam_reported",
    }
    ignored_words = (
        "email.received",  # an inbound message
        *("contact.created", "contact.updated", "contact.deleted"),
    )
    account_words = ("domain.created", "domain.updated", "domain.deleted")
    suppressed_codes = ("permanent/suppressed", "permanent/onaccountsuppressionlist")  # Resend did not try
    classes_of_type = {  # the first one, or another one of them that follows from the reason
        "permanent": ("hard_bounce", "invalid", "blocked"),
        "transient": ("soft_bounce", "blocked"),
        "undetermined": ("soft_bounce", "invalid", "blocked"),
    }
    classes_of_drop = ("gateway_suppressed", "invalid", "blocked")
    by_a_person = ("email.opened", "email.clicked")
    parts = {  # the object of `data` that describes the event
        "email.bounced": "bounce",
        "email.failed": "failed",
        "email.suppressed": "suppressed",
        "email.opened": "open",
        "email.clicked": "click",
    }

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="type")

    def account_notice(self, record: ResendEvent) -> AccountNotice | None:
        if record.type not in self.account_words:
            return None
        detail = " ".join(filter(None, (_identifier(_inner(record.data, name)) for name in ("name", "status"))))
        return AccountNotice(record.type, detail or None, fields.written_instant("created_at", record.created_at))

    def sightings(self, record: ResendEvent) -> Iterable[Sighting]:
        word = _identifier(record.type)
        if word in self.ignored_words:
            return ()
        if word is None:
            raise RejectRecord("type: missing")
        if record.data is None:
            raise RejectRecord("data: missing")
        at = fields.written_instant("created_at", record.created_at)
        recipients = _recipients(record.data.get("to"))
        if word in self.by_a_person and len(recipients) > 1:
            recipients = [None]
        return [self._sighting(record, record.data, word, at, recipient) for recipient in recipients]

    def classify(self, event: EventDraft) -> None:
        code = (event.provider_code or "").lower()
        event.event_type = self.event_types.get(event.provider_event or "", "unknown")
        event.failure_class = event.failure_reason = None
        if event.event_type == "bounced" and code in self.suppressed_codes:
            event.event_type = "dropped"
        if event.event_type in ("bounced", "dropped"):
            classes = self.classes_of_type.get(code.partition("/")[0], self.classes_of_type["undetermined"])
            event.failure_reason = self.verdict(event).reason
            event.failure_class = failures.class_among(
                classes if event.event_type == "bounced" else self.classes_of_drop, event.failure_reason
            )

    def _sighting(
        self, record: ResendEvent, data: dict[str, object], word: str, at: datetime, recipient: str | None
    ) -> Sighting:
        """Return the sighting of one recipient; None if the recipient is unknown."""
        part = data.get(self.parts.get(word, ""))
        email_id = _identifier(data.get("email_id"))
        identity: tuple[str, ...] = (email_id or "", RECIPIENT, word)
        second = at.replace(microsecond=0)
        ip = user_agent = url = None
        if word in self.by_a_person:
            ip, user_agent, url = (_text(_inner(part, name)) for name in ("ipAddress", "userAgent", "link"))
            identity += (str(int(second.timestamp())), ip or "", user_agent or "", url or "")
        elif email_id and isinstance(created_at := data.get("created_at"), str):
            second = fields.written_instant("data.created_at", created_at).replace(microsecond=0)
        else:
            identity += (str(int(second.timestamp())),)
        arguments = _arguments(data.get("tags"))
        sighting = Sighting(
            identity=identity,
            key_at=second,
            event_at=at,
            recipient=recipient,
            provider_event=word,
            provider_message_id=email_id,
            provider_code=_code(word, part),
            provider_reason=_reason(part),
            ip=ip,
            user_agent=user_agent,
            url=url,
        )
        self.add_ids(sighting, arguments, ((data.get("broadcast_id"), "provider"),), data.get("template_id"))
        rest = {name: value for name, value in data.items() if name not in (*OF_COLUMNS, *LEFT_OUT)}
        if isinstance(part, dict):
            rest[self.parts[word]] = fields.without(part, *OF_PARTS)
        rest["tags"] = arguments or (not isinstance(data.get("tags"), dict | list) and data.get("tags"))
        kept = {name: value for name, value in rest.items() if value}
        sighting.extra = record.other | ({"data": kept} if kept else {}) or None
        return sighting


def _recipients(to: object) -> list[str | None]:
    """Return the recipients, each once. Raises RejectRecord if there are none."""
    listed = to if isinstance(to, list) else [to]
    found = [address for address in map(_text, listed) if address is not None and not address.isspace()]
    if not found:
        raise RejectRecord("data.to: missing")
    return list(dict.fromkeys(found))


def _arguments(tags: object) -> dict[str, object]:
    """Return the values of tags by their names."""
    if isinstance(tags, dict):
        return dict(tags)
    named = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return {name: tag.get("value") for tag in named if (name := _identifier(tag.get("name"))) is not None}


def _code(word: str, part: object) -> str | None:
    if word == "email.bounced":
        kinds = [_identifier(_inner(part, name)) or "" for name in ("type", "subType")]
        return "/".join(kinds) if any(kinds) else None
    if word == "email.suppressed":
        return f"suppressed/{_identifier(_inner(part, 'type')) or ''}"
    return "failed" if word == "email.failed" else None


def _reason(part: object) -> str | None:
    """Return the text of the remote server, else that of Resend."""
    written = _inner(part, "diagnosticCode")
    texts = written if isinstance(written, list) else [written]
    return next(filter(None, map(_text, (*texts, _inner(part, "message"), _inner(part, "reason")))), None)
