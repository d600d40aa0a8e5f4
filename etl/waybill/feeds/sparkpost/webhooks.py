"""SparkPost (Bird) webhook events, landed as files.

Source: webhooks, event fields and bounce classification codes (developers.sparkpost.com/api/webhooks, /api/events);
`initial_open` and classes of replies as django-anymail reads them. Not compared with the posts of a real account:
`is_prefetched`, and the words of relays, A/B tests and ingest, are the least certain.
Files: a JSON array of `{"msys": {"<kind>_event": {…}}}` (as posted), or the bare events; on lines or not.

Quirks
- Numbers and times are texts. `timestamp` is in whole seconds since 1970; the Events API writes the same time in
  ISO 8601.
- The answer to a transmission contains `transmission_id` alone; `message_id` first appears in events. So a leg is a
  transmission and a recipient, which the sender's dispatch log can name.
- Posts repeat for 8 hours. The identity is the content, so that an event of the Events API is the same event.
- `open` and `initial_open` (a second pixel, at the top of the message) report one view. Only `open` counts.
- An `out_of_band` bounce can be a reply of a person or program: classes 60 and 100 say nothing about delivery, 80 and
  90 ask to subscribe and to unsubscribe.
- `reason` is `raw_reason` without the address. It, the address as written (`raw_rcpt_to`) and `subject`, which is
  content of the message, are left out.
- `{"msys": {}}` is a test of the receiver. `relay_…` events are about inbound mail.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO, ClassVar

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, AccountNotice, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier = fields.text, fields.identifier


class SparkpostEvent(Record):
    """One event. A field of type `object` is read if it has the documented type, else it counts as absent."""

    msys: object = None
    type: str | None = None
    timestamp: int | float | str | None = None
    rcpt_to: str | None = None
    raw_rcpt_to: str | None = None
    transmission_id: object = None
    message_id: object = None
    event_id: object = None
    customer_id: object = None
    campaign_id: object = None
    template_id: object = None
    rcpt_meta: object = None
    rcpt_tags: object = None
    bounce_class: object = None
    raw_reason: object = None
    reason: object = None
    error_type: object = None
    ip_address: object = None
    user_agent: object = None
    user_agent_parsed: object = None
    target_link_url: object = None
    subject: object = None


class SparkpostWebhooks(TypedFeed[SparkpostEvent]):
    slug = "sparkpost_webhooks"
    title = "SparkPost webhooks"
    provider = "sparkpost"
    channel = "email"
    kind = "files"
    credentials: ClassVar[tuple[str, ...]] = ()
    lateness = timedelta(days=3)
    rules_version = failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = SparkpostEvent

    event_types = {
        "injection": "processed",
        "delay": "deferred",
        "delivery": "delivered",
        "bounce": "bounced",
        "out_of_band": "bounced",
        "policy_rejection": "dropped",
        "generation_failure": "dropped",
        "generation_rejection": "dropped",
        "open": "opened",
        "amp_open": "opened",
        "click": "clicked",
        "amp_click": "clicked",
        "spam_complaint": "spam_reported",
        "list_unsubscribe": "unsubscribed",
        "link_unsubscribe": "unsubscribed",
    }
    replies = {"80": "resubscribed", "90": "unsubscribed"}  # classes of `out_of_band`
    automatic_replies = ("60", "100")
    ignored_words = (
        *("initial_open", "amp_initial_open"),
        "sms_status",  # text messages, which SparkPost no longer sends
        *("relay_injection", "relay_delivery", "relay_rejection", "relay_tempfail", "relay_permfail"),
    )
    account_words = ("success", "error", "ab_test_completed", "ab_test_cancelled")

    failure_classes = {
        "invalid": "10",
        "hard_bounce": "30 90",
        "soft_bounce": "20 21 22 23 24 40 70 80",
        "blocked": "25 50 51 52 53 54",
    }
    class_of_code = {code: name for name, codes in failure_classes.items() for code in codes.split()}

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return map(_unwrapped, lines_or_arrays(stream, own_field="type"))

    def account_notice(self, record: SparkpostEvent) -> AccountNotice | None:
        if record.type not in self.account_words:
            return None
        return AccountNotice(record.type, _identifier(record.error_type), _at(record))

    def sightings(self, record: SparkpostEvent) -> Iterable[Sighting]:
        word, code = _identifier(record.type), _identifier(record.bounce_class)
        if word is None and isinstance(record.msys, dict) and (not record.msys or "relay_message" in record.msys):
            return ()
        if word is None:
            raise RejectRecord("type: missing")
        if word in self.ignored_words or code in self.automatic_replies:
            return ()
        recipient = _text(record.rcpt_to) or _text(record.raw_rcpt_to)
        if recipient is None and word in self.event_types:
            raise RejectRecord("rcpt_to: missing")
        at = _at(record)
        transmission_id, message_id = _identifier(record.transmission_id), _identifier(record.message_id)
        ip, user_agent, url = _text(record.ip_address), _text(record.user_agent), _text(record.target_link_url)
        identity: tuple[str, ...] = (transmission_id or "", message_id or "", RECIPIENT, word, str(int(at.timestamp())))
        event_type = self.event_types.get(word)
        if event_type in ("opened", "clicked"):
            identity += (ip or "", user_agent or "", url or "")
        arguments = dict(record.rcpt_meta) if isinstance(record.rcpt_meta, dict) else {}
        tags = fields.identifiers(record.rcpt_tags)
        dispatch_id = fields.taken(arguments, self.options.dispatch_id_arguments)
        campaign_id, campaign_source = fields.first_sourced(
            (fields.taken(arguments, self.options.campaign_id_arguments), "custom_argument"),
            (record.campaign_id, "provider"),
            (tags[0] if tags else None, "category"),
        )
        template_id, template_source = fields.first_sourced(
            (fields.taken(arguments, self.options.template_id_arguments), "custom_argument"),
            (record.template_id, "provider"),
        )
        sighting = Sighting(
            identity=identity,
            key_at=at,
            recipient=recipient,
            provider_event=word,
            provider_event_id=_identifier(record.event_id),
            provider_message_id=transmission_id or message_id,
            provider_account=_identifier(record.customer_id),
            dispatch_id=dispatch_id,
            campaign_id=campaign_id,
            campaign_source=campaign_source,
            template_id=template_id,
            template_source=template_source,
            provider_code=word if word == "generation_failure" else code,
            provider_reason=_text(record.raw_reason) or _text(record.reason),
            ip=ip,
            user_agent=user_agent,
            url=url,
            is_machine=_is_machine(record.user_agent_parsed),
            tags=tags,
            extra=_extra(record, arguments, campaign_id, template_id),
        )
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        code = event.provider_code or ""
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.failure_class = event.failure_reason = None
        if event.provider_event == "out_of_band" and code in self.replies:
            event.event_type = self.replies[code]
        elif event.event_type == "bounced":
            event.failure_reason = self.verdict(event).reason
            by_reason = failures.BOUNCE_CLASSES.get(event.failure_reason, "unknown")
            event.failure_class = self.class_of_code.get(code, by_reason)
        elif event.event_type == "dropped":
            event.failure_reason = self.verdict(event).reason
            is_invalid = failures.BOUNCE_CLASSES.get(event.failure_reason) == "invalid"
            event.failure_class = "invalid" if is_invalid else "gateway_suppressed"


def _unwrapped(raw: RawRecord) -> RawRecord:
    """Return the event inside `msys`; the record itself if it is a bare event, a test or an inbound message."""
    envelope = raw.value.get("msys") if raw.value else None
    if isinstance(envelope, dict) and len(envelope) == 1 and "relay_message" not in envelope:
        (event,) = envelope.values()
        if isinstance(event, dict):
            return raw._replace(value=event)
    return raw


def _at(record: SparkpostEvent) -> datetime:
    """Return the time of the event in whole seconds, as SparkPost's clock. Raises RejectRecord."""
    if record.timestamp is None:
        raise RejectRecord("timestamp: missing")
    return fields.second("timestamp", record.timestamp)


def _is_machine(user_agent_parsed: object) -> bool | None:
    """Return SparkPost's own flag, `is_prefetched`: a program loaded the picture before a person looked. Its
    `is_proxy` is no such flag: the image proxy of Gmail loads when a person looks."""
    flag = user_agent_parsed.get("is_prefetched") if isinstance(user_agent_parsed, dict) else None
    return flag if isinstance(flag, bool) else None


def _extra(
    record: SparkpostEvent, arguments: dict[str, object], campaign_id: str | None, template_id: str | None
) -> dict[str, object] | None:
    """Return what has no column: other fields, the rest of the metadata, and ids that another id replaced."""
    extra = record.other
    if rest := arguments or (not isinstance(record.rcpt_meta, dict) and record.rcpt_meta):
        extra["rcpt_meta"] = rest
    for name, chosen in (("campaign_id", campaign_id), ("template_id", template_id)):
        if (written := getattr(record, name)) is not None and _identifier(written) != chosen:
            extra[name] = written
    for name in ("message_id", "user_agent_parsed"):
        if (written := getattr(record, name)) is not None:
            extra[name] = written
    return extra or None
