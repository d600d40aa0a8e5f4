"""Every command names the file of rejected records, and of files that are held back or unreadable."""

import json
import os
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.load.loading import Loads, before_publish, sendgrid, sms
from waybill.cli import main
from waybill.flow.results import HeldBackError

FEED = "sendgrid_events"


@pytest.fixture
def loads(warehouse: Warehouse) -> Loads:
    return Loads(warehouse)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    for number in range(3):
        event = sendgrid("processed", f"2026-03-01 10:0{number}", f"m{number}")
        (folder / f"good{number}.json").write_text(json.dumps(event) + "\n")
    return folder


def test_a_file_that_does_not_belong_is_named_and_the_others_are_loaded(warehouse: Warehouse, spool: Path) -> None:
    (spool / "README.md").write_text("# Spool\n\nFiles of the webhook.\n")
    settings = environment_of(warehouse)
    answer = waybill("load", FEED, str(spool), "--json", settings=settings)
    assert answer.code == 6
    assert [row["loaded_count"] for row in json.loads(answer.out)] == [3]
    assert f"{spool}/README.md" in answer.err and "2 of 2 records were rejected" in answer.err
    doctor = waybill("doctor", settings=settings)
    assert doctor.code == 3 and f"{spool}/README.md" in doctor.out
    listed = json.loads(waybill("rejected", "list", "--json", settings=settings).out)
    assert {row["file"] for row in listed} == {f"{spool}/README.md"} and len(listed) == 2
    assert f"{spool}/README.md line 3" in waybill("rejected", "list", settings=settings).out
    (third,) = [row["rejected_id"] for row in listed if row["position"] == 3]
    shown = waybill("rejected", "show", str(third), settings=settings)
    assert f"file: {spool}/README.md" in shown.err and "line: 3" in shown.err
    assert f"{spool}/README.md" in waybill("status", settings=settings).out


def test_an_address_in_a_file_name_is_never_shown(warehouse: Warehouse, spool: Path) -> None:
    (spool / "of-zoe.canary@example.com.json").write_text("rubbish\n")
    settings = environment_of(warehouse)
    answer = waybill("load", FEED, str(spool), settings=settings)
    listed = waybill("rejected", "list", "--json", settings=settings).out
    assert answer.code == 6 and str(spool) in answer.err and str(spool) in listed
    assert "zoe.canary" not in answer.err + answer.out + listed


def test_a_load_reports_the_reasons_of_rejected_records(warehouse: Warehouse, spool: Path) -> None:
    (spool / "good0.json").write_text((spool / "good0.json").read_text() + "rubbish\n" * 3 + '{"event": "open"}\n')
    settings = environment_of(warehouse)
    answer = waybill("load", FEED, str(spool), settings=settings)
    assert answer.code == 0
    assert "load 1: rejected: not JSON (3); email: missing (1)" in answer.err
    assert "(3 times)" in waybill("rejected", "list", settings=settings).out


def test_a_load_reports_the_warnings_of_its_rules(loads: Loads) -> None:
    landed = loads.land("twilio_messages", sms("teleported", "2026-03-01T10:00", "2026-03-01T10:05"))
    (done,) = loads.load_all("twilio_messages", [landed])
    assert done.summary.counts.startswith("load 1, twilio_messages of acme: published; 1 record read: 1 loaded;")
    (warning,) = done.summary.remarks
    assert warning.startswith("load 1: warning: event_staging.event_type_mapped")
    assert done.summary.lines == (done.summary.counts, warning)


def test_an_empty_file_is_named_but_is_no_error(warehouse: Warehouse, spool: Path) -> None:
    (spool / "empty.json").write_text("")
    answer = waybill("load", FEED, str(spool), settings=environment_of(warehouse))
    assert answer.code == 0
    assert f"{spool}/empty.json" in answer.err and "holds no record" in answer.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_read_permission_is_named_once(warehouse: Warehouse, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    secret.chmod(0)
    _check_it_is_named_once(warehouse, secret)


def test_a_broken_link_is_named_once(warehouse: Warehouse, tmp_path: Path) -> None:
    broken = tmp_path / "spool"
    broken.mkdir()
    (broken / "secret.json").symlink_to(broken / "gone")
    _check_it_is_named_once(warehouse, broken)


def _check_it_is_named_once(warehouse: Warehouse, path: Path) -> None:
    answer = waybill("load", FEED, str(path), settings=environment_of(warehouse))
    assert answer.code == 4
    assert answer.err.count("secret.json") == 1 and "there is no file in" not in answer.err


def test_normalise_reports_a_file_without_readable_records(tmp_path: Path) -> None:
    settings = {"WAYBILL_VAR": str(tmp_path)}
    answer = waybill("normalise", FEED, settings=settings, stdin=b"rubbish\n")
    assert answer.code == 6 and "so nothing was loaded from it" in answer.err
    assert waybill("normalise", FEED, settings=settings, stdin=b"").code == 0


def test_if_the_connection_breaks_the_message_names_the_step(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_all_sessions(load_id: int) -> None:
        loads.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'waybill:load%%'"
        )

    before_publish(monkeypatch, end_all_sessions)
    with pytest.raises(psycopg2.Error) as broken:
        loads.load(FEED, sendgrid("open", "2026-03-01 10:00"))
    messages: list[str] = []
    monkeypatch.setattr(main, "say", lambda text, *level: messages.append(text))
    assert main._report(broken.value) == 3
    assert "the connection broke (load 1 was publishing). Nothing is half done." in messages[0]


def test_the_sentences_of_doctor_are_separated(warehouse: Warehouse, spool: Path) -> None:
    for file in spool.iterdir():
        file.write_text("rubbish\n")
    settings = environment_of(warehouse)
    assert waybill("load", FEED, str(spool), settings=settings).code == HeldBackError.exit_code
    assert "not JSON (1). Fix that" in waybill("doctor", settings=settings).out
