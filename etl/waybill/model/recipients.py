"""The normalised address of a recipient, its mailbox provider and its country. See docs/model.md."""

import re
import unicodedata
from contextlib import suppress
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from waybill.model.errors import RejectRecord
from waybill.model.plain_text import trimmed

_TWO_ADDRESSES = re.compile(r"@[^@,;\s]+(?:\s*[,;]\s*|\s+)[^@,;\s]+@")
_CHANNEL_PREFIX = re.compile(r"[a-z]+:(?=\+)", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[\d\s().\-/]*\d[\d\s().\-/]*", re.ASCII)
_TRUNK_ZERO = re.compile(r"\+[\d\s]{1,6}\(0\)", re.ASCII)
_SCHEME = re.compile(r"\A(?:mailto:\s*)+", re.IGNORECASE)
_WITH_NAME = re.compile(r"[^<>]*<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+?)\s*>", re.IGNORECASE)
_NOT_A_DIGIT = re.compile(r"\D+", re.ASCII)

MAILBOX_DOMAINS = {
    "gmail.com": "gmail",
    "googlemail.com": "gmail",
    "ymail.com": "yahoo",
    "aol.com": "yahoo",
    "msn.com": "microsoft",
    "icloud.com": "apple",
    "me.com": "apple",
    "mac.com": "apple",
}
"""Whole domains."""

MAILBOX_NAMES = {"yahoo": "yahoo", "outlook": "microsoft", "hotmail": "microsoft", "live": "microsoft"}
"""Names of domains with any public suffix: yahoo.co.uk."""


def normalise_address(channel: str, written: str) -> str:
    """Return a recipient in its one spelling.

    Email: without a display name, trimmed, lower case, the domain as in DNS. A malformed address (without @) is treated
    in the same way, because providers report it with its recipient. Numbers: `+` and digits, without a channel prefix
    (`whatsapp:+1…`); a leading 00 becomes +, and `(0)` after the country code is dropped if that country drops it
    (Italy does not). Other callees (`sip:…`, `client:…`): trimmed and lower case.

    :raises RejectRecord: the address is empty, is two addresses, or contains a NUL
    """
    if channel == "email":
        address = _without_name(written).lower()
        if not address:
            raise RejectRecord("recipient: missing")
        if address.count("@") > 1 and not address.startswith('"') and _TWO_ADDRESSES.search(address):
            raise RejectRecord("recipient: two addresses")
        if "\0" in address:
            raise RejectRecord("recipient: holds a NUL")
        return address if address.isascii() else _in_one_form(address)
    return _normalise_number(written)


def _without_name(written: str) -> str:
    """Return ana@inbox.example of `"Ana" <ana@inbox.example>` and of `mailto:ana@inbox.example`."""
    address = trimmed(written)
    if ":" in address:
        address = _SCHEME.sub("", address, count=1)
    named = _WITH_NAME.fullmatch(address) if address.endswith(">") else None
    return named[1] if named else address


def _in_one_form(address: str) -> str:
    """Return an address with its local part in NFC and, if possible, its domain as in DNS (IDNA 2008, UTS 46)."""
    local, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    if at and not domain.isascii():
        with suppress(idna.IDNAError):  # not possible in DNS: as written
            domain = idna.encode(domain, uts46=True).decode()
    return local + at + domain


@lru_cache(maxsize=65_536)
def _normalise_number(written: str) -> str:
    stripped = written.strip()
    if not stripped.isascii():
        stripped = _plain_signs(stripped)
    number = _CHANNEL_PREFIX.sub("", stripped, count=1) if _CHANNEL_PREFIX.match(stripped) else stripped
    if _NUMBER.fullmatch(number):
        if _TRUNK_ZERO.match(number) and (in_full := _without_trunk_zero(number)):
            return in_full
        digits = _NOT_A_DIGIT.sub("", number)
        # 00 is the international prefix of most countries: 0049… is +49…
        return "+" + (digits[2:] if number.startswith("00") and len(digits) > 9 else digits)
    if "\0" in stripped:
        raise RejectRecord("recipient: holds a NUL")
    return stripped.lower()


def is_address(normalised: str) -> bool:
    """Whether a normalised recipient is an email address: text on both sides of an @."""
    local, _, domain = normalised.rpartition("@")
    return bool(local and domain)


def _plain_signs(written: str) -> str:
    """Return a number with plain digits and hyphens, without invisible marks of direction and width; any other text
    unchanged."""
    signs = (
        "-" if unicodedata.category(sign) == "Pd" else sign
        for sign in unicodedata.normalize("NFKC", written)
        if unicodedata.category(sign) != "Cf"
    )
    plain = "".join(signs).strip()
    return plain if _NUMBER.fullmatch(_CHANNEL_PREFIX.sub("", plain, count=1)) else written


def _without_trunk_zero(number: str) -> str | None:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_international(written: str) -> bool:
    """Whether a number has its country code, after + or 00. Without it the country is unknown: (415) 555-2671 is
    American, but +41 is Switzerland."""
    number = _CHANNEL_PREFIX.sub("", _plain_signs(written.strip()), count=1)
    return number.startswith(("+", "00"))


def mailbox_provider_of(address: str) -> str:
    """Return `gmail`, `yahoo`, `microsoft`, `apple` or `other`, by the domain of a normalised address."""
    _, at_sign, domain = address.rpartition("@")
    return _mailbox_provider_of_domain(domain) if at_sign else "other"


@cache
def _public_suffixes() -> PublicSuffixList:
    """Return the list of the library; a top-level domain that is not on it is a suffix, too. It is read at first use,
    because most commands never need it."""
    return PublicSuffixList()


@lru_cache(maxsize=65_536)
def _mailbox_provider_of_domain(domain: str) -> str:
    domain = domain.rstrip(".")
    name, _, suffix = domain.partition(".")
    if name in MAILBOX_NAMES and suffix and _public_suffixes().publicsuffix(domain) == suffix:
        return MAILBOX_NAMES[name]
    return MAILBOX_DOMAINS.get(domain, "other")


@lru_cache(maxsize=65_536)
def country_of(number: str) -> str | None:
    """Return the country (ISO alpha-2) of a normalised number; None if unknown, without a country (satellites), or no
    number.

    A country code that one country uses is enough. After +1, +7, +44 and other shared codes, the next digits must be
    assigned by one of the countries.
    """
    if not number.startswith("+"):
        return None
    import phonenumbers

    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return region if region is not None and region.isalpha() else None  # 001 is no country
