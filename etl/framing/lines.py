"""Records of JSON in lines: objects, arrays, or one array over many lines."""

from collections.abc import Iterator
from typing import BinaryIO

from etl.framing import limits
from etl.framing.arrays import Array
from etl.framing.raw_record import UNDECODABLE, Element, RawRecord, elements_of, problem_of, too_long
from etl.framing.source import Source
from etl.framing.streams import BOM, open_bytes


def lines_or_arrays(stream: BinaryIO, *, may_be_arrays: bool = True) -> Iterator[RawRecord]:
    """The records of lines of objects, lines of arrays, or one array over any number of lines; plain or gzip.

    A record's position is its line's number; in arrays a number that runs on over all arrays of the file.

    :param may_be_arrays: False: an array is no record, and one that is rejected
    """
    source = Source(open_bytes(stream))
    position = line_number = 0
    while line := source.line(limits.LONGEST_RECORD):
        line_number += 1
        record = line.strip()
        if record.startswith(BOM):
            record = record[len(BOM) :].lstrip()
        if record.startswith(b"{") and len(line) <= limits.LONGEST_RECORD:
            position = position + 1 if position >= line_number else line_number
            yield RawRecord(position, record)
        elif may_be_arrays and record.startswith(b"["):
            for element, problem in _elements_of_line(source, line, record):
                position += 1
                yield RawRecord(position, element, problem)
        elif record:
            position = position + 1 if position >= line_number else line_number
            if len(line) > limits.LONGEST_RECORD:
                if not line.endswith(b"\n"):
                    source.skip_line()
                yield RawRecord(position, record[: limits.KEPT_OF_LONG], too_long(limits.LONGEST_RECORD))
            else:
                yield RawRecord(position, record, problem_of(record))


def _elements_of_line(source: Source, line: bytes, record: bytes) -> Iterator[Element]:
    """Elements of the array that begins on this line."""
    if len(line) <= limits.LONGEST_RECORD:
        try:
            return elements_of(record)
        except UNDECODABLE:
            pass
    return Array(source, line[line.index(b"[") + 1 :]).elements()
