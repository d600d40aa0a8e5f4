"""The gate: Great Expectations suites over tables that a load or a build has staged and committed.

`waybill.quality.suites` says what the rules of a table are. They are of three types: `expect_every_row_to_satisfy`
(defined in `waybill.quality.rows`: a condition in SQL; all of a suite run in one scan), `unexpected_rows_expectation`
(a query that finds what should not be there) and `expect_table_row_count_to_equal` (what the writer wrote). Results
hold counts and names of rules, never values. The library takes seconds to import, so that is left to the first
validation.
"""

import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import ConfigurationError, QualityGateError, WaybillError
from waybill.quality import suites
from waybill.quality.late_imports import imported_late
from waybill.quality.suites import NO_SHAPE, Shape

_TABLE = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")
_TELLING_ERRORS = ("UndefinedColumn", "UndefinedTable", "UndefinedFunction", "SyntaxError", "InsufficientPrivilege")
_MESSAGE_LENGTH = 300
_LOGGERS = ("great_expectations", "great_expectations.data_context.types.base")  # the second sets a level of its own


@dataclass(frozen=True)
class Subject:
    """A table to validate.

    :ivar suite: name of a file in expectations/, without its ending
    :ivar table: schema and name; committed, because the suite reads it through a connection of its own
    :ivar row_count: rows that its writer put there; a table that a crash emptied must not pass
    :ivar tables: further tables that queries of the suite name in braces, e.g. {"control": "staging.build_7_control"}
    :ivar shape: the columns from which its standard rules follow
    """

    suite: str
    table: str
    row_count: int
    tables: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = NO_SHAPE


@dataclass(frozen=True)
class Outcome:
    """What a suite found.

    :ivar rules: one dict per rule, the standard ones first, then in the order of the file: rule, severity, success,
        is_broken (the rule itself could not be evaluated), unexpected_count (rows, None if unknown), description,
        message (of a broken rule)
    """

    suite: str
    table: str
    rules: tuple[dict[str, object], ...]

    @property
    def failures(self) -> tuple[dict[str, object], ...]:
        """Rules that stop: critical ones that failed, and all that could not be evaluated."""
        return tuple(
            rule for rule in self.rules if rule["is_broken"] or (not rule["success"] and rule["severity"] == "critical")
        )

    @property
    def warnings(self) -> tuple[dict[str, object], ...]:
        """Rules that failed and only warn."""
        return tuple(rule for rule in self.rules if not rule["success"] and rule not in self.failures)

    @property
    def success(self) -> bool:
        return not self.failures


def validate(connect: Callable[[], Connection], subjects: Sequence[Subject]) -> list[Outcome]:
    """Run each subject's suite over its table, read-only, through connections of its own.

    :param connect: opens a fresh connection that may read the tables
    :raises ConfigurationError: a suite's file has a rule that the library does not take
    :raises psycopg2.OperationalError: the connection broke: nothing is known of the tables
    :raises ConfigurationError: no connection came about; UnavailableError where one may later
    """
    if not subjects:
        return []
    suites = [_suite(subject) for subject in subjects]
    library = _library()

    opened: list[Connection] = []
    refused: list[WaybillError] = []

    def connect_to_read() -> Connection:
        try:
            connection = connect()
        except WaybillError as error:
            refused.append(error)
            raise
        opened.append(connection)
        connection.rollback()
        connection.set_session(readonly=True)
        return connection

    try:
        source = _source(library, connect_to_read, subjects)
        outcomes = [_outcome(source, subject, suite) for subject, suite in zip(subjects, suites, strict=True)]
        if any(outcome.failures for outcome in outcomes):
            _check_connections(opened, refused)
        return outcomes
    except Exception:
        _check_connections(opened, refused)
        raise
    finally:
        # The library keeps an engine for itself, which its own dispose() does not reach.
        for connection in opened:
            connection.close()


def _check_connections(opened: Sequence[Connection], refused: Sequence[WaybillError]) -> None:
    """Raise where a connection did not come about or broke. To the library that is a rule that cannot be evaluated, a
    table that is not there, or, after a crash, an emptied one: the tables would be to blame."""
    if refused:
        raise refused[0] from None
    if any(map(_is_lost, opened)):
        raise psycopg2.OperationalError("the connection broke while the suites ran") from None


def _is_lost(connection: Connection) -> bool:
    try:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except psycopg2.Error:
        return True
    return False


def check(
    connect: Callable[[], Connection], connection: Connection, subjects: Sequence[Subject], about: str
) -> list[Outcome]:
    """Validate, keep the results in ops.validation (a transaction of its own on `connection`), and gate.

    :param about: what is validated, as results and errors name it: `load 7`, `build 3`
    :raises QualityGateError: as `gate`; the results are kept then, too
    """
    outcomes = validate(connect, subjects)
    with connection, connection.cursor() as cursor:
        record(cursor, outcomes, about)
    gate(outcomes, about)
    return outcomes


def gate(outcomes: Sequence[Outcome], about: str) -> None:
    """Stop here if a critical rule failed or a rule could not be evaluated.

    :raises QualityGateError: names every such rule
    """
    found = [
        f"{outcome.suite}.{rule['rule']} ({rule['message'] or rule['description']}; "
        f"{'could not be evaluated' if rule['is_broken'] else _rows(rule['unexpected_count'])})"
        for outcome in outcomes
        for rule in outcome.failures
    ]
    if found:
        raise QualityGateError(
            f"{about}: {'; '.join(found)}. Nothing was published. The results are in ops.validation; the rules are "
            "in expectations/."
        )


def record(cursor: Cursor, outcomes: Sequence[Outcome], about: str) -> None:
    """Keep the results in ops.validation."""
    cursor.executemany(
        "insert into ops.validation (subject, suite, success, results) values (%s, %s, %s, %s)",
        [(about, outcome.suite, outcome.success, json.dumps(outcome.rules)) for outcome in outcomes],
    )


def _rows(count: object) -> str:
    return "1 finding" if count == 1 else f"{count} findings"


@cache
def _library() -> ModuleType:
    """Great Expectations, quiet, with our type of rule registered."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings(), imported_late():
        warnings.simplefilter("ignore")
        import great_expectations

        import waybill.quality.rows  # noqa: F401 - registers the type of rule
    for logger in _LOGGERS:
        logging.getLogger(logger).setLevel(logging.ERROR)
    return great_expectations


@cache
def _no_progress_bars() -> object:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    return ProgressBarsConfig(globally=False)


@cache
def _unreadable() -> type[Exception]:
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    return TestConnectionError


def _suite(subject: Subject) -> object:
    for table in (subject.table, *subject.tables.values()):
        if not _TABLE.fullmatch(table):
            raise ValueError(f"{table!r} is no schema and table name")
    rules = [_naming_tables(rule, subject.tables) for rule in suites.expectations(subject.suite, subject.shape)]
    library = _library()
    # A rule whose type or severity is misspelt is logged and dropped; any other mistake raises.
    try:
        suite = library.ExpectationSuite(name=subject.suite, expectations=rules)
    except Exception as error:
        raise ConfigurationError(f"expectations/{subject.suite}.sql: Great Expectations refuses it: {error}") from error
    if len(suite.expectations) != len(rules):
        raise ConfigurationError(
            f"expectations/{subject.suite}.sql: Great Expectations took {len(suite.expectations)} of its {len(rules)} "
            "rules: it does not know the type or the severity of the others."
        )
    return suite


def _naming_tables(rule: dict, tables: Mapping[str, str]) -> dict:
    """The rule with the names of tables in the place of {name} in its query."""
    query = rule["kwargs"].get("unexpected_rows_query")
    if query is None:
        return rule
    for name, table in tables.items():
        query = query.replace(f"{{{name}}}", table)
    return rule | {"kwargs": rule["kwargs"] | {"unexpected_rows_query": query}}


def _source(library: ModuleType, connect: Callable[[], Connection], subjects: Sequence[Subject]):
    context = library.get_context(mode="ephemeral")
    context.variables.progress_bars = _no_progress_bars()
    # The URL only names the dialect: the connection comes from `connect`, so that no password passes through here.
    # The library would rather have its own class for Postgres, which refuses URLs of sockets, and says so.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return context.data_sources.add_sql(
                "warehouse",
                connection_string="postgresql+psycopg2://",
                kwargs={"creator": connect},
                # all at once: each asset that is added later costs a copy of the library's configuration
                assets=[_asset(subject) for subject in subjects],
            )
        except _unreadable() as error:
            tables = ", ".join(subject.table for subject in subjects)
            raise QualityGateError(
                f"Not every one of these tables can be read for validation: {tables}. Either one is gone, or the login "
                "may not read it."
            ) from error


def _asset(subject: Subject) -> dict[str, str]:
    schema, table = subject.table.split(".")
    return {"type": "table", "name": subject.table, "table_name": table, "schema_name": schema}


def _outcome(source, subject: Subject, suite) -> Outcome:  # noqa: ANN001 - types of a library imported late
    asset = source.get_asset(subject.table)
    batch = asset.get_batch(asset.build_batch_request())
    validated = batch.validate(
        suite,
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
        expectation_parameters={"row_count": subject.row_count},
    )
    # The library's results come in an order of its own.
    by_rule = {result.expectation_config.meta["rule"]: result for result in validated.results}
    rules = tuple(_result(expectation, by_rule.get(expectation.meta["rule"])) for expectation in suite.expectations)
    return Outcome(subject.suite, subject.table, rules)


def _result(expectation, result) -> dict[str, object]:  # noqa: ANN001
    error = "it gave no result" if result is None else _error(result.exception_info or {})
    found = {} if result is None or error else result.result
    return {
        "rule": expectation.meta["rule"],
        "severity": str(getattr(expectation.severity, "value", expectation.severity)),
        "success": error is None and bool(result.success),
        "is_broken": error is not None,
        "unexpected_count": None if error else _unexpected_count(expectation, found),
        "description": expectation.description,
        "message": error,
    }


def _unexpected_count(expectation, found: dict) -> int | None:  # noqa: ANN001
    """Rows against the rule; for the rule on the row count, how many are missing or too many."""
    if "unexpected_count" in found:
        return found["unexpected_count"]
    observed = found.get("observed_value")
    if not isinstance(observed, int):
        return None
    if expectation.expectation_type != "expect_table_row_count_to_equal":
        return observed
    return None


def _error(information: dict) -> str | None:
    """Why the rule could not be evaluated, without values: the library gives one dict, or one per metric."""
    parts = [information] if "raised_exception" in information else list(information.values())
    for part in parts:
        if isinstance(part, dict) and part.get("raised_exception"):
            text = str(part.get("exception_message") or "")
            database = re.search(r"psycopg2\.errors\.(\w+)\) ([^\n]*)", text)
            if database is None:
                return "the library could not evaluate it"
            kind, line = database.groups()
            return f"{kind}: {line[:_MESSAGE_LENGTH]}" if kind in _TELLING_ERRORS else kind
    return None
