"""The DAGs in a real Airflow: runs are triggered, refused, backfilled and cleared. A second run gives the same tables
and writes no row. Uses REST and the command line; takes minutes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
import psycopg2
import pytest

from deploy.airflow_rest import Airflow, AirflowError, Run
from deploy.installation import Installation
from tests.acceptance.warehouses import facts, report_cells
from tests.dags.conftest import ROOT
from waybill.simulator.twilio.rows import account_sid

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]
PATIENCE_SECONDS = 300
SLOWNESS = 3
"""The limit of ten seconds holds on an idle machine; the test allows this many times more for a busy one."""

COUNTERS = (
    "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables"
    " where schemaname in ('fact', 'report') or relname in ('recipient', 'rejected_record') order by 1"
)


@dataclass
class Running:
    """A running `make run`, after it has ingested the simulated days and shown the reports."""

    airflow: Airflow
    url: str
    installation: Installation

    def rows(self, query: str) -> list[tuple]:
        connection = psycopg2.connect(self.url)
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            found = cursor.fetchall()
        connection.close()
        return found

    def do(self, dag_id: str, run_id: str, **params: object) -> str:
        """Trigger a run and wait for its end; returns its state."""
        run = Run(dag_id, run_id)
        self.airflow.trigger(run, params)
        return self.wait(lambda: self.airflow.state(run))

    def wait(self, state: Callable[[], str]) -> str:
        until = time.monotonic() + PATIENCE_SECONDS
        while (found := state()) not in ("success", "failed"):
            assert time.monotonic() < until, found
            time.sleep(0.5)
        return found

    def tasks(self, run: Run) -> dict[str, list[str]]:
        found = self.get(f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances", limit=100)["task_instances"]
        states: dict[str, list[str]] = {}
        for task in found:
            states.setdefault(task["task_id"], []).append(task["state"])
        return states

    def get(self, path: str, **params: object) -> dict:
        return self.airflow._request("GET", path, params=params).json()

    def post(self, path: str, body: dict) -> dict:
        return self.airflow._request("POST", path, json=body).json()

    def written(self) -> list[tuple]:
        """Returns how many rows were ever inserted, updated and deleted in facts and reports."""
        self.rows("select pg_stat_clear_snapshot()")
        return self.rows(COUNTERS)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("installation")
    home.chmod(0o755)
    log = home / "out.log"
    environment = {**os.environ, "WAYBILL_VAR": str(home)}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.run"],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while "Ctrl-C stops everything" not in log.read_text():
            assert process.poll() is None and time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(1)
        shown = log.read_text()
        url = re.search(r'psql "([^"]+)"', shown)[1]
        base, password = re.search(r"Airflow +(http\S+) +user admin, password (\S+)", shown).groups()
        installation = Installation(home / "run", "Europe/Berlin", ("north", "south"))
        airflow = Airflow(base, password)
        yield Running(airflow, url, installation)
        airflow.close()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 130)


def state(running: Running) -> tuple[dict, dict]:
    return facts(running.url), report_cells(running.url)


def window(running: Running) -> dict[str, str]:
    first, last = running.rows("select min(from_at), max(until_at) from ops.pull")[0]
    return {"from": first.isoformat(), "until": last.isoformat()}


def test_a_second_run_of_the_same_window_writes_no_row(running: Running) -> None:
    before, written = state(running), running.written()
    assert all(before[0].values()) and any(before[1].values())
    assert running.do("ingest_twilio_messages", "again", **window(running)) == "success"
    assert running.do("ingest_sendgrid_events", "again") == "success"
    assert running.do("rebuild_reports", "again", full=True) == "success"
    assert state(running) == before
    assert running.written() == written


@pytest.mark.parametrize(
    ("params", "status", "says"),
    [
        ({"full": "perhaps"}, 400, "not of type 'boolean'"),
        ({"from_day": "March"}, 400, "is not a 'date'"),
    ],
)
def test_parameters_of_a_wrong_type_are_refused_before_a_run_is_made(
    running: Running, params: dict, status: int, says: str
) -> None:
    with pytest.raises(AirflowError, match=says) as refusal:
        running.do("rebuild_reports", f"refused_{len(json.dumps(params))}", **params)
    assert f" {status}:" in str(refusal.value)


@pytest.mark.parametrize(
    ("dag_id", "params", "says"),
    [
        ("rebuild_reports", {"from_day": "2026-03-27", "full": True}, "not both"),
        ("rebuild_reports", {"form_day": "2026-03-27"}, "Unknown parameters: form_day"),
        ("ingest_twilio_calls", {"from": "yesterday"}, "from 'yesterday'"),
        ("ingest_twilio_calls", {"from": "2026-03-28", "until": "2026-03-27"}, "is not a valid window"),
    ],
)
def test_inconsistent_parameters_fail_before_any_work(running: Running, dag_id: str, params: dict, says: str) -> None:
    written = running.rows("select count(*) from ops.pull"), running.rows("select count(*) from ops.build")
    run_id = f"wrong_{says[:8].strip()}".replace(" ", "_").replace("'", "")
    assert running.do(dag_id, run_id, **params) == "failed"
    run = Run(dag_id, run_id)
    first = running.airflow.why_failed(run)
    assert says in first and "try 1" in first, first
    done = {task: set(states) for task, states in running.tasks(run).items()}
    assert not any("success" in states for states in done.values()), done
    assert (running.rows("select count(*) from ops.pull"), running.rows("select count(*) from ops.build")) == written


def test_a_cleared_task_runs_again_and_writes_no_row(running: Running) -> None:
    before, written = state(running), running.written()
    assert running.do("ingest_twilio_calls", "to_clear", **window(running)) == "success"
    for task in ("north.load.publish", "north.load.validate", "north.load.stage", "north.load.pull", "north.slices"):
        body = {"dry_run": False, "task_ids": [task], "dag_run_id": "to_clear", "only_failed": False}
        cleared = running.post("/api/v2/dags/ingest_twilio_calls/clearTaskInstances", body)
        assert cleared["total_entries"] >= 1
        time.sleep(1)
        assert running.wait(lambda: running.airflow.state(Run("ingest_twilio_calls", "to_clear"))) == "success", task
    assert state(running) == before
    assert running.written() == written


def test_a_cleared_run_writes_no_row(running: Running) -> None:
    before, written = state(running), running.written()
    day = running.rows("select min(sent_day) from fact.message")[0][0].isoformat()
    assert running.do("rebuild_reports", "whole", from_day=day) == "success"
    running.post("/api/v2/dags/rebuild_reports/dagRuns/whole/clear", {"dry_run": False})
    time.sleep(1)
    assert running.wait(lambda: running.airflow.state(Run("rebuild_reports", "whole"))) == "success"
    assert state(running) == before
    assert running.written() == written


def test_a_dry_run_changes_nothing(running: Running) -> None:
    before, written = state(running), running.written()
    assert running.do("rebuild_reports", "dry", full=True, dry_run=True) == "success"
    assert running.rows("select status from ops.build order by build_id desc limit 1") == [("tried",)]
    assert state(running) == before
    assert running.written() == written


def backfill(running: Running, dag_id: str, first: str, last: str) -> list[dict]:
    body = {
        "dag_id": dag_id,
        "from_date": first,
        "to_date": last,
        "max_active_runs": 1,
        "reprocess_behavior": "completed",
    }
    made = running.post("/api/v2/backfills", body)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = running.get(f"/api/v2/dags/{dag_id}/dagRuns", run_type=["backfill"], limit=200)["dag_runs"]
        if made and found and all(run["state"] in ("success", "failed") for run in found):
            return found
        assert time.monotonic() < until, found
        time.sleep(1)


def test_a_backfill_of_three_days_rebuilds_them_and_writes_no_row(running: Running) -> None:
    before, written = state(running), running.written()
    builds = running.rows("select max(build_id) from ops.build")[0][0]
    found = backfill(running, "rebuild_reports", "2026-03-27T00:00:00Z", "2026-03-29T12:00:00Z")
    assert [run["state"] for run in found] == ["success"] * 3
    days = running.rows(f"select days_built from ops.build where build_id > {builds} order by days_built")
    assert [[day.isoformat() for day in row[0]] for row in days] == [["2026-03-27"], ["2026-03-28"], ["2026-03-29"]]
    assert state(running) == before
    assert running.written() == written


def test_a_backfill_of_three_hours_pulls_them_and_writes_no_row(running: Running) -> None:
    before, written = state(running), running.written()
    pulls = running.rows("select max(pull_id) from ops.pull")[0][0]
    found = backfill(running, "ingest_twilio_messages", "2026-03-28T06:07:00Z", "2026-03-28T08:07:00Z")
    assert [run["state"] for run in found] == ["success"] * 3
    windows = running.rows(f"select from_at, until_at, account from ops.pull where pull_id > {pulls} order by 1, 3")
    assert [(at.astimezone(UTC).hour, until - at, account) for at, until, account in windows] == [
        (hour, timedelta(hours=1), account) for hour in (6, 7, 8) for account in ("north", "south")
    ]
    assert state(running) == before
    assert running.written() == written


def on_the_command_line(running: Running, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "deploy.airflow_command", *arguments],
        cwd=ROOT,
        env={**os.environ, "WAYBILL_VAR": str(running.installation.folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_is_triggered_on_the_command_line(running: Running) -> None:
    before, written = state(running), running.written()
    trigger = ("dags", "trigger", "rebuild_reports", "--run-id", "by_command", "--conf")
    done = on_the_command_line(running, *trigger, '{"from_day": "2026-03-27", "until_day": "2026-03-29"}')
    assert done.returncode == 0, done.stderr[-2000:]
    assert running.wait(lambda: running.airflow.state(Run("rebuild_reports", "by_command"))) == "success"
    assert state(running) == before
    assert running.written() == written


def test_parameters_of_a_wrong_type_are_refused_on_the_command_line(running: Running) -> None:
    done = on_the_command_line(running, "dags", "trigger", "rebuild_reports", "--conf", '{"from_day": "March"}')
    assert done.returncode == 1
    assert "Invalid input for param from_day: 'March' is not a 'date'" in done.stderr


def test_a_dry_run_of_a_backfill_on_the_command_line_lists_its_days(running: Running) -> None:
    days = ("--from-date", "2026-03-20", "--to-date", "2026-03-22T12:00:00")
    done = on_the_command_line(
        running, "backfill", "create", "--dag-id", "rebuild_reports", *days, "--max-active-runs", "1", "--dry-run"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert all(f"| {day} 00:00:00" in done.stdout for day in ("2026-03-20", "2026-03-21", "2026-03-22")), done.stdout


def test_a_run_with_a_failed_task_never_ends_green(running: Running) -> None:
    """The provider refuses the credentials of one organisation; the messages of the other one are loaded."""
    (simulator,) = re.findall(r"listening on (http\S+)", (running.installation.logs / "simulator.log").read_text())
    fault = {"kind": "unauthorized", "where": f"/Accounts/{account_sid('south')}"}
    run = Run("ingest_twilio_messages", "red")
    with httpx2.Client(trust_env=False, base_url=simulator) as http:
        assert http.post("/simulator/faults", json={"faults": [fault]}).is_success
        try:
            assert running.do(*run, **window(running)) == "failed"
        finally:
            http.post("/simulator/faults", json={"faults": []})
    tasks = running.tasks(run)
    assert tasks["north.load.publish"] == ["success"]
    assert tasks["south.load.pull"] == tasks["south.load.publish"] == ["failed"]
    assert "try 1" in running.airflow.why_failed(run), "credentials that are refused are not tried again"


def test_a_run_with_nothing_new_takes_seconds(running: Running) -> None:
    for dag_id in ("ingest_sendgrid_events", "ingest_dispatch_log", "ingest_twilio_messages", "ingest_twilio_calls"):
        params = window(running) if "twilio" in dag_id else {}
        assert running.do(dag_id, "nothing_new", **params) == "success"
        run = running.get(f"/api/v2/dags/{dag_id}/dagRuns/nothing_new")
        took = datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["queued_at"])
        assert took < timedelta(seconds=10 * SLOWNESS), dag_id
