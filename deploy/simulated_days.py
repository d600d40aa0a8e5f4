"""Ingests the days of the simulated world, one after the other.

For each day, files are written into the inbox, the clock of the simulated Twilio is moved, and the DAGs ingest. At the
end the reports are rebuilt.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2

from deploy.airflow_rest import FAILED, SUCCESS, Airflow, AirflowError, Run
from deploy.processes import Processes
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.simulator.world import EMAIL_PROVIDERS, FILE_FEEDS, World, write

ZONE = "Europe/Berlin"
SEED, FIRST_DAY, DAYS, ACCOUNTS, MESSAGES_PER_DAY = 1, date(2026, 3, 27), 3, ("north", "south"), 300
"""The third day has the hour that European clocks skip."""

REBUILD = "rebuild_reports"
INGESTS = {feed.slug: f"ingest_{feed.slug}" for feed in FEEDS.values()}
"""Feed to its DAG."""

DAG_SECONDS, RUN_SECONDS = 120, 600
"""The longest waits: for all DAGs to be known, and for a run."""

ASK_EVERY_SECONDS = 0.5
"""How often the state of a run is requested: tasks need the API server, too."""

Say = Callable[[str], None]


def simulator_command(port: int, landing: Path) -> tuple[str, ...]:
    """Returns the command that serves this world's Twilio. Its truth includes the pages that were landed before."""
    options = {
        "port": port,
        "seed": SEED,
        "first-day": FIRST_DAY,
        "days": DAYS,
        "accounts": ",".join(ACCOUNTS),
        "messages-per-day": MESSAGES_PER_DAY,
        "email-providers": ",".join(EMAIL_PROVIDERS),
        "landed": landing,
    }
    return ("python", "-m", "waybill.simulator.serve", *(f"--{name}={value}" for name, value in options.items()))


def world() -> World:
    """Returns the same world in this process."""
    return World(
        SEED,
        FIRST_DAY,
        days=DAYS,
        accounts=ACCOUNTS,
        messages_per_day=MESSAGES_PER_DAY,
        email_providers=EMAIL_PROVIDERS,
    )


class SimulatedDays:
    """Ingests the simulated days.

    :param simulator_url: of the simulator that `simulator_command` started
    :param started_at: of this start; it is part of the run ids, because Airflow accepts an id only once
    """

    def __init__(
        self, processes: Processes, airflow: Airflow, simulator_url: str, inbox: Path, started_at: datetime, say: Say
    ) -> None:
        self._processes = processes
        self._airflow = airflow
        self._simulator_url = simulator_url
        self._inbox = inbox
        self._stamp = f"{started_at.astimezone(UTC):%Y%m%dT%H%M%S}"
        self._say = say
        self._world = world()

    def until_dags_are_known(self) -> None:
        """Wait for every DAG, and for the end of runs of an earlier start.

        :raises AirflowError: a DAG file is broken
        :raises StartError: the time is over
        """
        wanted = {*INGESTS.values(), REBUILD}
        self._processes.until(lambda: self._are_known(wanted), "the DAGs", DAG_SECONDS)
        self._processes.until(
            lambda: None if self._airflow.open_runs(wanted) else True, "runs of an earlier start", RUN_SECONDS
        )

    def ingest(self) -> None:
        """Ingest every day. Raises AirflowError if a run fails."""
        for number in range(DAYS):
            self._ingest_day(number)

    def rebuild(self) -> None:
        """Rebuild the reports. Raises AirflowError if the run fails."""
        self._do({REBUILD: {}}, "end")

    def _ingest_day(self, number: int) -> None:
        ends = self._world.starts + timedelta(days=number + 1)
        is_last = number == DAYS - 1
        file_count = write(self._world, self._inbox, FILE_FEEDS, None if is_last else ends)
        answer = httpx2.post(f"{self._simulator_url}/simulator/clock", json={"at": ends.isoformat()}, trust_env=False)
        answer.raise_for_status()
        day = f"{self._world.starts + timedelta(days=number):%Y-%m-%d}"
        self._say(f"Day {number + 1} of {DAYS}, {day}: {file_count} new files in the inbox, Twilio's clock moved …")
        self._do({dag: self._params(FEEDS[slug], ends) for slug, dag in INGESTS.items()}, day)

    def _params(self, feed: object, until: datetime) -> Mapping[str, str]:
        if not isinstance(feed, ApiFeed):
            return {}
        from_at = max(self._world.starts, until - timedelta(days=1) - feed.lateness)
        return {"from": from_at.isoformat(), "until": until.isoformat()}

    def _do(self, params_by_dag: Mapping[str, Mapping[str, str]], what: str) -> None:
        """Trigger these DAGs at the same time, and wait for all of them."""
        began = time.monotonic()
        run_id = f"simulated_{what}_started_{self._stamp}"
        runs = [Run(dag_id, run_id) for dag_id in params_by_dag]
        for run in runs:
            self._airflow.trigger(run, params_by_dag[run.dag_id])
        for run in runs:
            self._processes.until(lambda run=run: self._has_succeeded(run), str(run), RUN_SECONDS, ASK_EVERY_SECONDS)
        self._say(f"  {', '.join(run.dag_id for run in runs)}: success after {time.monotonic() - began:.1f} s")

    def _has_succeeded(self, run: Run) -> bool | None:
        """Returns None while the run is not at its end.

        Raises AirflowError as soon as a task fails, because a second try would fail, too.
        """
        state = self._airflow.state(run)
        if state == SUCCESS:
            return True
        if (reason := self._airflow.why_failed(run)) is not None or state == FAILED:
            raise AirflowError(reason or f"{run} has failed, although no task has.")
        return None

    def _are_known(self, wanted: set[str]) -> bool | None:
        if errors := self._airflow.import_errors():
            raise AirflowError("Airflow cannot read a DAG file:\n" + "\n".join(errors))
        return wanted <= self._airflow.dags() or None
