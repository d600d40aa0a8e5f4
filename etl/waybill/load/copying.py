"""Writes rows into Postgres with COPY, in blocks, so that memory stays flat."""

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

FLUSH_CHARACTERS = 8 << 20

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _text(value: str) -> str:
    if "\\" not in value and value.isprintable():  # nearly always true, and much faster than translate
        return value
    return value.translate(_ESCAPES)


def _array(value: list[str]) -> str:
    inner = ",".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in value)
    return _text("{" + inner + "}")


def _json(value: object) -> str:
    return _text(msgspec.json.encode(value).decode())


_ENCODERS: dict[type, Callable[[Any], str]] = {
    str: _text,
    int: str,
    bool: lambda value: "t" if value else "f",
    UUID: lambda value: f"{value.int:032x}",
    bytes: lambda value: "\\\\x" + value.hex(),
    datetime: datetime.isoformat,
    Decimal: lambda value: format(value, "f"),
    list: _array,
    dict: _json,
}


class CopyInto:
    """Collects rows for one table and copies them in blocks. Call `flush` at the end.

    The type of a value determines its text: a list becomes text[], a dict jsonb, bytes become bytea.
    """

    def __init__(self, cursor: Cursor, schema: str, table: str, columns: Sequence[str]) -> None:
        self._cursor = cursor
        self._statement = sql.SQL("copy {} ({}) from stdin").format(
            sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        self._buffer = io.StringIO()
        self.row_count = 0

    def add(self, values: Sequence[object]) -> None:
        """Add one row, with its values in the order of the columns."""
        line = "\t".join(["\\N" if value is None else _ENCODERS[type(value)](value) for value in values])
        self._buffer.write(line)
        self._buffer.write("\n")
        self.row_count += 1
        if self._buffer.tell() > FLUSH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Send the collected rows."""
        if self._buffer.tell():
            self._buffer.seek(0)
            self._cursor.copy_expert(self._statement, self._buffer)
            self._buffer = io.StringIO()
