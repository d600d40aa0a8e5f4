"""The SQL of the program, from the files of sql/, in the form in which it runs; and its results.

A file is one query, or holds several, each after a line `-- name: <name>` and a sentence that says what it does.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.installed_files import SQL

Value = TypeVar("Value")
Record = TypeVar("Record")

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def sql_of(file: str, name: str | None = None) -> str:
    """Return the text of a query.

    :param file: its path below sql/, without the suffix, such as "load/fold_legs"
    :param name: the name of the query, if the file holds several
    :raises KeyError: the file has no such query
    """
    return _queries(file)[name]


def only_row(cursor: Cursor) -> tuple[Any, ...]:
    """Return the row of a query that has exactly one.

    :raises LookupError: the query has no row
    """
    row = cursor.fetchone()
    if row is None:
        raise LookupError("The query returned no row.")
    return row


def records(
    cursor: Cursor, kind: Callable[..., Record], statement: str, parameters: Mapping[str, object] | None = None
) -> list[Record]:
    """Return the rows of a query as records whose fields have the names of its columns."""
    cursor.execute(statement, parameters)
    names = [column.name for column in cursor.description or ()]
    return [kind(**dict(zip(names, values, strict=True))) for values in cursor.fetchall()]


def only_value(cursor: Cursor, kind: type[Value]) -> Value:
    """Return the value of a query that has exactly one row and one column, never null.

    :raises TypeError: the value has another type
    """
    (value,) = only_row(cursor)
    if not isinstance(value, kind):
        raise TypeError(f"The query returned {type(value).__name__}, not {kind.__name__}.")
    return value


def columns_of(cursor: Cursor, table: str) -> tuple[str, ...]:
    """Return the names of the columns of a table in their order.

    :param table: schema and name, e.g. "fact.leg"
    """
    cursor.execute(
        "select attname from pg_catalog.pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " order by attnum",
        (table,),
    )
    return tuple(name for (name,) in cursor.fetchall())


@cache
def _queries(file: str) -> dict[str | None, str]:
    text = (SQL / f"{file}.sql").read_text()
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True)) if parts else {None: text}
