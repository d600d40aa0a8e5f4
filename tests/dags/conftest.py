"""The DAGs as Airflow reads them, in a separate process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Returns what tests/dags/describe.py writes, for two organisations and the time zone of Berlin."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "ACCOUNTS": "north,south",
        "PROVIDER_POOLS": "1",
        "REPORT_TIMEZONE": "Europe/Berlin",
        "PYTHONPATH": str(ROOT),
    }
    answer = home / "described.json"
    command = [sys.executable, str(ROOT / "tests" / "dags" / "describe.py"), str(answer)]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(answer.read_text())
