"""The data dictionary: every schema, table, view and column of the warehouse, with its comment there."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import sql_of

SCHEMAS = ("report", "fact", "private", "ops")
"""In the order of their readers. The schema staging has only temporary tables."""


class Column(NamedTuple):
    """A column, with its table and schema."""

    schema: str
    schema_comment: str
    relation: str
    kind: str
    relation_comment: str
    name: str
    type: str
    is_nullable: bool
    is_key: bool
    comment: str


def columns(cursor: Cursor) -> list[Column]:
    """Return every column of these schemas, table by table."""
    cursor.execute(sql_of("warehouse/dictionary"), {"schemas": list(SCHEMAS)})
    return [Column(*row) for row in cursor.fetchall()]


def markdown(found: Sequence[Column]) -> str:
    """Return the dictionary as a page of Markdown."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Sequence[Column]) -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Written by `make docs` from the comments in the warehouse (`waybill warehouse dictionary`); do not edit."
    yield "Times are UTC, days are local days of `REPORT_TIMEZONE`. Key columns are **bold**; `?` may be null."
    for (schema, comment), of_schema in groupby(found, key=attrgetter("schema", "schema_comment")):
        yield from ("", f"## Schema `{schema}`", "", comment)
        for (relation, kind, comment), of_relation in groupby(
            of_schema, key=attrgetter("relation", "kind", "relation_comment")
        ):
            yield from ("", f"### `{schema}.{relation}`{' (view)' if kind == 'view' else ''}", "", comment, "")
            yield from ("| column | type | what it says |", "|---|---|---|")
            for column in of_relation:
                name = f"**{column.name}**" if column.is_key else column.name
                mark = "?" if column.is_nullable else ""
                yield f"| {name} | {column.type}{mark} | {_cell(column.comment)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
