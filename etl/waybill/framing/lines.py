"""Records of JSON: objects one after another, on lines or not; arrays of objects; envelopes around them."""

import io
from collections.abc import Generator, Iterator
from typing import BinaryIO

from waybill.framing import limits
from waybill.framing.envelopes import content_of
from waybill.framing.raw_record import RawRecord, check_bad
from waybill.framing.streams import open_texts
from waybill.framing.values import Values


def lines_or_arrays(stream: BinaryIO, own_field: str | None = None) -> Iterator[RawRecord]:
    """Yield the records of a JSON file. It contains objects one after another, each on part of a line, one line or
    several; arrays of objects; envelopes around either.

    The position of a record is its first line; in arrays, a number that counts through all arrays of the file.

    :param own_field: a field of every record of the feed: an object with it is no envelope
    """
    position = 0
    for part in open_texts(stream):
        position = yield from json_records(part, own_field, position)


def json_records(part: BinaryIO, own_field: str | None, position: int = 0) -> Generator[RawRecord, None, int]:
    """Yield the records of one decompressed file.

    :param position: of the record before
    :returns: the position of the last record
    """
    values = Values(part, position=position)
    bad_count = 0
    for record in values.values():
        if record.problem is not None:
            bad_count += 1
            check_bad(bad_count, record.position, record.problem)
            yield record
        elif record.value is None or own_field in record.value:
            yield record
        else:
            values.position -= 1
            for inner in _unwrapped(record, own_field, 0):
                values.position += 1
                yield inner._replace(position=values.position)
    return values.position


def _unwrapped(record: RawRecord, own_field: str | None, depth: int) -> Iterator[RawRecord]:
    """Yield the records in an envelope, or the object itself if it is no envelope."""
    fields = record.value
    content = None if fields is None or own_field in fields else content_of(record.raw, fields)
    if content is None:
        yield record
    elif depth >= limits.MOST_ENVELOPES:
        yield record._replace(problem=f"more than {limits.MOST_ENVELOPES} envelopes around it")
    else:
        for inner in Values(io.BytesIO(content)).values():
            yield from _unwrapped(inner, own_field, depth + 1)
