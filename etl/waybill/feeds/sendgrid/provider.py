"""SendGrid: message ids and failure codes. `provider_code` is `type/classification` of a bounce.

Source: Event Webhook reference (twilio.com/docs/sendgrid/for-developers/tracking-events/event), with its bounce
classifications and reasons of drops.
"""

import re
from typing import NamedTuple

from waybill.model.provider import MessageIds, Provider

_RECEIVER = re.compile(r"\.(?:filter|recvd)")


class SendgridIds(NamedTuple):
    """The ids of the message of a SendGrid event; None if the event does not have them.

    :ivar message_id: SendGrid's id of the message
    :ivar own_message_id: the sender's own Message-ID, without its angle brackets
    """

    message_id: str | None
    own_message_id: str | None


def sendgrid_ids(sg_message_id: str | None, smtp_id: str | None) -> SendgridIds:
    """Return the ids in the two fields of a SendGrid event that can contain them.

    `sg_message_id` is the id of the message, then `.filter…` or `.recvd…`: the receiving host, which changes. If it
    begins with `filter`, it names a filter and no message, and the id is in `smtp-id`, before the `@` and a host of
    SendGrid. An `smtp-id` with any other host is the Message-ID of the sender's own program.

    Source: Event Webhook reference; events that django-anymail has observed (issues 108 and 379).
    """
    written = (sg_message_id or "").strip()
    sendgrid_id, own_message_id = _of_smtp_id(smtp_id or "")
    message_id = "" if written.startswith("filter") else _RECEIVER.split(written, maxsplit=1)[0]
    return SendgridIds(message_id or sendgrid_id or written or None, own_message_id or None)


def _of_smtp_id(written: str) -> tuple[str, str]:
    """Return SendGrid's id and the sender's own id of an `smtp-id`, of which one is empty."""
    whole = written.strip().removeprefix("<").removesuffix(">").strip()
    local, at, host = whole.rpartition("@")
    host = host.lower()
    is_of_sendgrid = host.startswith(("ismtpd", "geopod")) or f".{host}".endswith(".sendgrid.net")
    return (local, "") if at and is_of_sendgrid else ("", whole)


def _sendgrid_message_id(written: str) -> str:
    """Return SendGrid's id from the spelling of other systems: an `sg_message_id`, or an `smtp-id` (with `<` or
    `@`)."""
    if written.strip().startswith("<") or "@" in written:
        return sendgrid_ids(None, written).message_id or ""
    return sendgrid_ids(written, None).message_id or ""


PROVIDER = Provider(
    message_ids=MessageIds(_sendgrid_message_id, leg_has_recipient=True),
    codes={
        "expired/*": "expired",
        "*/content": "content_rejected",
        "*/frequency or volume too high": "rate_limited",
    },
    general_codes={
        "*/invalid address": "address_not_found",
        "*/mailbox unavailable": "address_inactive",
        "*/reputation": "ip_blocked",
        "*/technical": "server_unavailable",
        "*/technical failure": "server_unavailable",
    },
    words=(
        # Reasons of drops.
        ("prior_bounce", "Bounced Address", "=bounced address"),
        ("prior_unsubscribe", "Unsubscribed Address", "=unsubscribed address"),
        ("prior_spam_report", "Spam Reporting Address", "=spam reporting address"),
        ("quota_exceeded", "Recipient List over Package Quota", "=recipient list over package quota"),
        ("invalid_request", "Invalid SMTPAPI header", "=invalid smtpapi header"),
        ("content_rejected", "Spam Content", "=spam content"),
        ("address_malformed", "Invalid", "=invalid"),
        # A domain without servers; the PTR record is that of the recipient's domain.
        ("dns_failure", "unable to get mx info: failed to get IPs from PTR record", "unable to get mx"),
    ),
)
