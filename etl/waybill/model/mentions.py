"""Finds people in records by the keys of their addresses, so that nothing but a keyed hash of an address is needed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec

from waybill.model.errors import RejectRecord
from waybill.model.identity import Keyring
from waybill.model.plain_text import readings
from waybill.model.recipients import normalise_address
from waybill.model.redaction import address_spans, number_spans

_BLANKS = re.compile(r"\s+")
_RETURN_PATH = re.compile(r"([\w.+-]{1,64})=([\w-]{1,63}(?:\.[\w-]{1,63})+)")
_PARTS = re.compile(r"[+-]")
_DIGITS = re.compile(r"(?<!\d)\d{7,17}(?!\d)", re.ASCII)
_DEEPEST = 64


class Wanted:
    """People who are searched for.

    :param people: their recipient keys, each with its account
    """

    def __init__(self, keyring: Keyring, people: Mapping[bytes, str]) -> None:
        self.keyring = keyring
        self.keys = people.keys()
        self.accounts = sorted(set(people.values()))

    def are_in(self, raw: bytes, value: object, accounts: Iterable[str]) -> bool:
        """Whether a record contains the address of one of them, in any form that redaction finds, also as the return
        address of a bounce (`bounce+ana=inbox.example@sender.example`) or as the digits of a number.

        :param raw: bytes of the record
        :param value: its decoded value; None to decode `raw`
        :param accounts: whose keys are compared
        """
        if not self.keys:
            return False
        found = addresses_in("\0".join(_texts_of(raw, value)))  # in one, because most texts are short
        return any(self.keyring.recipient_key(owner, address) in self.keys for owner in accounts for address in found)


def addresses_in(text: str) -> set[str]:
    """Return the normalised addresses and numbers that a text contains in any encoding."""
    found: set[str] = set()
    for reading in readings(text):
        shown = reading.text
        for start, end in address_spans(shown):
            found |= _normalised("email", _BLANKS.sub("", shown[start:end]))
        for match in _RETURN_PATH.finditer(shown):
            for address in _returned_to(match):
                found |= _normalised("email", address)
        for start, end in number_spans(shown):
            found |= _normalised("sms", shown[start:end])
        for match in _DIGITS.finditer(shown):
            found |= _normalised("sms", match[0])
    return found


def _returned_to(match: re.Match[str]) -> Iterator[str]:
    """Yield the addresses that a return address may be about: `bounce-7+ana=inbox.example` is about one of
    bounce-7+ana, 7+ana and ana."""
    name, domain = match.groups()
    yield f"{name}@{domain}"
    for sign in _PARTS.finditer(name):
        if rest := name[sign.end() :]:
            yield f"{rest}@{domain}"


def _normalised(channel: str, written: str) -> set[str]:
    with suppress(RejectRecord):
        return {normalise_address(channel, written)}
    return set()


def _texts_of(raw: bytes, value: object) -> Iterator[str]:
    """Yield the record as it was written, and every text in its decoded value."""
    yield raw.decode(errors="replace")
    if value is None:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = msgspec.json.decode(raw)
    yield from _texts_in(value, 0)


def _texts_in(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):  # a document in a text, as in notifications of SNS
            with suppress(msgspec.DecodeError, RecursionError):
                yield from _texts_in(msgspec.json.decode(value), depth + 1)
    elif isinstance(value, list):
        for element in value:
            yield from _texts_in(element, depth + 1)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts_in(inner, depth + 1)
