"""What the retry policy of tasks does with each error of Waybill; Airflow's own class decides."""

import json
import subprocess
import sys
from pathlib import Path

DAGS = Path(__file__).resolve().parents[2] / "dags"
DECIDE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import psycopg2
from waybill.model import errors
from waybill.airflow.policy import DEFAULTS

raised = [errors.UnavailableError("x"), psycopg2.OperationalError("x"), psycopg2.errors.AdminShutdown("x")]
raised += [errors.SourceError("x"), errors.ConfigurationError("x"), errors.QualityGateError("x")]
decide = DEFAULTS["retry_policy"].evaluate
print(json.dumps({type(error).__name__: decide(error, 1, 3).action.value for error in raised}))
"""


def test_a_warehouse_that_does_not_answer_is_tried_again_and_a_wrong_setting_or_a_failed_gate_is_not(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DECIDE, str(DAGS)],
        env={"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    decided = json.loads(done.stdout.splitlines()[-1])
    assert decided.pop("UnavailableError") == "retry"
    assert {decided.pop(name) for name in ("OperationalError", "AdminShutdown", "SourceError")} == {"default"}
    assert decided == {"ConfigurationError": "fail", "QualityGateError": "fail"}
