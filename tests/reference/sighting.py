"""The sighting of an event in one record, and the merge of all its sightings (docs/model.md, Identity)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote
from uuid import UUID

from waybill.model.identity import Keyring

EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RejectedError(Exception):
    """The record cannot be an event; the text is the category of the reason."""


class IgnoredError(Exception):
    """The record is out of scope: inbound, or the child leg of a call."""


@dataclass(frozen=True)
class Sighting:
    """The copied columns of one record that reports need. `leg_key`, `leg`, `word` and all other parts of the identity
    are equal in all sightings of an event."""

    key: UUID
    at: datetime
    account: str
    channel: str
    provider: str
    feed: str
    word: str
    leg: tuple[str, ...] | None
    leg_key: UUID | None
    own_leg_key: UUID | None = None
    gateway: str | None = None
    names_message: str | None = None
    dispatch_id: str | None = None
    campaign: tuple[int, str] | None = None
    template: tuple[int, str] | None = None
    recipient: tuple[bytes, str] | None = None
    code: str | None = None
    status_code: str | None = None
    reason: str | None = None
    not_sent_reason: str | None = None
    url: str | None = None
    is_machine: bool | None = None
    user_agent: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    segments: int | None = None
    duration_seconds: int | None = None
    answered_by: str | None = None


LEAST = {"at": None, "dispatch_id": str.encode, "campaign": None, "template": None}
GREATEST = ("price", "segments", "duration_seconds", "is_machine", "recipient", "own_leg_key")


def in_bytes(choice: tuple[int, str]) -> tuple[int, bytes]:
    return choice[0], choice[1].encode()


def merged(sightings: Iterable[Sighting]) -> Sighting:
    """Merge all sightings of one event, column by column, so that their order does not matter."""
    sightings = list(sightings)
    values = dict(vars(sightings[0]))
    for column in values:
        present = [getattr(s, column) for s in sightings if getattr(s, column) is not None]
        if not present or column in ("key", "leg", "leg_key"):
            continue
        if column in ("campaign", "template"):
            values[column] = min(present, key=in_bytes)
        elif column in LEAST:
            values[column] = min(present, key=LEAST[column])
        elif column in GREATEST:
            values[column] = max(present)
        else:
            values[column] = max(present, key=str.encode)
    return Sighting(**values)


def instant(seconds_or_milliseconds: int, landed_at: datetime) -> datetime:
    """Return a time from seconds, or from milliseconds above 10¹¹."""
    is_milliseconds = abs(seconds_or_milliseconds) > 10**11
    milliseconds = seconds_or_milliseconds if is_milliseconds else seconds_or_milliseconds * 1000
    try:
        at = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise RejectedError("time") from None
    return plausible(at, landed_at)


def plausible(at: datetime, landed_at: datetime) -> datetime:
    """Return a time with a zone, within 2005-2100, at most a day after its landing."""
    if at.tzinfo is None or not EARLIEST <= at < LATEST or at > landed_at + timedelta(days=1):
        raise RejectedError("time")
    return at.astimezone(UTC)


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def as_text(value: object) -> str | None:
    """Return an id of a text or a number, stripped; None for an empty one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def normalise_email(written: str) -> str:
    """Return the normalised address, also of a malformed one; two addresses are rejected."""
    if written.count("@") > 1 and re.search(r"[,;\s]", written.strip()):
        raise RejectedError("address")
    return written.strip().lower()


def normalise_phone(written: str) -> str:
    return "+" + "".join(c for c in written if c in "0123456789")


def hide_id(keyring: Keyring, account: str, text: str | None) -> str | None:
    """Return an id. If it has an address or a number with a plus, it is hashed as a whole, for any recipient."""
    if text and (re.search(r"(@|%40|%2540)", text) or re.search(r"(\+|%2[Bb])\d{7}", text)):
        return keyring.recipient_key(account, text).hex()
    return text


def hide_label(keyring: Keyring, account: str, text: str | None, written: str, address: str) -> str | None:
    """Return the id of a campaign or template, which is part of no key: as `hide_id`, and also hashed as a whole if it
    has the own recipient as written, where that is a word of at least four characters and no address."""
    if text and not re.fullmatch(r".+@[^@]+", address, re.DOTALL) and len(address) >= 4:
        pattern = rf"(?<!\w)(?:{any_form(written, address)})(?!\w)"
        if re.search(pattern, text, flags=re.IGNORECASE):
            return keyring.recipient_key(account, text).hex()
    return hide_id(keyring, account, text)


def hide_recipient(text: str | None, written: str | None, normalised: str | None, recipient_key: bytes | None) -> str:
    """Return a text with the record's own recipient replaced by its key."""
    return replace_recipient(text, written, normalised, recipient_key.hex()) if recipient_key else text or ""


def replace_recipient(text: str | None, written: str | None, normalised: str | None, replacement: str) -> str:
    """Return a text without the own recipient: as written and normalised, plain and percent-encoded, in any case."""
    if not text or not normalised:
        return text or ""
    return re.sub(any_form(written, normalised), replacement, text, flags=re.IGNORECASE)


def any_form(written: str | None, normalised: str) -> str:
    """Return the pattern of a recipient as written and normalised, each character plain or percent-encoded."""
    forms = sorted({(written or "").strip(), normalised} - {""}, key=len, reverse=True)
    return "|".join("".join(f"(?:{re.escape(c)}|{re.escape(quoted(c))})" for c in form) for form in forms)


def quoted(character: str) -> str:
    encoded = quote(character, safe="")
    return encoded if encoded.startswith("%") else "".join(f"%{byte:02X}" for byte in character.encode())
