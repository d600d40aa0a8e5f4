"""A client for the parts of Airflow's public REST API (v2) that an installation needs."""

import json
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import httpx2

from deploy.secret_files import ADMIN
from waybill.model.errors import WaybillError

LINES_SHOWN = 30
"""How many lines of the end of a task's log are shown."""

SUCCESS, FAILED = "success", "failed"
_TIMEOUT_SECONDS = 30
_ATTEMPTS = 4
_PAUSE_SECONDS = 1
_UNAUTHORIZED = 401


class AirflowError(WaybillError):
    """Airflow refuses a request, or a run has failed."""


class Run(NamedTuple):
    """A run of a DAG."""

    dag_id: str
    run_id: str

    def __str__(self) -> str:
        return f"{self.dag_id} {self.run_id}"


class Airflow:
    """A client that is signed in as the administrator.

    :param base_url: of the API server
    """

    def __init__(self, base_url: str, password: str) -> None:
        self._password = password
        self._http = httpx2.Client(base_url=base_url, trust_env=False, timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def is_up(self) -> bool:
        """Returns whether the API server answers people and tasks.

        The first request makes it set up the interface for tasks, which takes seconds.
        """
        try:
            return all(self._http.get(path).is_success for path in ("/api/v2/version", "/execution/health"))
        except httpx2.TransportError:
            return False

    def import_errors(self) -> list[str]:
        """Returns file and stack trace of DAG files that cannot be read."""
        found = self._get("/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}:\n{error['stack_trace']}" for error in found]

    def dags(self) -> set[str]:
        """Returns the ids of the DAGs that are known and not paused."""
        found = self._get("/api/v2/dags", limit=100)["dags"]
        return {dag["dag_id"] for dag in found if not dag["is_paused"]}

    def trigger(self, run: Run, params: Mapping[str, object]) -> None:
        """Trigger a run. Airflow refuses an id that was used before."""
        body = {"dag_run_id": run.run_id, "logical_date": None, "conf": dict(params)}
        self._request("POST", f"/api/v2/dags/{run.dag_id}/dagRuns", json=body)

    def state(self, run: Run) -> str:
        """Returns queued, running, success or failed."""
        return self._get(_path(run))["state"]

    def open_runs(self, dag_ids: set[str]) -> set[str]:
        """Returns those of the DAGs that have a queued or running run."""
        found = self._get("/api/v2/dags/~/dagRuns", state=["queued", "running"], limit=100)["dag_runs"]
        return {run["dag_id"] for run in found} & dag_ids

    def why_failed(self, run: Run) -> str | None:
        """Returns the first failed task and the end of its log; None: no task has failed. A task may be tried again."""
        found = self._get(f"{_path(run)}/taskInstances", state=[FAILED, "up_for_retry"], limit=100)["task_instances"]
        if not found:
            return None
        task = min(found, key=lambda task: task["end_date"] or "")
        label = f" [{task['rendered_map_index'] or task['map_index']}]" if task["map_index"] >= 0 else ""
        lines = self._log(run, task)[-LINES_SHOWN:]
        return "\n".join(
            [
                f"{run}: task {task['task_id']}{label} failed at try {task['try_number']}. The end of its log:",
                *(f"    {line}" for line in lines),
            ]
        )

    def _log(self, run: Run, task: Mapping[str, object]) -> list[str]:
        path = f"{_path(run)}/taskInstances/{quote(task['task_id'])}/logs/{task['try_number']}"
        answer = self._request(
            "GET",
            path,
            params={"full_content": True, "map_index": task["map_index"]},
            headers={"Accept": "application/x-ndjson"},
        )
        return [line for entry in answer.text.splitlines() if entry.strip() for line in _as_text(json.loads(entry))]

    def _get(self, path: str, **params: object) -> Mapping[str, object]:
        return self._request("GET", path, params=params).json()

    def _request(self, method: str, path: str, **words: object) -> httpx2.Response:
        answer = self._ask(method, path, **words)
        if answer.status_code == _UNAUTHORIZED:
            self._sign_in()
            answer = self._ask(method, path, **words)
        if not answer.is_success:
            raise AirflowError(f"Airflow answers {method} {path} with {answer.status_code}: {answer.text[:500]}")
        return answer

    def _ask(self, method: str, path: str, **words: object) -> httpx2.Response:
        attempts = (
            _ATTEMPTS if method == "GET" else 1
        )  # a busy machine answers late, or with 500; a second GET is harmless
        for left in reversed(range(attempts)):
            try:
                answer = self._http.request(method, path, **words)
            except httpx2.TransportError as error:
                problem = type(error).__name__
                continue
            if not answer.is_server_error or not left:
                return answer
            time.sleep(_PAUSE_SECONDS)
        raise AirflowError(f"Airflow does not answer {method} {path} ({problem}). See logs/api-server.log.")

    def _sign_in(self) -> None:
        answer = self._http.post("/auth/token", json={"username": ADMIN, "password": self._password})
        if not answer.is_success:
            raise AirflowError(f"Airflow refuses the login of {ADMIN}: {answer.status_code}.")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _path(run: Run) -> str:
    return f"/api/v2/dags/{run.dag_id}/dagRuns/{quote(run.run_id, safe='')}"


def _as_text(entry: Mapping[str, object]) -> list[str]:
    """Returns a line of a task's log, with its errors and their lines of code."""
    at, level = str(entry.get("timestamp") or "")[:19], entry.get("level") or ""
    lines = [f"{at} {level:8} {entry.get('event', '')}".strip()]
    for error in entry.get("error_detail") or ():
        lines += [f"{frame['filename']}:{frame['lineno']} in {frame['name']}" for frame in error.get("frames") or ()]
        lines.append(f"{error.get('exc_type')}: {error.get('exc_value')}")
    return [part for line in lines for part in line.splitlines()]
