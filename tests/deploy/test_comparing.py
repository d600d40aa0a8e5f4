"""The comparison of reports with the simulator's truth, on a real warehouse."""

from datetime import date
from decimal import Decimal

import pytest

from deploy.comparing import Comparison, cells_of_warehouse, compare, differences, truth_of_simulator
from tests.conftest import Warehouse
from waybill.reports import catalogue
from waybill.simulator.http.server import serving
from waybill.simulator.twilio.stand_in import TwilioStandIn
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


def test_equal_cells_are_counted(reports: Warehouse) -> None:
    assert compare(reports.url, truth(7)) == Comparison(len(catalogue.counted_reports()), 1, [])


def test_a_different_cell_is_named(reports: Warehouse) -> None:
    assert compare(reports.url, truth(8)).differences == [
        f"{NAME} 2026-03-27 acme email Open: message_count is 7, expected 8"
    ]


def test_surplus_and_missing_rows_are_named(reports: Warehouse) -> None:
    found = compare(reports.url, truth(7, ("2026-03-28", "acme", "email", "Open"))).differences
    assert found == [
        f"{NAME} 2026-03-27 acme email Open: the row should not exist",
        f"{NAME} 2026-03-28 acme email Open: the row is missing",
    ]


def test_a_missing_report_is_a_difference() -> None:
    assert differences({}, {"a": {(1,): {"n": Decimal(1)}}}) == ["a 1: the row is missing"]


def test_the_truth_of_the_simulator_has_exact_numbers() -> None:
    with serving(TwilioStandIn(World(1, days=1, messages_per_day=60))) as stand_in:
        found = truth_of_simulator(stand_in.url, "Europe/Berlin")
        expected = stand_in.report_rows("Europe/Berlin")
    assert found.keys() == expected.keys() and any(found.values())
    for name, rows in expected.items():
        assert found[name].keys() == {tuple(str(part) for part in grain) for grain in rows}
        assert [list(row.values()) for row in found[name].values()] == [
            [exact(value) for value in rows[grain].values()] for grain in sorted(rows)
        ]


def exact(value: object) -> Decimal | str | None:
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else Decimal(str(value))


def test_every_report_that_counts_loaded_events_is_compared(warehouse: Warehouse) -> None:
    assert cells_of_warehouse(warehouse.url).keys() == {report.name for report in catalogue.counted_reports()}
