"""Keys of recipients, events and legs. See docs/model.md.

All keys are keyed hashes with one secret that is never in the database, so that nobody can find an address or a
message id by hashing guesses.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec

from waybill.model.days import EPOCH

_VERSION_8 = 0x8 << 76
_VARIANT = 0x2 << 62
_HIGH_48 = 0xFFFFFFFFFFFF


def _encode(parts: Sequence[str]) -> bytes:
    """Return unambiguous bytes of a tuple of texts (a JSON array, so parts stay separate)."""
    return msgspec.json.encode(parts)


class Keyring:
    """Makes all keys of one warehouse from its secret.

    :param secret: the value of RECIPIENT_HMAC_KEY, at least 16 bytes
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._event = hashlib.blake2b(secret, digest_size=32, person=b"waybill-event").digest()
        self._leg = hashlib.blake2b(secret, digest_size=32, person=b"waybill-leg").digest()
        self.recipient_key = lru_cache(maxsize=65_536)(self._recipient_key)

    @property
    def fingerprint(self) -> str:
        """A public name of the secret: 16 hexadecimal digits, stored in the database."""
        return hashlib.blake2b(self._secret, digest_size=8, person=b"waybill-print").hexdigest()

    def _recipient_key(self, account: str, address: str) -> bytes:
        """Return 32 bytes for (account, normalised address)."""
        return hmac.digest(self._secret, _encode((account, address)), "sha256")

    def event_key(self, at_milliseconds: int, account: str, provider: str, identity: Sequence[str]) -> UUID:
        """Return the key of one event.

        :param at_milliseconds: a time that never changes (event time cut to the provider's tick, or the creation of a
            mutable row), in milliseconds since 1970 UTC, not negative
        :param identity: the feed's identity tuple as texts; an absent part is an empty text
        """
        digest = hashlib.blake2b(_encode((account, provider, *identity)), digest_size=10, key=self._event).digest()
        return UUID(int=key_floor_int(at_milliseconds) | _spread(int.from_bytes(digest, "big")))

    def leg_key(self, account: str, provider: str, parts: Sequence[str]) -> UUID:
        """Return the key of one leg.

        :param parts: of a gateway (provider_message_id) or (provider_message_id, recipient_key as hex); of a gateway
            without an id ("own", the sender's Message-ID, recipient_key as hex); of the dispatch log (channel,
            dispatch_id) or (channel, dispatch_id, recipient_key as hex)
        """
        digest = hashlib.blake2b(_encode((account, provider, *parts)), digest_size=16, key=self._leg).digest()
        number = int.from_bytes(digest, "big")
        number = number & ~(0xF << 76) & ~(0x3 << 62)
        return UUID(int=number | _VERSION_8 | _VARIANT)


def _spread(number: int) -> int:
    """Return the low 74 bits of a hash around version and variant of a UUID of version 8 (RFC 9562)."""
    high = (number >> 62) & 0xFFF
    low = number & ((1 << 62) - 1)
    return (high << 64) | low


def key_floor_int(at_milliseconds: int) -> int:
    """Return the least event key of a millisecond, as a number."""
    if not 0 <= at_milliseconds <= _HIGH_48:
        raise ValueError(f"{at_milliseconds} ms does not fit into the 48 bits of an event key")
    return (at_milliseconds << 80) | _VERSION_8 | _VARIANT


def key_floor(at_milliseconds: int) -> UUID:
    """Return a UUID below all event keys of that millisecond and later: a bound for ranges of keys."""
    return UUID(int=at_milliseconds << 80)


def key_time(key: UUID) -> datetime:
    """Return the time in an event key (UTC)."""
    return EPOCH + timedelta(milliseconds=key.int >> 80)
