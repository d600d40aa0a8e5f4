"""Amazon SES's events, as its event publishing writes them."""

from datetime import datetime

from waybill.simulator.email.sheet import UNKNOWN_WORD, Event, Failure, Fields, Sent, Sheet
from waybill.simulator.message import Message


def _bounce(failure_class: str, failure_reason: str, code: str, text: str, status: str) -> Failure:
    """Returns a bounce; `code` is its type and subtype."""
    event_type = "dropped" if failure_class == "gateway_suppressed" else "bounced"
    kind, _, subtype = code.partition("/")
    fields = {"bounceType": kind, "bounceSubType": subtype, "status": status}
    return Failure(failure_class, failure_reason, code, event_type, "Bounce", text, fields)


_FAILURES = {
    "address": _bounce("invalid", "address_not_found", "Permanent/General", "smtp; 550 5.1.1 user unknown", "5.1.1"),
    "no_email": _bounce("invalid", "address_not_found", "Permanent/NoEmail", "smtp; 550 refused", "5.0.0"),
    "unclear": _bounce("hard_bounce", "unclassified", "Permanent/General", "smtp; 554 transaction failed", "5.0.0"),
    "mailbox_full": _bounce("soft_bounce", "mailbox_full", "Transient/MailboxFull", "smtp; 552 refused", "5.2.2"),
    "too_large": _bounce("soft_bounce", "message_too_large", "Transient/MessageTooLarge", "smtp; 552 refused", "5.3.4"),
    "content": _bounce("blocked", "content_rejected", "Transient/ContentRejected", "smtp; 554 refused", "5.6.0"),
    "undetermined": _bounce("soft_bounce", "unclassified", "Undetermined/Undetermined", "smtp; 554 failed", "5.0.0"),
    "prior_bounce": _bounce(
        *("gateway_suppressed", "prior_bounce", "Permanent/OnAccountSuppressionList"),
        text="Amazon SES did not send the message to this address",
        status="5.1.1",
    ),
    "rejected": Failure(
        *("gateway_suppressed", "content_rejected", "reject/Bad content", "dropped", "Reject"), text="", fields={}
    ),
}
_WITHOUT_TIME = ("Send", "Reject", UNKNOWN_WORD)
"""Words whose object has no time: that of the mail counts."""


def _new_message_id(message: Message) -> str:
    number = message.random.randbytes(6).hex()
    return f"0102018f{number[:8]}-aaaaaaaa-bbbb-cccc-dddd-{number}-000000"


def _event(sent: Sent, event: Event) -> Fields:
    mail = {
        "timestamp": _iso(event.at if event.word in _WITHOUT_TIME else sent.message.starts),
        "messageId": sent.message_id,
        "source": sent.sender,
        "sendingAccountId": "123456789012",
        "destination": [sent.email],
        "headersTruncated": False,
        "commonHeaders": {"from": [sent.sender], "to": [sent.email], "subject": "News"},
        "tags": {"ses:configuration-set": ["prod"], **{name: [value] for name, value in sent.arguments.items()}},
    }
    name = f"{event.word[0].lower()}{event.word[1:]}"
    return {"eventType": event.word, "mail": mail, name: _part(sent, event)}


def _part(sent: Sent, event: Event) -> Fields:
    """Returns the object that describes the event."""
    if event.word == "Send":
        return {}
    if event.word == "Reject":
        return {"reason": "Bad content"}
    part: Fields = {"timestamp": _iso(event.at)}
    if event.failure:
        fields = dict(event.failure.fields)
        recipient = {"emailAddress": sent.email, "action": "failed", "status": fields.pop("status")}
        recipients = [{**recipient, "diagnosticCode": event.failure.text}]
        return {**part, **fields, "bouncedRecipients": recipients, "feedbackId": _feedback_id(sent)}
    if event.event_type == "spam_reported":
        complained = [{"emailAddress": sent.email}]
        return {**part, "complainedRecipients": complained, "feedbackId": _feedback_id(sent)}
    if event.event_type == "delivered":
        return {**part, "recipients": [sent.email], "smtpResponse": "250 OK", "processingTimeMillis": 900}
    if event.event_type == "deferred":
        delayed = [{"emailAddress": sent.email, "status": "4.4.2", "diagnosticCode": "smtp; 421 4.4.2 no answer"}]
        return {**part, "delayType": "TransientCommunicationFailure", "delayedRecipients": delayed}
    if event.event_type in ("unsubscribed", "resubscribed"):
        is_out = event.event_type == "unsubscribed"
        preferences = {"newTopicPreferences": {"unsubscribeAll": is_out, "topicSubscriptionStatus": []}}
        before = {"oldTopicPreferences": {"unsubscribeAll": not is_out, "topicSubscriptionStatus": []}}
        return {**part, "contactList": "news", "source": "UnsubscribeHeader", **preferences, **before}
    if event.program is None:
        return part
    seen = {**part, "ipAddress": event.ip, "userAgent": event.program}
    return {**seen, "link": event.url, "linkTags": None} if event.url else seen


def _feedback_id(sent: Sent) -> str:
    return f"0100018f{sent.message.random.randbytes(4).hex()}-000000"


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


SES = Sheet(
    slug="ses",
    feed="ses_events",
    words={
        "processed": "Send",
        "deferred": "DeliveryDelay",
        "delivered": "Delivery",
        "opened": "Open",
        "clicked": "Click",
        "spam_reported": "Complaint",
        "unsubscribed": "Subscription",
        "resubscribed": "Subscription",
    },
    failures=_FAILURES,
    late_kind="address",
    new_message_id=_new_message_id,
    event=_event,
    id_in_log=lambda message_id: f"<{message_id}@eu-west-1.amazonses.com>",
)
