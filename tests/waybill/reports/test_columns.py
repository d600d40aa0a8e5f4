"""Columns of the reports are only ever appended."""

import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.columns import APPEND, FILE, Columns, broken, not_promised, of_warehouse, stored, written

DAY, SENT, RATE, NEW = {"sent_day": "date"}, {"sent": "bigint"}, {"rate": "numeric(7,6)"}, {"new": "text"}
CONTRACT: Columns = {"one": DAY | SENT | RATE}


def test_the_warehouse_keeps_the_contract(warehouse: Warehouse) -> None:
    contract, found = stored(), of_warehouse(warehouse.url)
    assert len(contract) > 15 and all(contract.values())
    told = broken(contract, found)
    assert not told, "\n".join(told)
    told = not_promised(contract, found)
    assert not told, "\n".join(told)


def test_the_file_is_written_as_the_command_writes_it() -> None:
    assert FILE.read_text() == written(stored())


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, "report.one is gone"),
        ({"one": DAY | RATE}, "report.one.sent was removed or renamed"),
        ({"one": DAY | {"sent_count": "bigint"} | RATE}, "report.one.sent was removed or renamed"),
        ({"one": DAY | {"sent": "integer"} | RATE}, "report.one.sent is integer; bigint was promised"),
        ({"one": DAY | RATE | SENT}, "report.one.sent is no longer column 2"),
        ({"one": NEW | DAY | SENT | RATE}, "report.one.sent_day is no longer column 1"),
    ],
)
def test_what_breaks_dashboards_is_told_with_what_to_do(found: Columns, told: str) -> None:
    lines = broken(CONTRACT, found)
    assert lines and told in lines[0] and "add what is new as another column behind the last one" in lines[0]


def test_a_new_column_at_the_end_breaks_nothing_and_has_to_be_promised() -> None:
    found = {"one": DAY | SENT | RATE | NEW, "two": DAY}
    assert broken(CONTRACT, found) == []
    assert not_promised(CONTRACT, found) == [
        f"report.one.new is new. {APPEND}",
        f"report.two.sent_day is new. {APPEND}",
    ]
