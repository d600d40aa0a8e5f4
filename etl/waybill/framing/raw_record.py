"""One record as it was found in a landed object, not yet decoded."""

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
    """One record of an object.

    :ivar position: number of the line (files of lines) or the element (arrays, bodies, Parquet), from 1
    :ivar raw: its bytes as received
    :ivar problem: why it is not a record (not JSON, not an object); None for a record
    :ivar value: its fields if already decoded; else decode `raw` as JSON
    """

    position: int
    raw: bytes
    problem: str | None = None
    value: dict[str, object] | None = None


def problem_of(element: bytes) -> str | None:
    """Return why the bytes are not an object; None if they may be one."""
    if element.startswith(b"{"):
        return None
    try:
        msgspec.json.decode(element)
    except UNDECODABLE:
        return NOT_JSON
    return NOT_AN_OBJECT


def too_long(longest: int) -> str:
    """Return the problem of a record with more than `longest` bytes."""
    return f"longer than {longest} bytes: only its first {limits.KEPT_OF_LONG} are kept"


def check_bad(bad_count: int, count: int, problem: str) -> None:
    """Raise SourceError if nearly nothing in a file is a record.

    :param count: approximate number of records so far
    :param problem: of the last record
    """
    if bad_count >= limits.MOST_PROBLEMS and 2 * bad_count > count:
        raise SourceError(
            f"{limits.MOST_PROBLEMS} records of the file cannot be read, more than half so far. The last one is "
            f"{problem}. Nothing of the file was loaded; look at it."
        )


def check_empty(count: int) -> None:
    """Raise SourceError if a file has too many empty lines."""
    if count > limits.MOST_EMPTY_ROWS:
        raise SourceError(
            f"The file holds more than {limits.MOST_EMPTY_ROWS} empty lines. Nothing of it was loaded; write it "
            "without them."
        )
