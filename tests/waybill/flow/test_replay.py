"""Replay: the events of one provider and time range are derived again from landed objects."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.warehouses import build, check_equal, facts, report_cells
from tests.conftest import Server
from tests.waybill.load.loading import (
    Loads,
    as_another_process,
    at,
    before_publish,
    counts,
    days,
    dispatched,
    sendgrid,
    sms,
)
from waybill.feeds import FEEDS
from waybill.feeds.dispatch.log import DispatchLog
from waybill.feeds.sendgrid import events
from waybill.feeds.sendgrid.events import SendgridEvents
from waybill.feeds.twilio.messages import TwilioMessages
from waybill.flow import replay
from waybill.model.errors import SourceError, UsageError
from waybill.warehouse.connection import Warehouse as Target

MAIL = [
    [
        sendgrid("processed", "2026-02-27 10:00", category="spring"),
        sendgrid("processed", "2026-03-01 10:00", "m2", "bob@gmail.com", category=["autumn", "x"]),
        sendgrid("delivered", "2026-03-01 10:01", "m2", "bob@gmail.com"),
        b"not a record",
    ],
    [
        sendgrid("delivered", "2026-03-01 11:00", category="spring"),
        sendgrid("open", "2026-03-02 10:00", "m2", "bob@gmail.com", category=["autumn"]),
        sendgrid("bounce", "2026-03-02 10:00", "m3", "carol@yahoo.com", type="blocked", campaign_id="named"),
        sendgrid("processed", "2026-03-01 10:00", "m2", "bob@gmail.com", category=["autumn", "x"], sg_event_id="again"),
    ],
]
EVENTS = "select event_type, campaign_id from fact.event order by event_key"


def forget_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a bug in a mapping: the campaign is the text `lost` instead of the first category."""
    campaign = events._campaign

    def wrong(record, argument, tags):
        found, source = campaign(record, argument, tags)
        return (found, source) if source == "custom_argument" else ("lost", "provider")

    monkeypatch.setattr(events, "_campaign", wrong)


def test_a_replay_gives_the_same_as_a_first_load_with_the_new_mapping(
    loads: Loads, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        forget_categories(broken)
        for records in MAIL:
            loads.load("sendgrid_events", *records)
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T09:00", recipient="bob@gmail.com"))
    build(loads.url)
    assert ("processed", "lost") in loads.rows(EVENTS)

    (row,) = loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00")
    assert (row.kind, row.account, row.feed, row.status) == ("replay", "acme", "sendgrid_events", "published")
    assert counts(row) == {
        "read": 8, "loaded": 5, "duplicate": 2, "rejected": 1, "mapped": 6, "revised": 5, "unchanged": 1
    }  # fmt: skip
    build(loads.url)

    clean = postgres.database()
    try:
        loads_of_clean = Loads(loads.warehouse.__class__(clean, loads.settings, postgres))
        for records in MAIL:
            loads_of_clean.load("sendgrid_events", *records)
        loads_of_clean.load("dispatch_log", dispatched("handed_over", "2026-03-01T09:00", recipient="bob@gmail.com"))
        build(clean)
        assert facts(loads.url) == facts(clean)
        check_equal(report_cells(loads.url), report_cells(clean))
        assert any(report_cells(clean).values())
    finally:
        postgres.drop(clean)


def test_a_replay_writes_only_rows_that_change(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    for records in MAIL:
        loads.load("sendgrid_events", *records)
    before = loads.stamps("fact", "private", "report")
    (row,) = loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00")
    assert counts(row) == {"read": 8, "duplicate": 7, "rejected": 1, "mapped": 6, "unchanged": 6}
    assert loads.stamps("fact", "private", "report") == before
    assert loads.changed_days(row) == []

    loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01"))
    untouched = "select ctid::text, xmin::text from {} where account || coalesce(provider_message_id, '') <> 'acmem3'"
    before = [loads.rows(untouched.format(table)) for table in ("fact.event", "fact.leg")]
    assert len(before[0]) == 7
    bounce_class = SendgridEvents._bounce_class
    monkeypatch.setattr(SendgridEvents, "_bounce_class", lambda self, event: bounce_class(self, event) and "invalid")
    (row,) = loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00")
    assert counts(row) == {
        "read": 8, "loaded": 1, "duplicate": 6, "rejected": 1, "mapped": 6, "revised": 1, "unchanged": 5
    }  # fmt: skip
    assert [loads.rows(untouched.format(table)) for table in ("fact.event", "fact.leg")] == before
    assert loads.changed_days(row) == days("03-02")
    assert loads.one("select failure_class from fact.message where state = 'bounced'") == ("invalid",)


def test_a_replay_changes_only_its_range(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        forget_categories(broken)
        for records in MAIL:
            loads.load("sendgrid_events", *records)
    (row,) = loads.replay("sendgrid_events", "2026-03-01 10:00", "2026-03-01 11:00")
    found = loads.rows("select event_at, campaign_id from fact.event order by event_key")
    inside = [(when, campaign) for when, campaign in found if at("2026-03-01 10:00") <= when < at("2026-03-01 11:00")]
    assert inside == [(at("2026-03-01 10:00"), "autumn"), (at("2026-03-01 10:01"), None)]
    assert row.removed_count == 0
    assert row.inserted_count == 0
    assert len(found) == 6


def test_an_event_that_no_record_reports_any_more_is_removed(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    inbound = sms("received", "2026-03-04T10:00", "2026-03-04T10:01", sid="SM9", to="+15005550009")
    kept = sms("delivered", "2026-03-01T10:00", "2026-03-02T10:01")
    with monkeypatch.context() as broken:
        broken.setattr(TwilioMessages, "ignored_words", ())
        row = loads.load("twilio_messages", inbound, kept)
    assert counts(row) == {"read": 2, "loaded": 2, "mapped": 4, "inserted": 4}
    (row,) = loads.replay("twilio_messages", "2026-03-01 00:00", "2026-03-05 00:00")
    assert counts(row) == {"read": 2, "duplicate": 1, "ignored": 1, "mapped": 2, "unchanged": 2, "removed": 2}
    assert loads.changed_days(row) == days("03-04")
    for table in ("fact.leg", "fact.message"):
        assert loads.one(f"select count(*) from {table}") == (1,), table
    assert loads.one("select state, days from fact.message") == ("delivered", days("03-01", "03-02"))


def test_removing_an_event_changes_its_leg_message_and_days(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load(
        "sendgrid_events",
        sendgrid("processed", "2026-03-01 10:00"),
        sendgrid("click", "2026-03-03 10:00", url="https://example.com/x"),
        sendgrid("delivered", "2026-03-02 10:00"),
    )
    assert loads.one("select is_clicked, days from fact.message") == (True, days("03-01", "03-02", "03-03"))
    sightings = SendgridEvents.sightings

    def without_clicks(self, record):
        return () if record.event == "click" else sightings(self, record)

    monkeypatch.setattr(SendgridEvents, "sightings", without_clicks)
    (row,) = loads.replay("sendgrid_events", "2026-03-03 00:00", "2026-03-04 00:00")
    assert (row.removed_count, row.ignored_count) == (1, 1)
    assert loads.changed_days(row) == days("03-01", "03-02", "03-03")
    assert loads.one("select is_clicked, days from fact.message") == (False, days("03-01", "03-02"))
    assert loads.one("select event_count, first_clicked_at, engaged_days from fact.leg") == (2, None, None)


def test_a_replay_removes_clear_addresses_without_events(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    inbound = sms("received", "2026-03-04T10:00", "2026-03-04T10:01", sid="SM9", to="+15005550009")
    with monkeypatch.context() as broken:
        broken.setattr(TwilioMessages, "ignored_words", ())
        loads.load("twilio_messages", inbound, sms("queued", "2026-03-04T10:00"))
    loads.replay("twilio_messages", "2026-03-01 00:00", "2026-03-05 00:00")
    assert loads.rows("select address from private.recipient") == [("+15005550006",)]


def test_a_missing_landed_object_stops_a_replay_before_any_change(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        forget_categories(broken)
        for records in MAIL:
            loads.load("sendgrid_events", *records)
    gone = loads.land("sendgrid_events", *MAIL[1])
    (Path(loads.settings.landing_url) / gone.path).unlink()
    before = loads.stamps("fact", "private", "report")
    pending = loads.rows("select load_id, day from ops.changed_day order by 1, 2")
    with pytest.raises(SourceError, match="gone") as caught:
        loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00")
    assert gone.path in str(caught.value)
    assert loads.stamps("fact", "private", "report") == before
    assert loads.rows("select load_id, day from ops.changed_day order by 1, 2") == pending
    assert loads.staging_tables() == []


def test_a_replay_of_the_dispatch_log_includes_all_accounts(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setitem(DispatchLog.event_types, "gone", "queued")
        loads.load(
            "dispatch_log",
            dispatched("gone", "2026-03-01T10:00"),
            dispatched("queued", "2026-03-01T10:00", "d2", account="beta"),
            dispatched("gone", "2026-03-01T10:00", "d3", account="beta"),
        )
        loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T11:00", "d2"), account="beta")
    for account in (None, "beta"):  # a file of acme contains rows of beta, so both are replayed together
        (row,) = loads.replay("dispatch_log", "2026-03-01 00:00", "2026-03-02 00:00", account)
        assert row.read_count == 4
        assert row.rejected_count == 2
        assert row.removed_count == (2 if account is None else 0)
        found = loads.rows("select account, event_type from fact.event order by event_key")
        assert found == [("beta", "queued"), ("beta", "handed_over")]


def test_a_replay_of_one_account_does_not_change_others(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        forget_categories(broken)
        for account in ("acme", "beta"):
            loads.load("sendgrid_events", *MAIL[0], account=account)
    (row,) = loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00", "beta")
    assert row.account == "beta"
    lost = "select account from fact.event where campaign_id = 'lost' group by account order by account"
    assert loads.rows(lost) == [("acme",)]
    (row,) = loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00", "acme")
    assert loads.rows(lost) == []


def test_a_replay_of_one_feed_includes_all_feeds_of_its_provider(loads: Loads) -> None:
    loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01"))
    loads.load("twilio_calls", sms("ringing", "2026-03-01T10:00", "2026-03-01T10:01", sid="CA1"))
    (row,) = loads.replay("twilio_calls", "2026-03-01 00:00", "2026-03-02 00:00")
    assert counts(row) == {"read": 2, "duplicate": 2, "mapped": 4, "unchanged": 4}


def test_a_replay_of_an_empty_range_does_nothing(loads: Loads) -> None:
    loads.load("sendgrid_events", *MAIL[0])
    before = loads.stamps()
    assert loads.replay("sendgrid_events", "2025-01-01 00:00", "2025-02-01 00:00") == []
    assert loads.replay("dispatch_log", "2026-02-01 00:00", "2026-04-01 00:00") == []
    loads.use(accounts=("gamma",))
    assert loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00", "gamma") == []
    after = loads.stamps()
    assert {name for name in after if after[name] != before.get(name)} <= {"ops.rules", "ops.feed"}


@pytest.mark.parametrize(
    ("first", "until"),
    [
        (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1), datetime(2026, 3, 2)),
    ],
    ids=["inverted", "empty", "naive"],
)
def test_an_invalid_range_is_a_usage_error(loads: Loads, first: datetime, until: datetime) -> None:
    loads.load("sendgrid_events", *MAIL[0])
    with pytest.raises(UsageError):
        replay.replay(Target(loads.settings, loads.url), FEEDS["sendgrid_events"], first, until)


def test_events_that_another_load_publishes_during_a_replay_remain(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads.load("sendgrid_events", *MAIL[0])
    late = sendgrid("open", "2026-03-02 10:00")
    before_publish(monkeypatch, as_another_process(lambda: loads.load("sendgrid_events", late)))
    loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00")
    assert loads.one("select count(*) from ops.load where kind = 'load' and status = 'published'") == (2,)
    assert loads.one("select event_at from fact.event where event_type = 'opened'") == (at("2026-03-02 10:00"),)


def test_changes_by_another_load_during_a_replay_remain(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = sms("undelivered", "2026-03-01T10:00", "2026-03-01T10:05")
    loads.load("twilio_messages", refused)
    before_publish(
        monkeypatch, as_another_process(lambda: loads.load("twilio_messages", refused | {"error_code": 30007}))
    )
    loads.replay("twilio_messages", "2026-02-01 00:00", "2026-04-01 00:00")
    assert loads.one("select provider_code from fact.event where event_type = 'undelivered'") == ("30007",)


def test_a_replay_after_a_fix_maps_rejected_records_of_its_range(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load("dispatch_log", dispatched("queued", "2026-03-01T10:00"), dispatched("gone", "2026-03-01T11:00"))
    monkeypatch.setitem(DispatchLog.event_types, "gone", "handed_over")
    (row,) = loads.replay("dispatch_log", "2026-03-01 00:00", "2026-03-02 00:00")
    assert counts(row) == {"read": 2, "loaded": 1, "duplicate": 1, "mapped": 2, "inserted": 1, "unchanged": 1}
    assert loads.rows("select resolved_load_id from private.rejected_record") == [(row.load_id,)]


def test_an_object_with_only_rejected_records_is_replayed_too(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load("dispatch_log", dispatched("queued", "2026-03-01T10:00"))
    loads.load("dispatch_log", dispatched("gone", "2026-03-01T11:00"))
    monkeypatch.setitem(DispatchLog.event_types, "gone", "handed_over")
    loads.replay("dispatch_log", "2026-03-01 00:00", "2026-03-02 00:00")
    assert loads.one("select resolved_load_id is not null from private.rejected_record") == (True,)
    assert loads.one("select count(*) from fact.event where event_type = 'handed_over'") == (1,)


def test_the_error_of_an_unknown_account_lists_the_known_accounts(loads: Loads) -> None:
    """An account is known from ACCOUNTS, a folder in the inbox, a landed object, or rows of a dispatch log."""
    loads.use(accounts=("delta",))
    loads.load("sendgrid_events", *MAIL[0])
    loads.load("dispatch_log", dispatched("queued", "2026-03-01T10:00", account="beta"))
    (loads.settings.var / "inbox" / "gamma").mkdir(parents=True)
    before = loads.stamps()
    with pytest.raises(UsageError, match=r"^There is no account 'acm'; there are: acme, beta, delta, gamma\.$"):
        loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00", "acm")
    for account in ("beta", "delta", "gamma"):
        assert loads.replay("sendgrid_events", "2026-02-01 00:00", "2026-04-01 00:00", account) == []
    assert loads.stamps() == before
