"""Rows of Parquet: the bytes of a row are its JSON. Limits apply to the metadata of the file and to its rows."""

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from decimal import Decimal
from typing import BinaryIO

import msgspec
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from waybill.framing import limits
from waybill.framing.columns import Columns
from waybill.framing.raw_record import RawRecord, too_long
from waybill.model.errors import SourceError

EXACT_UP_TO = 2**53
"""Floats represent whole numbers exactly up to it."""

_DAMAGED = "The Parquet file is damaged or truncated. Nothing of it was loaded; fetch or write it again."
_CHECKING = """
import sys
from waybill.framing.parquet import check_metadata
from waybill.model.errors import SourceError
try:
    check_metadata(sys.stdin.buffer.raw)
except SourceError as error:
    print(error, end="")
"""
_KINDS_OF_TEXT = ("NONE", "STRING", "ENUM", "JSON")


def parquet_rows(stream: BinaryIO, columns: Columns, position: int = 0) -> Generator[RawRecord, None, int]:
    """Yield the rows of a Parquet file, in order.

    :param position: of the record before
    :returns: the position of the last row
    :raises SourceError: the file is damaged, lacks a column, or unfolds to more than a log of decisions can contain
    """
    with tempfile.TemporaryFile() as spooled:
        shutil.copyfileobj(stream, spooled)
        spooled.flush()
        stream = spooled
        byte_count = stream.tell()
        try:
            _check(stream)
            stream.seek(0)
            metadata = parquet.read_metadata(stream)
            found = map(metadata.schema.column, range(metadata.num_columns))
            texts = [
                column.path
                for column in found
                if column.physical_type == "BYTE_ARRAY" and column.logical_type.type in _KINDS_OF_TEXT
            ]
            file = parquet.ParquetFile(stream, metadata=metadata, read_dictionary=texts, pre_buffer=False)
            names = [columns.name_of(name) or name for name in file.schema_arrow.names]
            columns.check(names, "It must have the columns")
            row_bytes = 0
            for batch in file.iter_batches(batch_size=limits.ROWS_AT_ONCE):
                for row in _values(batch, names):
                    position += 1
                    raw = msgspec.json.encode({name: _plain(value) for name, value in row.items() if value is not None})
                    row_bytes += len(raw)
                    if row_bytes > limits.RATIO_COUNTS_FROM and row_bytes > limits.HIGHEST_RATIO * byte_count:
                        raise SourceError(
                            f"The Parquet file unfolds to more than {limits.HIGHEST_RATIO} times its size. This is "
                            "no dispatch log. Nothing of it was loaded; look at the file."
                        )
                    if len(raw) > limits.LONGEST_ROW:
                        yield RawRecord(position, raw[: limits.KEPT_OF_LONG], too_long(limits.LONGEST_ROW))
                    else:
                        yield RawRecord(position, raw)
            return position
        except (pyarrow.ArrowException, OSError, OverflowError, ValueError) as error:
            raise SourceError(_DAMAGED) from error


def _check(file: BinaryIO) -> None:
    """Raise SourceError before a file is unfolded that would need too much time or memory.

    Another process looks at the metadata, because pyarrow ends its own process at the metadata of some damaged files.
    """
    file.seek(0)
    command = [sys.executable, "-P", "-c", _CHECKING]  # -P: without modules of the folder in which it runs
    done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SourceError(_DAMAGED)
    if done.stdout:
        raise SourceError(done.stdout)


def check_metadata(file: BinaryIO) -> None:
    """Check the metadata of a Parquet file against the limits.

    :raises SourceError: the file would need too much time or memory
    :raises pyarrow.ArrowException: the file is damaged; damage of some kinds ends the process
    """
    byte_count = file.seek(0, io.SEEK_END)
    file.seek(0)
    metadata = parquet.read_metadata(file)
    if metadata.num_columns > limits.MOST_COLUMNS:
        raise SourceError(f"The table has more than {limits.MOST_COLUMNS} columns. Nothing of it was loaded.")
    if metadata.num_rows > limits.ROWS_COUNT_FROM and metadata.num_rows > byte_count:
        raise SourceError(
            f"The Parquet file holds {metadata.num_rows} rows in {byte_count} bytes: more than one row per byte. "
            "This is no dispatch log. Nothing of it was loaded; look at the file."
        )
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            size = chunk.total_uncompressed_size
            if size > limits.LONGEST_CHUNK or (
                size > limits.RATIO_COUNTS_FROM and size > limits.LONGEST_MEAN_CELL * max(1, chunk.num_values)
            ):
                raise SourceError(
                    f"A column of the Parquet file holds {size} bytes in a row group; at most {limits.LONGEST_CHUNK}, "
                    f"and {limits.LONGEST_MEAN_CELL} for each cell, are read. Nothing of it was loaded; write it with "
                    "smaller row groups, and without long texts."
                )


def _values(batch: pyarrow.RecordBatch, names: list[str]) -> Iterator[dict[str, object]]:
    """Yield the rows of a batch as Python values, a few at a time if their cells are long."""
    if batch.num_rows > 1 and sum(map(_size, batch.columns)) > limits.ROWS_BYTES_AT_ONCE:
        half = batch.num_rows // 2
        yield from _values(batch.slice(0, half), names)
        yield from _values(batch.slice(half), names)
        return
    cells = dict(zip(names, map(_in_microseconds, batch.columns), strict=True))
    yield from pyarrow.RecordBatch.from_pydict(cells).to_pylist()


def _size(column: pyarrow.Array) -> int:
    """Return the bytes of a column's cells after unfolding."""
    if not pyarrow.types.is_dictionary(column.type) or not _is_of_bytes(column.type.value_type):
        return int(column.nbytes)
    lengths = compute.binary_length(column.dictionary)
    return int(compute.sum(compute.take(lengths, column.indices)).as_py() or 0)


def _is_of_bytes(kind: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_binary(kind))


def _plain(value: object) -> object:
    """Return a cell as a value for JSON. Whole numbers stay whole, although pandas writes them as floats in columns
    with missing values, and databases as decimals. Bytes become text if they are UTF-8."""
    if isinstance(value, float):
        return int(value) if abs(value) <= EXACT_UP_TO and value.is_integer() else value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


def _in_microseconds(column: pyarrow.Array) -> pyarrow.Array:
    """Return timestamps in microseconds; finer digits are cut."""
    if not pyarrow.types.is_timestamp(column.type):
        return column
    return compute.cast(column, pyarrow.timestamp("us", column.type.tz), safe=False)
