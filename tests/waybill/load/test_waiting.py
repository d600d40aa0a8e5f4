"""While a publishing process is stopped, loads of its account wait a bounded time, and other loads continue."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

import pytest

from tests.conftest import KEY
from tests.waybill.load.loading import Loads, as_file, sms
from waybill.feeds import FEEDS
from waybill.flow.ingest import load
from waybill.flow.steps import prepare
from waybill.ledger import pulls as journal
from waybill.load import publish
from waybill.model.errors import UnavailableError
from waybill.warehouse import connection as connections
from waybill.warehouse import locks
from waybill.warehouse.connection import LOADER, connected

ROOT = Path(__file__).resolve().parents[3]
PUBLISH_SLOWLY = """
import sys, time
from pathlib import Path
from waybill.cli.main import run
from waybill.load import publish

marker, idle, *sys.argv[1:] = sys.argv[1:]
publish.PLANNING = publish.PLANNING.replace("5min", idle)
write = publish.write_legs_and_messages

def write_and_stay(*arguments):
    write(*arguments)
    Path(marker).touch()
    time.sleep(120)

publish.write_legs_and_messages = write_and_stay
run()
"""


@contextmanager
def stopped_publisher(loads: Loads, folder: Path, idle: str = "5min") -> Iterator[subprocess.Popen]:
    """Start a process and stop it (SIGSTOP) while it publishes a load of account north."""
    file = folder / "north.json"
    file.write_bytes(as_file("twilio_messages", (sms("delivered", "2026-03-02T09:00", "2026-03-02T09:01"),)))
    marker = folder / "is_publishing"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PUBLISH_SLOWLY,
            str(marker),
            idle,
            *f"load twilio_messages {file} --account north".split(),
        ],
        cwd=ROOT,
        env=os.environ | {"WAREHOUSE_URL": loads.url, "WAYBILL_VAR": str(folder), "RECIPIENT_HMAC_KEY": KEY},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not marker.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_LOADER_SESSION", " -c lock_timeout=2s")


def load_of(loads: Loads, account: str) -> str:
    row = sms("delivered", "2026-03-02T10:00", "2026-03-02T10:01", sid=f"SM{account}")
    landed = loads.land("twilio_messages", row, account=account)
    (done,) = load(loads.target, FEEDS["twilio_messages"], [landed]).checked()
    return done.row.status


def test_a_stopped_publish_delays_only_its_own_account_for_a_bounded_time(
    loads: Loads, tmp_path: Path, is_impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "waybill")
    load_of(loads, "west")
    with stopped_publisher(loads, tmp_path):
        assert load_of(loads, "south") == "published"
        assert not any("waiting" in message for message in caplog.messages)
        with pytest.raises(UnavailableError, match=r"gave up.*run the same command again") as caught:
            load_of(loads, "north")
        (waiting,) = (message for message in caplog.messages if "waiting" in message)
        for text in (waiting, str(caught.value)):
            assert "account north, which is held by waybill:load:twilio_messages (backend " in text
        assert caught.value.exit_code == 3
        statuses = loads.rows("select status from ops.load where account = 'north' order by load_id")
        assert statuses == [("validated",), ("validated",)], "the step can be repeated"


def test_the_server_ends_a_stopped_publish_and_the_next_load_continues(loads: Loads, tmp_path: Path) -> None:
    assert "idle_in_transaction_session_timeout = '5min'" in publish.PLANNING
    with stopped_publisher(loads, tmp_path, idle="1s") as process:
        assert load_of(loads, "north") == "published"
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode != 0
    assert loads.rows("select count(*) from fact.message") == [(1,)], "the stopped process committed nothing"


def test_the_error_after_waiting_names_the_session_that_holds_the_row(loads: Loads, is_impatient: None) -> None:
    load_of(loads, "west")
    with connected(loads.url, application_name="somebody") as other, other.cursor() as cursor:
        cursor.execute("update ops.rules set version = 1")
        newer = copy(FEEDS["twilio_messages"])
        newer.rules_version += 1
        with (
            pytest.raises(UnavailableError, match=r"held by somebody \(backend \d+\), and gave up"),
            connected(loads.url, LOADER) as connection,
        ):
            prepare(connection, loads.settings, [newer])


def test_equal_rules_are_not_written_again(loads: Loads) -> None:
    load_of(loads, "west")
    stamp = "select xmin, xmax, ctid from ops.rules"
    before = loads.rows(stamp)
    load_of(loads, "south")
    assert loads.rows(stamp) == before != []


def test_a_second_pull_logs_what_it_waits_for_and_gives_up(
    loads: Loads, is_impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "waybill")
    feed = FEEDS["twilio_messages"]
    with (
        journal.alone(loads.target, feed, "north"),
        pytest.raises(UnavailableError, match="the pull that is under way"),
        journal.alone(loads.target, feed, "north"),
    ):
        raise AssertionError("both have it")
    (message,) = caplog.messages
    assert "north: waiting for the pull that is under way, which is held by waybill:pull:twilio_messages" in message


def test_loader_connections_have_time_limits_and_all_connections_have_keepalives(loads: Loads) -> None:
    names = ("lock_timeout", "idle_in_transaction_session_timeout")
    query = "select {}".format(", ".join(f"current_setting('{name}')" for name in names))
    found = {}
    for role in (LOADER, None):
        with connected(loads.url, role) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            found[role] = cursor.fetchone()
            assert connection.info.dsn_parameters["keepalives_idle"] == "60"
    assert found == {LOADER: (locks.PATIENCE, "30min"), None: ("0", "0")}
    with connected(f"{loads.url}&keepalives_idle=7") as connection:
        assert connection.info.dsn_parameters["keepalives_idle"] == "7"
