"""Brevo's events, as its webhooks post them."""

import json

from waybill.simulator.email.sheet import Event, Failure, Fields, Sent, Sheet
from waybill.simulator.message import Message


def _failure(failure_class: str, failure_reason: str, word: str, text: str) -> Failure:
    """Returns a failure; its word is its code."""
    event_type = "bounced" if word.endswith("bounce") else "dropped"
    return Failure(failure_class, failure_reason, word, event_type, word, text, {})


_FAILURES = {
    "address": _failure("invalid", "address_not_found", "hard_bounce", "550 5.1.1 user unknown"),
    "unclear": _failure("hard_bounce", "unclassified", "hard_bounce", "554 transaction failed"),
    "mailbox_full": _failure("soft_bounce", "mailbox_full", "soft_bounce", "552 5.2.2 mailbox full"),
    "content": _failure("blocked", "content_rejected", "soft_bounce", "554 5.7.1 message content rejected"),
    "prior_unsubscribe": _failure(
        "gateway_suppressed", "prior_unsubscribe", "blocked", "blocked : due to blacklist user"
    ),
    "malformed": _failure("invalid", "address_malformed", "invalid_email", "the address is not valid"),
    "error": _failure("gateway_suppressed", "unclassified", "error", "something went wrong"),
}


def _new_message_id(message: Message) -> str:
    return f"<{message.starts:%Y%m%d%H%M}.{message.random.randrange(10**10, 10**11)}@smtp-relay.mail.example>"


def _event(sent: Sent, event: Event) -> Fields:
    seconds = int(event.at.timestamp())
    fields: Fields = {
        "event": event.word,
        "email": sent.email,
        "id": 26224,
        "date": f"{event.at:%Y-%m-%d %H:%M:%S}",
        "ts": seconds,
        "ts_event": seconds,
        "ts_epoch": seconds * 1000 + event.at.microsecond // 1000,
        "message-id": sent.message_id,
        "subject": "News",
        "sending_ip": "198.51.100.41",
        "tags": sent.tags,
        "X-Mailin-custom": json.dumps(sent.arguments),
    }
    if event.failure:
        return {**fields, "reason": event.failure.text}
    if event.event_type == "deferred":
        return {**fields, "reason": "451 4.7.1 try again later"}
    if event.program is None:
        return fields
    seen = {**fields, "ip": event.ip, "user_agent": event.program, "device_used": "DESKTOP"}
    return {**seen, "link": event.url} if event.url else seen


BREVO = Sheet(
    slug="brevo",
    feed="brevo_webhooks",
    words={
        "processed": "request",
        "deferred": "deferred",
        "delivered": "delivered",
        "opened": "opened",
        "clicked": "click",
        "spam_reported": "spam",
        "unsubscribed": "unsubscribe",
    },
    machine_words={"opened": "proxy_open"},
    failures=_FAILURES,
    late_kind="address",
    new_message_id=_new_message_id,
    event=_event,
    leg_id=lambda message_id: message_id.strip("<>").partition("@")[0],
    id_in_log=lambda message_id: message_id.strip("<>"),
    flagged=("opened",),
    has_tags=True,
)
