"""SendGrid events, as its Event Webhook posts them, landed as files.

Source: Event Webhook reference (twilio.com/docs/sendgrid/for-developers/tracking-events/event), read in 2026.
Files: a JSON array (as posted), arrays or objects on lines; gzip or plain.

Quirks
- Deliveries of the webhook repeat and come in any order. Some events have no `sg_event_id`, and it changes on some
  retries. So the identity is the content, at whole seconds.
- Custom arguments are merged into the top level, so unknown keys are the customer's; reserved names win. Some senders
  and some exports nest them in `unique_args` or `custom_args`. `record.py` lists the fields of each word.
- A malformed address is reported like any other: `dropped`, reason `Invalid`.
- Words about the account name no recipient and give no event.
- A time is a number or a text, with or without a fraction of a second; identities use whole seconds.
- Delayed bounces may lack `sg_message_id`. Then `smtp-id` names the message, by SendGrid's id or by the sender's own
  Message-ID. Without both, an event names no message.
- `category` is a text or a list. Single Sends have `timestamp` in milliseconds.
- `cancel_drop` is a word of Email Logs, which report it as `dropped`.
- There is no event "blocked" or "soft bounce": those are `bounce` with a `type` and a `bounce_classification`.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, AccountNotice, Sighting
from waybill.feeds.sendgrid.provider import sendgrid_ids
from waybill.feeds.sendgrid.record import (
    ACCOUNT_WORDS,
    DROP_REASONS,
    EVERY_WORD,
    FIELDS_OF_WORD,
    SendgridEvent,
    arguments_of,
)
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier, _taken = fields.text, fields.identifier, fields.taken


class SendgridEvents(TypedFeed[SendgridEvent]):
    slug = "sendgrid_events"
    title = "SendGrid Event Webhook"
    provider = "sendgrid"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 4 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    identity_since = 11
    record_type = SendgridEvent

    event_types = {
        "processed": "processed",
        "deferred": "deferred",
        "delivered": "delivered",
        "bounce": "bounced",
        "dropped": "dropped",
        "cancel_drop": "dropped",
        "open": "opened",
        "click": "clicked",
        "spamreport": "spam_reported",
        "unsubscribe": "unsubscribed",
        "group_unsubscribe": "unsubscribed",
        "group_resubscribe": "resubscribed",
    }

    classes_by_type = {"blocked": "blocked", "expired": "soft_bounce"}
    classes_by_classification = {
        "technical": "soft_bounce",
        "technical failure": "soft_bounce",  # the documentation has both
        "invalid address": "invalid",
        "content": "blocked",
        "reputation": "blocked",
        "frequency or volume too high": "blocked",
    }
    kept_texts = DROP_REASONS
    account_words = ACCOUNT_WORDS
    fields_of_word = {word: frozenset((*EVERY_WORD, *names)) for word, names in FIELDS_OF_WORD.items()}
    fields_of_any_word = frozenset(EVERY_WORD)
    group_events = ("group_unsubscribe", "group_resubscribe")

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="event")

    def fields_of(self, values: dict[str, object]) -> Collection[str]:
        word = values.get("event")
        return self.fields_of_word.get(word.strip() if isinstance(word, str) else "", self.fields_of_any_word)

    def account_notice(self, record: SendgridEvent) -> AccountNotice | None:
        if record.event is None or (word := record.event.strip()) not in self.account_words:
            return None
        return AccountNotice(word, _identifier(record.type), _at(record))

    def sightings(self, record: SendgridEvent) -> Iterable[Sighting]:
        word = _identifier(record.event)
        if word is None:
            raise RejectRecord("event: missing")
        if not record.email or record.email.isspace():
            raise RejectRecord("email: missing")
        at = _at(record)
        message_id, own_message_id = sendgrid_ids(_identifier(record.sg_message_id), _identifier(record.smtp_id))
        ip, user_agent, url = _text(record.ip), _text(record.useragent), _text(record.url)
        tags = _tags(record.category)
        arguments = arguments_of(record)
        dispatch_id = _taken(arguments, self.options.dispatch_id_arguments)
        campaign_id, campaign_source = _campaign(record, _taken(arguments, self.options.campaign_id_arguments), tags)
        template_id, template_source = _template(record, _taken(arguments, self.options.template_id_arguments))
        named = message_id or (own_message_id and f"<{own_message_id}>") or ""
        identity: tuple[str, ...] = (named, RECIPIENT, word, str(int(at.timestamp())))
        scope = None
        if word == "open":
            identity += (ip or "", user_agent or "")
        elif word == "click":
            identity += (ip or "", user_agent or "", url or "", _url_offset(record.url_offset))
        elif word in self.group_events:
            group_id = _identifier(record.asm_group_id)
            identity += (group_id or "",)
            scope = None if group_id is None else f"group:{group_id}"
        elif word == "unsubscribe":
            scope = "global"
        sighting = Sighting(
            identity=identity,
            key_at=at,
            own_message_id=own_message_id,
            recipient=record.email,
            provider_event=word,
            provider_event_id=_identifier(record.sg_event_id),
            provider_message_id=message_id,
            dispatch_id=dispatch_id,
            campaign_id=campaign_id,
            campaign_source=campaign_source,
            template_id=template_id,
            template_source=template_source,
            provider_code=_code(record),
            status_code=_identifier(record.status),
            provider_reason=_text(record.reason) or _text(record.response),
            ip=ip,
            user_agent=user_agent,
            url=url,
            is_machine=record.sg_machine_open if isinstance(record.sg_machine_open, bool) else None,
            scope=scope,
            tags=tags,
            extra=_extra(record, arguments, campaign_source, template_source),
        )
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.failure_class = event.failure_reason = None
        if event.event_type == "bounced":
            event.failure_reason = self.verdict(event).reason
            event.failure_class = self._bounce_class(event)
        elif event.event_type == "dropped":
            event.failure_reason = self.verdict(event).reason
            is_invalid = (event.provider_reason or "").strip().lower() == "invalid"
            event.failure_class = "invalid" if is_invalid else "gateway_suppressed"

    def _bounce_class(self, event: EventDraft) -> str:
        """Return the class of a bounce: by its type, else its status, classification or reason. SendGrid calls a bounce
        permanent; one without a type counts as `bounce`."""
        bounce_type, _, classification = (event.provider_code or "").lower().partition("/")
        if bounce_type in self.classes_by_type:
            return self.classes_by_type[bounce_type]
        if failures.is_temporary(event.status_code):
            return "soft_bounce"
        by_reason = failures.BOUNCE_CLASSES.get(event.failure_reason or "", "hard_bounce")
        return self.classes_by_classification.get(classification, by_reason)


def _at(record: SendgridEvent) -> datetime:
    """Return the time of the event in whole seconds, as SendGrid's clock. Raises RejectRecord."""
    if record.timestamp is None:
        raise RejectRecord("timestamp: missing")
    return fields.second("timestamp", record.timestamp)


def _tags(category: object) -> list[str] | None:
    if category is None:
        return None
    named = category if isinstance(category, list) else (category,)
    return [tag for tag in map(_identifier, named) if tag is not None] or None


def _campaign(record: SendgridEvent, argument: str | None, tags: list[str] | None) -> tuple[str | None, str | None]:
    """Return the campaign and its source: custom argument, Single Send, older marketing campaign, or first category."""
    if argument is not None:
        return argument, "custom_argument"
    if record.singlesend_id is not None and (found := _identifier(record.singlesend_id)) is not None:
        return found, "provider"
    if record.marketing_campaign_id is not None and (found := _identifier(record.marketing_campaign_id)) is not None:
        return found, "provider"
    return (tags[0], "category") if tags else (None, None)


def _template(record: SendgridEvent, argument: str | None) -> tuple[str | None, str | None]:
    if argument is not None:
        return argument, "custom_argument"
    found = _identifier(record.sg_template_id)
    return found, None if found is None else "provider"


def _code(record: SendgridEvent) -> str | None:
    bounce_type, classification = _identifier(record.type), _identifier(record.bounce_classification)
    if bounce_type is None and classification is None:
        return None
    return f"{bounce_type or ''}/{classification or ''}"


def _url_offset(url_offset: object) -> str:
    """Return the position of a link in the message, `{"index":0,"type":"html"}`, in one spelling."""
    return "" if url_offset is None else msgspec.json.encode(url_offset, order="sorted").decode()


def _extra(
    record: SendgridEvent, arguments: dict[str, object], campaign_source: str | None, template_source: str | None
) -> dict[str, object] | None:
    """Return what has no column: custom arguments, SendGrid's other fields, and ids that another id replaced."""
    extra = arguments
    if record.url_offset is not None:
        extra["url_offset"] = record.url_offset
    if record.singlesend_id is not None and campaign_source == "custom_argument":
        extra["singlesend_id"] = record.singlesend_id
    if record.marketing_campaign_id is not None and (
        campaign_source == "custom_argument" or record.singlesend_id is not None
    ):
        extra["marketing_campaign_id"] = record.marketing_campaign_id
    if record.sg_template_id is not None and template_source == "custom_argument":
        extra["sg_template_id"] = record.sg_template_id
    return extra or None
