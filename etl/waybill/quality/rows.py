"""Two types of rules for Great Expectations: every row satisfies a condition in SQL; a query finds no row.

One SELECT, and so one scan, counts the rows for all conditions of a suite. The library's own types scan the table at
least once for each rule, and its own type for queries runs each query twice. Importing this module imports the library.
"""

from typing import Any, ClassVar

import sqlalchemy
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core.id_dict import IDDict
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import expect_table_row_count_to_equal  # noqa: F401 - registers the rule
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration, parse_result_format
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.query_metrics.query_row_count.unexpected_rows_query_row_count import (
    UnexpectedRowsQueryRowCount,
)
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.expectations.metrics.table_metrics.table_row_count import TableRowCount
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies


class TableUnsatisfyingRowCount(TableMetricProvider):
    """The number of rows for which a condition is false or null."""

    metric_name = "table.unsatisfying_row_count"
    value_keys = ("condition",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805 - the library calls it on the class
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> tuple[sqlalchemy.ColumnElement[int], dict[str, Any], dict[str, Any]]:
        _, domain, accessor = execution_engine.get_compute_domain(
            domain_kwargs=metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        # literal_column, not text: with text, a colon in a condition would begin a parameter
        condition: sqlalchemy.ColumnElement[bool] = sqlalchemy.literal_column(
            f"(({metric_value_kwargs['condition']}) is not true)"
        )
        return sqlalchemy.func.count().filter(condition), domain, accessor


class SqlRule(BatchExpectation):
    """A rule whose metrics depend on the batch and on fields of the rule, and which never changes after it was made.

    For each metric of each rule the library makes the rule again, and it computes the configuration of a rule dozens of
    times: three quarters of the processor time of a validation. A rule of this class does each of both once.

    :cvar value_keys: the fields of the rule on which each of its metrics depends
    """

    value_keys: ClassVar[dict[str, tuple[str, ...]]]

    _kept: ExpectationConfiguration | None = PrivateAttr(None)

    @property
    def configuration(self) -> ExpectationConfiguration:
        if self._kept is None:
            self._kept = super().configuration
        return self._kept

    def get_validation_dependencies(
        self,
        execution_engine: ExecutionEngine[Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> ValidationDependencies:
        batch = {"batch_id": self.configuration.kwargs.get("batch_id")}
        metrics = {
            name: MetricConfiguration(name, IDDict(batch), IDDict({key: getattr(self, key) for key in keys}))
            for name, keys in self.value_keys.items()
        }
        return ValidationDependencies(metrics, parse_result_format((runtime_configuration or {})["result_format"]))


class ExpectEveryRowToSatisfy(SqlRule):
    """The rule that every row, or at least the share `mostly` of all rows, satisfies `condition`; null does not.

    :ivar condition: SQL with the columns of the table
    """

    condition: str
    mostly: float = 1.0

    value_keys: ClassVar[dict[str, tuple[str, ...]]] = {
        TableUnsatisfyingRowCount.metric_name: ("condition",),
        TableRowCount.metric_name: (),
    }
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "mostly")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        count = metrics[TableUnsatisfyingRowCount.metric_name]
        return {
            "success": count <= (1 - self.mostly) * metrics[TableRowCount.metric_name],
            "result": {"unexpected_count": count},
        }


class ExpectQueryToFindNoRow(SqlRule, UnexpectedRowsExpectation):
    """The rule that `unexpected_rows_query` finds no row. The result contains the number of rows, never a row."""

    value_keys: ClassVar[dict[str, tuple[str, ...]]] = {
        UnexpectedRowsQueryRowCount.metric_name: ("unexpected_rows_query",)
    }

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        count = metrics[UnexpectedRowsQueryRowCount.metric_name]
        return {"success": count == 0, "result": {"unexpected_count": count}}
