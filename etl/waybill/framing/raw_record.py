"""One record as it stands in a landed object, before anything is known about it."""

from typing import NamedTuple

import msgspec

from waybill.framing import limits
from waybill.model.errors import SourceError

NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not an object"
NO_LIST = "no list"
NOT_CLOSED = "the array is not closed: the file may be truncated"
BROKEN_OFF = "the last record is not closed: the file may be truncated"

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the parser raises for bytes that are not JSON."""


class RawRecord(NamedTuple):
    """A record that was found.

    :ivar position: the line (files of lines) or the element (arrays, bodies, Parquet), from 1
    :ivar raw: its bytes as received
    :ivar problem: why it is no record at all (not JSON, not an object), or None
    :ivar value: its fields, where they are known already; None: decode `raw` as JSON
    """

    position: int
    raw: bytes
    problem: str | None = None
    value: dict[str, object] | None = None


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


def check_bad(bad_count: int, count: int, problem: str) -> None:
    """Refuse a file in which nearly nothing is a record. Raises SourceError.

    :param count: about how many records came so far
    :param problem: that of the last one
    """
    if bad_count >= limits.MOST_PROBLEMS and 2 * bad_count > count:
        raise SourceError(
            f"{limits.MOST_PROBLEMS} records of the file are none, and fewer are good; the last one is {problem}. "
            "Nothing of it was loaded; look at the file."
        )


def check_empty(count: int) -> None:
    """Refuse a file that holds so many lines with nothing in them. Raises SourceError."""
    if count > limits.MOST_EMPTY_ROWS:
        raise SourceError(
            f"The file holds more than {limits.MOST_EMPTY_ROWS} empty lines. Nothing of it was loaded; write it "
            "without them."
        )
