"""Batches, copies, delayed bounces and drops, in the forms of providers and in any order of files."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from tests.acceptance.warehouses import LandedFile, build, facts, load_files, report_cells
from tests.conftest import KEY, Server
from waybill.feeds import FEEDS
from waybill.flow.replay import replay
from waybill.ledger.replay_due import in_words, replays_due
from waybill.reports.verify import verify
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connected
from waybill.warehouse.connection import Warehouse as Target

ACCOUNT = "acme"
AT = 1_772_359_200  # 2026-03-01 10:00 UTC
LANDED = datetime(2026, 3, 9, tzinfo=UTC)
COLUMNS = "dispatch_id,occurred_at,channel,status,recipient,campaign_id,provider,provider_message_id"
ANA, BO, ARCHIVE = "ana@inbox.example", "bo@inbox.example", "archive@acme.example"


def event(word: str, email: str, after: int, **fields: object) -> dict[str, object]:
    """Return a SendGrid event; `smtp_id` is the field smtp-id."""
    named = {name.replace("smtp_id", "smtp-id"): value for name, value in fields.items()}
    return {"event": word, "email": email, "timestamp": AT + after, **named}


def events(*records: dict[str, object]) -> LandedFile:
    return ACCOUNT, "sendgrid_events", json.dumps(records).encode(), LANDED


def log(*rows: str) -> LandedFile:
    return ACCOUNT, "dispatch_log", "\n".join((COLUMNS, *rows)).encode(), LANDED


PEOPLE = [f"user{number}@inbox.example" for number in range(5)]
BATCH = (
    log(*(f"b1,2026-03-01T10:00:00Z,email,handed_over,{person},spring,sendgrid,B1msg" for person in PEOPLE)),
    events(
        *(
            event(word, person, 0, sg_message_id="B1msg.recvd-1.0")
            for person in PEOPLE
            for word in ("processed", "delivered")
        )
    ),
)
COPIED = {"sg_message_id": "m1.recvd-1.0", "dispatch_id": "d1", "campaign_id": "spring"}
COPY = (
    log(f"d1,2026-03-01T09:59:59Z,email,handed_over,{ANA},spring,sendgrid,m1"),
    events(
        event("processed", ANA, 0, **COPIED),
        event("bounce", ANA, 1, type="bounce", status="5.1.1", reason="550 5.1.1 user unknown", **COPIED),
    ),
    events(
        event("processed", ARCHIVE, 0, **COPIED),
        event("delivered", ARCHIVE, 3, **COPIED),
        event("open", ARCHIVE, 60, ip="192.0.2.9", useragent="Mozilla/5.0 x", **COPIED),
    ),
)
OWN_IDS = [f"<177235920034.8568{number}.5099186793774837923@acme.example>" for number in (0, 1)]
DELAYED = (
    events(
        *(
            event(word, ANA, 2 * after, sg_message_id=f"{name}.recvd-1.0", smtp_id=own_id, campaign_id="spring")
            for name, own_id in zip(("msgA", "msgB"), OWN_IDS, strict=True)
            for after, word in enumerate(("processed", "delivered"))
        )
    ),
    *(
        events(
            event("bounce", ANA, 3600 * (number + 1), type="bounce", status="5.1.1", sg_message_id="", smtp_id=own_id)
        )
        for number, own_id in enumerate(OWN_IDS)
    ),
)
FILTERS = tuple(
    events(
        event(
            "dropped",
            ANA,
            86_400 * number,
            reason="Bounced Address",
            sg_message_id=f"filter0093p1las1.{number}128.69A41A10.0",
            smtp_id=f"<{name}Q7yRSh2b0aZxWw@ismtpd0006p1sjc2.sendgrid.net>",
            campaign_id=campaign,
        )
    )
    for number, (name, campaign) in enumerate((("aaaa", "spring"), ("bbbb", "summer")))
)


@pytest.fixture
def warehouse(postgres: Server, tmp_path: Path):
    url = postgres.database(zone="UTC")
    yield Settings.from_environment(
        {"WAREHOUSE_URL": url, "WAYBILL_VAR": str(tmp_path), "RECIPIENT_HMAC_KEY": KEY, "REJECTED_CEILING": "1"}
    )
    postgres.drop(url)


def funnel(settings: Settings, files: Sequence[LandedFile]) -> dict[tuple[str, str], dict[str, int]]:
    """Load and build file by file; return the cells of email_campaign that are not zero, by day and campaign."""
    for file in files:
        load_files(settings, settings.warehouse_url, [file])
        build(settings.warehouse_url)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (day, _, _, campaign, *_), cells in report_cells(settings.warehouse_url)["email_campaign"].items():
        assert (str(day), campaign) not in found
        found[str(day), campaign] = {name: count for name, count in cells.items() if count and "rate" not in name}
    with connected(settings.warehouse_url, REPORTER) as connection:
        assert verify(connection).is_equal
    return found


DAY, NEXT_DAY = "2026-03-01", "2026-03-02"
OPENED = {"opened": 1, "opened_human": 1}
INVALID = {"sent": 1, "bounced_hard": 1, "invalid": 1}


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_five_recipients_of_one_dispatch_id_are_five_messages(warehouse: Settings, order: tuple[int, ...]) -> None:
    assert funnel(warehouse, [BATCH[n] for n in order]) == {(DAY, "spring"): {"sent": 5, "delivered": 5}}
    live = report_cells(warehouse.warehouse_url)["live_monitoring"]
    assert {grain: (row["targeted"], row["delivered"]) for grain, row in live.items()} == {
        (ACCOUNT, "spring", "email"): (5, 5)
    }


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_blind_copy_does_not_affect_the_message_of_the_recipient(warehouse: Settings, order: tuple[int, ...]) -> None:
    assert funnel(warehouse, [COPY[n] for n in order]) == {(DAY, "spring"): INVALID}
    reports = report_cells(warehouse.warehouse_url)
    (row,) = reports["email_deliverability_daily"].values()
    assert (row["processed_count"], row["delivered_count"], row["invalid_count"]) == (2, 1, 1)
    assert [row["open_count"] for row in reports["email_engagement_daily"].values()] == [1]
    words = {grain[-1] for grain in reports["communication_activity_daily"]}
    assert words == {"Processed", "Invalid"}


def test_a_copy_decides_while_the_recipient_has_no_event(warehouse: Settings) -> None:
    assert funnel(warehouse, [COPY[0], COPY[2]]) == {(DAY, "spring"): {"sent": 1, "delivered": 1} | OPENED}
    assert funnel(warehouse, [COPY[1]]) == {(DAY, "spring"): INVALID}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_delayed_bounces_join_by_the_senders_message_id(warehouse: Settings, order: tuple[int, ...]) -> None:
    found = funnel(warehouse, [DELAYED[n] for n in order])
    assert found == {(DAY, "spring"): {"sent": 2, "bounced_hard": 2, "invalid": 2}}
    with connected(warehouse.warehouse_url) as connection, connection.cursor() as cursor:
        cursor.execute("select is_delivered_then_bounced, provider_message_id from report.email_activity order by 2")
        assert cursor.fetchall() == [(True, "msgA"), (True, "msgB")]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_drops_that_name_one_filter_are_different_messages(warehouse: Settings, order: tuple[int, ...]) -> None:
    dropped = {"sent": 1, "not_delivered": 1}
    assert funnel(warehouse, [FILTERS[n] for n in order]) == {
        (DAY, "spring"): dropped,
        (NEXT_DAY, "summer"): dropped,
    }


def test_objects_with_old_keys_are_due_until_they_are_replayed(
    warehouse: Settings, postgres: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = [*BATCH, *COPY, *DELAYED]
    old_leg_key = lambda event, keyring: (  # noqa: E731 - a dispatch id was one leg for all its recipients
        keyring.leg_key(event.account, "dispatch", (event.channel, event.dispatch_id))
        if event.provider == "dispatch"
        else keyring.leg_key(event.account, "sendgrid", (str(event.provider_message_id).split(".")[0],))
    )
    with monkeypatch.context() as before:
        before.setattr("waybill.feeds.typed_feed.leg_key", old_leg_key)
        for slug in ("sendgrid_events", "dispatch_log"):
            before.setattr(FEEDS[slug], "rules_version", FEEDS[slug].identity_since - 1)
        load_files(warehouse, warehouse.warehouse_url, files)
        build(warehouse.warehouse_url)
    with connected(warehouse.warehouse_url) as connection, connection, connection.cursor() as cursor:
        due = replays_due(cursor)
    assert [(replay.feed, replay.object_count) for replay in due] == [("dispatch_log", 2), ("sendgrid_events", 6)]
    assert all(replay.command in in_words(due) for replay in due)
    for one in due:
        replay(Target(warehouse, warehouse.warehouse_url), FEEDS[one.feed], one.from_at, one.until_at)
    with connected(warehouse.warehouse_url) as connection, connection, connection.cursor() as cursor:
        assert replays_due(cursor) == []
    build(warehouse.warehouse_url)

    clean = postgres.database(zone="UTC")
    try:
        other = {"WAREHOUSE_URL": clean, "WAYBILL_VAR": str(tmp_path / "clean"), "RECIPIENT_HMAC_KEY": KEY}
        load_files(Settings.from_environment(other), clean, files)
        build(clean)
        assert facts(clean) == facts(warehouse.warehouse_url)
        assert report_cells(clean) == report_cells(warehouse.warehouse_url)
    finally:
        postgres.drop(clean)
