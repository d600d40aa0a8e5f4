"""An installation in one folder of this machine, for the simulated world: its paths, secrets and settings."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg2.extensions import parse_dsn

from deploy import airflow_settings
from deploy.airflow_settings import ROOT
from deploy.ports import LOOPBACK
from deploy.secret_files import Secrets, secrets_of
from waybill.model.errors import ConfigurationError

AIRFLOW_PORT, SIMULATOR_PORT = 8080, 8090
"""The preferred ports; if one is taken, another port is used."""

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TERM", "COLUMNS", "XDG_RUNTIME_DIR")
"""Variables that are kept from the environment; others, such as settings of another installation, are not."""


class Installation:
    """An installation for the simulated world.

    :param folder: contains all of its files
    :param zone: report time zone
    :param accounts: organisations with an account at Twilio
    """

    def __init__(self, folder: Path, zone: str, accounts: tuple[str, ...]) -> None:
        self.folder = folder
        self.postgres = folder / "postgres"
        self.logs = folder / "logs"
        self.inbox = folder / "inbox"
        self.landing = folder / "landing"
        self.zone = zone
        self._ports = folder / "ports.json"
        self._accounts = accounts

    @contextmanager
    def taken(self) -> Iterator[int]:
        """Lock the installation for this process and for every process that gets this descriptor.

        :raises ConfigurationError: another process has locked it
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError(
                    f"`make run` already runs in {self.folder}, or has not ended yet. Use that one, or another "
                    "WAYBILL_VAR."
                ) from None
            yield lock.fileno()

    def note_ports(self, airflow_port: int, simulator_port: int) -> None:
        """Store the ports of this start."""
        self._ports.write_text(json.dumps([airflow_port, simulator_port]))

    def ports(self) -> tuple[int, int] | None:
        """Returns the ports of Airflow and of the simulator in the last start; None: there was no start."""
        return tuple(json.loads(self._ports.read_text())) if self._ports.exists() else None

    def secrets(self) -> Secrets:
        """Returns its secrets; the first call makes them."""
        return secrets_of(self.folder / "secrets", self.folder / "recipient_hmac_key")

    def own_environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Returns the kept variables of an environment, and the settings for Waybill's own commands."""
        kept = {name: given[name] for name in KEPT if name in given}
        return kept | {"WAYBILL_VAR": str(self.folder), "REPORT_TIMEZONE": self.zone}

    def environment(
        self, given: Mapping[str, str], admin_url: str, airflow_port: int, simulator_port: int
    ) -> dict[str, str]:
        """Returns the environment of Airflow's processes and of tasks.

        :param given: the environment of the process that starts them
        :param admin_url: libpq URL of its Postgres
        """
        own = self.own_environment(given)
        secrets = self.secrets()
        host = parse_dsn(admin_url)["host"]
        return {
            **own,
            **airflow_settings.SETTINGS,
            **airflow_settings.ports(LOOPBACK, airflow_port, seen_as=LOOPBACK),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "deploy" / "airflow_config")]),
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW_CONFIG": str(ROOT / "deploy" / "airflow_config" / "airflow.cfg"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.logs / "tasks"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow@/airflow?host={host}",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(secrets.passwords_file),
            "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
            "AIRFLOW__API__SECRET_KEY": secrets.api_secret_key,
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
            # the simulated days are in March, so runs by timetable would find nothing
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            "WAREHOUSE_URL": f"postgresql://waybill_tasks@/waybill?host={host}",
            "RECIPIENT_HMAC_KEY": secrets.recipient_hmac_key,
            "ACCOUNTS": ",".join(self._accounts),
            "ALLOW_PLAIN_HTTP": "1",
            **self._connections(simulator_port),
        }

    def preparing(self, admin_url: str) -> dict[str, str]:
        """Returns the additional environment of `deploy.prepare`."""
        return {"POSTGRES_ADMIN_URL": admin_url, "ADMIN_PASSWORD": self.secrets().admin_password}

    def _connections(self, simulator_port: int) -> dict[str, str]:
        """Returns Airflow's connections to the simulator, one for each organisation."""
        from waybill.simulator.twilio.rows import account_sid, auth_token

        return {
            f"AIRFLOW_CONN_WAYBILL_TWILIO_{account.upper()}": json.dumps(
                {
                    "conn_type": "http",
                    "login": account_sid(account),
                    "password": auth_token(account),
                    "host": f"http://{LOOPBACK}:{simulator_port}",
                }
            )
            for account in self._accounts
        }
