"""`waybill pull`: windows, organisations, messages and exit codes."""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tests.conftest import Warehouse
from tests.waybill.cli.commands import Answer, environment_of, started, waybill
from tests.waybill.pull.pulling import HOUR, NOON, HandMade, every, message
from waybill.feeds import FEEDS
from waybill.feeds.twilio import lists
from waybill.flow import ingest
from waybill.simulator.http import faults
from waybill.simulator.http.server import serving
from waybill.simulator.twilio.rows import MESSAGES, Row, account_sid, auth_token
from waybill.simulator.twilio.stand_in import TwilioStandIn

USAGE, CONFIGURATION, SOURCE = 2, 3, 4
WINDOW = ("--from", "2026-03-02T06:00:00Z", "--until", "2026-03-02T12:00:00Z")
NORTH, SOUTH = every(HOUR, NOON - 5 * HOUR, 5), [message(NOON - HOUR, account="south")]
NEVER_SENT = message(NOON - 3 * HOUR, sent=None, status="failed")


@contextmanager
def organisations(at: datetime = NOON, **rows: list[Row]) -> Iterator[TwilioStandIn]:
    """Yields a simulated Twilio with several organisations."""
    world = HandMade(tuple(rows), at, {(account, MESSAGES): found for account, found in rows.items()})
    with serving(TwilioStandIn(world, at=at)) as twilio:
        yield twilio


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with organisations(north=[*NORTH, NEVER_SENT], south=SOUTH) as twilio:
        yield twilio


@pytest.fixture
def settings(warehouse: Warehouse, twilio: TwilioStandIn) -> dict[str, str]:
    return settings_of(warehouse, twilio)


def settings_of(warehouse: Warehouse, twilio: TwilioStandIn) -> dict[str, str]:
    accounts = twilio.world.accounts
    credentials = {
        **{f"TWILIO_ACCOUNT_SID__{name}": account_sid(name) for name in accounts},
        **{f"TWILIO_AUTH_TOKEN__{name}": auth_token(name) for name in accounts},
    }
    return environment_of(warehouse, ACCOUNTS=",".join(accounts), TWILIO_BASE_URL=str(twilio.url), **credentials)


def pull(settings: dict[str, str], *arguments: str) -> Answer:
    return waybill("pull", MESSAGES, *arguments, settings=settings)


def messages(answer: Answer) -> list[str]:
    """Returns the messages, without the lines of progress that a slow machine adds."""
    return [line for line in answer.err.splitlines() if not line.startswith(("pull ", "load "))]


def test_a_window_of_every_organisation_is_pulled_and_loaded(settings: dict[str, str], warehouse: Warehouse) -> None:
    answer = pull(settings, *WINDOW)
    assert answer.code == 0
    assert messages(answer) == [
        "north 2026-03-02 06:00 to 2026-03-02 12:00 UTC: 2 pages, 11 records",
        "south 2026-03-02 06:00 to 2026-03-02 12:00 UTC: 2 pages, 2 records",
    ]
    head, _, north, south = answer.out.splitlines()
    assert head.split()[:6] == ["load", "account", "feed", "read", "loaded", "duplicate"]
    assert north.split()[1:6] == ["north", MESSAGES, "11", "6", "5"]
    assert south.split()[1:6] == ["south", MESSAGES, "2", "1", "1"]
    assert warehouse.rows("select account, count(*) from fact.leg group by account order by account") == [
        ("north", 6),
        ("south", 1),
    ]


def test_a_second_pull_writes_nothing(settings: dict[str, str], warehouse: Warehouse) -> None:
    pull(settings, *WINDOW)
    ((before,),) = warehouse.rows("select count(*) from ops.object")
    answer = pull(settings, *WINDOW)
    assert (answer.code, answer.out) == (0, "")
    assert messages(answer)[-1] == "Nothing new."
    assert warehouse.rows("select count(*) from ops.object") == [(before,)]
    assert warehouse.rows("select count(*) from ops.load") == [(2,)]


def test_one_organisation_can_be_pulled_alone(settings: dict[str, str], twilio: TwilioStandIn) -> None:
    answer = pull(settings, *WINDOW, "--account", "south")
    assert answer.code == 0
    assert {twilio.account_of(request.target) for request in twilio.requests.all()} == {account_sid("south")}


def test_without_a_window_a_pull_continues_from_the_watermark(warehouse: Warehouse) -> None:
    now = datetime.now(UTC)
    with organisations(now, north=every(HOUR, now - 5 * HOUR, 5)) as twilio:
        settings = settings_of(warehouse, twilio)
        assert pull(settings).code == 0
        ((first,),) = warehouse.rows("select complete_until from ops.watermark")
        assert now <= first
        assert pull(settings).code == 0
        ((second,),) = warehouse.rows("select complete_until from ops.watermark")
        assert first < second
    assert warehouse.rows("select count(*) from fact.leg") == [(5,)]
    windows = warehouse.rows("select until_at - from_at >= interval '3 days' from ops.pull")
    assert windows == [(True,), (True,)]


def test_dated_only_leaves_out_records_without_a_send_time(settings: dict[str, str], warehouse: Warehouse) -> None:
    answer = pull(settings, *WINDOW, "--account", "north", "--dated-only")
    assert answer.code == 0
    assert "1 page, 5 records" in answer.err
    assert warehouse.rows("select count(*) from fact.leg") == [(5,)]


def test_json_is_one_array_of_ledger_rows(settings: dict[str, str]) -> None:
    rows = json.loads(pull(settings, *WINDOW, "--json").out)
    assert [(row["account"], row["status"], row["loaded_count"], row["is_new"]) for row in rows] == [
        ("north", "published", 6, True),
        ("south", "published", 1, True),
    ]
    assert json.loads(pull(settings, *WINDOW, "--json").out) == []


def test_a_file_feed_pulls_from_the_inbox(warehouse: Warehouse) -> None:
    settings = environment_of(warehouse)
    inbox = warehouse.settings.var / "inbox" / "acme" / "sendgrid_events"
    inbox.mkdir(parents=True)
    (inbox / "a.json").write_text('{"event": "open", "timestamp": 1772442851, "email": "ann@example.com"}')
    answer = waybill("pull", "sendgrid_events", settings=settings)
    assert (answer.code, messages(answer)) == (0, ["acme: 1 new file"])
    assert messages(waybill("pull", "sendgrid_events", settings=settings)) == ["acme: 0 new files", "Nothing new."]


def test_the_steps_of_a_pull_are_logged(settings: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "waybill")
    assert pull(settings, *WINDOW, "--account", "south").code == 0
    assert [message for message in caplog.messages if " took " not in message] == [
        "pull twilio_messages south: DateSent 2026-03-02T06:00:00Z, page 1",
        "pull twilio_messages south: newest down to 2026-03-02T06:00:00Z, page 1",
        "load 1: staging 2 objects of twilio_messages, account south",
        "load 1: 2 records read",
        "load 1: validating 4 staged events",
        "load 1: publishing 2 records",
    ]


WRONG_CALLS = [
    (["nothing"], f"There is no feed 'nothing'. Feeds: {', '.join(FEEDS)}."),
    ([MESSAGES, "--until", "2026-03-02"], "--until needs --from as well."),
    ([MESSAGES, "--dated-only"], "--dated-only needs --from as well."),
    ([MESSAGES, "--from", "yesterday"], "--from 'yesterday'"),
    ([MESSAGES, "--from", "2026-03-02T06:00:00"], "needs a zone"),
    ([MESSAGES, "--from", "2026-03-03", "--until", "2026-03-02"], "is not a valid window: it must end after its start"),
    ([MESSAGES, "--from", "2026-03-02", "--until", "2100-01-01"], "and not in the future"),
    ([MESSAGES, "--from", "2099-01-01"], "is not a valid window"),
    ([MESSAGES, "--account", "nobody"], "There is no account 'nobody' in ACCOUNTS: north, south"),
    ([MESSAGES, "--account", "a/b"], "letters, digits"),
    (["sendgrid_events", "--from", "2026-03-02"], "has files, not windows: every file of the inbox is loaded"),
    (["sendgrid_events", "--account", "nobody"], "There is no folder nobody/sendgrid_events in the inbox"),
]


@pytest.mark.parametrize(("arguments", "reason"), WRONG_CALLS, ids=[" ".join(call[0]) for call in WRONG_CALLS])
def test_a_wrong_call_is_refused(
    settings: dict[str, str], twilio: TwilioStandIn, arguments: list[str], reason: str
) -> None:
    answer = waybill("pull", *arguments, settings=settings)
    assert reason in answer.err
    assert (answer.code, answer.out) == (USAGE, "")
    assert "Traceback" not in answer.err and "bug" not in answer.err
    assert twilio.requests.all() == []


def test_a_pull_without_any_organisation_is_refused(warehouse: Warehouse) -> None:
    answer = pull(environment_of(warehouse))
    assert answer.code == USAGE
    assert "Name it with --account, or name all accounts in ACCOUNTS" in answer.err


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("TWILIO_ACCOUNT_SID__south", "", "TWILIO_ACCOUNT_SID is not set. Set TWILIO_ACCOUNT_SID__south"),
        ("TWILIO_AUTH_TOKEN__south", "", "TWILIO_AUTH_TOKEN is not set. Set TWILIO_AUTH_TOKEN__south"),
        (
            "TWILIO_ACCOUNT_SID__south",
            "not an id",
            "TWILIO_ACCOUNT_SID of account south is not an account id of twilio",
        ),
        ("TWILIO_BASE_URL", "http://api.example", "is plain http"),
        ("TWILIO_BASE_URL", "https://me:hidden@api.example", "not of the form https://host"),
        ("LANDING_URL", "/proc/nowhere", "Nothing was pulled"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], name: str, value: str, reason: str) -> None:
    answer = pull({**settings, name: value}, *WINDOW, "--account", "south")
    assert reason in answer.err
    assert (answer.code, answer.out) == (CONFIGURATION, "")
    assert "hidden" not in answer.err


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the waiting time between two attempts."""
    monkeypatch.setattr(ingest.time, "sleep", lambda seconds: None)


def test_refused_credentials_are_a_configuration_error(settings: dict[str, str], impatient: None) -> None:
    answer = pull({**settings, "TWILIO_AUTH_TOKEN__north": "wrong token"}, *WINDOW, "--account", "north")
    assert answer.code == CONFIGURATION
    assert "401 from 127.0.0.1 (code 20003: Authenticate); asked 2 times" in answer.err
    assert "check user and secret of this connection" in answer.err
    assert "wrong token" not in answer.err


@pytest.mark.parametrize(
    "fault",
    [
        faults.ServerError(status=503),
        faults.NotFound(),
        faults.ErrorAsSuccess(),
        faults.HtmlAsSuccess(),
        faults.CutJson(),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_provider_that_cannot_be_read_is_exit_code_4(
    settings: dict[str, str], twilio: TwilioStandIn, impatient: None, fault: faults.Fault
) -> None:
    twilio.faults.set(fault)
    answer = pull(settings, *WINDOW, "--account", "north")
    assert (answer.code, answer.out) == (SOURCE, "")
    assert "waybill: twilio_messages of account north, DateSent 2026-03-02T06:00:00Z, page 1: " in answer.err
    assert "Nothing new" not in answer.err
    assert auth_token("north") not in answer.err


def test_the_other_organisations_are_loaded_if_one_fails(
    settings: dict[str, str], twilio: TwilioStandIn, warehouse: Warehouse
) -> None:
    twilio.faults.set(faults.HtmlAsSuccess(where=account_sid("north")))
    answer = pull(settings, *WINDOW)
    assert answer.code == SOURCE
    assert answer.out.splitlines()[2].split()[1:5] == ["south", MESSAGES, "2", "1"]
    assert answer.err.count("waybill: ") == 1 and "of account north" in answer.err
    assert warehouse.rows("select account from ops.watermark") == [("south",)]
    answer = pull({**settings, "TWILIO_AUTH_TOKEN__south": ""}, *WINDOW, "--json")
    assert answer.code == SOURCE, "the code of the first failure"
    assert answer.out.strip() == "[]"
    assert "waybill: twilio_messages of account south cannot be pulled: TWILIO_AUTH_TOKEN is not set" in answer.err


def test_readable_files_of_the_inbox_are_loaded_before_the_error(warehouse: Warehouse) -> None:
    inbox = warehouse.settings.var / "inbox" / "acme" / "sendgrid_events"
    inbox.mkdir(parents=True)
    (inbox / "a.json").symlink_to(inbox / "gone")
    (inbox / "b.json").write_text('{"event": "open", "timestamp": 1772442851, "email": "ann@example.com"}')
    answer = waybill("pull", "sendgrid_events", "--json", settings=environment_of(warehouse))
    assert answer.code == SOURCE
    assert [row["loaded_count"] for row in json.loads(answer.out)] == [1]
    assert "a.json" in answer.err and "Everything else was loaded" in answer.err


EVENT = '{"event": "open", "timestamp": 1772442851, "email": "ann@example.com"}'


def test_skipped_files_of_the_inbox_are_named_and_counted(warehouse: Warehouse) -> None:
    inbox = warehouse.settings.var / "inbox"
    for account in ("acme", "beta"):
        (inbox / account / "sendgrid_events").mkdir(parents=True)
        (inbox / account / "sendgrid_events" / "a.json").write_text(EVENT)
    os.mkfifo(inbox / "acme" / "sendgrid_events" / "pipe")
    (inbox / "acme" / "sendgrid").mkdir()
    for command in ("pull", "load"):
        answer = waybill(command, "sendgrid_events", settings=environment_of(warehouse))
        assert answer.code == 0
        misplaced, pipe, *rest = messages(answer)
        assert misplaced.startswith(f"warning: acme/sendgrid/ is the folder of no feed; feeds are: {', '.join(FEEDS)}")
        assert pipe == f"warning: {inbox}/acme/sendgrid_events/pipe is a pipe, not a regular file."
        new = "1 new file" if command == "pull" else "0 new files"
        assert rest[:2] == [f"acme: {new}, 1 skipped", f"beta: {new}"]
    assert warehouse.rows("select account from fact.event order by account") == [("acme",), ("beta",)]


@pytest.mark.parametrize("command", ["pull", "load"])
def test_a_missing_inbox_is_a_configuration_error(warehouse: Warehouse, command: str) -> None:
    answer = waybill(command, "sendgrid_events", settings=environment_of(warehouse, INBOX_URL="/nowhere/inbox"))
    assert (answer.code, answer.out) == (CONFIGURATION, "")
    assert "There is no inbox at /nowhere/inbox, which INBOX_URL names. Mount or create it" in answer.err
    assert "Nothing new" not in answer.err


def test_for_an_empty_inbox_the_message_names_the_folder(warehouse: Warehouse) -> None:
    answer = waybill("pull", "sendgrid_events", settings=environment_of(warehouse))
    assert answer.code == 0
    assert messages(answer) == ["Nothing new. The inbox has no folder <account>/sendgrid_events/ with files."]


@pytest.mark.parametrize("command", [["pull", "sendgrid_events"], ["load", "sendgrid_events"]], ids=" ".join)
def test_an_unknown_account_of_the_inbox_is_refused_with_the_known_ones(
    warehouse: Warehouse, command: list[str]
) -> None:
    for account in ("north", "south"):
        (warehouse.settings.var / "inbox" / account / "sendgrid_events").mkdir(parents=True)
    answer = waybill(*command, "--account", "nort", settings=environment_of(warehouse))
    assert (answer.code, answer.out) == (USAGE, "")
    assert "There is no folder nort/sendgrid_events in the inbox" in answer.err
    assert "accounts there: north, south" in answer.err


def test_a_killed_pull_continues_after_its_last_page(
    settings: dict[str, str], twilio: TwilioStandIn, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page has as many records as Twilio allows, so each of the two lists is one page."""
    arguments = (*WINDOW, "--account", "north")
    twilio.faults.set(faults.Silence(where="json?PageSize"))
    with started("pull", MESSAGES, *arguments, settings=settings) as process:
        deadline = time.monotonic() + 60
        while len(twilio.requests.all()) < 2:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    assert warehouse.rows("select count(*) from ops.pull_page") == [(1,)]
    twilio.faults.clear()
    assert lists.PAGE_SIZE == 1000
    answer = pull(settings, *arguments)
    assert answer.code == 0 and "2 pages, 11 records" in answer.err
    assert len(twilio.requests.all()) == 3
