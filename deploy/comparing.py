"""Compares every cell of every report with the truth of the simulator."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import httpx2
import msgspec
from psycopg2 import sql

from waybill.reports import catalogue
from waybill.warehouse.connection import REPORTER, connected

SHOWN = 20
"""How many differences are shown."""

Cells = Mapping[str, Mapping[tuple[object, ...], Mapping[str, Decimal | str | None]]]
"""Report to grain (days as text) to measures by name (numbers as Decimal, days as text)."""


class Comparison(NamedTuple):
    """The result of a comparison.

    :ivar differences: the first ones, in words; empty: everything is equal
    """

    report_count: int
    cell_count: int
    differences: Sequence[str]


def compare(warehouse_url: str, truth: Cells) -> Comparison:
    """Compare the reports of a warehouse with the truth."""
    found = cells_of_warehouse(warehouse_url)
    cell_count = sum(len(measures) for rows in truth.values() for measures in rows.values())
    return Comparison(len(truth), cell_count, differences(found, truth)[:SHOWN])


def truth_of_simulator(url: str, zone: str) -> Cells:
    """Returns what every report must show in this time zone, from the simulator at `url`."""
    answer = httpx2.get(f"{url}/simulator/truth", params={"zone": zone}, trust_env=False, timeout=60)
    answer.raise_for_status()
    return {
        name: {tuple(row["grain"]): {n: _measure(v) for n, v in row["measures"].items()} for row in rows}
        for name, rows in answer.json()["reports"].items()
    }


def cells_of_warehouse(url: str) -> Cells:
    """Returns the cells of every report that counts loaded events."""
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
                    zip(report.counts, map(_measure, row[width:]), strict=True)
                )
                for row in cursor.fetchall()
            }
    return cells


def differences(found: Cells, expected: Cells) -> list[str]:
    """Returns the differences in words."""
    different = []
    for name in sorted(found.keys() | expected.keys()):
        rows, expected_rows = found.get(name, {}), expected.get(name, {})
        for grain in sorted(rows.keys() | expected_rows.keys(), key=str):
            one, other = rows.get(grain), expected_rows.get(grain)
            where = f"{name} {' '.join(map(str, grain))}"
            if one is None or other is None:
                different.append(f"{where}: {'the row is missing' if one is None else 'the row should not exist'}")
                continue
            different += [
                f"{where}: {measure} is {one.get(measure)}, expected {other.get(measure)}"
                for measure in sorted(one.keys() | other.keys())
                if one.get(measure) != other.get(measure)
            ]
    return different


def _measure(value: object) -> Decimal | str | None:
    """Returns a number as Decimal, a day as text."""
    if value is None:
        return None
    text = str(msgspec.to_builtins(value))
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
