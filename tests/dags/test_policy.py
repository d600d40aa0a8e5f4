"""The retry policy of tasks, applied by Airflow to each kind of error."""

import json
import subprocess
import sys
from pathlib import Path

DECIDE = """
import json
import psycopg2
from waybill.model import errors
from waybill.airflow.policy import DEFAULTS

raised = [errors.UnavailableError("x"), psycopg2.OperationalError("x"), psycopg2.errors.AdminShutdown("x")]
raised += [errors.SourceError("x"), errors.ConfigurationError("x"), errors.QualityGateError("x")]
decide = DEFAULTS["retry_policy"].evaluate
print(json.dumps({type(error).__name__: decide(error, 1, 3).action.value for error in raised}))
"""


def test_only_errors_that_may_pass_are_tried_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DECIDE],
        env={"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    decided = json.loads(done.stdout.splitlines()[-1])
    assert decided.pop("UnavailableError") == "retry"
    assert {decided.pop(name) for name in ("OperationalError", "AdminShutdown", "SourceError")} == {"default"}
    assert decided == {"ConfigurationError": "fail", "QualityGateError": "fail"}
