"""One record as it stands in a landed object, before anything is known about it."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from etl.framing import limits

NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not an object"
NO_LIST = "no list"
NOT_CLOSED = "the array is not closed: the file may be truncated"

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the parser raises for bytes that are not JSON."""

Element = tuple[bytes, str | None]
"""Its bytes, and why they are no object or None."""

_raw_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class RawRecord(NamedTuple):
    """A record that was found.

    :ivar position: the line (files of lines) or the element (arrays, bodies, Parquet), from 1
    :ivar raw: its bytes as received
    :ivar problem: why it is no record at all (not JSON, not an object), or None
    :ivar value: its fields, where they are known already (rows of CSV); None: decode `raw` as JSON
    """

    position: int
    raw: bytes
    problem: str | None = None
    value: dict[str, object] | None = None


def elements_of(array: bytes) -> Iterator[Element]:
    """The elements of an array of JSON. Raises one of UNDECODABLE at once where it is none."""
    return map(_element, _raw_elements(array))


def _element(element: msgspec.Raw) -> Element:
    raw = bytes(element)
    return raw, problem_of(raw)


def problem_of(element: bytes) -> str | None:
    """Why the bytes are no object; None where they may be one."""
    if element.startswith(b"{"):
        return None
    try:
        msgspec.json.decode(element)
    except UNDECODABLE:
        return NOT_JSON
    return NOT_AN_OBJECT


def too_long(longest: int) -> str:
    """The problem of what is longer than so many bytes."""
    return f"longer than {longest} bytes: only its first {limits.KEPT_OF_LONG} are kept"
