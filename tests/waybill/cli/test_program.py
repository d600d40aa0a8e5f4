"""The program as a process: streams, signals, terminals. Few tests, because each start takes a second."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, on_terminal, program, started
from tests.waybill.feeds.cases import golden_files

STEERING = "\x1b[2J\x07\x9b31m"


def events(count: int) -> bytes:
    return b"".join(
        b'{"email":"p%d@b.example","event":"open","timestamp":1772442851,"sg_message_id":"m%d.1"}\n' % (number, number)
        for number in range(count)
    )


def test_events_go_to_stdout_and_rejected_records_to_stderr(tmp_path: Path) -> None:
    (file,) = golden_files("sendgrid_events")
    data = file.read_bytes()
    settings = {"WAYBILL_VAR": str(tmp_path)}
    answer = program("normalise", "sendgrid_events", "-", "--account", "acme", settings=settings, stdin=data)
    assert answer.code == 0
    events, rejected = ([json.loads(line) for line in text.splitlines()] for text in (answer.out, answer.err))
    assert len(events) > 5 and rejected
    assert list(events[0])[:8] == [
        "event_key", "event_at", "channel", "event_type", "provider", "gateway", "feed", "account",
    ]  # fmt: skip
    assert "recipient_key" not in events[0] and "@" in events[0]["recipient"]
    assert {"position", "reason", "raw"} == set(rejected[0])
    assert not (tmp_path / "postgres").exists(), "it needs no database"


def test_too_many_rejected_records_are_exit_code_6(tmp_path: Path) -> None:
    settings = {"WAYBILL_VAR": str(tmp_path)}
    answer = program("normalise", "sendgrid_events", settings=settings, stdin=events(30) + b"x\n" * 25)
    assert answer.code == 6
    assert len(answer.out.splitlines()) == 30
    assert answer.err.splitlines()[-1].startswith("waybill: stdin: 25 of 55 records were rejected")


def test_wrong_usage_is_exit_code_2_and_configuration_3(tmp_path: Path) -> None:
    assert program("feeds", "--nonsense", settings={}).code == 2
    answer = program("status", settings={"WAYBILL_VAR": "/dev/null/x"})
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == "waybill: Not a directory: /dev/null/x.\n"


def test_a_closed_stdout_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(events(20_000))
    with started("normalise", "sendgrid_events", str(file), settings={"WAYBILL_VAR": str(tmp_path)}) as process:
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(timeout=30), err) == (0, b"")


def test_ctrl_c_ends_a_command_that_waits_for_the_database(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    connection.autocommit = True
    waits = "select count(*) from pg_stat_activity where application_name = 'waybill:build' and wait_event = 'advisory'"
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('waybill'), hashtext('build'))")
        with started("report", "rebuild", settings=environment_of(warehouse)) as process:
            deadline = time.monotonic() + 30
            while True:
                cursor.execute(waits)
                if cursor.fetchone()[0]:
                    break
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            out, err = process.communicate(timeout=30)
    connection.close()
    assert process.returncode == 130
    assert time.monotonic() - began < 10
    assert out == b"" and err.startswith(b"waybill: interrupted") and err.count(b"\n") == 1


@pytest.fixture
def hostile(warehouse: Warehouse) -> Warehouse:
    """Returns a warehouse with control characters in a campaign and in a rejected record."""
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into report.communication_activity_daily values ('2026-03-01', %s, 'email', 'Open', 7)", (STEERING,)
        )
        cursor.execute(
            "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, stop_reason)"
            " values ('acme', 'sendgrid_events', 'load', 'd', 1, '1', 'stopped', %s) returning load_id",
            (STEERING,),
        )
        cursor.execute(
            "insert into private.rejected_record (account, feed, sha256, reason, raw, position, load_id)"
            " values ('acme', 'sendgrid_events', 's', 'not JSON', %s, 3, %s)",
            (STEERING.encode() + b"\xff{", cursor.fetchone()[0]),
        )
    connection.close()
    return warehouse


def test_control_characters_of_a_provider_never_reach_the_terminal(hostile: Warehouse) -> None:
    settings = environment_of(hostile)
    for arguments in (
        ["rejected", "list"],
        ["rejected", "show", "1"],
        ["status"],
        ["report", "show", "communication_activity_daily"],
        ["report", "show", "communication_activity_daily", "--format", "csv"],
        ["report", "show", "communication_activity_daily", "--format", "json"],
    ):
        shown = on_terminal(*arguments, settings=settings)
        assert "[2J" in shown, arguments
        assert not any(c in shown for c in "\x1b\x07\x9b"), (arguments, shown)
    exact = program("rejected", "show", "1", settings=settings)
    assert exact.out.encode(errors="surrogateescape") == STEERING.encode() + b"\xff{\n"
    assert "reason: not JSON" in exact.err and "line: 3" in exact.err
    refused = on_terminal("report", "show", "communication_activity_daily", "--format", "parquet", settings=settings)
    assert "redirect stdout into a file" in refused
