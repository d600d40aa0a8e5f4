"""`load` and `pull` of one inbox give the same rows, the same messages and the same exit code."""

import gzip
import json
import os
from pathlib import Path

import pytest

from tests.acceptance.warehouses import facts
from tests.conftest import Warehouse
from tests.waybill.cli.commands import Answer, environment_of, waybill
from waybill.feeds import FEEDS
from waybill.flow import steps
from waybill.model.errors import QualityGateError
from waybill.settings import Settings

FEED = "sendgrid_events"
GOOD = b'{"event": "open", "timestamp": 1772442851, "email": "ann@example.com", "sg_message_id": "%s"}\n'
LEDGER = (
    "select account, feed, kind, digest, status, stop_reason, read_count, loaded_count, rejected_count, inserted_count"
    " from ops.load order by load_id"
)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Fill an inbox with three accounts; only zoe has no bad file."""
    inbox = tmp_path / "inbox"
    for account in ("anna", "bert", "zoe"):
        (inbox / account / FEED).mkdir(parents=True)
        (inbox / account / FEED / "good.ndjson").write_bytes(GOOD % account.encode())
    (inbox / "bert" / FEED / "a_rubbish.ndjson").write_bytes(b"no JSON at all\n")
    (inbox / "bert" / FEED / "z_rubbish.ndjson").write_bytes(b"no JSON either\n" * 2)
    cut = gzip.compress(GOOD % b"cut" + os.urandom(5_000).hex().encode())[:-2_000]
    (inbox / "bert" / FEED / "cut.ndjson.gz").write_bytes(cut)
    (inbox / "bert" / FEED / "gone.ndjson").symlink_to(inbox / "nowhere")
    os.mkfifo(inbox / "bert" / FEED / "pipe")
    (inbox / "bert" / "sendgrid").mkdir()
    return inbox


@pytest.fixture
def anna_fails_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = steps.gate.gate

    def fail_the_first(outcomes: list, subject: str) -> None:
        if subject == "load 1":
            raise QualityGateError(f"{subject} fails here")
        gate(outcomes, subject)

    monkeypatch.setattr(steps.gate, "gate", fail_the_first)


def test_load_and_pull_of_an_inbox_with_bad_files_give_the_same_result(
    warehouse: Warehouse, inbox: Path, tmp_path: Path, anna_fails_the_gate: None
) -> None:
    url = warehouse.server.database()
    other = Warehouse(url, Settings.from_environment({"WAYBILL_VAR": str(tmp_path / "other")}), warehouse.server)
    try:
        loaded, pulled = run("load", warehouse, inbox), run("pull", other, inbox)
        assert facts(warehouse.url) == facts(url)
        assert warehouse.rows(LEDGER) == other.rows(LEDGER)
        assert warehouse.rows("select account from fact.event order by 1") == [("bert",), ("zoe",)]
    finally:
        warehouse.server.drop(url)
    assert (loaded.code, loaded.out) == (pulled.code, pulled.out)
    assert loaded.code == QualityGateError.exit_code
    assert sorted_messages(loaded) == sorted_messages(pulled)
    messages = "\n".join(sorted_messages(loaded))
    for bad in ("a_rubbish", "z_rubbish", "cut.ndjson.gz", "gone.ndjson", "pipe", "load 1 fails here"):
        assert bad in messages, bad
    assert "ann@example.com" not in messages


def run(command: str, warehouse: Warehouse, inbox: Path) -> Answer:
    return waybill(command, FEED, settings=environment_of(warehouse, INBOX_URL=str(inbox)))


def sorted_messages(answer: Answer) -> list[str]:
    """Return the messages in sorted order, without the lines of progress that only a slow machine shows."""
    lines = [line for line in answer.err.splitlines() if not line.startswith(("pull ", "load "))]
    assert len(lines) > 6
    return sorted(lines)


def test_with_json_logs_every_line_is_one_json_object(warehouse: Warehouse, inbox: Path) -> None:
    answer = waybill("--log", "json", "load", FEED, settings=environment_of(warehouse, INBOX_URL=str(inbox)))
    *records, _ = [line for line in answer.err.splitlines() if line.startswith("{")]
    found = [json.loads(line) for line in records]
    assert {"debug", "info", "warning"} >= {record["level"] for record in found} >= {"info", "warning"}
    published = [record for record in found if record.get("step") == "publish" and "seconds" in record]
    assert {record["account"] for record in published} == {"anna", "bert", "zoe"}
    for record in published:
        assert record["feed"] in FEEDS and record["load_id"] > 0 and record["record_count"] == 1
        assert 0 < record["seconds"] < 60
    assert not any("ann@example.com" in line for line in answer.err.splitlines())


def test_quiet_prints_only_warnings_and_errors(warehouse: Warehouse, inbox: Path) -> None:
    answer = waybill("--quiet", "load", FEED, settings=environment_of(warehouse, INBOX_URL=str(inbox)))
    lines = answer.err.splitlines()
    further = ("Too many records were rejected", "Some files could not be read", "Nothing of these files was loaded")
    assert lines and all(line.startswith(("warning: ", "waybill: ", *further)) for line in lines)
