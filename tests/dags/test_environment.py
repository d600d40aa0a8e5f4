"""The settings of tasks, from the environment and from Airflow connections."""

from types import SimpleNamespace

import psycopg2.extensions
import pytest

from waybill.airflow import environment
from waybill.feeds import FEEDS

TWILIO = FEEDS["twilio_messages"]


def connection(**fields: object) -> SimpleNamespace:
    empty = dict.fromkeys(("login", "password", "host", "port", "schema"))
    return SimpleNamespace(**{**empty, "extra_dejson": {}, **fields})


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    found: dict[str, SimpleNamespace] = {}
    monkeypatch.setattr(environment, "_connection", found.get)
    for name in ("WAREHOUSE_URL", "ACCOUNTS", "PROVIDER_POOLS"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_without_connections_all_settings_come_from_the_environment(
    connections: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://somewhere/else")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID__north", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN__north", "token of north")
    found = environment.settings(TWILIO, "north")
    assert found.warehouse_url == "postgresql://somewhere/else"
    assert found.access_of(TWILIO, "north").secret == "token of north"


def test_the_connection_of_an_organisation_gives_only_its_own_credentials(connections: dict) -> None:
    connections["waybill_twilio_north"] = connection(login="AC1", password="one", host="http://127.0.0.1:9")
    connections["waybill_twilio_south"] = connection(login="AC2", password="two")
    north, south = (environment.settings(TWILIO, name).access_of(TWILIO, name) for name in ("north", "south"))
    assert (north.account_id, north.secret, north.base_url) == ("AC1", "one", "http://127.0.0.1:9")
    assert (south.account_id, south.secret, south.base_url) == ("AC2", "two", "https://api.twilio.com")
    assert "TWILIO_AUTH_TOKEN__south" not in environment.settings(TWILIO, "north").provider_settings


def test_the_warehouse_connection_becomes_a_url_that_libpq_reads(connections: dict) -> None:
    connections["waybill_warehouse"] = connection(
        login="loader",
        password="p@ss/w:rd",
        host="db.example.org",
        port=5433,
        schema="facts",
        extra_dejson={"sslmode": "require"},
    )
    found = psycopg2.extensions.parse_dsn(environment.settings().warehouse_url)
    assert found == {
        "user": "loader",
        "password": "p@ss/w:rd",
        "host": "db.example.org",
        "port": "5433",
        "dbname": "facts",
        "sslmode": "require",
    }
    connections["waybill_warehouse"] = connection(login="loader", host="/run/postgres", schema="facts")
    found = psycopg2.extensions.parse_dsn(environment.settings().warehouse_url)
    assert found == {"user": "loader", "host": "/run/postgres", "dbname": "facts"}


def test_a_task_uses_the_pool_of_its_account_only_if_pools_exist(
    connections: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.pool_of("twilio", "north") == "default_pool"
    monkeypatch.setenv("PROVIDER_POOLS", "1")
    assert environment.pool_of("twilio", "north") == "twilio_north"


def test_the_accounts_come_from_the_environment(connections: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.accounts_at_parse_time() == ()
    monkeypatch.setenv("ACCOUNTS", "north, south")
    assert environment.accounts_at_parse_time() == ("north", "south")
