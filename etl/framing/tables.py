"""Framing of tables: CSV, Parquet, or lines of JSON, told by the bytes. Streaming, flat in memory.

CSV: a header line, comma or semicolon (whichever the header has more of), fields in double quotes where needed, UTF-8
with or without a byte order mark. An empty cell is absent. Parquet: a row's bytes are its JSON.
"""

import csv
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import msgspec

from etl.framing import limits
from etl.framing.lines import lines_or_arrays
from etl.framing.raw_record import RawRecord, too_long
from etl.framing.source import Source
from etl.framing.streams import BOM, open_bytes, peek
from etl.model.errors import SourceError

PARQUET = b"PAR1"
_LOOK_AT = 4096


def table(stream: BinaryIO, required: Sequence[str]) -> Iterator[RawRecord]:
    """The rows of a table, in whichever of the three formats it is.

    Positions: rows of CSV and Parquet from 1, the header not counted; of JSON as in `lines.lines_or_arrays`.

    :param required: columns without which a CSV or Parquet file is not this table
    :raises SourceError: a required column is missing, the Parquet file is damaged
    """
    opened = open_bytes(stream)
    head, opened = peek(opened, _LOOK_AT)
    if head.startswith(PARQUET):
        return _parquet_rows(opened, required)
    if head.removeprefix(BOM).lstrip().startswith((b"{", b"[")):
        return lines_or_arrays(opened, may_be_arrays=False)
    return _csv_rows(Source(opened), required)


def _check_columns(present: Sequence[str], required: Sequence[str]) -> None:
    doubled = sorted({name for name in present if name and present.count(name) > 1})
    if doubled:
        raise SourceError(
            f"The table names the column {', '.join(doubled)} more than once; nobody can say which one counts. Nothing "
            "of it was loaded."
        )
    missing = [name for name in required if name not in present]
    if missing:
        raise SourceError(
            f"The table has no column {', '.join(missing)}. Its first line must name the columns "
            f"({', '.join(required)} and others); nothing of it was loaded."
        )


def _csv_rows(source: Source, required: Sequence[str]) -> Iterator[RawRecord]:
    header = b""
    while (line := source.line(limits.LONGEST_ROW)) and not (header := line.removeprefix(BOM).strip()):
        pass
    if not header:
        return
    title = header.decode("utf-8", "replace")
    delimiter = ";" if header.count(b";") > header.count(b",") else ","
    try:
        written = next(csv.reader([title], delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise SourceError(
            "The first line of the table cannot be read as CSV (are its line ends those of an old Mac?). Nothing of it "
            "was loaded."
        ) from error
    names = [name.strip().lower() for name in written]
    _check_columns(names, required)
    position = 0
    lines = _Lines(source)
    while line := lines.next():
        if not line.strip():
            continue
        position += 1
        fields, raw, problem = _row(line, lines, delimiter)
        if problem is None and len(fields) != len(names):
            problem = f"{len(fields)} fields instead of {len(names)}"
        value = None if problem else {name: field for name, field in zip(names, fields, strict=True) if field}
        yield RawRecord(position, raw, problem, value)


class _Lines:
    """Lines of a source; those that turned out to belong to no row before can be put back."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: deque[bytes] = deque()

    def next(self) -> bytes:
        if self._waiting:
            return self._waiting.popleft()
        line = self._source.line(limits.LONGEST_ROW)
        if len(line) > limits.LONGEST_ROW and not line.endswith(b"\n"):
            self._source.skip_line()
        return line

    def put_back(self, lines: Sequence[bytes]) -> None:
        self._waiting.extendleft(reversed(lines))


def _row(first: bytes, lines: _Lines, delimiter: str) -> tuple[list[str], bytes, str | None]:
    """(fields, bytes, problem) of the row that begins with this line; quoted fields may go over several lines."""
    taken = [first]
    while True:
        raw = b"".join(taken).rstrip(b"\r\n")
        if len(raw) > limits.LONGEST_ROW:
            lines.put_back(taken[1:])
            return [], taken[0][: limits.KEPT_OF_LONG], too_long(limits.LONGEST_ROW)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            lines.put_back(taken[1:])
            return [], taken[0].rstrip(b"\r\n"), "not UTF-8"
        if '"' not in text:
            return text.split(delimiter), raw, None
        try:
            rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
            if len(rows) == 1:
                return rows[0], raw, None
            problem = "a quoted field is followed by text"
        except csv.Error as error:
            is_open = "unexpected end" in str(error)
            if is_open and len(taken) < limits.MOST_LINES_OF_A_ROW and (line := lines.next()):
                taken.append(line)
                continue
            is_open = is_open or len(taken) > 1
            problem = "a quoted field is not closed" if is_open else "a quoted field is followed by text"
        lines.put_back(taken[1:])
        return [], taken[0].rstrip(b"\r\n"), problem


def _parquet_rows(stream: BinaryIO, required: Sequence[str]) -> Iterator[RawRecord]:
    import pyarrow  # a big library, for files of one kind
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    with tempfile.TemporaryFile() as spooled:
        if not stream.seekable():
            shutil.copyfileobj(stream, spooled)
            stream = spooled
        try:
            file = parquet.ParquetFile(stream, pre_buffer=False)
            _check_columns(file.schema_arrow.names, required)
            position = 0
            for batch in file.iter_batches(batch_size=limits.ROWS_AT_ONCE):
                columns = {
                    name: _in_microseconds(column, pyarrow, compute)
                    for name, column in zip(batch.schema.names, batch.columns, strict=True)
                }
                for row in pyarrow.RecordBatch.from_pydict(columns).to_pylist():
                    position += 1
                    present = {name: _whole(value) for name, value in row.items() if value is not None}
                    yield RawRecord(position, msgspec.json.encode(present))
        except (pyarrow.ArrowException, OSError, OverflowError, ValueError) as error:
            raise SourceError(
                "The Parquet file is damaged or truncated. Nothing of it was loaded; fetch or write it again."
            ) from error


def _whole(value: object) -> object:
    """pandas writes whole numbers as floats where some are missing; they are whole numbers all the same."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_microseconds(column, pyarrow, compute):  # noqa: ANN001 - types of a library that is imported late
    """Timestamps as microseconds: what is finer is cut."""
    if not pyarrow.types.is_timestamp(column.type):
        return column
    return compute.cast(column, pyarrow.timestamp("us", column.type.tz), safe=False)
