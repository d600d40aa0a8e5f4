"""Framing of tables: CSV, Parquet, or JSON, recognised by their bytes. It streams with constant memory.

CSV: a line with the names of the columns, perhaps after Excel's `sep=`; comma, semicolon, tab or bar between cells;
double quotes where needed; UTF-8 with or without a byte order mark. Empty cells are absent, empty rows are skipped.
"""

import csv
import re
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import BinaryIO

from waybill.framing import limits
from waybill.framing.columns import Columns
from waybill.framing.lines import json_records
from waybill.framing.raw_record import BROKEN_OFF, RawRecord, check_bad, check_empty, too_long
from waybill.framing.streams import BOM, is_parquet, open_parts, peek, with_line_feeds
from waybill.model.errors import SourceError

DELIMITERS = ",;\t|"
_LOOK_AT = 4096
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def table(stream: BinaryIO, required: Sequence[str], known: Sequence[str] = ()) -> Iterator[RawRecord]:
    """Yield the rows of a table in any of the three formats.

    Positions of CSV and Parquet are row numbers from 1, without the header; of JSON as in `lines.lines_or_arrays`.

    :param required: columns that a CSV or Parquet file must have
    :param known: other columns that are recognised in any spelling of their names
    :raises SourceError: a required column is missing, or the file is damaged or exceeds a limit
    """
    columns = Columns(required, known)
    position = 0
    for part in open_parts(stream):
        head, opened = peek(part, _LOOK_AT)
        if is_parquet(head, opened):
            from waybill.framing.parquet import parquet_rows  # a large library for one kind of files

            position = yield from parquet_rows(opened, columns, position)
        elif head.removeprefix(BOM).lstrip().startswith((b"{", b"[")):
            position = yield from _json_rows(opened, columns, position)
        else:
            is_of_old_mac = b"\r" in head and b"\n" not in head
            position = yield from _csv_rows(with_line_feeds(opened) if is_of_old_mac else opened, columns, position)


Rows = Generator[RawRecord, None, int]
"""Yields the rows of a file; returns the position of the last row."""


def _json_rows(stream: BinaryIO, columns: Columns, position: int) -> Rows:
    for record in json_records(stream, columns.required[0], position):
        position = record.position
        fields = record.value
        if fields is None or columns.known >= fields.keys():
            yield record
            continue
        named = {columns.name_of(written) or written: value for written, value in fields.items()}
        problem = None if len(named) == len(fields) else "a column is named more than once"
        yield RawRecord(position, record.raw, record.problem or problem, named)
    return position


def _csv_rows(stream: BinaryIO, columns: Columns, position: int) -> Rows:
    lines = _Lines(stream)
    header = lines.next_with_text(b"").removeprefix(BOM)
    delimiter = None
    if named := _SEP.fullmatch(header.decode("utf-8", "replace")):
        delimiter = named[1]
        header = lines.next_with_text(b"")
    if not header:
        return position
    names, delimiter = _header(header.decode("utf-8", "replace"), delimiter, columns)
    columns.check(names, "Its first line must name the columns")
    blank = delimiter.encode() + b" \t\r\n\v\f"
    before, bad_count = position, 0
    while line := lines.next_with_text(blank):
        position += 1
        fields, raw, problem = _row(line, lines, delimiter)
        if problem is None and len(fields) > len(names) and not "".join(fields[len(names) :]).strip():
            fields = fields[: len(names)]  # only separators follow the last column
        if problem is None and len(fields) != len(names):
            is_cut = len(fields) < len(names) and lines.is_cut()
            problem = BROKEN_OFF if is_cut else f"{len(fields)} fields instead of {len(names)}"
        if problem is not None:
            bad_count += 1
            check_bad(bad_count, position - before, problem)
            yield RawRecord(position, raw, problem)
        else:
            row: dict[str, object] = {name: field for name, field in zip(names, fields) if field}  # noqa: B905
            yield RawRecord(position, raw, None, row)
    return position


def _header(title: str, delimiter: str | None, columns: Columns) -> tuple[list[str], str]:
    """Return the names of the columns and the delimiter: the given one, or the one that finds the required columns."""
    delimiters = [delimiter] if delimiter else sorted(DELIMITERS, key=lambda one: -title.count(one))
    if title.count(delimiters[0]) >= limits.MOST_COLUMNS:
        raise SourceError(f"The table has more than {limits.MOST_COLUMNS} columns. Nothing of it was loaded.")
    for one in delimiters:
        names = _names(title, one, columns)
        if not columns.missing(names):
            return names, one
    return _names(title, delimiters[0], columns), delimiters[0]


def _names(title: str, delimiter: str, columns: Columns) -> list[str]:
    try:
        written = next(csv.reader([title.strip("\r\n")], delimiter=delimiter, skipinitialspace=delimiter != "\t"))
    except csv.Error as error:
        raise SourceError("The first line of the table cannot be read as CSV. Nothing of it was loaded.") from error
    return [columns.name_of(name) or name.strip().lower() for name in written]


class _Lines:
    """The lines of a stream. Lines that are not part of the present row can be put back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[bytes] = deque()
        self._empty_count = 0
        self._last = b"\n"

    def next(self) -> bytes:
        if self._waiting:
            return self._waiting.popleft()
        line = self._stream.readline(limits.LONGEST_ROW + 1)
        if len(line) > limits.LONGEST_ROW and not line.endswith(b"\n"):
            while (piece := self._stream.readline(limits.BLOCK)) and not piece.endswith(b"\n"):
                pass
        elif line:
            self._last = line
        return line

    def next_with_text(self, blank: bytes) -> bytes:
        """Return the next line with more than blanks and separators; empty at the end."""
        while (line := self.next()) and not line.strip(blank or None):
            self._empty_count += 1
            check_empty(self._empty_count)
        return line

    def put_back(self, lines: Sequence[bytes]) -> None:
        self._waiting.extendleft(reversed(lines))

    def is_cut(self) -> bool:
        """Whether the file was read to its end, which is inside a line."""
        return not self._waiting and not self._last.endswith(b"\n")


def _row(first: bytes, lines: _Lines, delimiter: str) -> tuple[list[str], bytes, str | None]:
    """Return (fields, bytes, problem) of the row that begins with this line; quoted fields may have several lines."""
    taken = [first]
    while True:
        raw = b"".join(taken).rstrip(b"\r\n")
        if len(raw) > limits.LONGEST_ROW:
            lines.put_back(taken[1:])
            return [], taken[0][: limits.KEPT_OF_LONG], too_long(limits.LONGEST_ROW)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            is_cut = lines.is_cut()
            lines.put_back(taken[1:])
            return [], taken[0].rstrip(b"\r\n"), BROKEN_OFF if is_cut else "not UTF-8"
        if '"' not in text:
            return text.split(delimiter), raw, None
        try:
            cells = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t")
            return next(cells), raw, None
        except csv.Error as error:
            is_open = "unexpected end" in str(error)
            if is_open and len(taken) < limits.MOST_LINES_OF_A_ROW:
                if line := lines.next():
                    taken.append(line)
                    continue
                problem = BROKEN_OFF
            else:
                is_open = is_open or len(taken) > 1
                problem = "a quoted field is not closed" if is_open else "a quoted field is followed by text"
        lines.put_back(taken[1:])
        return [], taken[0].rstrip(b"\r\n"), problem
