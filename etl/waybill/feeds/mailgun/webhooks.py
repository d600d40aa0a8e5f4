"""Mailgun events, as its webhooks post them, landed as files.

Sources: events and webhooks (documentation.mailgun.com), Mailgun's OpenAPI description; names of fields also as
django-anymail 15 reads them (anymail/webhooks/mailgun.py). Not compared with the posts of a real account.
Files: one `{"signature": …, "event-data": …}` per post, or the bare events; after one another or on lines, arrays;
compressed or plain.

Quirks
- `id` is unique within a day only. So the identity is the content, at whole seconds. `timestamp` has a fraction.
- One `message-id` covers all recipients of a message; it is in `message.headers`.
- `failed` is a deferral if its `severity` is `temporary`, else a bounce. The reasons `suppress-…` and the codes 605
  and 607 say that Mailgun did not try: its own list has the address.
- Codes 4xx of a permanent failure: Mailgun gave up after retries.
- `rejected` has no `recipient`. Its message goes to the addresses in the header `to`: one event each.
- `client-info.bot` is empty for people, else the kind of program (`apple`, `gmail`, `generic`).
- Customers' arguments are in `user-variables`: an object, in Mailgun's logs the text of one.
- Addresses and subject of the message (`message.headers`, `envelope.sender`, `envelope.targets`) are left out.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from email.utils import getaddresses
from typing import BinaryIO, ClassVar

from waybill.feeds import failures, fields
from waybill.feeds.mailgun.provider import mailgun_message_id
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier, _inner = fields.text, fields.identifier, fields.inner


class MailgunEvent(Record, rename="kebab"):
    """One event. A field of type `object` is read if it has the documented type, else it counts as absent."""

    event: str | None = None
    timestamp: int | float | str | None = None
    id: object = None
    recipient: str | None = None
    severity: object = None
    reason: object = None
    delivery_status: object = None
    reject: object = None
    message: object = None
    envelope: object = None
    client_info: object = None
    ip: object = None
    url: object = None
    tags: object = None
    campaigns: object = None
    user_variables: object = None
    account: object = None


class MailgunWebhooks(TypedFeed[MailgunEvent]):
    slug = "mailgun_webhooks"
    title = "Mailgun webhooks"
    provider = "mailgun"
    channel = "email"
    kind = "files"
    credentials: ClassVar[tuple[str, ...]] = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = MailgunEvent

    event_types = {
        "accepted": "processed",
        "rejected": "dropped",
        "delivered": "delivered",
        "failed/temporary": "deferred",
        "failed/permanent": "bounced",
        "opened": "opened",
        "clicked": "clicked",
        "complained": "spam_reported",
        "unsubscribed": "unsubscribed",
    }
    ignored_words = (
        "stored",  # an inbound message
        *("list_member_uploaded", "list_member_upload_error", "list_uploaded", "email_validation"),
    )
    classes_by_reason = {"espblock": "blocked", "blacklisted": "blocked", "old": "soft_bounce"}
    suppressed_codes = ("605", "607")

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return map(_unwrapped, lines_or_arrays(stream, own_field="event"))

    def sightings(self, record: MailgunEvent) -> Iterable[Sighting]:
        word = _word(record)
        if word in self.ignored_words:
            return ()
        recipients = _recipients(record)
        if record.timestamp is None:
            raise RejectRecord("timestamp: missing")
        at = fields.instant("timestamp", record.timestamp)
        second = fields.second("timestamp", record.timestamp)
        message_id = mailgun_message_id(_identifier(_inner(record.message, "headers", "message-id")) or "") or None
        user_agent, bot = _text(_inner(record.client_info, "user-agent")), _inner(record.client_info, "bot")
        ip, url = _text(record.ip), _text(record.url)
        tags = fields.identifiers(record.tags)
        variables = fields.decoded(record.user_variables)
        arguments = dict(variables) if isinstance(variables, dict) else {}
        dispatch_id = fields.taken(arguments, self.options.dispatch_id_arguments)
        campaign_id, campaign_source = fields.first_sourced(
            (fields.taken(arguments, self.options.campaign_id_arguments), "custom_argument"),
            (_first_campaign(record.campaigns), "provider"),
            (tags[0] if tags else None, "category"),
        )
        template_id = fields.taken(arguments, self.options.template_id_arguments)
        identity: tuple[str, ...] = (message_id or "", RECIPIENT, word, str(int(second.timestamp())))
        if word in ("opened", "clicked"):
            identity += (ip or "", user_agent or "", url or "")
        extra = _extra(record, arguments if isinstance(variables, dict) else variables)
        return [
            Sighting(
                identity=identity,
                key_at=second,
                event_at=at,
                recipient=recipient,
                provider_account=_identifier(_inner(record.account, "id")),
                provider_event=word,
                provider_event_id=_identifier(record.id),
                provider_message_id=message_id,
                dispatch_id=dispatch_id,
                campaign_id=campaign_id,
                campaign_source=campaign_source,
                template_id=template_id,
                template_source=None if template_id is None else "custom_argument",
                provider_code=_code(record) if record.severity is not None else None,
                status_code=_identifier(_inner(record.delivery_status, "enhanced-code")),
                provider_reason=_reason(record),
                ip=ip,
                user_agent=user_agent,
                url=url,
                is_machine=bool(bot) if isinstance(bot, str) else None,
                tags=tags,
                extra=extra,
            )
            for recipient in recipients
        ]

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event or "", "unknown")
        event.failure_class = event.failure_reason = None
        reason, _, code = (event.provider_code or "").lower().partition("/")
        if event.event_type == "bounced" and (reason.startswith("suppress-") or code in self.suppressed_codes):
            event.event_type = "dropped"
        if event.event_type == "dropped":
            event.failure_reason = self.verdict(event).reason
            event.failure_class = "gateway_suppressed"
        elif event.event_type == "bounced":
            event.failure_reason = self.verdict(event).reason
            event.failure_class = self._bounce_class(event, reason, code)

    def _bounce_class(self, event: EventDraft, reason: str, code: str) -> str:
        """Return the class of a permanent failure: by Mailgun's reason, else its status, its code, or the table."""
        if reason in self.classes_by_reason:
            return self.classes_by_reason[reason]
        if failures.is_temporary(event.status_code) or (len(code) == 3 and code.startswith("4")):
            return "soft_bounce"
        return failures.BOUNCE_CLASSES.get(event.failure_reason or "", "hard_bounce")


def _unwrapped(raw: RawRecord) -> RawRecord:
    """Return the event in the envelope of a post; a bare event as it is."""
    event = raw.value.get("event-data") if raw.value and "event" not in raw.value else None
    return raw._replace(value=event) if isinstance(event, dict) else raw


def _word(record: MailgunEvent) -> str:
    """Return the event word, for `failed` with its severity. Raises RejectRecord."""
    word = _identifier(record.event)
    if word is None:
        raise RejectRecord("event: missing")
    return f"failed/{_identifier(record.severity) or ''}" if word == "failed" else word


def _recipients(record: MailgunEvent) -> list[str]:
    """Return the recipient, or those in the header `to`. Raises RejectRecord if there are none."""
    if record.recipient and not record.recipient.isspace():
        return [record.recipient]
    header = _text(_inner(record.message, "headers", "to"))
    if header is None or header.isspace():
        raise RejectRecord("recipient: missing")
    found = [address for _, address in getaddresses([header]) if address]
    return list(dict.fromkeys(found)) or [header]


def _code(record: MailgunEvent) -> str:
    return f"{_identifier(record.reason) or ''}/{_identifier(_inner(record.delivery_status, 'code')) or ''}"


def _reason(record: MailgunEvent) -> str | None:
    texts = (
        _inner(record.delivery_status, "message"),
        _inner(record.delivery_status, "description"),
        _inner(record.reject, "reason"),
        _inner(record.reject, "description"),
    )
    return next((found for found in map(_text, texts) if found), None)


def _first_campaign(campaigns: object) -> object:
    return _inner(campaigns[0], "id") if isinstance(campaigns, list) and campaigns else None


def _extra(record: MailgunEvent, variables: object) -> dict[str, object] | None:
    """Return what has no column, under Mailgun's names."""
    extra = record.other
    kept = {
        "user-variables": variables,
        "campaigns": record.campaigns,
        "delivery-status": fields.without(record.delivery_status, "code", "enhanced-code", "message"),
        "client-info": fields.without(record.client_info, "user-agent", "bot"),
        "message": fields.without(record.message, "headers"),
        "envelope": fields.without(record.envelope, "sender", "targets"),
        "account": fields.without(record.account, "id"),
    }
    extra.update((name, value) for name, value in kept.items() if value)
    return extra or None
