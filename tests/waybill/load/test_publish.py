"""One load from staged sightings to facts: the rows that it writes, its counts, and the days that it changes."""

import hashlib
import json

import pytest

from tests.waybill.load.loading import Loads, at, before_publish, call, counts, days, dispatched, sendgrid, sms
from waybill.feeds.dispatch.log import DispatchLog
from waybill.load import publish
from waybill.load.stage import recipient_table, rejected_table, staging_table
from waybill.model.errors import QualityGateError

POISON = b'{"event": "open", "timestamp": 17'


def mixed_day() -> list[dict | bytes]:
    """Return new, duplicate, ignored, rejected and unknown records."""
    return [
        sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01", price="-0.0075", price_unit="USD"),
        sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01", price="-0.0075", price_unit="usd"),
        sms("queued", "2026-03-01T11:00", sid="SM2"),
        sms("received", "2026-03-01T11:00", "2026-03-01T11:01", sid="SM3", direction="inbound"),
        sms("delivered", "2026-03-01T12:00", sid="SM4"),
        sms("teleported", "2026-03-01T13:00", "2026-03-01T13:01", sid="SM5"),
        b"17",
    ]


def test_loading_the_same_file_again_writes_nothing(loads: Loads) -> None:
    landed = loads.land("twilio_messages", *mixed_day())
    (first,) = loads.load_all("twilio_messages", [landed])
    before = loads.stamps()
    assert {"fact.leg", "fact.message", "ops.load", "private.recipient", "private.rejected_record"} < before.keys()
    (again,) = loads.load_all("twilio_messages", [landed])
    assert not again.is_new
    assert again.row == first.row
    assert loads.stamps() == before


def test_the_same_records_in_another_file_are_duplicates(loads: Loads) -> None:
    events = [sendgrid("processed", "2026-03-01 10:00"), sendgrid("delivered", "2026-03-01 10:01")]
    loads.load("sendgrid_events", *events)
    before = loads.stamps("fact", "private", "report")
    assert before
    row = loads.load("sendgrid_events", json.dumps(events).encode())
    assert counts(row) == {"read": 2, "duplicate": 2, "mapped": 2, "unchanged": 2}
    assert loads.stamps("fact", "private", "report") == before
    assert loads.changed_days(row) == []


def test_the_counts_of_a_load_add_up(loads: Loads) -> None:
    loads.load("twilio_messages", sms("sent", "2026-03-01T09:00", "2026-03-01T09:01", sid="SM0", num_segments="1"))
    row = loads.load(
        "twilio_messages",
        *mixed_day(),
        sms("sent", "2026-03-01T09:00", "2026-03-01T09:01", sid="SM0", num_segments="2"),
    )
    assert counts(row) == {
        "read": 8,
        "loaded": 4,  # SM1, SM2, SM5, and SM0 with another number of segments
        "duplicate": 1,
        "rejected": 2,  # SM4 without the time of its status, and the 17
        "ignored": 1,
        "mapped": 7,  # SM1 2, SM2 1, SM5 2, SM0 2
        "inserted": 5,
        "revised": 1,
        "unchanged": 1,
    }
    assert row.unknown_count == 1
    stored = loads.one(
        "select read_count, loaded_count, duplicate_count, rejected_count, ignored_count, mapped_count,"
        " inserted_count, revised_count, unchanged_count, removed_count, unknown_count, status, stop_reason"
        " from ops.load where load_id = %s",
        (row.load_id,),
    )
    assert stored == (8, 4, 1, 2, 1, 7, 5, 1, 1, 0, 1, "published", None)
    assert loads.one("select sum(record_count) from ops.load_object where load_id = %s", (row.load_id,)) == (8,)


@pytest.mark.parametrize("wrong", ["loaded_records", "duplicate_records", "mapped", "inserted", "revised", "unchanged"])
def test_counts_that_do_not_add_up_roll_back_the_load(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    loads.load("twilio_messages", sms("queued", "2026-03-01T09:00", sid="SM0"))
    landed = loads.land("twilio_messages", *mixed_day())
    before = loads.stamps("fact", "private", "report")
    pending = loads.rows("select * from ops.changed_day")
    write_events = publish._write_events

    def miscounted(*arguments: object) -> publish._Counts:
        found = write_events(*arguments)
        return found._replace(**{wrong: getattr(found, wrong) + 1})

    monkeypatch.setattr(publish, "_write_events", miscounted)
    about = "record" if wrong.endswith("records") else "event"
    with pytest.raises(QualityGateError, match=f"The {about} counts of load .* do not add up"):
        loads.load_all("twilio_messages", [landed])
    assert loads.stamps("fact", "private", "report") == before
    assert loads.rows("select * from ops.changed_day") == pending
    assert loads.one("select status, read_count from ops.load order by load_id desc limit 1") == ("stopped", None)

    monkeypatch.undo()
    (done,) = loads.load_all("twilio_messages", [landed])
    assert done.is_new
    assert done.row.status == "published"


def test_the_ledger_table_refuses_counts_that_do_not_add_up(loads: Loads) -> None:
    row = loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"))
    for column in ("read_count", "loaded_count", "mapped_count", "inserted_count"):
        with pytest.raises(Exception, match="violates check constraint"):
            loads.rows(
                f"update ops.load set {column} = {column} + 1 where load_id = %s returning load_id", (row.load_id,)
            )


@pytest.mark.parametrize("table", [staging_table, rejected_table, recipient_table])
def test_a_staging_table_that_a_server_crash_emptied_is_noticed(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, table: object
) -> None:
    landed = loads.land("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"), POISON)
    before = loads.stamps("fact", "private", "report")

    def crash(load_id: int) -> None:
        name = ".".join(table(load_id).strings)
        assert loads.rows(f"with gone as (delete from {name} returning 1) select count(*) from gone") == [(1,)]

    before_publish(monkeypatch, crash)
    with pytest.raises(QualityGateError, match="has 0 rows, 1 were staged"):
        loads.load_all("sendgrid_events", [landed])
    assert loads.stamps("fact", "private", "report") == before
    (done,) = loads.load_all("sendgrid_events", [landed])
    assert counts(done.row) == {"read": 2, "loaded": 1, "rejected": 1, "mapped": 1, "inserted": 1}


def test_a_record_is_rejected_as_a_whole(loads: Loads) -> None:
    row = loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00"))  # its creation alone would give an event
    assert counts(row) == {"read": 1, "rejected": 1}
    assert loads.rows("select * from fact.event") == []
    assert loads.rows("select * from private.recipient") == []


def test_a_record_is_mapped_as_a_whole(loads: Loads) -> None:
    row = loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:05"))
    assert counts(row) == {"read": 1, "loaded": 1, "mapped": 2, "inserted": 2}
    found = loads.rows("select event_type, event_at from fact.event order by event_at")
    assert found == [("processed", at("2026-03-01 10:00")), ("delivered", at("2026-03-01 10:05"))]


def test_the_first_record_of_an_event_counts_as_loaded(loads: Loads) -> None:
    queued, delivered = sms("queued", "2026-03-01T10:00"), sms("delivered", "2026-03-01T10:00", "2026-03-01T10:05")
    row = loads.load("twilio_messages", queued, delivered, queued)
    assert counts(row) == {"read": 3, "loaded": 2, "duplicate": 1, "mapped": 2, "inserted": 2}
    queued, delivered = queued | {"sid": "SM2"}, delivered | {"sid": "SM2"}
    row = loads.load("twilio_messages", delivered, queued, delivered)
    assert counts(row) == {"read": 3, "loaded": 1, "duplicate": 2, "mapped": 2, "inserted": 2}


def test_sightings_in_one_load_are_merged_before_they_are_written(loads: Loads) -> None:
    row = loads.load(
        "sendgrid_events",
        sendgrid("delivered", "2026-03-01 10:00", category="spring"),
        sendgrid("delivered", "2026-03-01 10:00", campaign_id="c1", sg_event_id="e2"),
        sendgrid("delivered", "2026-03-01 10:00", campaign_id="c0", sg_event_id="e1"),
    )
    assert counts(row) == {"read": 3, "loaded": 1, "duplicate": 2, "mapped": 1, "inserted": 1}
    found = loads.one("select campaign_id, campaign_source, tags, provider_event_id from fact.event")
    assert found == ("c0", "custom_argument", ["spring"], "e2")
    assert loads.one("select campaign_id from fact.message") == ("c0",)


def test_a_later_error_code_changes_the_class_in_event_leg_and_message(loads: Loads) -> None:
    refused = sms("undelivered", "2026-03-01T10:00", "2026-03-02T10:05")
    loads.load("twilio_messages", refused)
    state = "select e.failure_class, l.last_bounce_class, m.state, m.failure_class from fact.event as e"
    joined = " inner join fact.leg as l using (leg_key) inner join fact.message as m using (message_key)"
    where = " where e.event_type = 'undelivered'"
    assert loads.one(state + joined + where) == ("unknown", None, "not_delivered", None)
    row = loads.load("twilio_messages", refused | {"error_code": 30007})
    assert counts(row) == {"read": 1, "loaded": 1, "mapped": 2, "revised": 1, "unchanged": 1}
    assert loads.one(state + joined + where) == ("blocked", "blocked", "bounced", "blocked")
    assert loads.changed_days(row) == days("03-01", "03-02")
    row = loads.load("twilio_messages", refused, refused)
    assert counts(row) == {"read": 2, "duplicate": 2, "mapped": 2, "unchanged": 2}
    assert loads.one(state + joined + where) == ("blocked", "blocked", "bounced", "blocked")


def test_an_event_that_moves_to_an_earlier_day_changes_both_days(loads: Loads) -> None:
    loads.load("twilio_messages", sms("delivered", "2026-03-01T23:00", "2026-03-04T10:00"))
    loads.load("twilio_messages", sms("delivered", "2026-03-05T23:00", "2026-03-06T10:00", sid="SM2"))
    row = loads.load("twilio_messages", sms("delivered", "2026-03-01T23:00", "2026-03-02T10:00"))
    assert counts(row) == {"read": 1, "loaded": 1, "mapped": 2, "revised": 1, "unchanged": 1}
    assert loads.changed_days(row) == days("03-01", "03-02", "03-04")
    found = loads.one("select first_delivered_at, last_delivered_at from fact.leg where provider_message_id = 'SM1'")
    assert found == (at("2026-03-02 10:00"), at("2026-03-02 10:00"))
    assert loads.one("select days from fact.message where %s = any(days)", days("03-01")) == (days("03-01", "03-02"),)


def test_a_new_event_changes_only_the_days_of_its_message(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"))
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-04 10:00", "m2"))
    row = loads.load("sendgrid_events", sendgrid("delivered", "2026-03-02 10:00"))
    assert loads.changed_days(row) == days("03-01", "03-02")


def test_an_earlier_first_open_changes_the_day_of_the_former_first_open(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"), sendgrid("open", "2026-03-05 10:00"))
    row = loads.load("sendgrid_events", sendgrid("open", "2026-03-04 10:00"))
    assert counts(row) == {"read": 1, "loaded": 1, "mapped": 1, "inserted": 1}
    assert loads.changed_days(row) == days("03-01", "03-04", "03-05")
    assert loads.one("select first_opened_at from fact.leg") == (at("2026-03-04 10:00"),)


def test_a_late_campaign_changes_all_days_of_the_message(loads: Loads) -> None:
    loads.load(
        "sendgrid_events",
        sendgrid("processed", "2026-02-27 10:00", category="c9"),
        sendgrid("delivered", "2026-03-01 10:00"),
        sendgrid("open", "2026-03-03 10:00"),
        sendgrid("open", "2026-03-05 10:00"),
    )
    row = loads.load(
        "dispatch_log",
        dispatched(
            "queued",
            "2026-02-20T10:00",
            provider="sendgrid",
            provider_message_id="m1",
            recipient="ann@example.com",
            campaign_id="spring",
        ),
    )
    assert loads.changed_days(row) == days("02-27", "03-01", "03-03", "03-05")
    assert loads.one("select campaign_id, dispatch_id from fact.message") == ("spring", "d1")


def test_a_late_dispatch_id_joins_two_messages_and_changes_the_days_of_both(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("handed_over", "2026-02-27T10:00", recipient="ann@example.com"))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00"), sendgrid("click", "2026-03-04 10:00"))
    assert loads.one("select count(*) from fact.message") == (2,)
    naming = {"provider": "SendGrid", "provider_message_id": "m1.filter", "recipient": "Ann@Example.com"}
    row = loads.load("dispatch_log", dispatched("about_to_be_sent", "2026-02-26T10:00", **naming))
    assert loads.changed_days(row) == days("02-27", "03-01", "03-04")
    found = loads.rows("select dispatch_id, state, sent_day, days from fact.message")
    assert found == [("d1", "delivered", days("02-27")[0], days("02-27", "03-01", "03-04"))]
    assert loads.one("select count(*), count(distinct message_key) from fact.leg") == (2, 1)


def test_a_leg_without_events_is_no_message(loads: Loads) -> None:
    naming = {"provider": "sendgrid", "provider_message_id": "m1", "recipient": "ann@example.com"}
    row = loads.load("dispatch_log", dispatched("queued", "2026-03-01T10:00", **naming))
    assert loads.changed_days(row) == days("03-01")
    assert loads.rows("select event_count, message_key is null from fact.leg order by 1") == [(0, True), (1, False)]
    assert loads.one("select state, days from fact.message") == ("in_progress", days("03-01"))
    row = loads.load("sendgrid_events", sendgrid("delivered", "2026-03-02 10:00"))
    assert loads.changed_days(row) == days("03-01", "03-02")
    assert loads.one("select dispatch_id, state, days from fact.message") == ("d1", "delivered", days("03-02"))


def test_days_are_in_the_zone_of_the_warehouse(loads: Loads) -> None:
    loads.rows("update ops.setting set value = 'Europe/Berlin' where name = 'report_timezone' returning 1")
    row = loads.load(
        "sendgrid_events",
        sendgrid("processed", "2026-03-01 22:59"),
        sendgrid("open", "2026-03-02 23:00"),
        sendgrid("open", "2026-03-29 21:59"),  # summer time begins on that day
        sendgrid("open", "2026-03-30 22:00"),
        landed_at=at("2026-04-01 00:00"),
    )
    assert loads.changed_days(row) == days("03-01", "03-03", "03-29", "03-31")


def test_equal_rejected_records_are_stored_once_and_counted(loads: Loads) -> None:
    first = loads.load("sendgrid_events", sendgrid("open", "2026-03-01 10:00"), POISON, POISON)
    kept = loads.one("select account, feed, sha256, reason, raw, position, load_id from private.rejected_record")
    assert kept[:4] == ("acme", "sendgrid_events", hashlib.sha256(POISON).hexdigest(), "not JSON")
    assert bytes(kept[4]) == POISON
    assert kept[5:] == (2, first.load_id)
    assert first.rejected_count == 2
    before = loads.stamps("private")
    again = loads.load("sendgrid_events", sendgrid("open", "2026-03-01 10:01"), POISON)
    assert again.rejected_count == 1
    assert loads.stamps("private") == before
    loads.load("sendgrid_events", POISON, account="beta")
    assert loads.rows("select account from private.rejected_record order by 1") == [("acme",), ("beta",)]


def test_a_rejected_record_that_a_later_load_maps_is_resolved(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    landed = loads.land("dispatch_log", dispatched("gone", "2026-03-01T10:00"), dispatched("lost", "2026-03-01T10:00"))
    loads.load_all("dispatch_log", [landed])
    resolved = "select resolved_load_id from private.rejected_record order by position"
    assert loads.rows(resolved) == [(None,), (None,)]
    assert loads.one("select rejected_count from report.freshness") == (2,)
    monkeypatch.setitem(DispatchLog.event_types, "gone", "handed_over")
    monkeypatch.setattr(DispatchLog, "rules_version", DispatchLog.rules_version + 1)
    (done,) = loads.load_all("dispatch_log", [landed])
    assert counts(done.row) == {"read": 2, "loaded": 1, "rejected": 1, "mapped": 1, "inserted": 1}
    assert loads.rows(resolved) == [(done.row.load_id,), (None,)]
    assert loads.one("select rejected_count from report.freshness") == (1,)


@pytest.mark.parametrize(("account", "feed"), [("beta", "dispatch_log"), ("acme", "sendgrid_events")])
def test_a_rejected_record_is_resolved_only_for_the_mapping_account_and_feed(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, account: str, feed: str
) -> None:
    record = dispatched("gone", "2026-03-01T10:00")
    loads.load(feed, record, account=account)
    landed = loads.land("dispatch_log", record)
    loads.load_all("dispatch_log", [landed])
    monkeypatch.setitem(DispatchLog.event_types, "gone", "handed_over")
    monkeypatch.setattr(DispatchLog, "rules_version", DispatchLog.rules_version + 1)
    (done,) = loads.load_all("dispatch_log", [landed])
    found = loads.rows("select account, feed, resolved_load_id from private.rejected_record order by load_id")
    assert found == [(account, feed, None), ("acme", "dispatch_log", done.row.load_id)]


def test_a_dispatch_log_may_hold_several_accounts(loads: Loads) -> None:
    row = loads.load(
        "dispatch_log",
        dispatched("handed_over", "2026-03-01T10:00", recipient="ann@example.com"),
        dispatched("handed_over", "2026-03-02T10:00", recipient="ann@example.com", account="beta"),
        dispatched("handed_over", "2026-03-03T10:00", recipient="ann@example.com", account="gamma"),
    )
    assert (row.account, row.loaded_count, row.inserted_count) == ("acme", 3, 3)
    assert loads.changed_days(row) == days("03-01", "03-02", "03-03")
    for table in ("fact.event", "fact.leg", "fact.message", "private.recipient"):
        found = loads.rows(f"select account, count(*) from {table} group by account order by account")
        assert found == [("acme", 1), ("beta", 1), ("gamma", 1)], table
    assert loads.one("select count(distinct recipient_key) from private.recipient") == (3,)


def test_an_event_without_a_message_is_stored_as_unattributed(loads: Loads) -> None:
    bounce = sendgrid("bounce", "2026-03-02 10:00", None, dispatch_id="d1", reason="550 no such user")
    row = loads.load("sendgrid_events", bounce, bounce | {"sg_event_id": "another"})
    assert counts(row) == {"read": 2, "loaded": 1, "duplicate": 1, "mapped": 1, "inserted": 1}
    assert loads.changed_days(row) == []
    assert loads.rows("select leg_key, dispatch_id from fact.event") == [(None, "d1")]
    assert loads.rows("select * from fact.leg") == loads.rows("select * from fact.message") == []
    loads.load("sendgrid_events", sendgrid("bounce", "2026-03-02 10:00", None), account="beta")
    loads.load("sendgrid_events", sendgrid("bounce", "2026-03-02 10:00"))
    found = loads.rows("select account, feed, unattributed_count from report.freshness order by account")
    assert found == [("acme", "sendgrid_events", 1), ("beta", "sendgrid_events", 1)]


def test_events_with_an_unknown_word_are_loaded_and_counted(loads: Loads) -> None:
    teleported = sms("teleported", "2026-03-01T10:00", "2026-03-01T10:01")
    row = loads.load("twilio_messages", teleported, teleported, sms("sent", "2026-03-01T10:00", "2026-03-01T10:02"))
    assert row.unknown_count == 1
    assert loads.one("select provider_event from fact.event where event_type = 'unknown'") == ("teleported",)
    loads.load("twilio_calls", call("melted", "2026-03-01T10:00", "x", date_updated="2026-03-01T11:00:00Z"))
    found = loads.rows("select feed, unknown_count from report.freshness order by feed")
    assert found == [("twilio_calls", 1), ("twilio_messages", 1)]


def test_clear_addresses_are_stored_only_in_the_private_schema(loads: Loads) -> None:
    loads.load(
        "sendgrid_events", sendgrid("open", "2026-03-01 10:00", email=" Ann@Example.COM ", useragent="ann@example.com")
    )
    assert loads.one("select account, address from private.recipient") == ("acme", "ann@example.com")
    for table in ("fact.event", "fact.leg", "fact.message"):
        (found,) = loads.one(f"select string_agg(t::text, ' ') from {table} as t")
        assert found
        assert "example.com" not in found.lower()
