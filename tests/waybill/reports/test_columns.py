"""New columns of the reports are only appended."""

import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.columns import APPEND, FILE, Columns, broken, not_promised, of_warehouse, stored, written

DAY, SENT, RATE, NEW = {"sent_day": "date"}, {"sent": "bigint"}, {"rate": "numeric(7,6)"}, {"new": "text"}
CONTRACT: Columns = {"one": DAY | SENT | RATE}


def test_the_warehouse_keeps_the_contract(warehouse: Warehouse) -> None:
    contract, found = stored(), of_warehouse(warehouse.url)
    assert len(contract) > 15 and all(contract.values())
    problems = broken(contract, found)
    assert not problems, "\n".join(problems)
    problems = not_promised(contract, found)
    assert not problems, "\n".join(problems)


def test_the_file_has_the_format_of_the_command() -> None:
    assert FILE.read_text() == written(stored())


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({}, "report.one is gone"),
        ({"one": DAY | RATE}, "report.one.sent was removed or renamed"),
        ({"one": DAY | {"sent_count": "bigint"} | RATE}, "report.one.sent was removed or renamed"),
        ({"one": DAY | {"sent": "integer"} | RATE}, "report.one.sent is integer; bigint was promised"),
        ({"one": DAY | RATE | SENT}, "report.one.sent is no longer column 2"),
        ({"one": NEW | DAY | SENT | RATE}, "report.one.sent_day is no longer column 1"),
    ],
)
def test_a_change_that_breaks_dashboards_is_reported_with_what_to_do(found: Columns, problem: str) -> None:
    lines = broken(CONTRACT, found)
    assert lines and problem in lines[0] and "add what is new as another column behind the last one" in lines[0]


def test_a_new_column_at_the_end_must_be_added_to_the_contract() -> None:
    found = {"one": DAY | SENT | RATE | NEW, "two": DAY}
    assert broken(CONTRACT, found) == []
    assert not_promised(CONTRACT, found) == [
        f"report.one.new is new. {APPEND}",
        f"report.two.sent_day is new. {APPEND}",
    ]
