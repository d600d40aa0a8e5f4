"""What identity needs to know of every provider: how its message ids are written, and whom one id covers."""

from collections.abc import Callable
from typing import NamedTuple


class Provider(NamedTuple):
    """:ivar message_id: the provider's id as its own events and other systems write it → the id of the leg ("" if none)
    :ivar leg_has_recipient: True where one id covers several recipients, so that the leg includes the recipient"""

    message_id: Callable[[str], str]
    leg_has_recipient: bool


def _sendgrid_message_id(written: str) -> str:
    """`sg_message_id` up to its first dot; an `smtp-id` between `<` and its first `.` or `@`.

    Source: Event Webhook reference; the part behind the first dot names the receiving filter and changes.
    """
    inner = written.strip()
    if inner.startswith("<"):
        return inner[1:].split("@", 1)[0].split(".", 1)[0]
    return inner.split(".", 1)[0]


PROVIDERS: dict[str, Provider] = {
    "sendgrid": Provider(_sendgrid_message_id, leg_has_recipient=True),
    "twilio": Provider(str.strip, leg_has_recipient=False),
}
