"""The two databases of an installation, on a real server: made once, with logins of the least rights."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2 import errors

from deploy.databases import make_databases
from tests.conftest import Server
from waybill.warehouse.connection import LOADER, REPORTER, connect, connected

LOGINS = "test_airflow", "test_tasks"
DATABASES = "test_metadata", "test_warehouse"


@pytest.fixture
def urls(postgres: Server) -> Iterator[tuple[str, str, str]]:
    """Yields the URLs of the administrator, of Airflow (SQLAlchemy) and of the tasks."""
    host = postgres.url.partition("host=")[2]
    metadata, warehouse = DATABASES
    yield (
        postgres.url,
        f"postgresql+psycopg2://test_airflow:first%40pw@/{metadata}?host={host}",
        f"postgresql://test_tasks:pw@/{warehouse}?host={host}",
    )
    connection = psycopg2.connect(postgres.url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name in DATABASES:
            cursor.execute(f"drop database if exists {name} with (force)")
        for name in LOGINS:
            cursor.execute(f"drop role if exists {name}")
    connection.close()


def libpq(url: str) -> str:
    return url.replace("+psycopg2", "")


def test_airflow_can_make_tables_only_in_its_own_database(urls: tuple[str, str, str]) -> None:
    make_databases(*urls, "Europe/Berlin")
    with connected(libpq(urls[1])) as connection, connection.cursor() as cursor:
        cursor.execute("create table dag (id int)")
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute("create role another")
    elsewhere = urls[1].replace("test_metadata", "test_warehouse")
    with (
        connected(libpq(elsewhere)) as connection,
        connection.cursor() as cursor,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        cursor.execute("select from fact.event")


def test_tasks_can_only_load_and_report(urls: tuple[str, str, str]) -> None:
    make_databases(*urls, "Europe/Berlin")
    for role in (LOADER, REPORTER):
        connect(urls[2], role).close()
    with connected(urls[2], LOADER) as connection, connection.cursor() as cursor:
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        assert cursor.fetchone() == ("Europe/Berlin",)
    with connected(urls[2]) as connection, connection.cursor() as cursor:
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute("set role waybill_owner")
        connection.rollback()
        with pytest.raises(errors.InsufficientPrivilege):
            cursor.execute("drop table fact.event")


def test_a_second_call_keeps_the_data_and_sets_the_new_password(urls: tuple[str, str, str]) -> None:
    admin, metadata, tasks = urls
    make_databases(admin, metadata, tasks, "UTC")
    with connected(libpq(metadata)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create table kept (id int)")
    with connected(admin) as connection, connection.cursor() as cursor:
        stored = "select rolpassword from pg_authid where rolname = 'test_airflow'"
        cursor.execute(stored)
        before = cursor.fetchone()
        connection.rollback()
        make_databases(admin, metadata.replace("first%40pw", "second"), tasks, "UTC")
        cursor.execute(stored)
        after = cursor.fetchone()
    assert before[0].startswith("SCRAM-SHA-256$") and before != after
    with connected(libpq(metadata)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from kept")
        assert cursor.fetchone() == (0,)
