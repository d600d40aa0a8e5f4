"""`python -m deploy.run` (`make run`): runs the whole system on simulated providers.

It starts an embedded Postgres, Airflow and a simulated Twilio. The DAGs ingest some simulated days; the reports are
rebuilt, compared with the truth and shown. It runs until Ctrl-C, and then ends all its processes.
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
from deploy.comparing import compare, truth_of_simulator
from deploy.installation import AIRFLOW_PORT, SIMULATOR_PORT, Installation
from deploy.ports import LOOPBACK, free_port
from deploy.processes import Processes, StartError
from deploy.secret_files import ADMIN
from waybill.cli.output import print_table, say
from waybill.model.errors import WaybillError
from waybill.pages.reports import write as write_page
from waybill.settings import Settings
from waybill.warehouse import embedded
from waybill.warehouse.connection import REPORTER, connected

START_SECONDS = 600
"""The longest wait for a healthy process, on a busy machine; a process that ends is noticed at once."""

INTERRUPTED = 130
FIRST_PROCESSES = ("scheduler", "api-server", "dag-processor")
"""The processes that a DAG needs. The others start later, because two processors cannot start more at once."""

LEDGER = (
    "select feed, account, sum(read_count)::bigint, sum(loaded_count)::bigint, sum(duplicate_count)::bigint,"
    " sum(rejected_count)::bigint, sum(ignored_count)::bigint from ops.load where status = 'published'"
    " group by feed, account order by feed, account"
)
"""Selects the records of each feed and account from the ledger."""

TOTALS = (
    "select account, channel, sum(targeted)::bigint, sum(sent)::bigint, sum(delivered)::bigint, sum(opened)::bigint,"
    " sum(clicked)::bigint, sum(not_sent)::bigint, sum(bounced_hard + bounced_soft + not_delivered)::bigint"
    " from report.account_daily group by account, channel order by account, channel"
)
"""Selects what became of the messages of each account and channel."""


class _StopError(BaseException):
    """This process got a signal to end."""


def main() -> None:
    """Run everything; exits with 0, with 130 if it was interrupted, or with the code of the error."""
    parser = argparse.ArgumentParser(prog="python -m deploy.run", description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="end when the reports are shown")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    os.umask(0o077)  # logs, inbox and other files of its processes may contain addresses
    folder = Settings.from_environment({"WAYBILL_VAR": os.environ.get("WAYBILL_VAR", "")}).var / "run"
    installation = Installation(folder, simulated_days.ZONE, simulated_days.ACCOUNTS)
    # libraries of this process must not find settings of another installation
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
        """Run everything; at the end no process is left.

        :param lock: descriptor of the installation's lock
        """
        installation = self._installation
        settings = Settings.from_environment(os.environ)
        airflow_port = free_port(AIRFLOW_PORT)
        simulator_port = free_port(SIMULATOR_PORT, taken=(airflow_port,))
        installation.note_ports(airflow_port, simulator_port)
        airflow_url, simulator_url = (f"http://{LOOPBACK}:{port}" for port in (airflow_port, simulator_port))
        with Processes(installation.logs, lock) as processes:
            if not embedded.is_running(installation.postgres):
                processes.guard_postgres(installation.postgres, settings.postgres_version)
            self._say(f"Starting Postgres in {installation.folder} …")
            admin_url = embedded.start(installation.postgres, settings.postgres_version)
            environment = installation.environment(self._given, admin_url, airflow_port, simulator_port)
            stand_in = simulated_days.simulator_command(simulator_port, installation.landing)
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
                    processes, airflow, simulator_url, installation.inbox, self._started_at, self._say
                )
                days.until_dags_are_known()
                days.ingest()
                days.rebuild()
            self._compare_and_show(admin_url, simulator_url)
            if is_once:
                self._say("Done: everything is stopped now. Without ONCE=1 it keeps running.")
                return
            self._print_next_steps(airflow_url, admin_url)
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

    def _compare_and_show(self, admin_url: str, simulator_url: str) -> None:
        truth = truth_of_simulator(simulator_url, self._installation.zone)
        with connected(admin_url, REPORTER) as connection, connection.cursor() as cursor:
            cursor.execute(TOTALS)
            columns = ["account", "channel", "targeted", "sent", "delivered", "opened", "clicked", "not_sent", "lost"]
            print_table(columns, cursor.fetchall(), title="Reports: report.account_daily, all days")
            page = self._installation.folder / "reports.html"
            write_page(cursor, page, datetime.now(UTC))
            cursor.execute(LEDGER)
            columns = ["feed", "account", "read", "loaded", "duplicate", "rejected", "ignored"]
            typer.echo()
            print_table(columns, cursor.fetchall(), title="Records: read = loaded + duplicate + rejected + ignored")
        found = compare(admin_url, truth)
        if found.differences:
            raise StartError(
                "The reports differ from the truth of the simulator:\n"
                + "\n".join(f"    {line}" for line in found.differences)
                + f"\nIf other data were loaded into {self._installation.folder}, remove that folder to start again."
            )
        typer.echo(
            f"\nEvery cell equals the simulator's truth: {found.cell_count:,} cells in {found.report_count} reports."
        )
        sys.stdout.flush()

    def _print_next_steps(self, airflow_url: str, admin_url: str) -> None:
        folder = shlex.quote(_shown(self._installation.folder))
        say(
            f"\nAirflow     {airflow_url}   user {ADMIN}, password {self._installation.secrets().admin_password}\n"
            f'Reports     psql "{admin_url}" -c "select * from report.email_campaign"\n'
            f"            {folder}/reports.html, a page for a browser\n"
            f"            export WAYBILL_VAR={folder}; .venv/bin/waybill report show email_campaign\n"
            '            make airflow DO="dags list"\n'
            f"Logs        {folder}/logs\n"
            "DAGs run only when you trigger them, because the simulated days are over.\n"
            "Ctrl-C stops everything; the next `make run` continues with these data."
        )

    def _say(self, message: str) -> None:
        say(f"[{time.monotonic() - self._began:5.1f} s] {message}")


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    main()
