"""Which leg an event is of, or names: what one system calls one message. See docs/model.md."""

from uuid import UUID

from waybill.model.event import Event
from waybill.model.identity import Keyring
from waybill.model.providers import PROVIDERS
from waybill.model.vocabulary import DISPATCH

OWN = "own"
"""Stands in the tuple of a leg that is known by the sender's own Message-ID alone."""


def leg_key(event: Event, keyring: Keyring) -> UUID | None:
    """The leg of an event; None where its record names no message. `own_leg_key` is filled already."""
    if event.provider == DISPATCH:
        recipient = () if event.recipient_key is None else (event.recipient_key.hex(),)
        return keyring.leg_key(event.account, DISPATCH, (event.channel, event.dispatch_id, *recipient))
    return gateway_leg_key(event, event.provider, keyring) or event.own_leg_key


def own_leg_key(event: Event, own_message_id: str | None, keyring: Keyring) -> UUID | None:
    """The leg that the sender's own Message-ID makes with the recipient; None where one of both is missing."""
    if own_message_id is None or event.recipient_key is None:
        return None
    return keyring.leg_key(event.account, event.provider, (OWN, own_message_id, event.recipient_key.hex()))


def gateway_leg_key(event: Event, provider: str, keyring: Keyring) -> UUID | None:
    """The leg of a gateway that an event is of, or names; None where it lacks what that leg needs."""
    if not event.provider_message_id:
        return None
    if not PROVIDERS[provider].leg_has_recipient:
        return keyring.leg_key(event.account, provider, (event.provider_message_id,))
    if event.recipient_key is None:
        return None
    return keyring.leg_key(event.account, provider, (event.provider_message_id, event.recipient_key.hex()))
