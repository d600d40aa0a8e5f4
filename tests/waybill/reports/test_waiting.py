"""A build that waits for another session logs that, and gives up after a while."""

import logging
from datetime import timedelta

import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.facts import ZONE
from waybill.flow.rebuild import build, drop_unfinished, publish, rebuild, validate
from waybill.model.errors import UnavailableError
from waybill.warehouse import locks
from waybill.warehouse.locks import BUILD, hold

STEPS = {
    "rebuild": lambda connect: rebuild(connect, None, False, ZONE),
    "build": lambda connect: build(connect, None, False, ZONE),
    "validate": lambda connect: validate(connect, 1),
    "publish": lambda connect: publish(connect, 1),
}


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(locks.BOUNDS, "lock_timeout", "1s")


@pytest.mark.parametrize("step", STEPS)
def test_a_build_names_the_session_that_it_waits_for_and_gives_up(
    warehouse: Warehouse, is_impatient: None, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    caplog.set_level(logging.INFO, "waybill")
    other = warehouse.connect()
    with other.cursor() as cursor:
        cursor.execute("set application_name = 'a_bi_tool'")
        hold(cursor, BUILD)
        with pytest.raises(
            UnavailableError, match=r"another build, which is held by a_bi_tool \(backend \d+\), and gave up"
        ):
            STEPS[step](lambda: warehouse.connect("waybill_reporter"))
    other.close()
    (message,) = caplog.messages
    assert message.startswith("build: waiting for another build, which is held by a_bi_tool (backend ")


def test_a_change_of_the_zone_logs_that_it_waits_for_loads(
    warehouse: Warehouse, is_impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "waybill")
    other = warehouse.connect()
    with other.cursor() as cursor:
        locks.take(cursor, locks.ZONE, "nothing", "a test", is_shared=True)
        with pytest.raises(UnavailableError, match="loads that are publishing"):
            rebuild(lambda: warehouse.connect("waybill_reporter"), None, True, "Asia/Tokyo")
    other.close()
    (message,) = caplog.messages
    assert message.startswith("build: waiting for loads that are publishing")


def test_the_error_of_a_build_names_the_session_that_holds_a_table(warehouse: Warehouse, is_impatient: None) -> None:
    other = warehouse.connect()
    with other.cursor() as cursor:
        cursor.execute("lock table ops.build in exclusive mode")
        with pytest.raises(UnavailableError, match=r"a row or table of the warehouse.*run the same command again"):
            drop_unfinished(lambda: warehouse.connect("waybill_reporter"), timedelta(hours=36))
    other.close()


def test_sessions_of_builds_have_time_limits(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    with connection.cursor() as cursor:
        locks.bound(cursor)
        cursor.execute("select current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')")
        assert cursor.fetchone() == ("10min", "30min")
    connection.close()
