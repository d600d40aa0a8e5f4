"""What a feed makes of a raw record: the typed record, and what it says of events or of the account."""

from datetime import datetime
from typing import ClassVar, NamedTuple

import msgspec

from waybill.model.event import Event

RECIPIENT = "".join(("(recipient", " key)"))
"""Stands in an identity tuple for the recipient_key, hexadecimal (this object, not another text like it)."""


class Record(msgspec.Struct, kw_only=True, dict=True):
    """Base of the typed records. `other` holds, by name, what the type does not name."""

    other: ClassVar[dict[str, object]]


class Sighting(NamedTuple):
    """What a feed says of one event: the copied columns, the identity tuple, and the time in the key.

    :ivar event: copied columns as the provider wrote them (clear texts; the base class redacts); `recipient` as written
    :ivar identity: the feed's identity tuple, as texts in which the own recipient still stands
    :ivar key_at: aware time that can never change
    :ivar leg: whether the record names its message (False: kept with a null leg)
    :ivar own_message_id: the Message-ID that the sender's own program gave the message, where the record has it
    """

    event: Event
    identity: tuple[str, ...]
    key_at: datetime
    leg: bool = True
    own_message_id: str | None = None


class AccountNotice(NamedTuple):
    """What a record says about the account at the provider and not about a message.

    :ivar word: the provider's event word
    :ivar detail: what happened to the account, in the provider's words
    :ivar noticed_at: aware
    """

    word: str
    detail: str | None
    noticed_at: datetime
