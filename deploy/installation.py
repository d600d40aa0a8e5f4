"""An installation under one folder of this machine, for the simulated world: its places, secrets and settings."""

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

AIRFLOW_PORT, STAND_IN_PORT = 8080, 8090
"""Those that are wanted; where they are taken, others."""

KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TERM", "COLUMNS", "XDG_RUNTIME_DIR")
"""Of the environment of whoever starts it. Settings of another installation, proxies and the like are left behind."""


class Installation:
    """:param folder: home of everything
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
        """Have it to oneself, together with every process that is given this descriptor. Raises ConfigurationError
        where others have it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError(
                    f"`make run` runs already in {self.folder}, or is just ending there. Use that one, or another "
                    "WAYBILL_VAR."
                ) from None
            yield lock.fileno()

    def note_ports(self, airflow_port: int, stand_in_port: int) -> None:
        """Write down what this start listens on."""
        self._ports.write_text(json.dumps([airflow_port, stand_in_port]))

    def ports(self) -> tuple[int, int] | None:
        """Of Airflow and of the stand-in, as the last start wrote them down; None: there was none."""
        return tuple(json.loads(self._ports.read_text())) if self._ports.exists() else None

    def secrets(self) -> Secrets:
        """Its secrets; at the first call they are made."""
        return secrets_of(self.folder / "secrets", self.folder / "recipient_hmac_key")

    def own_environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What of somebody's environment is for this installation, and what Waybill's own commands need to find it."""
        kept = {name: given[name] for name in KEPT if name in given}
        return kept | {"WAYBILL_VAR": str(self.folder), "REPORT_TIMEZONE": self.zone}

    def environment(
        self, given: Mapping[str, str], admin_url: str, airflow_port: int, stand_in_port: int
    ) -> dict[str, str]:
        """The environment of Airflow's processes and of tasks.

        :param given: that of whoever starts it
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
            # the world is of March: what a timetable asks for today is not in it
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            "WAREHOUSE_URL": f"postgresql://waybill_tasks@/waybill?host={host}",
            "RECIPIENT_HMAC_KEY": secrets.recipient_hmac_key,
            "ACCOUNTS": ",".join(self._accounts),
            "ALLOW_PLAIN_HTTP": "1",
            **self._connections(stand_in_port),
        }

    def preparing(self, admin_url: str) -> dict[str, str]:
        """What `deploy.prepare` alone is given."""
        return {"POSTGRES_ADMIN_URL": admin_url, "ADMIN_PASSWORD": self.secrets().admin_password}

    def _connections(self, stand_in_port: int) -> dict[str, str]:
        """Airflow's connections to the stand-in, one for each organisation."""
        from waybill.simulator.twilio import account_sid, auth_token

        return {
            f"AIRFLOW_CONN_WAYBILL_TWILIO_{account.upper()}": json.dumps(
                {
                    "conn_type": "http",
                    "login": account_sid(account),
                    "password": auth_token(account),
                    "host": f"http://{LOOPBACK}:{stand_in_port}",
                }
            )
            for account in self._accounts
        }
