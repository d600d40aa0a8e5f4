"""A report as people and programs want to have it: a table, CSV, JSON or Parquet; exact, and in the order of its grain.

Rows are read and written in batches, so that memory does not grow with the report (a table for people excepted).
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import msgspec
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.model.errors import UsageError
from waybill.reports.catalogue import Report, find

BATCH = 5_000
FORMULA_STARTS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")
"""What a spreadsheet takes for the start of a formula: also signs of full width, as East Asian editions do."""
DECIMALS_OF_MONEY = 15
"""Decimal places of an unbounded numeric in Parquet, which wants to know: those that feeds let a price have."""
ROWS_OF_A_TABLE = 1_000
"""At most so many messages of a detail view as a table: it is laid out in memory, and nobody reads more."""
_PRECISION = 38
_TABLE_WIDTH = 10_000
_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")

_NEEDS_QUOTES = re.compile(r'[",\r\n]')

Rows = Iterator[list[tuple]]


class Writable(Protocol):
    """A place for bytes."""

    def write(self, data: bytes, /) -> int:
        """Write all of the data; returns its length."""


def show(
    connection: Connection,
    name: str,
    from_day: date | None,
    until_day: date | None,
    form: str,
    stream: Writable,
    limit: int | None = None,
    columns: tuple[str, ...] | None = None,
    only: Mapping[str, str] | None = None,
) -> int:
    """Write the rows of a report, in the order of its grain; returns how many.

    :param from_day: first local day, None: from the beginning
    :param until_day: last local day, itself included; None: to the end
    :param form: table, csv, json (one array) or parquet
    :param limit: at most so many rows, the first; None: every row; of a detail view as a table ROWS_OF_A_TABLE
    :param columns: which, in this order; None: all, as a table those for people
    :param only: column to the value that rows must have there, as text; of a list, one of its values
    :raises UsageError: no such report, format or column, a value that the column cannot have, or days where the report
        has none
    """
    report = find(name)
    writer = FORMATS.get(form)
    if writer is None:
        raise UsageError(f"There is no format {form!r}. Formats: {', '.join(FORMATS)}.")
    if report.day_column is None and (from_day or until_day):
        raise UsageError(f"Report {name} has no days; leave --from-day and --until-day out.")
    if from_day and until_day and until_day < from_day:
        raise UsageError(f"--until-day {until_day} lies before --from-day {from_day}.")
    if form == "table":
        columns = columns or report.columns_of_a_table
        limit = limit or (ROWS_OF_A_TABLE if report.is_detail else None)
    columns = columns or report.columns
    kept = dict(only or {})
    conditions = _conditions(connection, report, kept)
    with connection, connection.cursor("report_rows") as cursor:
        cursor.itersize = BATCH
        query = _query(report, columns, from_day, until_day, conditions)
        parameters = {"from_day": from_day, "until_day": until_day, "limit": limit}
        parameters |= {f"only_{column}": value for column, value in kept.items()}
        try:
            cursor.execute(query, parameters)
        except psycopg2.DataError as error:
            raise UsageError(f"Report {name}: a value is none of its column: {str(error).splitlines()[0]}.") from error
        except UnicodeEncodeError as error:  # bytes of a command line that are no UTF-8
            raise UsageError(f"Report {name}: a value is none of its column: no text in UTF-8.") from error
        first = cursor.fetchmany(BATCH)  # a named cursor knows its columns once it has fetched
        return writer(columns, cursor.description, _batches(first, lambda: cursor.fetchmany(BATCH)), stream)


def _conditions(connection: Connection, report: Report, only: Mapping[str, str]) -> list[sql.Composable]:
    unknown = [column for column in only if column not in report.columns]
    if unknown:
        raise UsageError(
            f"Report {report.name} has no column {unknown[0]!r}. Its columns: {', '.join(report.columns)}."
        )
    if not only:
        return []
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select a.attname from pg_attribute as a inner join pg_type as t on t.oid = a.atttypid"
            " where a.attrelid = %s::regclass and t.typcategory = 'A'",
            (report.table,),
        )
        lists = {name for (name,) in cursor.fetchall()}
    return [
        sql.SQL("{value} = any ({column})" if column in lists else "{column} = {value}").format(
            column=sql.Identifier(column), value=sql.Placeholder(f"only_{column}")
        )
        for column in only
    ]


def _query(
    report: Report,
    columns: tuple[str, ...],
    from_day: date | None,
    until_day: date | None,
    kept: Sequence[sql.Composable],
) -> sql.Composable:
    query = sql.SQL("select {columns} from {table}").format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(*report.table.split(".")),
    )
    # Only days that are asked for: what has no day (a message that was never sent) is part of the whole.
    conditions = [
        sql.SQL(condition).format(day=sql.Identifier(report.day_column))
        for condition, day in (("{day} >= %(from_day)s", from_day), ("{day} <= %(until_day)s", until_day))
        if day is not None
    ]
    conditions += kept
    if conditions:
        query += sql.SQL(" where ") + sql.SQL(" and ").join(conditions)
    order = sql.SQL(", ").join(map(sql.Identifier, report.order))
    return query + sql.SQL(" order by {} limit %(limit)s").format(order)


def _batches(first: list[tuple], fetch: Callable[[], list[tuple]]) -> Rows:
    batch = first
    while batch:
        yield batch
        batch = fetch()


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if _is_json(value):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return " ".join(_as_text(item) for item in value)
    return str(value)


def _is_json(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _as_arrow(value: object) -> object:
    return _as_text(value) if isinstance(value, UUID) or _is_json(value) else value


def _table(columns: tuple[str, ...], description, rows: Rows, stream: Writable) -> int:  # noqa: ANN001
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in description:
        table.add_column(column.name, justify="right" if _is_number(column) else "left", no_wrap=True)
    count = 0
    for batch in rows:
        for row in batch:
            table.add_row(*(Text(_as_text(value).translate(_CONTROL)) for value in row))
        count += len(batch)
    text = io.StringIO()
    # Wide enough for every column: a report is never cut to the width of a terminal.
    Console(file=text, width=_TABLE_WIDTH, color_system=None).print(table)
    stream.write("\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip()).encode() + b"\n")
    return count


def _csv(columns: tuple[str, ...], description, rows: Rows, stream: Writable) -> int:  # noqa: ANN001
    # Not csv.writer: with lines that end in a bare line feed it leaves a carriage return inside a cell unquoted.
    def cell(value: object) -> str:
        text = _as_text(value)
        if isinstance(value, str) and text.startswith(FORMULA_STARTS):
            text = f"'{text}"
        return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text

    count = 0
    stream.write((",".join(columns) + "\n").encode())
    for batch in rows:
        stream.write("".join(",".join(map(cell, row)) + "\n" for row in batch).encode())
        count += len(batch)
    return count


def _json(columns: tuple[str, ...], description, rows: Rows, stream: Writable) -> int:  # noqa: ANN001
    # Decimals as JSON numbers with all their digits, never by way of a float.
    encode = msgspec.json.Encoder(decimal_format="number").encode
    count = 0
    stream.write(b"[")
    for batch in rows:
        for row in batch:
            stream.write(b",\n" if count else b"\n")
            stream.write(encode(dict(zip(columns, row, strict=True))))
            count += 1
    stream.write(b"\n]\n" if count else b"]\n")
    return count


def _parquet(columns: tuple[str, ...], description, rows: Rows, stream: Writable) -> int:  # noqa: ANN001
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema([(column.name, _arrow_type(column)) for column in description])
    count = 0
    with parquet.ParquetWriter(stream, schema) as writer:
        for batch in rows:
            by_column = dict(zip(columns, zip(*batch, strict=True), strict=True))
            cells = {name: list(map(_as_arrow, by_column[name])) for name in columns}
            writer.write_table(pyarrow.table(cells, schema=schema))
            count += len(batch)
    return count


_DATE, _DATES, _TEXT, _TEXTS, _BOOLEAN, _TIME = 1082, 1182, 25, 1009, 16, 1184
_UUID, _JSONB = 2950, 3802
_INTEGERS = (20, 23)
_NUMERIC = 1700
_UNBOUNDED_PRECISION = 1_000


def _is_number(column) -> bool:  # noqa: ANN001
    return column.type_code in (*_INTEGERS, _NUMERIC)


def _arrow_type(column) -> object:  # noqa: ANN001
    import pyarrow

    if column.type_code == _NUMERIC:
        if column.precision is None or column.precision > _UNBOUNDED_PRECISION:
            return pyarrow.decimal128(_PRECISION, DECIMALS_OF_MONEY)
        return pyarrow.decimal128(column.precision, column.scale)
    return {
        _DATE: pyarrow.date32(),
        _DATES: pyarrow.list_(pyarrow.date32()),
        _TEXT: pyarrow.string(),
        _TEXTS: pyarrow.list_(pyarrow.string()),
        _UUID: pyarrow.string(),
        _JSONB: pyarrow.string(),
        _BOOLEAN: pyarrow.bool_(),
        _TIME: pyarrow.timestamp("us", tz="UTC"),
        **dict.fromkeys(_INTEGERS, pyarrow.int64()),
    }[column.type_code]


FORMATS: dict[str, Callable[..., int]] = {"table": _table, "csv": _csv, "json": _json, "parquet": _parquet}
