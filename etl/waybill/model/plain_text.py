"""Decodes a text as readers see it: without escapes, invisible and wide characters. It also maps decoded spans back.

Encodings may be nested (`%26%2364%3B` is `&#64;` is `@`), so a text is decoded until it has no encoding left, at most
DEEPEST_NESTING times. Every reading is linear in the length of the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from html.entities import html5
from typing import NamedTuple

DEEPEST_NESTING = 8

# Percent-encoded UTF-8 (`%` itself encoded any number of times: %40, %2540), escapes of JSON and of programming
# languages, HTML entities (`&` itself encoded any number of times), and zero-width characters.
_HEX = "[0-9A-Fa-f]"
_PERCENT = "%(?:25)*"
_MORE = f"{_PERCENT}[89ABab]{_HEX}"
_INVISIBLE = (
    "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f"
)
_ENCODINGS = (
    rf"{_PERCENT}(?:[CDcd]{_HEX}{_MORE}|[Ee]{_HEX}(?:{_MORE}){{2}}|[Ff][0-7](?:{_MORE}){{3}}|{_HEX}{{2}})"
    rf"|\\(?<!\\\\)\\*+(?:[Uu]{_HEX}{{4}}|[Xx]{_HEX}{{2}})"
    rf"|&(?i:amp;)*(?:#0*[0-9]{{1,7}};?|#[Xx]0*{_HEX}{{1,6}};?|[A-Za-z]{{2,31}};)"
)
_ENCODED_IN_ASCII = re.compile(_ENCODINGS)  # each encoding has its own first character, so the search is fast
_ENCODED = re.compile(f"{_ENCODINGS}|[{_INVISIBLE}]+")
_OCTET = re.compile(rf"{_PERCENT}({_HEX}{{2}})")
_AMPERSANDS = re.compile(r"&(?i:amp;)*(?=.)")

_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | str.maketrans(
    "\u3002\uff61\ufe52\ufe54\ufe5f\ufe60\ufe62\ufe68\ufe6a\ufe6b", "...;#&+\\%@"
)

# Encodings that may contain an at-sign or a plus. A percent-encoding may be one of both, or a part of another encoding.
# In texts that are not ASCII, invisible characters may split an encoding.
_HIDING_PERCENT = re.compile(r"%(?:2[356Bb]|3[0-9Bb]|[4-7][0-9A-Fa-f]|[Ee][Ff])")
_HIDING_ENTITY = re.compile(r"&(?:#|(?:amp|bsol|commat|num|percnt|plus);)", re.IGNORECASE)
_HIDING_ESCAPE = re.compile(r"\\[UuXx]")
_HIDING_CHARACTERS = "%&\\\uff20\ufe6b\uff0b\ufe62\uff05\ufe6a\uff06\ufe60\uff3c\ufe68"


_AROUND = (
    "".join(map(chr, (0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)))
    + " \t\r\n\v\f\xa0\u2028\u2029\u3000"
)


def trimmed(text: str) -> str:
    """Return the text without blanks and invisible characters at both ends."""
    text = text.strip()
    return text if text.isascii() else text.strip(_AROUND)


def may_have_at_sign_or_plus(text: str) -> bool:
    """Whether the text may contain an at-sign or a plus in any encoding. Cheap; True may be wrong."""
    if "@" in text or "+" in text:
        return True
    if not text.isascii():
        return any(map(text.__contains__, _HIDING_CHARACTERS))
    return (
        ("%" in text and _HIDING_PERCENT.search(text) is not None)
        or ("&" in text and _HIDING_ENTITY.search(text) is not None)
        or ("\\" in text and _HIDING_ESCAPE.search(text) is not None)
    )


class Decoding(NamedTuple):
    """The starts of the segments of a text after one decoding (`places`) and before it (`origins`). Plain segments and
    encoded characters alternate."""

    places: list[int]
    origins: list[int]


class Reading(NamedTuple):
    """One reading of a text.

    :ivar text: the text that a reader sees
    :ivar decodings: the steps from the written text to it
    """

    text: str
    decodings: tuple[Decoding, ...] = ()

    def written_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the written text of the characters `start` to `end` (not empty) of this text."""
        last = end - 1
        for places, origins in reversed(self.decodings):
            # an odd segment is an encoded character, which maps to its whole decoded text
            segment = bisect_right(places, start) - 1
            start = origins[segment] if segment % 2 else origins[segment] + start - places[segment]
            segment = bisect_right(places, last) - 1
            last = origins[segment + 1] - 1 if segment % 2 else origins[segment] + last - places[segment]
        return start, last + 1


def readings(written: str) -> Iterator[Reading]:
    """Yield the text as written, then decoded once, twice, … until it has no encoding left."""
    reading = Reading(written)
    yield reading
    for _ in range(DEEPEST_NESTING):
        decoded = _decoded(reading)
        if decoded is None:
            return
        yield (reading := decoded)


def _decoded(reading: Reading) -> Reading | None:
    """Return the text decoded once more; None if it has no encoding left."""
    text, encoded = reading.text, _ENCODED_IN_ASCII
    if not text.isascii():
        text, encoded = text.translate(_NARROW), _ENCODED
    elif "%" not in text and "\\" not in text and not ("&" in text and (";" in text or "&#" in text)):
        return None
    pieces: list[str] = []
    places, origins = [0], [0]
    place = end = 0
    for match in encoded.finditer(text):
        start, character = match.start(), _character(match[0])
        pieces += (text[end:start], character)
        place += start - end
        places.append(place)
        origins.append(start)
        end = match.end()
        place += len(character)
        places.append(place)
        origins.append(end)
    if end:
        pieces.append(text[end:])
        return Reading("".join(pieces), (*reading.decodings, Decoding(places, origins)))
    return Reading(text, reading.decodings) if text != reading.text else None


@lru_cache(maxsize=4_096)
def _character(encoded: str) -> str:
    """Return the character of one match of _ENCODED."""
    if encoded[0] == "%":
        octets = bytes.fromhex("".join(_OCTET.findall(encoded)))
        # bytes that are not UTF-8 are probably letters of another encoding
        return octets.decode("utf-8", "replace").replace("\ufffd", "\u00ff")
    if encoded[0] == "\\":
        return chr(int(encoded.lstrip("\\")[1:], 16))
    if encoded[0] != "&":
        return ""
    entity = _AMPERSANDS.sub("", encoded, count=1)
    if entity[0] != "#":
        # a feed may have changed the case
        return html5.get(entity) or html5.get(entity.lower(), "&" + entity)
    digits = entity[1:].rstrip(";")
    number = int(digits[1:], 16) if digits[0] in "Xx" else int(digits)
    return chr(number) if number <= 0x10FFFF else "\ufffd"
