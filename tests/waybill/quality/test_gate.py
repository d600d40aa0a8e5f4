"""The gate stops at errors that the library would ignore, and results contain no values."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import psycopg2
import pytest

from tests.conftest import Warehouse
from waybill.model.errors import ConfigurationError, QualityGateError
from waybill.quality import gate, suites
from waybill.quality.gate import Outcome, Subject
from waybill.quality.suites import Shape

SECRET = "joe@example.com"


def rule(expected: str, sql: str, name: str, /, **fields: object) -> str:
    """Return a rule in the form of a suite's file; an underscore in the name of a field becomes a space."""
    header = {"rule": name, "severity": "critical", "description": "A rule.", "expect": expected} | fields
    lines = [f"-- {field.replace('_', ' ')}: {value}" for field, value in header.items() if value is not None]
    return "\n".join([*lines, sql])


def every(condition: str, name: str = "a_rule", /, **fields: object) -> str:
    return rule("every row", condition, name, **fields)


def no_row(query: str, name: str = "a_rule", /, **fields: object) -> str:
    return rule("no row", query, name, **fields)


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes the suite `numbers` into the folder of suites."""
    monkeypatch.setattr(suites, "EXPECTATIONS", tmp_path)
    suites._rules_of_file.cache_clear()

    def write(*rules: str, about: str = "-- suite: numbers") -> None:
        suites._rules_of_file.cache_clear()
        (tmp_path / "numbers.sql").write_text("\n\n".join([about, *rules]) + "\n")

    yield write
    suites._rules_of_file.cache_clear()


@pytest.fixture
def numbers(warehouse: Warehouse) -> str:
    """Create a table with the rows (1, 'a'), (2, SECRET), (null, null)."""
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


def test_results_contain_counts_and_no_values(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(
        every("word = 'a' or word is null", "one"),
        every("number > 0", "null_is_not_satisfied"),
        every("number > 1", "warns", severity="warning"),
        no_row("select word from {batch} where number not in (select number from {other})", "query"),
        every("position('@:%' in coalesce(word, '')) = 0", "good"),
        every("number = 1", "share", severity="warning", mostly=0.3),
    )
    outcome = validate(warehouse, other="staging.wanted")
    found = {rule.rule: (rule.success, rule.unexpected_count) for rule in outcome.rules}
    assert found == {
        "row_count": (True, None),
        "one": (False, 1),
        "null_is_not_satisfied": (False, 1),
        "warns": (False, 2),
        "query": (False, 1),
        "good": (True, 0),
        "share": (True, 2),
    }
    assert [rule.rule for rule in outcome.rules] == list(found)
    assert [rule.rule for rule in outcome.failures] == ["one", "null_is_not_satisfied", "query"]
    assert [rule.rule for rule in outcome.warnings] == ["warns"]
    assert not any(rule.is_broken for rule in outcome.rules)
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        gate.record(cursor, [outcome], "load 7")
    connection.close()
    ((kept,),) = warehouse.rows("select results from ops.validation where subject = 'load 7' and not success")
    assert kept == msgspec.to_builtins(list(outcome.rules))
    assert SECRET not in repr(kept)
    with pytest.raises(QualityGateError) as stopped:
        gate.gate([outcome], "load 7")
    assert "load 7: numbers.one (A rule.; 1 finding); numbers.null_is_not_satisfied" in str(stopped.value)
    assert SECRET not in str(stopped.value) and "warns" not in str(stopped.value)


def test_warnings_do_not_fail_the_gate(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("number > 1", severity="warning"))
    outcome = validate(warehouse)
    gate.gate([outcome], "load 7")
    assert outcome.success and len(outcome.warnings) == 1


@pytest.mark.parametrize("severity", ["critical", "warning"])
@pytest.mark.parametrize(
    ("broken_rule", "message"),
    [
        (every("nothing = 1"), 'UndefinedColumn: column "nothing" does not exist'),
        (every("word::integer = 1"), "InvalidTextRepresentation"),
        (every("number ==== 1"), "UndefinedFunction"),
        (every("1 / (number - 1) > 0"), "DivisionByZero"),
        (no_row("select 1 from {batch} where where"), "SyntaxError"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_fails_the_gate(
    warehouse: Warehouse, numbers: str, suite, broken_rule: str, message: str, severity: str
) -> None:
    """Its severity does not matter, because it checked nothing. The message names columns, never values."""
    suite(every("number is not null or word is null", "good"), broken_rule.replace("critical", severity))
    outcome = validate(warehouse)
    (broken,) = [rule for rule in outcome.rules if rule.rule == "a_rule"]
    assert broken.is_broken and not broken.success and broken.unexpected_count is None
    assert broken.message.startswith(message)
    assert SECRET not in repr(outcome.rules)
    with pytest.raises(QualityGateError, match=r"numbers\.a_rule .*could not be evaluated"):
        gate.gate([outcome], "load 7")


def test_a_table_that_never_existed_fails_the_gate(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("number > 0"))
    with pytest.raises(QualityGateError, match=r"staging\.nowhere"):
        validate(warehouse, "staging.nowhere")


def test_a_table_that_lost_its_rows_does_not_pass(warehouse: Warehouse, suite) -> None:
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("create table staging.numbers (number integer)")
    connection.close()
    suite(every("number > 0"))
    assert [rule.success for rule in validate(warehouse, row_count=3).rules] == [False, True]
    assert validate(warehouse, row_count=0).success


@pytest.mark.parametrize(
    ("incomplete", "message"),
    [
        (every("number > 0", severity="fatal"), "fatal"),
        (every("number > 0", severity=None), "severity"),
        (every("number > 0", expect="each row"), "each row"),
        (every("number > 0", rule=None), "rule"),
        (every("number > 0", rule="A rule"), "rule"),
        (every("number > 0", description=None), "description"),
        (every("number > 0", description=""), "description"),
        (every("number > 0", mostley=1), "mostley"),
        (every("number > 0", mostly="most"), "mostly"),
        (every("number > 0", body="number > 1"), "body"),
        (every("number > 0") + "\n\n" + every("number > 1", "another").replace("-- rule:", "-- rul:"), "rul"),
        (every("number > 0").replace("-- severity: critical", "-- severity critical"), "severity critical"),
        (every("number > 0").replace("-- expect", "-- severity: warning\n-- expect"), "severity: warning"),
        (every("number >\n\n0"), "is not complete"),
        (every(""), "body"),
        (every("number > 0") + "\n\n" + every("number > 1"), "two rules are called a_rule"),
        (every("number > 0", "row_count"), "two rules are called row_count"),
        (every("number > 0", instead_of="not_all_zero"), "instead of not_all_zero, which is not a standard rule"),
        (rule("control counts", "number as numbers", "a_rule"), "need a table with a local day"),
    ],
)
def test_an_incomplete_rule_is_an_error(
    warehouse: Warehouse, numbers: str, suite, incomplete: str, message: str
) -> None:
    suite(incomplete)
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        validate(warehouse)
    assert "expectations/numbers.sql" in str(refused.value)


def test_a_rule_that_the_library_drops_is_an_error(
    warehouse: Warehouse, numbers: str, suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite(every("number > 0"))
    misspelt = {**suites._ROW_COUNT, "type": "expect_table_row_count_to_equall"}
    monkeypatch.setattr(suites, "_ROW_COUNT", misspelt)
    with pytest.raises(ConfigurationError, match="accepts 1 of 2 rules"):
        validate(warehouse)
    monkeypatch.setattr(suites, "_ROW_COUNT", suites._ROW_COUNT | {"type": misspelt["type"][:-1], "kwargs": {"of": 1}})
    with pytest.raises(ConfigurationError, match="refuses"):
        validate(warehouse)


def test_a_suite_names_itself_like_its_file(warehouse: Warehouse, numbers: str, suite) -> None:
    for about in ("-- suite: figures", "-- numbers", every("number > 0"), "-- suite: numbers\nnumber > 0"):
        suite(every("number > 0"), about=about)
        with pytest.raises(ConfigurationError, match="does not begin with a comment that contains `-- suite: numbers`"):
            validate(warehouse)
    suite()
    with pytest.raises(ConfigurationError, match="has no rules"):
        validate(warehouse)


def test_a_missing_suite_is_an_error(warehouse: Warehouse, numbers: str, suite) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        validate(warehouse)


SHAPE = Shape(("day", "word"), ("one", "other"), ("a_rate",))
GOOD = {"day": "2026-03-02", "word": "a", "one": 2, "other": 0, "a_rate": 1}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, set()),
        ({"one": 0, "other": 1, "a_rate": None}, set()),
        ({"day": None}, {"dimensions_present"}),
        ({"word": None}, {"dimensions_present"}),
        ({"one": -1}, {"counts_not_negative"}),
        ({"other": None}, {"counts_not_negative"}),
        ({"one": 0}, {"not_all_zero"}),
        ({"a_rate": 1.5}, {"rates_in_range"}),
        ({"a_rate": -0.5}, {"rates_in_range"}),
    ],
)
def test_standard_rules_follow_from_the_columns(
    warehouse: Warehouse, suite, changes: dict[str, object], broken: set[str]
) -> None:
    suite(every("true"))
    fill(warehouse, [GOOD | changes])
    assert failed(warehouse, 1) == broken
    fill(warehouse, [GOOD | changes, GOOD | changes])
    assert failed(warehouse, 1) == broken | {"grain_unique", "row_count"}


def test_a_rule_of_the_file_can_replace_standard_rules(warehouse: Warehouse, suite) -> None:
    suite(every("one + other > 9", instead_of="counts_not_negative, not_all_zero"))
    fill(warehouse, [GOOD | {"one": 0}])
    assert failed(warehouse, 1) == {"a_rule"}


@pytest.mark.parametrize(
    ("control", "is_equal"),
    [
        ([("twos", "2026-03-02", 2), ("others", "2026-03-02", 1), ("thirds", "2026-03-02", 9)], True),
        ([("twos", "2026-03-02", 3), ("others", "2026-03-02", 1)], False),
        ([("twos", "2026-03-02", 2)], False),
        ([("twos", "2026-03-03", 2), ("others", "2026-03-02", 1)], False),
        ([("twos", "2026-03-02", 2), ("others", "2026-03-02", 1), ("twos", "2026-03-04", 1)], False),
    ],
)
def test_control_counts_must_equal_the_sums_of_each_day(
    warehouse: Warehouse, suite, control: list[tuple], is_equal: bool
) -> None:
    fill(warehouse, [GOOD | {"word": "b"}, GOOD | {"one": 0, "other": 1}], control)
    body = "one as twos,\ncase\n    when word in ('a', 'c') then other\nend as others"
    suite(rule("control counts", body, "counted"))
    assert failed(warehouse, 2) == (set() if is_equal else {"counted"})
    suite(rule("control counts of a full build", body, "counted"))
    assert failed(warehouse, 2) == set()
    fill(warehouse, [GOOD | {"word": "b"}, GOOD | {"one": 0, "other": 1}], [*control, ("recounted", None, 1)])
    assert failed(warehouse, 2) == (set() if is_equal else {"counted"})


def fill(warehouse: Warehouse, rows: list[dict[str, object]], control: list[tuple] = ()) -> None:
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists staging.shaped, staging.control")
        cursor.execute(
            "create table staging.shaped (day date, word text, one bigint, other bigint, a_rate numeric(7,6))"
        )
        cursor.execute("create table staging.control (measure text, day date, expected bigint)")
        for row in rows:
            cursor.execute("insert into staging.shaped values (%s, %s, %s, %s, %s)", tuple(row.values()))
        for row in control:
            cursor.execute("insert into staging.control values (%s, %s, %s)", row)
    connection.close()


def failed(warehouse: Warehouse, row_count: int) -> set[str]:
    subject = Subject("numbers", "staging.shaped", row_count, {"control": "staging.control"}, SHAPE)
    (outcome,) = gate.validate(lambda: warehouse.connect("waybill_loader"), [subject])
    assert not any(rule.is_broken for rule in outcome.rules), outcome.rules
    return {rule.rule for rule in outcome.rules if not rule.success}


def test_validation_cannot_write(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(no_row("select 1 from {batch} where nextval('staging.counter') < 0"))
    connection = warehouse.connect("waybill_loader")
    with connection, connection.cursor() as cursor:
        cursor.execute("create sequence staging.counter")
    connection.close()
    assert validate(warehouse).rules[1].message == "ReadOnlySqlTransaction"


def test_no_connection_stays_open(warehouse: Warehouse, numbers: str, suite) -> None:
    opened: list[psycopg2.extensions.connection] = []

    def connect() -> psycopg2.extensions.connection:
        opened.append(warehouse.connect("waybill_loader"))
        return opened[-1]

    suite(every("number > 0"))
    gate.validate(connect, [Subject("numbers", "staging.numbers", 3)])
    assert 1 <= len(opened) <= 2
    assert all(connection.closed for connection in opened)


def test_a_lost_connection_is_not_reported_as_a_bad_table(warehouse: Warehouse, numbers: str, suite) -> None:
    suite(every("pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(psycopg2.OperationalError, match="connection broke"):
        gate.validate(warehouse.connect, [Subject("numbers", numbers, 3)])
    suite(every("number > 0"))
    assert validate(warehouse).failures


def test_a_malformed_table_name_is_an_error(warehouse: Warehouse, suite) -> None:
    suite(every("number > 0"))
    for table in ("numbers", "staging.numbers; drop table x", "staging.Numbers"):
        with pytest.raises(ValueError, match=r"schema\.table"):
            validate(warehouse, table)


def test_the_library_is_not_imported_if_nothing_is_validated() -> None:
    """The library takes seconds to import; commands that validate nothing must not pay for it."""
    code = (
        "import sys, waybill.quality.gate, waybill.flow.rebuild, waybill.reports.show;"
        "assert waybill.quality.gate.validate(None, []) == [];"
        "assert not {'great_expectations', 'pandas', 'pyarrow', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
