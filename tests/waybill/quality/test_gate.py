"""The gate: what the library would pass over in silence stops, and results hold no values."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import Warehouse
from waybill.model.errors import ConfigurationError, QualityGateError
from waybill.quality import gate
from waybill.quality.gate import Outcome, Subject

SECRET = "joe@example.com"
RULE = {"severity": "critical", "description": "A rule.", "meta": {"rule": "a_rule"}}
EVERY = {"type": "expect_every_row_to_satisfy"}


def every(condition: str, **changes: object) -> dict:
    return RULE | EVERY | {"kwargs": {"condition": condition}} | changes


def named(rule: dict, name: str) -> dict:
    return rule | {"meta": {"rule": name}}


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the suite `numbers` and makes it the one to find."""
    monkeypatch.setattr(gate, "EXPECTATIONS", tmp_path)
    gate._document.cache_clear()

    def write(*rules: dict, **document: object) -> None:
        gate._document.cache_clear()
        (tmp_path / "numbers.json").write_text(json.dumps({"name": "numbers", "expectations": rules} | document))

    yield write
    gate._document.cache_clear()


@pytest.fixture
def numbers(warehouse: Warehouse) -> str:
    """A table of (1, 'a'), (2, SECRET), (null, null)."""
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("create table staging.numbers (number integer, word text)")
        cursor.execute("insert into staging.numbers values (1, 'a'), (2, %s), (null, null)", (SECRET,))
        cursor.execute("create table staging.wanted as select 1 as number")
    connection.close()
    return "staging.numbers"


def validate(warehouse: Warehouse, table: str = "staging.numbers", row_count: int = 3, **tables: str) -> Outcome:
    (outcome,) = gate.validate(
        lambda: warehouse.connect("waybill_loader"), [Subject("numbers", table, row_count, tables)]
    )
    return outcome


def test_results_count_and_hold_no_values(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(
        named(every("word = 'a' or word is null"), "one"),
        named(every("number > 0"), "null_is_not_satisfied"),
        named(every("number > 1", severity="warning"), "warns"),
        named(
            RULE
            | {
                "type": "unexpected_rows_expectation",
                "kwargs": {
                    "unexpected_rows_query": "select word from {batch} where number not in (select number from {other})"
                },
            },
            "query",
        ),
        named(every("position('@:%' in coalesce(word, '')) = 0"), "good"),
        named(
            every("number <= 1", severity="warning") | {"kwargs": {"condition": "number = 1", "mostly": 0.3}}, "share"
        ),
    )
    outcome = validate(warehouse, other="staging.wanted")
    found = {rule["rule"]: (rule["success"], rule["unexpected_count"]) for rule in outcome.rules}
    assert found == {
        "one": (False, 1),
        "null_is_not_satisfied": (False, 1),
        "warns": (False, 2),
        "query": (False, 1),
        "good": (True, 0),
        "share": (True, 2),
    }
    assert [rule["rule"] for rule in outcome.rules] == list(found)
    assert [rule["rule"] for rule in outcome.failures] == ["one", "null_is_not_satisfied", "query"]
    assert [rule["rule"] for rule in outcome.warnings] == ["warns"]
    assert not any(rule["is_broken"] for rule in outcome.rules)
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        gate.record(cursor, [outcome], "load 7")
    connection.close()
    ((kept,),) = warehouse.rows("select results from ops.validation where subject = 'load 7' and not success")
    assert kept == json.loads(json.dumps(outcome.rules))
    assert SECRET not in json.dumps(kept)
    with pytest.raises(QualityGateError) as stopped:
        gate.gate([outcome], "load 7")
    assert "load 7: numbers.one (A rule.; 1 finding); numbers.null_is_not_satisfied" in str(stopped.value)
    assert SECRET not in str(stopped.value) and "warns" not in str(stopped.value)


def test_warnings_do_not_stop(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("number > 1", severity="warning"))
    outcome = validate(warehouse)
    gate.gate([outcome], "load 7")
    assert outcome.success and len(outcome.warnings) == 1


@pytest.mark.parametrize("severity", ["critical", "warning"])
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (every("nothing = 1"), 'UndefinedColumn: column "nothing" does not exist'),
        (every("word::integer = 1"), "InvalidTextRepresentation"),
        (every("number ==== 1"), "UndefinedFunction"),
        (every("1 / (number - 1) > 0"), "DivisionByZero"),
        (
            RULE
            | {
                "type": "unexpected_rows_expectation",
                "kwargs": {"unexpected_rows_query": "select 1 from {batch} where where"},
            },
            "SyntaxError",
        ),
    ],
)
def test_a_broken_rule_stops(
    warehouse: Warehouse, numbers: str, suite, rule: dict, message: str, severity: str
) -> None:
    """Whatever its severity: it has checked nothing. The text names columns, never values."""
    suite(named(every("number is not null or word is null"), "good"), rule | {"severity": severity})
    outcome = validate(warehouse)
    (broken,) = [rule for rule in outcome.rules if rule["rule"] == "a_rule"]
    assert broken["is_broken"] and not broken["success"] and broken["unexpected_count"] is None
    assert broken["message"].startswith(message)
    assert SECRET not in json.dumps(outcome.rules)
    with pytest.raises(QualityGateError, match=r"numbers\.a_rule .*could not be evaluated"):
        gate.gate([outcome], "load 7")


def test_a_table_that_is_not_there_stops(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("number > 0"))
    with pytest.raises(QualityGateError, match=r"staging\.nowhere"):
        validate(warehouse, "staging.nowhere")


def test_an_emptied_table_does_not_pass(warehouse: Warehouse, suite) -> None:
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("create table staging.numbers (number integer)")
    connection.close()
    count = RULE | {
        "type": "expect_table_row_count_to_equal",
        "kwargs": {"value": {"$PARAMETER": "row_count"}},
        "meta": {"rule": "row_count"},
    }
    suite(count, every("number > 0"))
    assert [rule["success"] for rule in validate(warehouse, row_count=3).rules] == [False, True]
    assert validate(warehouse, row_count=0).success


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (every("number > 0", type="expect_every_row_to_satisfie"), "took 0 of its 1 rules"),
        (every("number > 0", severity="fatal"), "severity"),
        (every("number > 0", meta={}), "meta.rule"),
        (every("number > 0", description=""), "description"),
        (every("number > 0", kwargs={"condition": "true", "mostley": 1}), "refuses"),
        (every("number > 0", kwargs={}), "refuses"),
    ],
)
def test_a_rule_that_would_be_dropped_is_an_error(
    warehouse: Warehouse, numbers: str, suite, rule: dict, message: str
) -> None:
    suite(rule)
    with pytest.raises(ConfigurationError, match=message):
        validate(warehouse)


def test_suites_are_named_like_their_files(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("number > 0"), name="figures")
    with pytest.raises(ConfigurationError, match="figures"):
        validate(warehouse)
    suite(every("number > 0"), every("number > 1"))
    with pytest.raises(ConfigurationError, match=r"meta\.rule of its own"):
        validate(warehouse)


def test_a_missing_suite_is_an_error(warehouse: Warehouse, numbers: str, suite) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        validate(warehouse)


def test_validation_cannot_write(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(
        RULE
        | {
            "type": "unexpected_rows_expectation",
            "kwargs": {
                "unexpected_rows_query": "select 1 from {batch} where nextval('staging.counter') < 0",
            },
        }
    )
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("create sequence staging.counter")
    connection.close()
    assert validate(warehouse).rules[0]["message"] == "ReadOnlySqlTransaction"


def test_no_connection_stays_open(warehouse: Warehouse, numbers: str, suite) -> None:
    opened: list[psycopg2.extensions.connection] = []

    def connect() -> psycopg2.extensions.connection:
        opened.append(warehouse.connect("waybill_loader"))
        return opened[-1]

    suite(every("number > 0"))
    gate.validate(connect, [Subject("numbers", "staging.numbers", 3)])
    assert 1 <= len(opened) <= 2
    assert all(connection.closed for connection in opened)


def test_a_lost_connection_is_not_taken_for_a_bad_table(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(psycopg2.OperationalError, match="connection broke"):
        gate.validate(warehouse.connect, [Subject("numbers", numbers, 3)])
    suite(every("number > 0"))
    assert validate(warehouse).failures


def test_table_names_are_names(warehouse: Warehouse, suite) -> None:
    suite(every("number > 0"))
    for table in ("numbers", "staging.numbers; drop table x", "staging.Numbers"):
        with pytest.raises(ValueError, match="schema and table"):
            validate(warehouse, table)


def test_nothing_to_validate_imports_nothing() -> None:
    """The library takes seconds to import; commands that validate nothing must not pay for it."""
    code = (
        "import sys, waybill.quality.gate, waybill.reports.build, waybill.reports.show;"
        "assert waybill.quality.gate.validate(None, []) == [];"
        "assert not {'great_expectations', 'pandas', 'pyarrow', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
