"""What tasks know: settings from the environment and from connections."""

import sys
from types import SimpleNamespace

import psycopg2.extensions
import pytest

from tests.dags.conftest import ROOT
from waybill.feeds import FEEDS

sys.path.insert(0, str(ROOT / "dags"))

from waybill.airflow import surroundings

TWILIO = FEEDS["twilio_messages"]


def connection(**fields: object) -> SimpleNamespace:
    empty = dict.fromkeys(("login", "password", "host", "port", "schema"))
    return SimpleNamespace(**{**empty, "extra_dejson": {}, **fields})


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    found: dict[str, SimpleNamespace] = {}
    monkeypatch.setattr(surroundings, "_connection", found.get)
    for name in ("WAREHOUSE_URL", "ACCOUNTS", "PROVIDER_POOLS"):
        monkeypatch.delenv(name, raising=False)
    return found


def test_without_connections_the_environment_says_all(connections: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://somewhere/else")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID__north", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN__north", "token of north")
    ours = surroundings.settings(TWILIO, "north")
    assert ours.warehouse_url == "postgresql://somewhere/else"
    assert ours.access_of(TWILIO, "north").secret == "token of north"


def test_a_connection_of_an_organisation_gives_its_credentials_and_no_other_ones(connections: dict) -> None:
    connections["waybill_twilio_north"] = connection(login="AC1", password="one", host="http://127.0.0.1:9")
    connections["waybill_twilio_south"] = connection(login="AC2", password="two")
    north, south = (surroundings.settings(TWILIO, name).access_of(TWILIO, name) for name in ("north", "south"))
    assert (north.account_id, north.secret, north.base_url) == ("AC1", "one", "http://127.0.0.1:9")
    assert (south.account_id, south.secret, south.base_url) == ("AC2", "two", "https://api.twilio.com")
    assert "TWILIO_AUTH_TOKEN__south" not in surroundings.settings(TWILIO, "north").provider_settings


def test_the_warehouse_of_a_connection_is_a_url_that_libpq_reads(connections: dict) -> None:
    connections["waybill_warehouse"] = connection(
        login="loader",
        password="p@ss/w:rd",
        host="db.example.org",
        port=5433,
        schema="facts",
        extra_dejson={"sslmode": "require"},
    )
    found = psycopg2.extensions.parse_dsn(surroundings.settings().warehouse_url)
    assert found == {
        "user": "loader",
        "password": "p@ss/w:rd",
        "host": "db.example.org",
        "port": "5433",
        "dbname": "facts",
        "sslmode": "require",
    }
    connections["waybill_warehouse"] = connection(login="loader", host="/run/postgres", schema="facts")
    found = psycopg2.extensions.parse_dsn(surroundings.settings().warehouse_url)
    assert found == {"user": "loader", "host": "/run/postgres", "dbname": "facts"}


def test_a_pool_is_named_only_where_pools_were_made(connections: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    assert surroundings.pool_of("twilio", "north") == "default_pool"
    monkeypatch.setenv("PROVIDER_POOLS", "1")
    assert surroundings.pool_of("twilio", "north") == "twilio_north"


def test_the_accounts_are_those_of_the_environment(connections: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    assert surroundings.accounts_at_parse_time() == ()
    monkeypatch.setenv("ACCOUNTS", "north, south")
    assert surroundings.accounts_at_parse_time() == ("north", "south")
