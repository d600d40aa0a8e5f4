"""New columns of the reports are only appended."""

import json

import pytest

from tests.conftest import Warehouse
from tests.waybill.cli.commands import waybill
from tests.waybill.reports.columns import (
    APPEND,
    COMMENTS,
    FILE,
    Columns,
    broken,
    comments_of_warehouse,
    not_promised,
    of_warehouse,
    stored,
    written,
)
from waybill.reports.catalogue import all_reports

DAY, SENT, RATE, NEW = {"sent_day": "date"}, {"sent": "bigint"}, {"rate": "numeric(7,6)"}, {"new": "text"}
CONTRACT: Columns = {"one": DAY | SENT | RATE}


def test_the_warehouse_keeps_the_contract(warehouse: Warehouse) -> None:
    contract, found = stored(), of_warehouse(warehouse.url)
    assert len(contract) > 15 and all(contract.values())
    problems = broken(contract, found)
    assert not problems, "\n".join(problems)
    problems = not_promised(contract, found)
    assert not problems, "\n".join(problems)


def test_report_list_says_what_each_report_is(warehouse: Warehouse) -> None:
    """In the words of the database: `make docs` writes them."""
    assert json.loads(COMMENTS.read_text()) == comments_of_warehouse(warehouse.url)
    lines = waybill("report", "list", settings={}).out.splitlines()
    for report in all_reports():
        sentence = lines[lines.index(report.name) + 1].strip()
        assert report.comment.startswith(sentence) and len(sentence) > 10 and sentence.endswith("."), report.name


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
