"""What identity needs to know of every provider: how its message ids are written, and whom one id covers."""

import re
from collections.abc import Callable
from typing import NamedTuple

_RECEIVER = re.compile(r"\.(?:filter|recvd)")


class Provider(NamedTuple):
    """:ivar message_id: the provider's id as its own events and other systems write it → the id of the leg ("" if none)
    :ivar leg_has_recipient: True where one id covers several recipients, so that the leg includes the recipient"""

    message_id: Callable[[str], str]
    leg_has_recipient: bool


class SendgridIds(NamedTuple):
    """Which message a SendGrid event is about.

    :ivar message_id: SendGrid's id of the message; None: the event has none
    :ivar own_message_id: the sender's own Message-ID, without its angle brackets; None: the event has none
    """

    message_id: str | None
    own_message_id: str | None


def sendgrid_ids(sg_message_id: str | None, smtp_id: str | None) -> SendgridIds:
    """The ids in the two fields of a SendGrid event that can hold them.

    `sg_message_id` is the message's id, then `.filter…` or `.recvd…`: the host that took it, which changes. Where it
    begins with `filter`, it names a filter and no message, and the id stands in `smtp-id`, before the `@` of a host of
    SendGrid's. An `smtp-id` with any other host is the Message-ID that the sender's own program gave.

    Source: Event Webhook reference; events as django-anymail has observed them (issues 108 and 379).
    """
    written = (sg_message_id or "").strip()
    sendgrid_id, own_message_id = _of_smtp_id(smtp_id or "")
    message_id = "" if written.startswith("filter") else _RECEIVER.split(written, maxsplit=1)[0]
    return SendgridIds(message_id or sendgrid_id or written or None, own_message_id or None)


def _of_smtp_id(written: str) -> tuple[str, str]:
    """SendGrid's id, or the sender's own, in an `smtp-id`; the other is empty."""
    whole = written.strip().removeprefix("<").removesuffix(">").strip()
    local, at, host = whole.rpartition("@")
    host = host.lower()
    is_of_sendgrid = host.startswith(("ismtpd", "geopod")) or f".{host}".endswith(".sendgrid.net")
    return (local, "") if at and is_of_sendgrid else ("", whole)


def _sendgrid_message_id(written: str) -> str:
    """SendGrid's id as other systems have it: an `sg_message_id`, or an `smtp-id` (with `<` or `@`)."""
    if written.strip().startswith("<") or "@" in written:
        return sendgrid_ids(None, written).message_id or ""
    return sendgrid_ids(written, None).message_id or ""


PROVIDERS: dict[str, Provider] = {
    "sendgrid": Provider(_sendgrid_message_id, leg_has_recipient=True),
    "twilio": Provider(str.strip, leg_has_recipient=False),
}
