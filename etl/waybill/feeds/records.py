"""The typed record of a feed, and its sightings: what a record says about events or about the account."""

from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import msgspec

from waybill.model.event import EventDraft

RECIPIENT = "".join(("(recipient", " key)"))
"""The placeholder of the recipient_key (hexadecimal) in an identity tuple: this object, not an equal text."""


class Record(msgspec.Struct, kw_only=True, dict=True):
    """Base of the typed records."""

    @cached_property
    def other(self) -> dict[str, object]:
        """The fields that the type does not name; `TypedFeed.decode` sets them."""
        return {}


class Sighting(EventDraft, kw_only=True):
    """What a record says about one event: copied columns as written (clear texts; the base class redacts them).

    :ivar identity: the feed's identity tuple, as texts that may contain the own recipient
    :ivar key_at: aware time that can never change, for the key; also the event's time if `event_at` is None
    :ivar own_message_id: the Message-ID of the sender's own program, if the record has it
    """

    identity: tuple[str, ...]
    key_at: datetime
    own_message_id: str | None = None


class AccountNotice(NamedTuple):
    """What a record says about the account at the provider, instead of a message.

    :ivar word: the provider's event word
    :ivar detail: what happened to the account, in the provider's words
    :ivar noticed_at: aware time
    """

    word: str
    detail: str | None
    noticed_at: datetime
