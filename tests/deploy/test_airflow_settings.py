"""Airflow's settings: the pinned Airflow knows each of them, and unwanted features are off."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.airflow_settings import OF_EACH_INSTALLATION, PROCESSES, ROOT, SETTINGS, ports

NAMES = [name for name in (*SETTINGS, *OF_EACH_INSTALLATION) if name.startswith("AIRFLOW__")]
CALLS = [" ".join(words) for program, *words in PROCESSES.values() if program == "airflow"]
ASKING = """
import json, sys
from airflow.cli import cli_parser
from airflow.configuration import conf

def is_known(name):
    section, option = name.lower().split("__")[1:]
    return option in conf.configuration_description.get(section, {}).get("options", {})

names, calls = json.loads(sys.argv[1])
unknown = [name for name in names if not is_known(name)]
subcommands = [cli_parser.get_parser().parse_args(call.split()).subcommand for call in calls]
print(json.dumps({"unknown": unknown, "subcommands": subcommands}))
"""


def airflow_process(arguments: list[str], folder: Path, **settings: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW_CONFIG": str(ROOT / "deploy" / "airflow_config" / "airflow.cfg"),
        **settings,
    }
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Answers:
    """What an Airflow says, and the folder that it was given as its home."""

    unknown: list[str]
    subcommands: list[str]
    home: Path


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """One process for all questions: Airflow takes seconds to import."""
    home = tmp_path_factory.mktemp("airflow")
    asked = json.dumps([[*NAMES, "AIRFLOW__CORE__MISSPELT"], CALLS])
    return Answers(**json.loads(airflow_process(["-c", ASKING, asked], home)), home=home)


def test_airflow_knows_every_setting(answers: Answers) -> None:
    assert len(NAMES) > 20
    assert answers.unknown == ["AIRFLOW__CORE__MISSPELT"]


def test_airflow_writes_no_settings_file(answers: Answers) -> None:
    assert not list(answers.home.rglob("airflow.cfg"))


def test_every_process_is_a_command_of_airflow(answers: Answers) -> None:
    assert len(PROCESSES) == 4
    assert answers.subcommands == [words[1] for words in PROCESSES.values()]


def test_no_log_server_listens() -> None:
    for name in ("scheduler", "triggerer"):
        assert "--skip-serve-logs" in PROCESSES[name]


def test_the_three_settings_of_the_port_agree() -> None:
    found = ports("127.0.0.1", 8123, seen_as="localhost")
    assert found["AIRFLOW__API__PORT"] == "8123"
    assert found["AIRFLOW__API__BASE_URL"] == "http://localhost:8123"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://localhost:8123/execution/"
    assert found.keys() <= set(OF_EACH_INSTALLATION)


def test_an_admin_needs_a_password_and_no_usage_data_are_sent() -> None:
    assert SETTINGS["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    assert SETTINGS["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert SETTINGS["SCARF_ANALYTICS"] == "False" and SETTINGS["GX_ANALYTICS_ENABLED"] == "False"


def test_only_the_scheduler_imports_great_expectations_in_advance(tmp_path: Path) -> None:
    program = "import sys; sys.argv = ['airflow', *sys.argv[1:]]; import airflow_local_settings; print(*sys.modules)"
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "deploy" / "airflow_config")])}
    assert "great_expectations" in airflow_process(["-c", program, "scheduler"], tmp_path, **path).split()
    assert "great_expectations" not in airflow_process(["-c", program, "triggerer"], tmp_path, **path).split()
