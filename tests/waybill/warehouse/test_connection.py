"""Connections are in UTC and in a role. Their errors say what to do and contain no password."""

import psycopg2
import pytest

from tests.conftest import Warehouse
from waybill.model.errors import ConfigurationError
from waybill.warehouse.connection import LOADER, REPORTER, connect, connected, without_password

WRONG = [
    "postgresql://waybill:hunter2@127.0.0.1:1/waybill",
    "postgresql://waybill:pass@hunter2@127.0.0.1:1/waybill",
    "postgresql://waybill:hunter2@127.0.0.1:notaport/waybill",
    "postgresql://127.0.0.1:1/waybill?user=waybill&password=hunter2",
    "postgresql://127.0.0.1:1/waybill?user=waybill&sslpassword=hunter2",
    "host=127.0.0.1 port=1 dbname=waybill user=waybill sslpassword=hunter2",
    "host=127.0.0.1 port=1 dbname=waybill user=waybill password=hunter2",
    "host=127.0.0.1 port=1 dbname=waybill user=waybill password='hunter2 and more'",
    "postgres//waybill:hunter2@127.0.0.1/waybill",
    "mysql://waybill:hunter2@127.0.0.1/waybill",
    "postgresql://waybill:%zzhunter2@127.0.0.1:1/waybill",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_url_is_a_configuration_error_without_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="WAREHOUSE_URL") as caught:
        connect(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", WRONG)
def test_a_url_is_shown_without_its_password(url: str) -> None:
    assert "hunter2" not in without_password(url)


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    for url in ("postgresql://waybill@db.example.com:5432/waybill", "postgresql:///waybill?host=/run/postgresql"):
        assert without_password(url) == url
    assert (
        without_password("postgresql://waybill:s@db.example.com/waybill")
        == "postgresql://waybill:***@db.example.com/waybill"
    )


def test_a_database_that_does_not_exist_is_a_configuration_error(warehouse: Warehouse) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        connect(warehouse.server.url_of("no_such_database"))


def test_a_missing_role_is_an_error_that_names_the_command_to_run(warehouse: Warehouse) -> None:
    with pytest.raises(ConfigurationError, match="waybill warehouse migrate"):
        connect(warehouse.url, "waybill_nobody")


@pytest.mark.parametrize(
    "environment", [{}, {"PGTZ": "Asia/Tokyo"}, {"TZ": "Asia/Tokyo"}, {"PGOPTIONS": "-c timezone=Asia/Tokyo"}]
)
def test_sessions_are_in_utc_in_every_environment(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    (name,) = warehouse.rows("select current_database()")[0]
    warehouse.rows(f"alter database {name} set timezone = 'America/New_York'; select 1")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    for role in (None, LOADER, REPORTER):
        with connected(warehouse.url, role) as connection, connection.cursor() as cursor:
            cursor.execute("select current_setting('timezone'), '2026-07-01 12:00'::timestamptz::text, now()")
            zone, written, now = cursor.fetchone()
            assert (zone, written) == ("UTC", "2026-07-01 12:00:00+00")
            assert now.utcoffset().total_seconds() == 0


def test_a_session_has_its_role_and_application_name(warehouse: Warehouse) -> None:
    with connected(warehouse.url, LOADER, "waybill:load:x") as connection, connection.cursor() as cursor:
        cursor.execute("select current_user, current_setting('application_name')")
        assert cursor.fetchone() == (LOADER, "waybill:load:x")
        assert not connection.autocommit


def test_uncommitted_changes_are_rolled_back_when_a_connection_closes(warehouse: Warehouse) -> None:
    with connected(warehouse.url, LOADER) as connection, connection.cursor() as cursor:
        cursor.execute("insert into ops.feed (feed, kind) values ('x', 'files')")
    assert connection.closed
    assert warehouse.rows("select * from ops.feed") == []
    with pytest.raises(psycopg2.InterfaceError):
        connection.cursor()
