"""The gate when the server fails: a broken connection is never reported as a failed rule."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import KEY, Server, Warehouse, running_server
from tests.waybill.load.loading import Loads, sms
from waybill.feeds import FEEDS
from waybill.flow.ingest import load
from waybill.model.errors import QualityGateError, UnavailableError
from waybill.quality import gate
from waybill.quality.gate import Subject
from waybill.settings import Settings
from waybill.warehouse import embedded
from waybill.warehouse.connection import LOADER, connect
from waybill.warehouse.connection import Warehouse as Target


@pytest.fixture
def staged(warehouse: Warehouse) -> Subject:
    """Create a staged table that passes the suite of loads and is never dropped."""
    warehouse.rows(
        "create unlogged table staging.load_1 (like fact.event, object_no bigint not null, record_no bigint not null);"
        "alter table staging.load_1 owner to waybill_loader; select 1"
    )
    return Subject("event_staging", "staging.load_1", 0)


def end(warehouse: Warehouse, connection: Connection) -> None:
    assert warehouse.rows("select pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,)) == [(True,)]


@pytest.mark.parametrize("step", ["_source", "_outcome"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_connection_that_the_server_ends_is_not_a_failed_rule(
    warehouse: Warehouse, staged: Subject, step: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends while the library reads the tables, before the first suite, or between two suites."""
    opened: list[Connection] = []
    steps: list[str] = []
    unbroken = getattr(gate, step)

    def connect_and_note() -> Connection:
        opened.append(connect(warehouse.url, LOADER))
        if step == "_source" and len(opened) == nth:
            end(warehouse, opened[-1])
        return opened[-1]

    def broken(*arguments: object) -> object:
        steps.append(step)
        if step == "_outcome" and len(steps) == nth:
            end(warehouse, opened[-1])
        return unbroken(*arguments)

    monkeypatch.setattr(gate, step, broken)
    try:
        outcomes = gate.validate(connect_and_note, [staged, staged])
    except psycopg2.OperationalError as error:
        assert "the connection broke" in str(error)
    else:  # the library has connected once more
        assert all(outcome.success for outcome in outcomes)
    assert steps


def test_a_missing_table_still_fails_the_gate(warehouse: Warehouse) -> None:
    with pytest.raises(QualityGateError, match="It is missing"):
        gate.validate(lambda: connect(warehouse.url, LOADER), [Subject("event_staging", "staging.load_2", 0)])


def test_too_many_connections_mean_that_the_server_is_unavailable(warehouse: Warehouse, staged: Subject) -> None:
    name = warehouse.server.name_of(warehouse.url)
    login = "a_crowded_login"
    warehouse.rows(f"drop role if exists {login}; create role {login} login in role waybill_loader; select 1")
    warehouse.rows(f"alter role {login} connection limit 1; select 1")
    url = warehouse.url.replace("//postgres:@", f"//{login}:@")
    taken = connect(url, LOADER)
    try:
        with pytest.raises(UnavailableError, match="too many connections"):
            gate.validate(lambda: connect(url, LOADER), [staged])
        warehouse.rows(f"alter database {name} connection limit 0; select 1")
        with pytest.raises(UnavailableError, match="too many connections"):
            connect(url, LOADER)
    finally:
        taken.close()
        warehouse.rows(f"drop role {login}; select 1")


@pytest.fixture
def own_server() -> Iterator[Server]:
    """Start a server that the test may kill."""
    with running_server(int(os.environ.get("TEST_POSTGRES_VERSION", "18"))) as server:
        yield server


def test_a_server_crash_during_validation_is_a_broken_connection(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own_server.database()
    environment = {"WAREHOUSE_URL": url, "WAYBILL_VAR": str(tmp_path), "RECIPIENT_HMAC_KEY": KEY}
    loads = Loads(Warehouse(url, Settings.from_environment(environment), own_server))
    folder = Path(own_server.url.split("host=")[1])
    pid_file = folder / "postmaster.pid"
    unbroken = gate._outcome

    def kill_and_go_on(*arguments: object) -> object:
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)  # ends at once, and recovers at its next start
        while pid_file.exists():
            time.sleep(0.05)
        return unbroken(*arguments)

    monkeypatch.setattr(gate, "_outcome", kill_and_go_on)
    landed = loads.land("twilio_messages", sms("delivered", "2026-03-02T09:00", "2026-03-02T09:01"))
    with pytest.raises((psycopg2.OperationalError, psycopg2.InterfaceError, UnavailableError)):
        load(Target(loads.settings, url), FEEDS["twilio_messages"], [landed]).checked()
    with pytest.raises(UnavailableError):
        connect(url, LOADER)
    monkeypatch.undo()
    embedded.start(folder, int((folder / "PG_VERSION").read_text()))
    assert load(Target(loads.settings, url), FEEDS["twilio_messages"], [landed]).checked()[0].row.status == "published"
