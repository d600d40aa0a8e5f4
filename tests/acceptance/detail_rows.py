"""Compares the detail views of a warehouse with the truth, row by row."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from psycopg2 import sql

from waybill.simulator.truth.activity import COLUMNS, VIEWS, Row, detail_rows
from waybill.simulator.truth.outcome import Happening
from waybill.warehouse.connection import REPORTER, connected

SHOWN = 3
"""Differing rows of each view in a message."""


def found_rows(url: str) -> dict[str, list[Row]]:
    """Return the rows of each detail view, in the columns of the truth."""
    found = {}
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("select words, kind, reason from fact.reason")
        why = {words: (kind, reason) for words, kind, reason in cursor.fetchall()}
    with connected(url, REPORTER) as connection, connection.cursor() as cursor:
        for view, (channel, _) in VIEWS.items():
            columns = [column if column != "why" else "reason_in_words" for column in COLUMNS[channel]]
            cursor.execute(
                sql.SQL("select {} from {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier("report", view)
                )
            )
            rows = [dict(zip(COLUMNS[channel], row, strict=True)) for row in cursor.fetchall()]
            found[view] = [
                row
                | {
                    "words": sorted(row["words"]),
                    "why": why[row["why"]],
                    "timeline": sorted((datetime.fromisoformat(e["at"]), e["event_type"]) for e in row["timeline"]),
                }
                for row in rows
            ]
    return found


def last_as_of(url: str) -> datetime | None:
    """Return the as-of time of the last published build."""
    with connected(url, REPORTER) as connection, connection.cursor() as cursor:
        cursor.execute("select as_of from report.build order by build_id desc limit 1")
        row = cursor.fetchone()
    return row and row[0]


def check_detail_views(url: str, happenings: Iterable[Happening], zone: str) -> dict[str, int]:
    """Fail with the differences unless all detail views show the truth; return the row count of each."""
    found, expected = found_rows(url), detail_rows(happenings, zone, last_as_of(url))
    assert found.keys() == expected.keys()
    different = [line for view in expected for line in _differences(view, found[view], expected[view])]
    assert not different, "\n".join(different)
    return {view: len(rows) for view, rows in found.items()}


def _differences(view: str, found: Iterable[Row], expected: Iterable[Row]) -> list[str]:
    mine, theirs = _counted(found), _counted(expected)
    lines = []
    for side, rows in (("shown", mine - theirs), ("expected", theirs - mine)):
        lines += sorted(f"{view}: only {side}: {[(name, str(value)) for name, value in row]}" for row in rows)[:SHOWN]
    return lines


def _counted(rows: Iterable[Mapping[str, object]]) -> Counter[tuple]:
    return Counter(
        tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in row.items()) for row in rows
    )
