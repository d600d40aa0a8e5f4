"""The gate: Great Expectations suites over tables that a load or a build has staged and committed.

`waybill.quality.suites` reads the rules of a table. Two of the three types are defined in `waybill.quality.rows`:
`expect_every_row_to_satisfy` (a condition in SQL; one scan checks all of a suite) and `expect_query_to_find_no_row` (a
query of wrong rows). The third is `expect_table_row_count_to_equal` (the number of rows that were written). Results
contain counts and names of rules, never values. The library takes a second to import, so only the first validation
imports it.
"""

import logging
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import ConfigurationError, QualityGateError, WaybillError
from waybill.quality import suites
from waybill.quality.late_imports import imported_late
from waybill.quality.suites import NO_SHAPE, Configuration, Shape

if TYPE_CHECKING:
    from great_expectations.core.expectation_suite import ExpectationSuite
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
    from great_expectations.expectations.expectation import Expectation

_TABLE = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")
_ERRORS_ABOUT_NAMES = ("UndefinedColumn", "UndefinedTable", "UndefinedFunction", "SyntaxError", "InsufficientPrivilege")
_MESSAGE_LENGTH = 300
_LOGGERS = ("great_expectations", "great_expectations.data_context.types.base")  # the second sets a level of its own


@dataclass(frozen=True)
class Subject:
    """A table to validate.

    :ivar suite: name of a file in expectations/, without the suffix
    :ivar table: schema and name; the table is committed, because the suite reads it through another connection
    :ivar row_count: the number of rows that were written; a table that a crash emptied must not pass
    :ivar tables: other tables that queries of the suite name in braces, e.g. {"control": "staging.build_7_control"}
    :ivar shape: the columns from which its standard rules follow
    """

    suite: str
    table: str
    row_count: int
    tables: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = NO_SHAPE


class RuleResult(msgspec.Struct, frozen=True):
    """The result of one rule.

    :ivar rule: the name of the rule
    :ivar is_broken: whether the rule could not be evaluated
    :ivar unexpected_count: the number of rows that break the rule; None if unknown
    :ivar message: why the rule could not be evaluated
    """

    rule: str
    severity: str
    success: bool
    is_broken: bool
    unexpected_count: int | None
    description: str | None
    message: str | None

    @property
    def is_failure(self) -> bool:
        """Whether this rule stops the load or the build: it is critical and failed, or could not be evaluated."""
        return self.is_broken or (not self.success and self.severity == "critical")


@dataclass(frozen=True)
class Outcome:
    """The results of a suite.

    :ivar rules: first the standard rules, then those of the file in their order
    """

    suite: str
    table: str
    rules: tuple[RuleResult, ...]

    @property
    def failures(self) -> tuple[RuleResult, ...]:
        """The rules that stop the load or the build."""
        return tuple(rule for rule in self.rules if rule.is_failure)

    @property
    def warnings(self) -> tuple[RuleResult, ...]:
        """The rules that failed and only warn."""
        return tuple(rule for rule in self.rules if not rule.success and not rule.is_failure)

    @property
    def success(self) -> bool:
        return not self.failures


def validate(connect: Callable[[], Connection], subjects: Sequence[Subject]) -> list[Outcome]:
    """Run the suite of each subject over its table, through new connections that can only read.

    :param connect: opens a connection that may read the tables
    :raises ConfigurationError: a file has a rule that the library refuses; or no connection is possible
    :raises UnavailableError: no connection is possible now
    :raises psycopg2.OperationalError: the connection broke, so nothing is known about the tables
    """
    if not subjects:
        return []
    library = _library()
    loaded = [_suite(library, subject) for subject in subjects]

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
        # Without transactions, a query is one message to the server; the library ends a transaction after each anyway.
        connection.set_session(readonly=True, autocommit=True)
        return connection

    try:
        source = _source(library, connect_to_read, subjects)
        outcomes = [_outcome(source, subject, suite) for subject, suite in zip(subjects, loaded, strict=True)]
        if any(outcome.failures for outcome in outcomes):
            _check_connections(opened, refused)
        return outcomes
    except Exception:
        _check_connections(opened, refused)
        raise
    finally:
        # The library keeps a second engine, which its dispose() does not close.
        for connection in opened:
            connection.close()


def _check_connections(opened: Sequence[Connection], refused: Sequence[WaybillError]) -> None:
    """Raise if a connection was refused or broke. The library reports that as a rule that cannot be evaluated, as a
    missing table, or, after a crash, as an empty table, as if the tables were wrong."""
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
    """Validate, record the results in ops.validation (in a separate transaction on `connection`), then call `gate`.

    :param about: what is validated, for results and errors: `load 7`, `build 3`
    :raises QualityGateError: like `gate`, after the results are recorded
    """
    outcomes = validate(connect, subjects)
    with connection, connection.cursor() as cursor:
        record(cursor, outcomes, about)
    gate(outcomes, about)
    return outcomes


def gate(outcomes: Sequence[Outcome], about: str) -> None:
    """Raise QualityGateError, which names the rules, if a critical rule failed or a rule could not be evaluated."""
    found = [
        f"{outcome.suite}.{rule.rule} ({rule.message or rule.description}; "
        f"{'could not be evaluated' if rule.is_broken else _findings(rule.unexpected_count)})"
        for outcome in outcomes
        for rule in outcome.failures
    ]
    if found:
        raise QualityGateError(
            f"{about}: {'; '.join(found)}. Nothing was published. The results are in ops.validation; the rules are "
            "in expectations/."
        )


def record(cursor: Cursor, outcomes: Sequence[Outcome], about: str) -> None:
    """Record the results in ops.validation."""
    cursor.executemany(
        "insert into ops.validation (subject, suite, success, results) values (%s, %s, %s, %s)",
        [(about, outcome.suite, outcome.success, msgspec.json.encode(outcome.rules).decode()) for outcome in outcomes],
    )


def _findings(count: int | None) -> str:
    return "1 finding" if count == 1 else f"{count} findings"


@cache
def _library() -> ModuleType:
    """Import Great Expectations without its warnings and logs, and register Waybill's type of rule."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings(), imported_late():
        warnings.simplefilter("ignore")
        import great_expectations
        import great_expectations.datasource.fluent.postgres_datasource  # registers `add_postgres`

        import waybill.quality.rows  # noqa: F401 - registers the types of rules
    for logger in _LOGGERS:
        logging.getLogger(logger).setLevel(logging.ERROR)
    return great_expectations


def _suite(library: ModuleType, subject: Subject) -> "ExpectationSuite":
    for table in (subject.table, *subject.tables.values()):
        if not _TABLE.fullmatch(table):
            raise ValueError(f"{table!r} is not of the form schema.table")
    rules = [_with_tables(rule, subject.tables) for rule in suites.expectations(subject.suite, subject.shape)]
    # The library logs and drops a rule whose type or severity is misspelt; any other mistake raises.
    try:
        suite: ExpectationSuite = library.ExpectationSuite(name=subject.suite, expectations=rules)
    except Exception as error:
        raise ConfigurationError(f"expectations/{subject.suite}.sql: Great Expectations refuses it: {error}") from error
    if len(suite.expectations) != len(rules):
        raise ConfigurationError(
            f"expectations/{subject.suite}.sql: Great Expectations accepts {len(suite.expectations)} of {len(rules)} "
            "rules: it does not know the type or the severity of the others."
        )
    return suite


def _with_tables(rule: Configuration, tables: Mapping[str, str]) -> Configuration:
    """Return the rule with {name} in its query replaced by the table of that name."""
    query = rule["kwargs"].get("unexpected_rows_query")
    if not isinstance(query, str):
        return rule
    for name, table in tables.items():
        query = query.replace(f"{{{name}}}", table)
    return {**rule, "kwargs": {**rule["kwargs"], "unexpected_rows_query": query}}


def _source(library: ModuleType, connect: Callable[[], Connection], subjects: Sequence[Subject]) -> "SQLDatasource":
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    context = library.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # The URL only names the dialect. The connection comes from `connect`, so the library never sees a password.
    try:
        source: SQLDatasource = context.data_sources.add_postgres(
            "warehouse",
            connection_string="postgresql+psycopg2://login@warehouse",
            kwargs={"creator": connect},
            # in one call: the library copies its configuration for each asset that is added later
            assets=[_asset(subject) for subject in subjects],
        )
    except TestConnectionError as error:
        tables = ", ".join(subject.table for subject in subjects)
        raise QualityGateError(
            f"At least one of these tables cannot be read for validation: {tables}. It is missing, or the login "
            "may not read it."
        ) from error
    return source


def _asset(subject: Subject) -> dict[str, str]:
    schema, table = subject.table.split(".")
    return {"type": "table", "name": subject.table, "table_name": table, "schema_name": schema}


def _outcome(source: "SQLDatasource", subject: Subject, suite: "ExpectationSuite") -> Outcome:
    asset = source.get_asset(subject.table)
    batch = asset.get_batch(asset.build_batch_request())
    validated = batch.validate(
        suite,
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
        expectation_parameters={"row_count": subject.row_count},
    )
    # The results of the library are in another order.
    by_rule = {
        _name(result.expectation_config.meta): result for result in validated.results if result.expectation_config
    }
    rules = tuple(_result(expectation, by_rule.get(_name(expectation.meta))) for expectation in suite.expectations)
    return Outcome(subject.suite, subject.table, rules)


def _name(meta: dict[str, Any] | None) -> str:
    return str((meta or {})["rule"])


def _result(expectation: "Expectation", result: "ExpectationValidationResult | None") -> RuleResult:
    error = "it gave no result" if result is None else _error(result.exception_info or {})
    return RuleResult(
        rule=_name(expectation.meta),
        severity=expectation.severity.value,
        success=result is not None and error is None and bool(result.success),
        is_broken=error is not None,
        unexpected_count=None if result is None or error else _unexpected_count(result.result),
        description=expectation.description,
        message=error,
    )


def _unexpected_count(found: dict[str, Any]) -> int | None:
    """Return how many rows break the rule; None for the rule on the row count."""
    count = found.get("unexpected_count")
    return count if isinstance(count, int) else None


def _error(information: dict[str, Any]) -> str | None:
    """Return why the rule could not be evaluated, without values. The library gives one dict, or one per metric."""
    parts = [information] if "raised_exception" in information else list(information.values())
    for part in parts:
        if isinstance(part, dict) and part.get("raised_exception"):
            text = str(part.get("exception_message") or "")
            database = re.search(r"psycopg2\.errors\.(\w+)\) ([^\n]*)", text)
            if database is None:
                return "the library could not evaluate it"
            kind, line = database.groups()
            return f"{kind}: {line[:_MESSAGE_LENGTH]}" if kind in _ERRORS_ABOUT_NAMES else kind
    return None
