"""The suites of the candidates of a build: good rows pass; for each rule there is a row that fails only this rule."""

from importlib import import_module

import pytest

from tests.conftest import Warehouse
from tests.expectations.tables import Row, failed, make, rules_of, validate
from tests.sql.reports.suite import D1, RECOUNTED, Suite
from waybill.quality.gate import Outcome, Subject
from waybill.quality.suites import standard_rules
from waybill.reports.catalogue import built_reports, find

CONTROL_COLUMNS = "select ''::text as measure, current_date as day, 0::bigint as expected"


SUITES: dict[str, Suite] = {
    report.name: import_module(f"tests.sql.reports.test_{report.name}").SUITE for report in built_reports()
}
BAD = [(name, rule) for name, suite in SUITES.items() for rule in suite.bad]
ADDED = [(name, rule) for name, suite in SUITES.items() for rule in suite.added]


def run(
    warehouse: Warehouse, name: str, rows: list[Row], control: tuple[Row, ...] | None = None, lost: int = 0
) -> Outcome:
    """Validate these rows as the candidate of a report; without rows, the other candidates are empty too."""
    report = find(name)
    make(warehouse, "candidate", f"select {', '.join(report.columns)} from {report.table}", rows)
    make(warehouse, "control", CONTROL_COLUMNS, SUITES[name].control if control is None else control)
    tables = {"control": "staging.control"}
    for other, others in SUITES[name].others.items():
        tables[other] = f"staging.{other}"
        columns = ", ".join(find(other).columns)
        make(warehouse, other, f"select {columns} from {find(other).table}", others if rows else ())
    return validate(warehouse, Subject(name, "staging.candidate", len(rows) + lost, tables, report.shape))


def test_each_rule_of_a_file_has_a_test_case() -> None:
    assert len(SUITES) > 10
    for name in SUITES:
        shape = find(name).shape
        standard = {"row_count", *(rule.rule for rule in standard_rules(shape))}
        cases = set(SUITES[name].bad) | set(SUITES[name].added)
        assert set(rules_of(name, shape)) - standard == cases - standard, name
        assert cases <= set(rules_of(name, shape)), name


@pytest.mark.parametrize("name", SUITES)
def test_the_standard_rules_check_every_kind_of_column(warehouse: Warehouse, name: str) -> None:
    shape = find(name).shape
    first, second = SUITES[name].rows
    bad = first | {shape.grain[-1]: None, shape.counts[-1]: -1} | dict.fromkeys(shape.rates, 2)
    found = failed(run(warehouse, name, [bad, second]))
    standard = {rule.rule for rule in standard_rules(shape)} - {"grain_unique", "not_all_zero"}
    assert "dimensions_present" in standard
    assert standard & set(rules_of(name, shape)) <= set(found)


@pytest.mark.parametrize("name", SUITES)
def test_good_rows_pass(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, list(SUITES[name].rows))) == []
    assert failed(run(warehouse, name, [], ())) == []


@pytest.mark.parametrize(("name", "rule"), BAD)
def test_a_bad_row_fails_exactly_its_rule(warehouse: Warehouse, name: str, rule: str) -> None:
    first, second = SUITES[name].rows
    for change in SUITES[name].bad[rule]:
        outcome = run(warehouse, name, [first | change, second])
        assert set(failed(outcome)) - SUITES[name].also.get(rule, set()) == {rule}, change


@pytest.mark.parametrize(("name", "rule"), ADDED)
def test_a_superfluous_row_fails_exactly_its_rule(warehouse: Warehouse, name: str, rule: str) -> None:
    for added in SUITES[name].added[rule]:
        assert failed(run(warehouse, name, [*SUITES[name].rows, added])) == [rule], added


@pytest.mark.parametrize("name", SUITES)
def test_a_duplicate_row_fails(warehouse: Warehouse, name: str) -> None:
    """It fails even if every sum is right."""
    first, second = SUITES[name].rows
    control = [dict(counted) for counted in SUITES[name].control]
    for counted in control:
        if counted["day"] == D1:
            counted["expected"] *= 2
    if SUITES[name].half:
        first, control = first | SUITES[name].half, list(SUITES[name].control)
    assert failed(run(warehouse, name, [first, first, second], tuple(control))) == ["grain_unique"]


@pytest.mark.parametrize("name", SUITES)
def test_a_candidate_that_lost_rows_fails(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, [], (), lost=1)) == ["row_count"]


@pytest.mark.parametrize("name", [name for name, suite in SUITES.items() if RECOUNTED in suite.control])
def test_counts_that_were_not_recounted_are_not_compared(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, list(SUITES[name].rows), ())) == []


@pytest.mark.parametrize("name", SUITES)
def test_a_control_count_without_rows_fails(warehouse: Warehouse, name: str) -> None:
    """The report has no row of that day."""
    rules = [rule for rule in rules_of(name, find(name).shape) if "match" in rule]
    assert rules
    assert failed(run(warehouse, name, [SUITES[name].rows[0]])) == rules
