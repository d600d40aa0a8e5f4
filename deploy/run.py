"""`python -m deploy.run`, that is `make run`: everything, real, on simulated providers, from one command.

An embedded Postgres, Airflow, a stand-in for Twilio; the DAGs ingest days of a simulated world, the reports are
rebuilt, compared with the truth and shown. Then it stays until Ctrl-C, and leaves nothing running.
"""

import argparse
import os
import shlex
import signal
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from types import FrameType

import typer

from deploy import airflow_settings, health, simulated_days
from deploy.airflow_rest import Airflow
from deploy.comparing import compare, truth_of_stand_in
from deploy.installation import AIRFLOW_PORT, STAND_IN_PORT, Installation
from deploy.ports import LOOPBACK, free_port
from deploy.processes import Processes, StartError
from deploy.secret_files import ADMIN
from waybill.cli.demo import show_reports
from waybill.cli.output import print_table, say
from waybill.model.errors import WaybillError
from waybill.settings import Settings
from waybill.warehouse import embedded
from waybill.warehouse.connection import REPORTER, connected

START_SECONDS = 600
"""The longest wait for a process to be well, on a busy machine; one that ends is noticed at once."""

INTERRUPTED = 130
FIRST_PROCESSES = ("scheduler", "api-server", "dag-processor")
"""What a DAG needs to run; the others come when these are well: two processors start no more at once."""

BOOKS = (
    "select feed, account, sum(read_count)::bigint, sum(loaded_count)::bigint, sum(duplicate_count)::bigint,"
    " sum(rejected_count)::bigint, sum(ignored_count)::bigint from ops.load where status = 'published'"
    " group by feed, account order by feed, account"
)
"""The ledger: records per feed and account."""


class _StopError(BaseException):
    """Somebody asked this process to end."""


def main() -> None:
    """Do it all; exits with 0, 130 where it was interrupted, or the code of the error."""
    parser = argparse.ArgumentParser(prog="python -m deploy.run", description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="end when the reports are shown")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    os.umask(0o077)  # logs, inbox and everything else that its processes write hold what belongs to people
    folder = Settings.from_environment({"WAYBILL_VAR": os.environ.get("WAYBILL_VAR", "")}).var / "run"
    installation = Installation(folder, simulated_days.ZONE, simulated_days.ACCOUNTS)
    # libraries of this process are not to find a setting of another installation either
    given = dict(os.environ)
    os.environ.clear()
    os.environ.update(installation.own_environment(given))
    try:
        with installation.taken() as lock:
            _Start(installation, given).run(lock, options.once)
    except _StopError:
        sys.exit(INTERRUPTED)
    except WaybillError as error:
        say(f"\nmake run: {error}")
        sys.exit(error.exit_code)


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    say("\nStopping …")
    raise _StopError


class _Start:
    """One start of an installation."""

    def __init__(self, installation: Installation, given: dict[str, str]) -> None:
        self._installation = installation
        self._given = given
        self._began = time.monotonic()
        self._started_at = datetime.now(UTC)

    def run(self, lock: int, is_once: bool) -> None:
        """Everything, and at the end nothing runs any more.

        :param lock: of the installation
        """
        installation = self._installation
        settings = Settings.from_environment(os.environ)
        airflow_port = free_port(AIRFLOW_PORT)
        stand_in_port = free_port(STAND_IN_PORT, taken=(airflow_port,))
        installation.note_ports(airflow_port, stand_in_port)
        airflow_url, stand_in_url = (f"http://{LOOPBACK}:{port}" for port in (airflow_port, stand_in_port))
        with Processes(installation.logs, lock) as processes:
            if not embedded.is_running(installation.postgres):
                processes.guard_postgres(installation.postgres, settings.postgres_version)
            self._say(f"Starting Postgres in {installation.folder} …")
            admin_url = embedded.start(installation.postgres, settings.postgres_version)
            environment = installation.environment(self._given, admin_url, airflow_port, stand_in_port)
            stand_in = simulated_days.stand_in_command(stand_in_port, installation.landing)
            processes.start("simulator", stand_in, environment)
            self._say("Making the tables of the warehouse and of Airflow …")
            processes.run(
                "prepare",
                airflow_settings.PREPARE,
                environment | installation.preparing(admin_url),
                START_SECONDS,
            )
            with closing(Airflow(airflow_url, installation.secrets().admin_password)) as airflow:
                self._start_airflow(processes, airflow, airflow_url, environment)
                days = simulated_days.SimulatedDays(
                    processes, airflow, stand_in_url, installation.inbox, self._started_at, self._say
                )
                days.until_dags_are_known()
                days.ingest()
                days.rebuild()
            self._compare_and_show(admin_url, stand_in_url)
            if is_once:
                self._say("Done: everything is stopped now. Without ONCE=1 it stays up.")
                return
            self._tell(airflow_url, admin_url)
            with suppress(_StopError):
                processes.until(lambda: None, "Ctrl-C", inf)

    def _start_airflow(
        self, processes: Processes, airflow: Airflow, airflow_url: str, environment: dict[str, str]
    ) -> None:
        commands = airflow_settings.PROCESSES
        self._say(f"Starting Airflow at {airflow_url} …")
        for name in FIRST_PROCESSES:
            processes.start(name, commands[name], environment)
        processes.until(lambda: airflow.is_up() or None, "the api-server", START_SECONDS)
        for name in FIRST_PROCESSES:
            processes.until(lambda name=name: health.is_healthy(name, airflow_url) or None, name, START_SECONDS)
        for name in commands.keys() - set(FIRST_PROCESSES):
            processes.start(name, commands[name], environment)
        self._say("Airflow is up.")

    def _compare_and_show(self, admin_url: str, stand_in_url: str) -> None:
        truth = truth_of_stand_in(stand_in_url, self._installation.zone)
        show_reports(admin_url)
        with connected(admin_url, REPORTER) as connection, connection.cursor() as cursor:
            cursor.execute(BOOKS)
            columns = ["feed", "account", "read", "loaded", "duplicate", "rejected", "ignored"]
            typer.echo()
            print_table(columns, cursor.fetchall(), title="Records: read = loaded + duplicate + rejected + ignored")
        found = compare(admin_url, truth)
        if found.differences:
            raise StartError(
                "The reports are not what the simulator told:\n"
                + "\n".join(f"    {line}" for line in found.differences)
                + f"\nIf something else was loaded into {self._installation.folder}, remove that folder to begin anew."
            )
        typer.echo(
            f"\nEvery cell equals the simulator's truth: {found.cell_count:,} cells in {found.report_count} reports."
        )
        sys.stdout.flush()

    def _tell(self, airflow_url: str, admin_url: str) -> None:
        folder = shlex.quote(_shown(self._installation.folder))
        say(
            f"\nAirflow     {airflow_url}   user {ADMIN}, password {self._installation.secrets().admin_password}\n"
            f'Reports     psql "{admin_url}" -c "select * from report.email_campaign"\n'
            f"            export WAYBILL_VAR={folder}; .venv/bin/waybill report show email_campaign\n"
            '            make airflow DO="dags list"\n'
            f"Logs        {folder}/logs\n"
            "Its DAGs run when you trigger them; the simulated days have passed.\n"
            "Ctrl-C stops everything; the next `make run` goes on from here."
        )

    def _say(self, message: str) -> None:
        say(f"[{time.monotonic() - self._began:5.1f} s] {message}")


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    main()
