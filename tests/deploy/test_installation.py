"""An installation in a folder: its environment and its lock."""

import json
from pathlib import Path

import pytest

from deploy.airflow_settings import OF_EACH_INSTALLATION, SETTINGS
from deploy.installation import Installation
from waybill.model.errors import ConfigurationError
from waybill.settings import Settings
from waybill.simulator.twilio.rows import account_sid, auth_token

ADMIN_URL = "postgresql://postgres:@/waybill?host=%2Fsockets%2Fpg"
GIVEN = {
    "PATH": "/bin",
    "HOME": "/home",
    "WAREHOUSE_URL": "postgresql://production/warehouse",
    "TWILIO_AUTH_TOKEN": "of production",
    "AIRFLOW__CORE__FERNET_KEY": "of production",
    "PGHOST": "production",
    "https_proxy": "http://proxy:3128",
}


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "run", "Europe/Berlin", ("north", "south"))


@pytest.fixture
def environment(installation: Installation) -> dict[str, str]:
    return installation.environment(GIVEN, ADMIN_URL, 8123, 8124)


def test_the_environment_has_every_setting_of_an_installation(environment: dict[str, str]) -> None:
    assert set(OF_EACH_INSTALLATION) <= environment.keys()
    assert environment.items() >= SETTINGS.items()
    airflow = {name for name in environment if name.startswith("AIRFLOW") and not name.startswith("AIRFLOW_CONN_")}
    assert airflow <= SETTINGS.keys() | set(OF_EACH_INSTALLATION)


def test_no_setting_of_another_installation_is_kept(environment: dict[str, str]) -> None:
    assert not any("production" in value or "proxy" in value for value in environment.values())
    assert environment["PATH"] == "/bin"


def test_only_this_machine_can_reach_the_installation(environment: dict[str, str]) -> None:
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert environment["AIRFLOW__API__PORT"] == "8123"


def test_tasks_are_not_the_administrator_of_the_databases(
    installation: Installation, environment: dict[str, str]
) -> None:
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == (
        "postgresql+psycopg2://airflow@/airflow?host=/sockets/pg"
    )
    assert environment["WAREHOUSE_URL"] == "postgresql://waybill_tasks@/waybill?host=/sockets/pg"
    assert not any("postgres@" in value or "postgres:@" in value for value in environment.values())
    preparing = installation.preparing(ADMIN_URL)
    assert preparing["POSTGRES_ADMIN_URL"] == ADMIN_URL and not preparing.keys() & environment.keys()


def test_the_commands_of_waybill_find_the_same_keys(installation: Installation, environment: dict[str, str]) -> None:
    own = Settings.from_environment(installation.own_environment(GIVEN))
    of_tasks = Settings.from_environment(environment)
    assert own.warehouse_url is None and own.var == installation.folder
    assert own.keyring.fingerprint == of_tasks.keyring.fingerprint
    assert (own.landing_url, own.inbox_url) == (of_tasks.landing_url, of_tasks.inbox_url)
    assert of_tasks.inbox_url == str(installation.inbox)
    assert of_tasks.landing_url == str(installation.landing)


def test_each_organisation_has_a_connection_to_the_simulator(environment: dict[str, str]) -> None:
    for account in ("north", "south"):
        found = json.loads(environment[f"AIRFLOW_CONN_WAYBILL_TWILIO_{account.upper()}"])
        assert (found["login"], found["password"]) == (account_sid(account), auth_token(account))
        assert found["host"] == "http://127.0.0.1:8124"


def test_two_starts_do_not_share_a_folder(installation: Installation) -> None:
    with installation.taken():
        other = Installation(installation.folder, "UTC", ())
        with pytest.raises(ConfigurationError, match="`make run` already runs"), other.taken():
            pass
    with installation.taken():
        pass


def test_the_ports_are_stored_for_later_commands(installation: Installation) -> None:
    assert installation.ports() is None
    with installation.taken():
        installation.note_ports(8123, 8124)
    assert installation.ports() == (8123, 8124)
