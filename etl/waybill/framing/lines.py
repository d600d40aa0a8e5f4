"""Records of JSON: objects one after another, on lines or not; arrays of objects; envelopes around them."""

import io
from collections.abc import Generator, Iterator
from typing import BinaryIO

from waybill.framing import limits
from waybill.framing.envelopes import content_of
from waybill.framing.posted_forms import PostedForm
from waybill.framing.raw_record import NOT_JSON, RawRecord, check_bad
from waybill.framing.streams import open_texts
from waybill.framing.values import Values


def lines_or_arrays(
    stream: BinaryIO, own_field: str | None = None, form: PostedForm | None = None
) -> Iterator[RawRecord]:
    """Yield the records of a JSON file. It contains objects one after another, each on part of a line, one line or
    several; arrays of objects; envelopes around either. If the provider posts forms, a line may be a form.

    The position of a record is its first line; in arrays, a number that counts through all arrays of the file.

    :param own_field: a field of every record of the feed: an object with it is no envelope
    """
    position = 0
    for part in open_texts(stream):
        position = yield from json_records(part, own_field, position, form)


def json_records(
    part: BinaryIO, own_field: str | None, position: int = 0, form: PostedForm | None = None
) -> Generator[RawRecord, None, int]:
    """Yield the records of one decompressed file.

    :param position: of the record before
    :returns: the position of the last record
    """
    values = Values(part, position=position)
    bad_count = 0
    for record in values.values():
        content = _content(record, own_field, form)
        if content is None:
            if record.problem is not None:
                bad_count += 1
                check_bad(bad_count, record.position, record.problem)
            yield record
        else:
            values.position -= 1
            for inner in _unwrapped(record, content, own_field, form):
                values.position += 1
                yield inner._replace(position=values.position)
    return values.position


def _content(record: RawRecord, own_field: str | None, form: PostedForm | None) -> bytes | None:
    """Return the JSON text in an envelope or a form; None if the record is neither."""
    if record.problem is not None:
        return form.json_of(record.raw) if form is not None and record.problem == NOT_JSON else None
    fields = record.value
    return None if fields is None or own_field in fields else content_of(record.raw, fields, form)


def _unwrapped(
    record: RawRecord, content: bytes, own_field: str | None, form: PostedForm | None, depth: int = 1
) -> Iterator[RawRecord]:
    """Yield the records in an envelope with this content."""
    if depth > limits.MOST_ENVELOPES:
        yield record._replace(problem=f"more than {limits.MOST_ENVELOPES} envelopes around it")
        return
    for inner in Values(io.BytesIO(content)).values():
        if (innermost := _content(inner, own_field, form)) is None:
            yield inner
        else:
            yield from _unwrapped(inner, innermost, own_field, form, depth + 1)
