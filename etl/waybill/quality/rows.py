"""A type of rule for Great Expectations: every row satisfies a condition in SQL.

All rules of this type in a suite are counted in one SELECT, one scan, however many columns a condition names; the
library's own types read the table once or more for each. Importing this module imports the library.
"""

from typing import Any, ClassVar

import sqlalchemy
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider


class TableUnsatisfyingRowCount(TableMetricProvider):
    """Rows for which a condition is false or null."""

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
        metric_domain_kwargs: dict,
        metric_value_kwargs: dict,
        metrics: dict[str, Any],
        runtime_configuration: dict,
    ) -> tuple[sqlalchemy.ColumnElement, dict, dict]:
        _, domain, accessor = execution_engine.get_compute_domain(
            domain_kwargs=metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        # literal_column, not text: a colon in a condition is no parameter
        condition = sqlalchemy.literal_column(f"(({metric_value_kwargs['condition']}) is not true)")
        return sqlalchemy.func.count().filter(condition), domain, accessor


class ExpectEveryRowToSatisfy(BatchExpectation):
    """Every row, or at least the share `mostly` of them, satisfies `condition`; a null does not.

    :ivar condition: SQL over the table's columns
    """

    condition: str
    mostly: float = 1.0

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.unsatisfying_row_count", "table.row_count")
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "mostly")

    def _validate(
        self,
        metrics: dict,
        runtime_configuration: dict | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict:
        count = metrics["table.unsatisfying_row_count"]
        return {
            "success": count <= (1 - self.mostly) * metrics["table.row_count"],
            "result": {"unexpected_count": count},
        }
