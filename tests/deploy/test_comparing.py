"""Reports of a real warehouse, compared with the simulator's truth."""

from decimal import Decimal

import pytest

from deploy.comparing import Comparison, cells_of_warehouse, compare, differences, truth_of_stand_in
from tests.conftest import Warehouse
from waybill.reports import catalogue
from waybill.simulator.serve import serving
from waybill.simulator.stand_in import TwilioStandIn
from waybill.simulator.world import World

GRAIN = ("2026-03-27", "acme", "email", "Open")
NAME = "communication_activity_daily"


@pytest.fixture
def reports(warehouse: Warehouse) -> Warehouse:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(f"insert into report.{NAME} values ('2026-03-27', 'acme', 'email', 'Open', 7)")
    connection.close()
    return warehouse


def truth(count: int, grain: tuple = GRAIN) -> dict:
    return {report.name: {} for report in catalogue.counted_reports()} | {
        NAME: {grain: {"message_count": Decimal(count)}}
    }


def test_what_is_equal_counts_its_cells(reports: Warehouse) -> None:
    assert compare(reports.url, truth(7)) == Comparison(len(catalogue.counted_reports()), 1, [])


def test_a_cell_that_differs_is_named(reports: Warehouse) -> None:
    assert compare(reports.url, truth(8)).differences == [
        f"{NAME} 2026-03-27 acme email Open: message_count is 7, expected 8"
    ]


def test_a_row_too_many_and_one_too_few_are_named(reports: Warehouse) -> None:
    told = compare(reports.url, truth(7, ("2026-03-28", "acme", "email", "Open"))).differences
    assert told == [
        f"{NAME} 2026-03-27 acme email Open: the row should not be there",
        f"{NAME} 2026-03-28 acme email Open: there is no such row",
    ]


def test_a_report_that_is_missing_differs() -> None:
    assert differences({}, {"a": {(1,): {"n": Decimal(1)}}}) == ["a 1: there is no such row"]


def test_the_truth_comes_from_the_stand_in_with_exact_numbers() -> None:
    with serving(TwilioStandIn(World(1, days=1, messages_per_day=60))) as stand_in:
        told = truth_of_stand_in(stand_in.url, "Europe/Berlin")
        expected = stand_in.report_rows("Europe/Berlin")
    assert told.keys() == expected.keys() and any(told.values())
    for name, rows in expected.items():
        assert told[name].keys() == {tuple(str(part) for part in grain) for grain in rows}
        assert [list(row.values()) for row in told[name].values()] == [
            [None if value is None else Decimal(str(value)) for value in rows[grain].values()] for grain in sorted(rows)
        ]


def test_every_report_of_what_was_loaded_is_looked_at(warehouse: Warehouse) -> None:
    assert cells_of_warehouse(warehouse.url).keys() == {report.name for report in catalogue.counted_reports()}
