"""The health of processes."""

import os
import subprocess
import sys

import pytest
from pytest_httpserver import HTTPServer

from deploy.airflow_settings import PROCESSES, ROOT
from deploy.health import PARTS, is_healthy

TOLD = {
    "metadatabase": {"status": "healthy"},
    "scheduler": {"status": "healthy"},
    "dag_processor": {"status": "unhealthy"},
    "triggerer": {"status": None},
}


@pytest.fixture
def url(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/api/v2/monitor/health").respond_with_json(TOLD)
    return httpserver.url_for("").rstrip("/")


def test_every_process_has_a_name_at_the_api_server() -> None:
    assert PARTS.keys() == PROCESSES.keys()


def test_the_health_is_that_of_the_api_server(url: str) -> None:
    assert {name: is_healthy(name, url) for name in PARTS} == {
        "api-server": True,
        "scheduler": True,
        "dag-processor": False,
        "triggerer": False,
    }


def test_without_an_answer_a_process_is_not_healthy() -> None:
    assert not is_healthy("scheduler", "http://127.0.0.1:9")


def test_the_command_needs_no_airflow_and_no_proxy(url: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "http_proxy": "http://127.0.0.1:9",
    }
    program = "import sys, runpy; sys.modules['airflow'] = None; runpy.run_module('deploy.health', run_name='__main__')"
    for name, code in (("scheduler", 0), ("triggerer", 1)):
        done = subprocess.run([sys.executable, "-c", program, name], env=environment, cwd=ROOT, timeout=60)
        assert done.returncode == code
