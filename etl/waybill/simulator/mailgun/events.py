"""Mailgun's events, as its webhooks post them and its Events API lists them."""

import base64

from waybill.simulator.email.sheet import Event, Failure, Fields, Sent, Sheet
from waybill.simulator.message import Message


def _failure(failure_class: str, failure_reason: str, code: str, text: str, status: str | None = None) -> Failure:
    """Returns a permanent failure.

    :param code: Mailgun's reason and code
    """
    event_type = "dropped" if failure_class == "gateway_suppressed" else "bounced"
    reason, _, number = code.partition("/")
    delivery = {"code": int(number), "message": text, **({"enhanced-code": status} if status else {})}
    fields = {"severity": "permanent", "reason": reason, "delivery-status": delivery}
    return Failure(failure_class, failure_reason, code, event_type, "failed/permanent", text, fields)


_FAILURES = {
    "address": _failure("invalid", "address_not_found", "bounce/550", "5.1.1 user unknown", "5.1.1"),
    "mailbox_full": _failure("soft_bounce", "mailbox_full", "generic/552", "5.2.2 mailbox is full", "5.2.2"),
    "inactive": _failure("hard_bounce", "address_inactive", "bounce/550", "5.2.1 mailbox is disabled", "5.2.1"),
    "content": _failure("blocked", "content_rejected", "generic/554", "5.7.1 message content rejected", "5.7.1"),
    "blocked": _failure("blocked", "ip_blocked", "espblock/421", "this mail is not accepted"),
    "expired": _failure("soft_bounce", "expired", "old/602", "Too old"),
    "unclear": _failure("hard_bounce", "unclassified", "generic/554", "transaction failed", "5.0.0"),
    "prior_bounce": _failure("gateway_suppressed", "prior_bounce", "suppress-bounce/605", "Not delivering"),
    "prior_unsubscribe": _failure(
        "gateway_suppressed", "prior_unsubscribe", "suppress-unsubscribe/606", "Unsubscribed"
    ),
    "prior_complaint": _failure("gateway_suppressed", "prior_spam_report", "suppress-complaint/607", "Not delivering"),
}


def _new_message_id(message: Message) -> str:
    tail = f"{message.number}.{message.random.randbytes(4).hex()}"
    return f"{message.starts:%Y%m%d%H%M%S}.{tail}@mg.{message.account}.example"


def _event(sent: Sent, event: Event) -> Fields:
    random = sent.message.random
    word, _, severity = event.word.partition("/")
    headers = {"message-id": sent.message_id}
    fields: Fields = {
        "id": base64.urlsafe_b64encode(random.randbytes(16)).rstrip(b"=").decode(),
        "event": word,
        "timestamp": event.at.timestamp(),
        "log-level": {"permanent": "error", "temporary": "warn"}.get(severity, "info"),
        "recipient": sent.email,
        "recipient-domain": sent.email.rpartition("@")[2],
        "tags": sent.tags,
        "campaigns": [],
        "user-variables": dict(sent.arguments),
        "message": {"headers": headers},
    }
    if event.program is not None:
        bot = "apple" if event.is_machine else ""
        fields |= {"ip": event.ip, "client-info": {"client-type": "browser", "user-agent": event.program, "bot": bot}}
        fields |= {"geolocation": {"country": "DE", "region": "BE", "city": "Berlin"}}
        return {**fields, "url": event.url} if event.url else fields
    headers |= {"to": sent.email, "from": sent.sender, "subject": "News"}
    fields["envelope"] = {"sender": sent.sender, "targets": sent.email, "transport": "smtp"}
    fields["flags"] = {"is-routed": False, "is-authenticated": True, "is-test-mode": False}
    if event.failure:
        return fields | dict(event.failure.fields)
    if severity:
        status = {"code": 451, "enhanced-code": "4.7.1", "message": "try again later", "attempt-no": 1}
        return {**fields, "severity": severity, "reason": "generic", "delivery-status": status}
    if word == "delivered":
        fields["delivery-status"] = {"code": 250, "message": "OK", "attempt-no": 1, "tls": True}
    return fields


def _posted(event: Fields) -> Fields:
    signature = {"timestamp": "1774519200", "token": "0" * 50, "signature": "0" * 64}
    return {"signature": signature, "event-data": event}


MAILGUN = Sheet(
    slug="mailgun",
    feed="mailgun_webhooks",
    words={
        "processed": "accepted",
        "deferred": "failed/temporary",
        "delivered": "delivered",
        "opened": "opened",
        "clicked": "clicked",
        "spam_reported": "complained",
        "unsubscribed": "unsubscribed",
    },
    failures=_FAILURES,
    late_kind="address",
    new_message_id=_new_message_id,
    event=_event,
    posted=_posted,
    leg_id=lambda message_id: message_id.partition("@")[0],
    id_in_log=lambda message_id: f"<{message_id}>",
    flagged=("opened", "clicked"),
    has_tags=True,
)
