"""A scenario from an empty folder to reports and back; and the demo."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from pyarrow import parquet

from tests.conftest import Warehouse, server_folder
from tests.waybill.cli.commands import Answer, environment_of, program, waybill
from waybill.quality import suites
from waybill.reports import catalogue
from waybill.simulator import world as worlds
from waybill.warehouse import embedded

SMALL = {"days": 2, "accounts": ("north",), "messages_per_day": 60}
MONEY = Decimal("0.007512345678901234567")


@pytest.fixture
def var() -> Iterator[Path]:
    """Yields a folder for embedded warehouses, whose servers are stopped at the end."""
    with server_folder() as folder:
        yield folder / "var"
        for made in (folder / "var" / "postgres", folder / "var" / "demo" / "postgres"):
            embedded.stop(made, 18)


@pytest.fixture
def empty(var: Path) -> dict[str, str]:
    """Returns settings for an embedded warehouse that does not exist yet."""
    return {"WAYBILL_VAR": str(var), "REPORT_TIMEZONE": "Europe/Berlin"}


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inbox")
    worlds.write(worlds.World(7, **SMALL), folder)
    invented = {"event": "teleported", "email": "ana@inbox.example", "timestamp": 1_772_450_000}
    lines = [json.dumps(invented | {"sg_message_id": f"new{number}.filter"}) for number in range(8)]
    (folder / "north" / "sendgrid_events" / "invented.ndjson").write_text("\n".join(lines))
    return folder / "north"


def fine(answer: Answer) -> Answer:
    assert answer.code == 0, answer.err
    return answer


def test_from_nothing_to_reports(empty: dict[str, str], inbox: Path) -> None:
    def call(*arguments: str) -> Answer:
        return fine(waybill(*arguments, settings=empty))

    assert "applied 0001" in call("warehouse", "up").err
    assert "up to date" in call("warehouse", "migrate").err
    url = call("warehouse", "url")
    assert url.err == "" and url.out.startswith("postgresql://")

    feeds = [row for row in json.loads(call("feeds", "--json").out) if (inbox / row["slug"]).exists()]
    assert len(feeds) == 4, "those of the simulated world"
    read = 0
    for feed in [row["slug"] for row in feeds if row["slug"] != "sendgrid_events"]:
        (row,) = json.loads(call("load", feed, str(inbox / feed), "--account", "north", "--json").out)
        assert row["is_new"] and row["status"] == "published" and row["account"] == "north"
        counts = [row[f"{name}_count"] for name in ("loaded", "duplicate", "rejected", "ignored")]
        assert row["read_count"] == sum(counts) > 0
        read += row["read_count"]
    spool = str(inbox / "sendgrid_events")
    shown = call("load", "sendgrid_events", spool, "--account", "north")
    assert shown.out.splitlines()[0].split()[:4] == ["load", "account", "feed", "read"]
    assert shown.out.splitlines()[2].split()[1:3] == ["north", "sendgrid_events"]
    assert "`waybill rejected list`" in shown.err

    again = call("load", "sendgrid_events", spool, "--account", "north")
    assert again.out == "" and "Everything was published before" in again.err and "nothing was written" in again.err

    hint = call("report", "show", "email_campaign", "--format", "json")
    assert json.loads(hint.out) == [] and "wait for `waybill report rebuild`" in hint.err
    built = call("report", "rebuild")
    assert "Build 1:" in built.err and "email_campaign" in built.out
    assert json.loads(call("report", "rebuild", "--json").out)["rows_changed"] == 0

    check_formats(empty, url.out.strip())

    status = call("status")
    assert "build 2" in status.out and "no day waits" in status.out
    assert status.err == "What each rule checks, and earlier results: `waybill status --page FILE`.\n"
    document = json.loads(call("status", "--json").out)
    assert {row["feed"] for row in document["freshness"]} == {row["slug"] for row in feeds}
    assert document["pending_days"] == [] and document["last_build"]["build_id"] == 2
    assert len(document["loads"]) == 4 and all(load["status"] == "published" for load in document["loads"])
    assert document["validations"] and all(row["success"] for row in document["validations"])
    failed = {rule["rule"] for row in document["validations"] for rule in row["failed_rules"]}
    assert failed == {"event_type_mapped"}, "a warning: the simulated log has a new word of SendGrid"
    assert "warning: load" in status.out and "event_staging.event_type_mapped (8 found)" in status.out
    assert document["freshness"][0]["lag_seconds"] > 0

    listed = json.loads(call("rejected", "list", "--feed", "sendgrid_events", "--json").out)
    assert listed and all(row["reason"] and row["position"] and row["raw"] for row in listed)
    lines = call("rejected", "list", "--feed", "sendgrid_events").out.splitlines()
    assert len(lines) == 2 * len(listed)
    assert f"line {listed[0]['position']}" in lines[0] and listed[0]["reason"] in lines[0]
    assert "there are more" in call("rejected", "list", "--limit", "1").err
    raw = call("rejected", "show", str(listed[0]["rejected_id"]))
    assert raw.out.startswith(listed[0]["raw"][:10])
    assert json.loads(call("rejected", "show", str(listed[0]["rejected_id"]), "--json").out) == listed[0]

    replayed = json.loads(
        call("replay", "sendgrid_events", "--from", "2026-03-01", "--until", "2026-05-01T00:00:00+02:00", "--json").out
    )
    assert [row["kind"] for row in replayed] == ["replay"] and replayed[0]["removed_count"] == 0
    assert replayed[0]["unchanged_count"] == replayed[0]["mapped_count"] > 0
    nothing = call("replay", "sendgrid_events", "--from", "2020-01-01", "--until", "2020-01-02")
    assert nothing.out == "" and "Nothing to replay" in nothing.err

    doctor = call("doctor")
    assert "BAD" not in doctor.out and "zone rules" in doctor.out
    assert all(finding["is_ok"] for finding in json.loads(call("doctor", "--json").out))
    assert "was stopped" in call("warehouse", "down").err
    assert "does not run" in call("warehouse", "down").err


def check_formats(settings: dict[str, str], url: str) -> None:
    """Check that each format has every row, in the order of the grain, with the same values."""
    connection = psycopg2.connect(url)
    for name in ("email_campaign", "message_cost_daily"):
        report = catalogue.find(name)
        with connection.cursor() as cursor:
            cursor.execute(f"select * from {report.table} order by {', '.join(report.grain)}")
            expected = cursor.fetchall()
        assert expected
        answers = {
            form: fine(waybill("report", "show", name, "--format", form, settings=settings))
            for form in ("table", "csv", "json")
        }
        if name == "email_campaign":
            answers["parquet"] = fine(program("report", "show", name, "--format", "parquet", settings=settings))
        assert {answer.err for answer in answers.values()} == {f"{len(expected):,} rows of {name}.\n"}
        rows = json.loads(answers["json"].out, parse_float=Decimal)
        assert [tuple(row) for row in rows] == [report.columns] * len(expected)
        assert [tuple(row.values()) for row in rows] == [
            tuple(value.isoformat() if isinstance(value, date) else value for value in row) for row in expected
        ]
        header, *lines = csv.reader(io.StringIO(answers["csv"].out))
        assert tuple(header) == report.columns and len(lines) == len(expected)
        assert lines == [["" if value is None else str(value) for value in row] for row in expected]
        if name == "email_campaign":
            table = parquet.read_table(io.BytesIO(answers["parquet"].out.encode(errors="surrogateescape")))
            assert [tuple(row.values()) for row in table.to_pylist()] == expected
        assert len(answers["table"].out.splitlines()) == len(expected) + 2
    connection.close()


def test_exports_are_exact_and_harmless(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        for campaign in ("=cmd|' /C calc'!A0", "+1", "-1", "@x", "plain"):
            cursor.execute(
                "insert into report.message_cost_daily values"
                " ('2026-03-01', 'acme', 'sms', 'twilio', %s, 'DE', 'USD', 9007199254740993, %s)",
                (campaign, MONEY),
            )
    connection.close()

    def show(form: str) -> str:
        settings = environment_of(warehouse)
        return fine(waybill("report", "show", "message_cost_daily", "--format", form, settings=settings)).out

    one = waybill("report", "show", "message_cost_daily", "--only", "campaign_id=plain", "--only", "account=acme",
                  "--format", "json", settings=environment_of(warehouse))  # fmt: skip
    assert [row["campaign_id"] for row in json.loads(fine(one).out)] == ["plain"]
    refused = waybill("report", "show", "message_cost_daily", "--only", "plain", settings=environment_of(warehouse))
    assert refused.code == 2 and "COLUMN=VALUE" in refused.err
    rows = list(csv.DictReader(io.StringIO(show("csv"))))
    assert [row["campaign_id"] for row in rows] == ["'+1", "'-1", "'=cmd|' /C calc'!A0", "'@x", "plain"]
    assert {(row["priced_leg_count"], row["cost"]) for row in rows} == {("9007199254740993", str(MONEY))}
    exact = json.loads(show("json"), parse_float=Decimal)
    assert [row["campaign_id"] for row in exact] == ["+1", "-1", "=cmd|' /C calc'!A0", "@x", "plain"]
    assert {(row["priced_leg_count"], row["cost"]) for row in exact} == {(9007199254740993, MONEY)}


def test_a_failing_gate_is_exit_code_5(
    warehouse: Warehouse, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = (suites.EXPECTATIONS / "event_staging.sql").read_text()
    rule = "-- rule: no_events\n-- severity: critical\n-- description: There are no events.\n-- expect: no row\n"
    (tmp_path / "event_staging.sql").write_text(f"{suite}\n{rule}select count(*) from {{batch}}\n")
    monkeypatch.setattr(suites, "EXPECTATIONS", tmp_path)
    settings = environment_of(warehouse)
    answer = waybill("load", "twilio_calls", str(inbox / "twilio_calls"), settings=settings)
    assert answer.code == 5 and answer.out == ""
    assert "no_events" in answer.err and "Nothing was published" in answer.err
    assert warehouse.rows("select status, loaded_count from ops.load") == [("stopped", None)]
    shown = waybill("status", settings=settings).out
    assert "load 1 stopped" in shown and "failed: load 1: event_staging.no_events (1 found)" in shown
    found = waybill("doctor", settings=settings)
    assert found.code == 3 and "load 1 of twilio_calls, account default, was stopped" in found.out


def test_too_many_rejected_records_stop_a_load(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"".join(b"noise %d\n" % number for number in range(30)))
    settings = environment_of(warehouse)
    answer = waybill("load", "sendgrid_events", str(tmp_path / "noise"), settings=settings)
    assert answer.code == 6 and "REJECTED_CEILING" in answer.err and "`waybill rejected list`" in answer.err
    assert len(json.loads(waybill("rejected", "list", "--json", settings=settings).out)) == 30


def test_if_there_is_nothing_to_load_the_message_names_the_folder(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    answer = waybill("load", "sendgrid_events", str(tmp_path / "spool"), settings=environment_of(warehouse))
    assert (answer.code, answer.out) == (0, "")
    assert f"there is no file in {tmp_path / 'spool'}" in answer.err
    (tmp_path / "inbox").mkdir()
    settings = environment_of(warehouse, INBOX_URL=str(tmp_path / "inbox"))
    answer = waybill("load", "sendgrid_events", "--account", "acme", settings=settings)
    assert "There is no folder acme/sendgrid_events in the inbox" in answer.err
    assert json.loads(waybill("load", "sendgrid_events", "--json", settings=settings).out) == []


def test_an_embedded_warehouse_is_migrated_automatically(empty: dict[str, str]) -> None:
    first = fine(waybill("status", settings=empty))
    assert "Migrating the embedded warehouse to this release" in first.err
    assert "Nothing is loaded yet" in first.out
    assert fine(waybill("status", settings=empty)).err == ""


def test_the_demo_shows_every_report_and_runs_again(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = worlds.World
    monkeypatch.setattr(worlds, "World", lambda seed, **options: real(seed, **SMALL, **options))
    settings = {"WAYBILL_VAR": str(var), "WAREHOUSE_URL": "postgresql://nowhere.example/x"}
    first = fine(waybill("demo", settings=settings))
    for report in catalogue.all_reports():
        assert f"{report.name}, first rows:" in first.out
    assert "(none)\n" not in first.out.replace("  (none)", ""), "a report is empty"
    assert max(map(len, first.out.splitlines())) <= 100
    assert "Build 1:" in first.out and "loaded before" not in first.out
    assert "was stopped" in first.err and "unset WAREHOUSE_URL" in first.err
    postgres = var / "demo" / "postgres"
    assert not embedded.is_running(postgres)
    second = fine(waybill("demo", "--keep", settings=settings))
    assert second.out.count("loaded before") == 9 and "0 report rows changed" in second.out
    assert "Simulating" not in second.err and embedded.is_running(postgres)
    third = fine(waybill("demo", settings=settings))
    assert "still runs" in third.err and embedded.is_running(postgres), "it ran before"
