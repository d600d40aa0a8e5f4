"""A validation does not run the code of modules that it does not use. Later uses work, and results are the same."""

import json
import subprocess
import sys

from tests.conftest import Warehouse
from waybill.quality.late_imports import LATE_MODULES, PACKAGES_WITH_LATE_NAMES

LOADED_WITH = {
    "great_expectations.compatibility.aws": ("boto3", "boto3"),
    "great_expectations.compatibility.azure": ("azure.storage.blob", "BlobServiceClient"),
    "great_expectations.compatibility.google": ("google.cloud.storage", "storage"),
    "great_expectations.datasource.fluent": (
        "great_expectations.datasource.fluent.pandas_datasource",
        "PandasDatasource",
    ),
    "great_expectations.expectations": ("scipy.stats", "ExpectColumnKLDivergenceToBeLessThan"),
    "great_expectations.expectations.core": (
        "great_expectations.expectations.core.expect_column_max_to_be_between",
        "ExpectColumnMaxToBeBetween",
    ),
    "great_expectations.expectations.metrics": (
        "great_expectations.expectations.metrics.column_pair_map_metrics",
        "ColumnPairValuesEqual",
    ),
    "great_expectations.expectations.metrics.query_metrics": (
        "great_expectations.expectations.metrics.query_metrics.query_table",
        "QueryTable",
    ),
    "great_expectations.expectations.metrics.table_metrics": (
        "great_expectations.expectations.metrics.table_metrics.table_columns",
        "TableColumns",
    ),
    "great_expectations.metrics": ("great_expectations.metrics.column.mean", "ColumnMean"),
    "great_expectations.render": ("jinja2", "DefaultJinjaPageView"),
}
"""For each package or module that is imported late: a module that it imports, and one of its names."""

MODULES_AT_MOST = 1600
"""The limit after a validation. Without late imports there are about 2,950."""

VALIDATED = """
import json, sys
import msgspec
from waybill.quality.gate import Subject, validate
from waybill.warehouse.connection import connect

url, late = sys.argv[1], json.loads(sys.argv[2])


def results():
    (outcome,) = validate(lambda: connect(url), [Subject("event_staging", "fact.event", row_count=1)])
    return msgspec.to_builtins(outcome.rules)


before = results()
count = len(sys.modules)
loaded_before = [within for within, _ in late.values() if within in sys.modules]
for name, (_, wanted) in late.items():
    getattr(sys.modules[name], wanted)
loaded_after = [within for within, _ in late.values() if within in sys.modules]
print(json.dumps([before, results(), count, loaded_before, loaded_after]))
"""


def test_a_validation_gives_the_same_results_before_and_after_the_late_imports(warehouse: Warehouse) -> None:
    assert set(LOADED_WITH) == {*PACKAGES_WITH_LATE_NAMES, *LATE_MODULES}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", VALIDATED, warehouse.url, json.dumps(LOADED_WITH)],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    before, after, module_count, loaded_before, loaded_after = json.loads(done.stdout)
    assert loaded_before == []
    assert loaded_after == [within for within, _ in LOADED_WITH.values()]
    assert [rule["rule"] for rule in before if not rule["success"]] == ["row_count"]
    assert before == after
    assert module_count <= MODULES_AT_MOST
