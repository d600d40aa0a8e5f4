"""Writes a report as a table, CSV, JSON or Parquet, with exact values and in the order of its grain.

Rows are read and written in batches, so that memory does not grow with the report (except for a table).
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import msgspec
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import Column
from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.model.errors import UsageError
from waybill.reports.catalogue import Report, find

BATCH = 5_000
FORMULA_STARTS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")
"""How a formula starts in a spreadsheet: East Asian editions also accept signs of full width."""
DECIMALS_OF_MONEY = 15
"""Decimal places of an unbounded numeric in Parquet: as many as feeds allow in a price."""
ROWS_OF_A_TABLE = 1_000
"""The limit on messages of a detail view as a table, because a table is in memory."""
_PRECISION = 38
_TABLE_WIDTH = 10_000
_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")

_NEEDS_QUOTES = re.compile(r'[",\r\n]')

Row = tuple[Any, ...]
Rows = Iterator[list[Row]]


class Writable(Protocol):
    """A stream that accepts bytes."""

    def write(self, data: bytes, /) -> int:
        """Write all of the data; returns its length."""


class Writer(Protocol):
    """A function that writes rows in one format."""

    def __call__(self, columns: tuple[str, ...], description: Sequence[Column], rows: Rows, stream: Writable, /) -> int:
        """Write the rows; returns how many."""


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

    :param from_day: first local day; None: from the beginning
    :param until_day: last local day, included; None: to the end
    :param form: table, csv, json (one array) or parquet
    :param limit: the highest number of rows; None: all, but only ROWS_OF_A_TABLE of a detail view as a table
    :param columns: the columns, in this order; None: all, or `Report.columns_of_a_table` as a table
    :param only: the value, as text, that each of these columns must have; a list must contain it
    :raises UsageError: there is no such report, format or column, a value does not fit its column, or days are given
        for a report without days
    """
    report = find(name)
    writer = FORMATS.get(form)
    if writer is None:
        raise UsageError(f"There is no format {form!r}. Formats: {', '.join(FORMATS)}.")
    if report.day_column is None and (from_day or until_day):
        raise UsageError(f"Report {name} has no days; leave --from-day and --until-day out.")
    if from_day and until_day and until_day < from_day:
        raise UsageError(f"--until-day {until_day} is before --from-day {from_day}.")
    if form == "table":
        columns = columns or report.columns_of_a_table
        limit = limit or (ROWS_OF_A_TABLE if report.is_detail else None)
    columns = columns or report.columns
    kept = dict(only or {})
    conditions = _conditions(connection, report, kept)
    with connection, connection.cursor("report_rows") as cursor:
        cursor.itersize = BATCH
        query = _query(report, columns, from_day, until_day, conditions)
        parameters: dict[str, object] = {"from_day": from_day, "until_day": until_day, "limit": limit}
        parameters |= {f"only_{column}": value for column, value in kept.items()}
        try:
            cursor.execute(query, parameters)
        except psycopg2.DataError as error:
            raise UsageError(
                f"Report {name}: a value does not fit its column: {str(error).splitlines()[0]}."
            ) from error
        except UnicodeEncodeError as error:  # bytes of the command line that are not UTF-8
            raise UsageError(f"Report {name}: a value does not fit its column: it is not UTF-8.") from error
        first = cursor.fetchmany(BATCH)  # a named cursor has a description only after the first fetch
        return writer(columns, cursor.description or (), _batches(first, lambda: cursor.fetchmany(BATCH)), stream)


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
    # Without given days there is no condition, so that rows without a day (unsent messages) are included.
    conditions = list(kept)
    for condition, day in (("{day} >= %(from_day)s", from_day), ("{day} <= %(until_day)s", until_day)):
        if day is not None and report.day_column is not None:
            conditions.append(sql.SQL(condition).format(day=sql.Identifier(report.day_column)))
    if conditions:
        query += sql.SQL(" where ") + sql.SQL(" and ").join(conditions)
    order = sql.SQL(", ").join(map(sql.Identifier, report.order))
    return query + sql.SQL(" order by {} limit %(limit)s").format(order)


def _batches(first: list[Row], fetch: Callable[[], list[Row]]) -> Rows:
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


def _table(columns: tuple[str, ...], description: Sequence[Column], rows: Rows, stream: Writable) -> int:
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
    # Wide enough for all columns: a report is never cut to the width of a terminal.
    Console(file=text, width=_TABLE_WIDTH, color_system=None).print(table)
    stream.write("\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip()).encode() + b"\n")
    return count


def _csv(columns: tuple[str, ...], description: Sequence[Column], rows: Rows, stream: Writable) -> int:
    # csv.writer does not quote a carriage return in a cell if lines end in a line feed only.
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


def _json(columns: tuple[str, ...], description: Sequence[Column], rows: Rows, stream: Writable) -> int:
    # Decimals become JSON numbers with all their digits, without conversion to float.
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


def _parquet(columns: tuple[str, ...], description: Sequence[Column], rows: Rows, stream: Writable) -> int:
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


def _is_number(column: Column) -> bool:
    return column.type_code in (*_INTEGERS, _NUMERIC)


def _arrow_type(column: Column) -> object:
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


FORMATS: dict[str, Writer] = {"table": _table, "csv": _csv, "json": _json, "parquet": _parquet}
