"""The DAGs: their structure, documentation, retries, limits and times."""

import ast
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from waybill.feeds import FEEDS

DAGS = Path(__file__).resolve().parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))
EXPECTED = {f"ingest_{slug}" for slug in FEEDS} | {"rebuild_reports", "replay_landing", "maintain_warehouse"}
HEADINGS = ["### Writes", "### Reads", "### Late data", "### If a task fails", "### Safe to re-run?"]
STEPS = ["pull", "stage", "validate", "publish"]


def test_airflow_reads_every_file_without_error_or_warning(described: dict) -> None:
    assert described["errors"] == {}
    assert described["warnings"] == []
    assert set(described["dags"]) == EXPECTED
    assert len(EXPECTED) == len(FEEDS) + 3


def test_all_files_are_parsed_within_a_second(described: dict) -> None:
    assert described["parse_seconds"] < 1


def test_files_only_compose_tasks() -> None:
    assert len(FILES) >= 4
    for file in FILES:
        source = file.read_text()
        assert len(source.splitlines()) <= 80, file
        imported = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(source))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & {"httpx2", "sqlalchemy", "requests", "great_expectations", "pandas"}, file
        constants = [
            n.value.lower()
            for n in ast.walk(ast.parse(source))
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        assert not [
            text for text in constants if text.startswith(("select ", "insert ", "update ", "delete ", "with "))
        ]
        assert "datetime.now" not in source and "utcnow" not in source, f"{file} reads the clock"


def test_nothing_heavy_is_imported_when_a_file_is_parsed() -> None:
    heavy = ("waybill.pull", "waybill.load", "waybill.reports", "waybill.quality")
    for file in FILES:
        for node in ast.parse(file.read_text()).body:
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not [module for module in modules if module.startswith(heavy)], file


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_the_documentation_of_a_dag_has_every_section_and_names_every_task(described: dict, dag_id: str) -> None:
    dag = described["dags"][dag_id]
    found = [line for line in dag["doc"].splitlines() if line.startswith("### ")]
    assert found == HEADINGS
    sections = dag["doc"].split("### ")[1:]
    assert all(section.split("\n", 1)[1].strip() for section in sections)
    assert dag["tags"] and dag["description"]
    failing = dag["doc"].split("### If a task fails")[1].split("###")[0]
    for task_id in dag["tasks"]:
        assert f"**{task_id.rsplit('.', 1)[-1]}**" in failing, f"{dag_id} does not document a failure of {task_id}"


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_every_task_has_an_owner_a_retry_policy_and_a_time_limit(described: dict, dag_id: str) -> None:
    dag = described["dags"][dag_id]
    assert dag["catchup"] is False and dag["max_active_runs"] == 1
    assert dag["timeout_seconds"]
    assert dag["tasks"]
    for name, task in dag["tasks"].items():
        assert task["owner"] not in (None, "airflow"), name
        assert task["retries"] == 3 and task["has_retry_policy"], name
        assert task["timeout_seconds"] <= dag["timeout_seconds"], name


@pytest.mark.parametrize("slug", sorted(FEEDS))
def test_an_ingest_dag_pulls_stages_validates_and_publishes_per_slice(described: dict, slug: str) -> None:
    dag, feed = described["dags"][f"ingest_{slug}"], FEEDS[slug]
    groups = ["north", "south"] if feed.kind == "api" else ["inbox"]
    expected = {f"{group}.slices" for group in groups}
    expected |= {f"{group}.load.{step}" for group in groups for step in STEPS}
    assert set(dag["tasks"]) == expected
    for group in groups:
        tasks = {name: dag["tasks"][f"{group}.load.{name}"] for name in STEPS}
        assert tasks["pull"]["upstream"] == [f"{group}.slices"]
        assert tasks["stage"]["upstream"] == [f"{group}.load.pull"]
        assert tasks["validate"]["upstream"] == [f"{group}.load.stage"]
        assert f"{group}.load.validate" in tasks["publish"]["upstream"]
        assert all(task["label"] == "{{ label }}" for task in tasks.values())
        assert tasks["pull"]["pool"] == (f"{feed.provider}_{group}" if feed.kind == "api" else "default_pool")
    assert dag["leaves"] == sorted(f"{group}.load.publish" for group in groups)
    assert dag["schedule"] == "CronDataIntervalTimetable"
    assert set(dag["params"]) == ({"account", "from", "until"} if feed.kind == "api" else {"account"})


def test_the_reports_are_rebuilt_at_1_am_in_the_report_time_zone(described: dict) -> None:
    dag = described["dags"]["rebuild_reports"]
    assert (dag["schedule"], dag["cron"], dag["timezone"]) == (
        "CronDataIntervalTimetable",
        "0 1 * * *",
        "Europe/Berlin",
    )
    assert dag["tasks"]["validate"]["upstream"] == ["build"]
    assert dag["tasks"]["publish"]["upstream"] == ["build", "validate"]
    assert dag["tasks"]["build"]["upstream"] == ["check_feeds"]
    assert dag["leaves"] == ["publish"]
    assert set(dag["params"]) == {"from_day", "until_day", "full", "dry_run"}


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_the_reports_are_rebuilt_once_on_every_local_day_of_a_year(described: dict, zone: str) -> None:
    times = [datetime.fromisoformat(text).astimezone(ZoneInfo(zone)) for text in described["runs"][zone]]
    per_day = Counter(at.date() for at in times if at.year == 2027)
    assert len(per_day) == 365 and set(per_day.values()) == {1}
    assert min(per_day) == date(2027, 1, 1) and max(per_day) == date(2027, 12, 31)
    assert {at.hour for at in times} <= {1, 2}
    assert sum(at.hour == 2 for at in times) <= 2, "only when the clock skips the hour"


def test_after_three_days_of_downtime_the_reports_are_rebuilt_once(described: dict) -> None:
    assert described["runs_after_downtime"] == ["2027-03-13T00:00:00+00:00"]
