"""Describes the DAG files as JSON, in the file that is named. The tests run it in a separate process, because Airflow
takes over the logging of the process that imports it."""

import json
import logging
import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

DAGS = Path(__file__).resolve().parents[2] / "dags"


def task_of(task) -> dict:
    operator = getattr(task, "operator_class", type(task))
    partial = getattr(task, "partial_kwargs", {})

    def attribute(name: str):
        return partial.get(name, getattr(task, name, None))

    timeout = attribute("execution_timeout")
    return {
        "operator": operator if isinstance(operator, str) else operator.__name__,
        "upstream": sorted(task.upstream_task_ids),
        "pool": attribute("pool"),
        "retries": attribute("retries"),
        "has_retry_policy": attribute("retry_policy") is not None,
        "timeout_seconds": timeout.total_seconds() if timeout else None,
        "owner": attribute("owner"),
        "trigger_rule": str(attribute("trigger_rule")),
        "label": attribute("map_index_template"),
    }


def runs_of(zone: str) -> list[str]:
    """Returns the times (UTC) at which rebuild_reports runs in 2027 if its time zone is `zone`."""
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.interval import CronDataIntervalTimetable

    timetable = CronDataIntervalTimetable("0 1 * * *", timezone=zone)
    restriction = TimeRestriction(datetime(2026, 12, 30, tzinfo=UTC), datetime(2028, 1, 5, tzinfo=UTC), catchup=True)
    found, last = [], None
    while (info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)) is not None:
        last = info.data_interval
        found.append(info.run_after.astimezone(UTC).isoformat())
    return found


def runs_after_downtime() -> list[str]:
    """Returns the times of the runs that the scheduler starts at noon of 13 March, after it was down since 10 March."""
    from unittest.mock import patch

    from airflow.timetables import interval
    from airflow.timetables.base import TimeRestriction

    timetable = interval.CronDataIntervalTimetable("0 1 * * *", timezone="Europe/Berlin")
    restriction = TimeRestriction(datetime(2026, 1, 1, tzinfo=UTC), None, catchup=False)
    last = timetable.infer_manual_data_interval(
        run_after=interval.coerce_datetime(datetime(2027, 3, 10, 0, 0, tzinfo=UTC))
    )
    noon, found = interval.coerce_datetime(datetime(2027, 3, 13, 12, tzinfo=UTC)), []
    with patch.object(interval, "utcnow", lambda: noon):
        while True:
            info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
            if info.run_after > noon:
                return found
            last = info.data_interval
            found.append(info.run_after.astimezone(UTC).isoformat())


def main() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import airflow.sdk
        import airflow.settings  # noqa: F401
        from airflow.dag_processing.dagbag import DagBag

        logging.disable(logging.CRITICAL)
        began = time.process_time()
        bag = DagBag(str(DAGS))
        seconds = time.process_time() - began
    of_dags = [
        str(w.message) for w in caught if str(DAGS.parent) in str(w.filename) and "site-packages" not in w.filename
    ]
    described = {
        dag_id: {
            "file": Path(dag.fileloc).name,
            "tags": sorted(dag.tags),
            "doc": dag.doc_md,
            "description": dag.description,
            "params": {name: param.schema for name, param in dag.params.items_param()}
            if hasattr(dag.params, "items_param")
            else {name: dag.params.get_param(name).schema for name in dag.params},
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "timeout_seconds": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
            "schedule": repr(dag.schedule) if dag.schedule is None else type(dag.schedule).__name__,
            "cron": getattr(dag.schedule, "expression", None),
            "timezone": str(getattr(dag.schedule, "timezone", "")),
            "tasks": {task.task_id: task_of(task) for task in dag.tasks},
            "leaves": sorted(task.task_id for task in dag.leaves),
        }
        for dag_id, dag in bag.dags.items()
    }
    zones = ("Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
    found = {
        "dags": described,
        "errors": bag.import_errors,
        "warnings": of_dags,
        "parse_seconds": seconds,
        "runs": {zone: runs_of(zone) for zone in zones},
        "runs_after_downtime": runs_after_downtime(),
    }
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
