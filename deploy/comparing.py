"""Every cell of every report, compared with what the stand-in says that it told."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import httpx2
import msgspec
from psycopg2 import sql

from waybill.reports import catalogue
from waybill.warehouse.connection import REPORTER, connected

SHOWN = 20
"""Differences that are told in words."""

Cells = Mapping[str, Mapping[tuple, Mapping[str, object]]]
"""Report to grain (days as text) to measures by name (numbers as Decimal)."""


class Comparison(NamedTuple):
    """:ivar differences: in words, the first of them; none: all is equal"""

    report_count: int
    cell_count: int
    differences: Sequence[str]


def compare(warehouse_url: str, truth: Cells) -> Comparison:
    """Compare the reports of a warehouse with the truth."""
    found = cells_of_warehouse(warehouse_url)
    cell_count = sum(len(measures) for rows in truth.values() for measures in rows.values())
    return Comparison(len(truth), cell_count, differences(found, truth)[:SHOWN])


def truth_of_stand_in(url: str, zone: str) -> Cells:
    """What the stand-in at `url` says every report must show in this time zone."""
    answer = httpx2.get(f"{url}/simulator/truth", params={"zone": zone}, trust_env=False, timeout=60)
    answer.raise_for_status()
    return {
        name: {tuple(row["grain"]): {n: _number(v) for n, v in row["measures"].items()} for row in rows}
        for name, rows in answer.json()["reports"].items()
    }


def cells_of_warehouse(url: str) -> Cells:
    """What every report of what was loaded shows."""
    cells = {}
    with connected(url, REPORTER, "waybill:compare") as connection, connection.cursor() as cursor:
        for report in catalogue.counted_reports():
            cursor.execute(
                sql.SQL("select {} from {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, report.grain + report.counts)),
                    sql.Identifier(*report.table.split(".")),
                )
            )
            width = len(report.grain)
            cells[report.name] = {
                tuple(msgspec.to_builtins(row[:width])): dict(
                    zip(report.counts, map(_number, row[width:]), strict=True)
                )
                for row in cursor.fetchall()
            }
    return cells


def differences(found: Cells, expected: Cells) -> list[str]:
    """What is not equal, in words."""
    told = []
    for name in sorted(found.keys() | expected.keys()):
        mine, theirs = found.get(name, {}), expected.get(name, {})
        for grain in sorted(mine.keys() | theirs.keys(), key=str):
            one, other = mine.get(grain), theirs.get(grain)
            where = f"{name} {' '.join(map(str, grain))}"
            if one is None or other is None:
                told.append(f"{where}: {'there is no such row' if one is None else 'the row should not be there'}")
                continue
            told += [
                f"{where}: {measure} is {one.get(measure)}, expected {other.get(measure)}"
                for measure in sorted(one.keys() | other.keys())
                if one.get(measure) != other.get(measure)
            ]
    return told


def _number(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
