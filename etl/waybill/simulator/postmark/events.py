"""Postmark's events, as its webhooks post them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from waybill.simulator.email.sheet import Event, Failure, Fields, Sent, Sheet
from waybill.simulator.message import Message

STREAM = "broadcasts"


def _bounce(failure_class: str, failure_reason: str, kind: str, text: str) -> Failure:
    """Returns a bounce; `kind` is its type."""
    event_type = "dropped" if kind in ("ManuallyDeactivated", "BadEmailAddress") else "bounced"
    return Failure(failure_class, failure_reason, kind, event_type, kind, text, {"Type": kind})


_FAILURES = {
    "address": _bounce("invalid", "address_not_found", "HardBounce", "smtp;550 5.1.1 user unknown"),
    "inactive": _bounce("hard_bounce", "address_inactive", "HardBounce", "smtp;550 5.2.1 mailbox disabled"),
    "mailbox_full": _bounce("soft_bounce", "mailbox_full", "SoftBounce", "smtp;552 5.2.2 mailbox full"),
    "blocked": _bounce("blocked", "ip_blocked", "Blocked", "smtp;550 not accepted from here"),
    "authentication": _bounce("blocked", "authentication_failed", "DMARCPolicy", "smtp;550 not accepted"),
    "content": _bounce("blocked", "content_rejected", "SpamNotification", "smtp;554 not accepted"),
    "unclear": _bounce("unknown", "unclassified", "Unknown", "smtp;554 transaction failed"),
    "prior_bounce": _bounce("gateway_suppressed", "prior_bounce", "ManuallyDeactivated", ""),
    "malformed": _bounce("invalid", "address_malformed", "BadEmailAddress", ""),
}
_BOUNCE_WORDS = ("Transient", *(failure.word for failure in _FAILURES.values()))


def written_time(at: datetime) -> str:
    """Returns a time as Postmark writes it, with seven digits of a second."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z"


def _new_message_id(message: Message) -> str:
    return str(UUID(bytes=message.random.randbytes(16), version=4))


def _event(sent: Sent, event: Event) -> Fields:
    fields: Fields = {
        "RecordType": event.word.partition("/")[0],
        "MessageID": sent.message_id,
        "MessageStream": STREAM,
        "ServerID": 23,
        "Metadata": dict(sent.arguments),
        "Tag": next(iter(sent.tags), ""),
    }
    at = written_time(event.at)
    if event.word in _BOUNCE_WORDS or event.word == "SpamComplaint":
        is_complaint = event.word == "SpamComplaint"
        return {
            **fields,
            "RecordType": "SpamComplaint" if is_complaint else "Bounce",
            "ID": sent.message.random.getrandbits(62),
            "Type": event.word,
            "Name": event.word,
            "Email": sent.email,
            "From": sent.sender,
            "BouncedAt": at,
            "Details": event.failure.text if event.failure else "smtp;451 4.7.1 try again later",
            "Inactive": event.word == "HardBounce",
            "Subject": "News",
        }
    fields["Recipient"] = sent.email
    if event.event_type == "delivered":
        return {**fields, "DeliveredAt": at, "Details": "250 OK"}
    if event.event_type in ("unsubscribed", "resubscribed"):
        return {**fields, **_change(event.event_type == "unsubscribed", "ManualSuppression"), "ChangedAt": at}
    seen = {"ReceivedAt": at, "UserAgent": event.program, "Geo": {"CountryISOCode": "DE", "IP": event.ip}}
    if event.url:
        return {**fields, **seen, "OriginalLink": event.url, "ClickLocation": "HTML", "Platform": "Desktop"}
    return {**fields, **seen, "FirstOpen": True, "Platform": "Desktop"}


def _change(is_off: bool, reason: str) -> Fields:
    return {"SuppressSending": is_off, "SuppressionReason": reason if is_off else None, "Origin": "Recipient"}


def _beside(sent: Sent, event: Event) -> Sequence[Fields]:
    """Returns the change of the subscription with which Postmark reports a hard bounce again."""
    if event.word != "HardBounce":
        return ()
    fields = {"RecordType": "SubscriptionChange", "MessageID": sent.message_id, "Recipient": sent.email}
    return [{**fields, **_change(True, "HardBounce"), "ChangedAt": written_time(event.at), "MessageStream": STREAM}]


POSTMARK = Sheet(
    slug="postmark",
    feed="postmark_webhooks",
    words={
        "deferred": "Transient",
        "delivered": "Delivery",
        "opened": "Open",
        "clicked": "Click",
        "spam_reported": "SpamComplaint",
        "unsubscribed": "SubscriptionChange/ManualSuppression",
        "resubscribed": "SubscriptionChange",
    },
    failures=_FAILURES,
    late_kind="address",
    new_message_id=_new_message_id,
    event=_event,
    beside=_beside,
    id_in_log=str.upper,
    has_tags=True,
)
