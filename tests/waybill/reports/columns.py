"""The column contract: the columns in schema report that BI tools rely on. New columns are only appended.

`python -m tests.waybill.reports.columns` appends new columns to sql/reports/columns.json, and refuses other changes.
The catalogue of the reports reads that file, and lists the reports in its order. It also writes what each report is,
from the comments in the database, to sql/reports/comments.json, for `waybill report list`.
"""

import json
import sys
from pathlib import Path

from waybill.warehouse.connection import connected

FILE = Path(__file__).parents[3] / "sql" / "reports" / "columns.json"
COMMENTS = FILE.with_name("comments.json")

Columns = dict[str, dict[str, str]]
"""Relation to its columns in order, each with its type."""

_HOW_TO_GO_ON = (
    "Dashboards break on this. Put it back, and add what is new as another column behind the last one, in a"
    " migration of its own."
)
APPEND = "Append it to the contract: `make docs`, and commit sql/reports/columns.json."


def stored() -> Columns:
    return json.loads(FILE.read_text())


def of_warehouse(url: str) -> Columns:
    """Return the columns of every table and view in schema report."""
    found: Columns = {}
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute as a"
            " inner join pg_class as c on c.oid = a.attrelid"
            " where c.relnamespace = 'report'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')"
            " and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum"
        )
        for relation, name, kind in cursor.fetchall():
            found.setdefault(relation, {})[name] = kind
    return found


def comments_of_warehouse(url: str) -> dict[str, str]:
    """Return the comment of every table and view in schema report."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select relname, obj_description(oid, 'pg_class') from pg_class"
            " where relnamespace = 'report'::regnamespace and relkind in ('r', 'v', 'm', 'p')"
        )
        return dict(cursor.fetchall())


def broken(contract: Columns, found: Columns) -> list[str]:
    """Return how the warehouse breaks the contract and what to do, in words."""
    problems = []
    for relation, promised in contract.items():
        if relation not in found:
            problems.append(f"report.{relation} is gone. {_HOW_TO_GO_ON}")
            continue
        there = found[relation]
        for place, (name, kind) in enumerate(promised.items()):
            where = f"report.{relation}.{name}"
            if name not in there:
                problems.append(f"{where} was removed or renamed. {_HOW_TO_GO_ON}")
            elif there[name] != kind:
                problems.append(f"{where} is {there[name]}; {kind} was promised. {_HOW_TO_GO_ON}")
            elif list(there)[place : place + 1] != [name]:
                problems.append(f"{where} is no longer column {place + 1}. {_HOW_TO_GO_ON}")
    return problems


def not_promised(contract: Columns, found: Columns) -> list[str]:
    """Return the columns that are not in the contract yet, in words."""
    return [
        f"report.{relation}.{name} is new. {APPEND}"
        for relation, columns in found.items()
        for name in columns
        if name not in contract.get(relation, {})
    ]


def written(columns: Columns | dict[str, str]) -> str:
    """Return the text of the contract's file, with one column on each line, so that a diff shows each change."""
    return json.dumps(columns, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    from tests.conftest import running_server

    with running_server(18) as server:
        url = server.url_of(server.template)
        found, comments = of_warehouse(url), comments_of_warehouse(url)
    contract = stored() if FILE.exists() else {}
    if problems := broken(contract, found):
        sys.exit("\n".join(problems))
    names = [*contract, *(relation for relation in found if relation not in contract)]
    FILE.write_text(written({name: found[name] for name in names}))
    COMMENTS.write_text(written({name: comments[name] for name in names}))


if __name__ == "__main__":
    main()
