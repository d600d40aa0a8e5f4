"""The leg of an event, and the leg that it names: one system's id of one message. See docs/model.md."""

from uuid import UUID

from waybill.feeds.providers import MESSAGE_IDS
from waybill.model.event import Event
from waybill.model.identity import Keyring
from waybill.model.vocabulary import DISPATCH

OWN = "own"
"""First part of the tuple of a leg that only the sender's own Message-ID identifies."""


def leg_key(event: Event, keyring: Keyring) -> UUID | None:
    """Return the leg of an event; None if its record names no message. `own_leg_key` must be filled."""
    if event.provider == DISPATCH and event.dispatch_id is not None:
        recipient = () if event.recipient_key is None else (event.recipient_key.hex(),)
        return keyring.leg_key(event.account, DISPATCH, (event.channel, event.dispatch_id, *recipient))
    return gateway_leg_key(event, event.provider, keyring) or event.own_leg_key


def own_leg_key(event: Event, own_message_id: str | None, keyring: Keyring) -> UUID | None:
    """Return the leg of the sender's own Message-ID and the recipient; None if either is missing."""
    if own_message_id is None or event.recipient_key is None:
        return None
    return keyring.leg_key(event.account, event.provider, (OWN, own_message_id, event.recipient_key.hex()))


def gateway_leg_key(event: Event, provider: str, keyring: Keyring) -> UUID | None:
    """Return the leg of the event's message at a gateway; None if the event lacks a part of its tuple."""
    if not event.provider_message_id:
        return None
    if not MESSAGE_IDS[provider].leg_has_recipient:
        return keyring.leg_key(event.account, provider, (event.provider_message_id,))
    if event.recipient_key is None:
        return None
    return keyring.leg_key(event.account, provider, (event.provider_message_id, event.recipient_key.hex()))
