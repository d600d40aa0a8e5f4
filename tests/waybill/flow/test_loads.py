"""Whole loads: what refuses or stops them, what they leave behind, and how objects are divided into batches."""

import gzip
import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.warehouses import forked, until_alone
from tests.waybill.load.loading import (
    Loads,
    before_publish,
    counts,
    dispatched,
    sendgrid,
    sms,
)
from waybill.feeds.dispatch.log import DispatchLog
from waybill.feeds.sendgrid.events import SendgridEvents
from waybill.feeds.twilio.calls import TwilioCalls
from waybill.feeds.twilio.messages import TwilioMessages
from waybill.flow import batches, steps
from waybill.model.errors import CeilingError, ConfigurationError, QualityGateError, SourceError

GOOD = [sendgrid("processed", f"2026-03-01 10:{minute:02}", f"m{minute}") for minute in range(60)]
LAST = "select status, stop_reason, read_count, rejected_count, ignored_count, loaded_count, ended_at is not null"
LAST += " from ops.load order by load_id desc limit 1"


def poison(count: int) -> list[bytes]:
    return [f"{{broken {number}".encode() for number in range(count)]


def newer(monkeypatch: pytest.MonkeyPatch, feed: type) -> None:
    monkeypatch.setattr(feed, "rules_version", feed.rules_version + 1)


def test_another_key_is_refused_and_nothing_is_written(loads: Loads) -> None:
    loads.load("sendgrid_events", GOOD[0])
    before = loads.stamps()
    assert before["fact.leg"]
    loads.use(recipient_hmac_key="another key of thirty-two bytes or so")
    with pytest.raises(ConfigurationError, match="RECIPIENT_HMAC_KEY is not the key of this warehouse") as refused:
        loads.load("sendgrid_events", GOOD[1])
    assert loads.settings.recipient_hmac_key not in str(refused.value)
    assert loads.stamps() == before


def test_older_rules_are_refused_and_nothing_is_written(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load("sendgrid_events", GOOD[0])
    with monkeypatch.context() as later:
        newer(later, SendgridEvents)
        loads.load("sendgrid_events", GOOD[1])
    before = loads.stamps()
    with pytest.raises(ConfigurationError, match="older rules never overwrite newer ones"):
        loads.load("sendgrid_events", GOOD[2])
    assert loads.stamps() == before
    loads.load("dispatch_log", dispatched("queued", "2026-03-01T10:00"))  # rules that belong only to this feed


def test_rules_that_become_outdated_during_a_load_are_refused(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = sms("undelivered", "2026-03-01T10:00", "2026-03-01T10:05")
    loads.load("twilio_messages", refused)
    landed = loads.land("twilio_messages", refused | {"error_code": 30007})

    def another_process_with_newer_rules_loads(load_id: int) -> None:
        with monkeypatch.context() as later:
            newer(later, TwilioMessages)
            later.setitem(TwilioMessages.class_of_code, "30007", "soft_bounce")
            loads.load_all("twilio_messages", [landed])

    before_publish(monkeypatch, another_process_with_newer_rules_loads)
    with pytest.raises(ConfigurationError, match="older rules never overwrite newer ones"):
        loads.load_all("twilio_messages", [landed])
    found = loads.one("select failure_class from fact.event where event_type = 'undelivered'")
    assert found == ("soft_bounce",)


def test_newer_rules_load_the_same_object_again(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    landed = loads.land(
        "twilio_messages", sms("undelivered", "2026-03-01T10:00", "2026-03-01T10:05", error_code="30007")
    )
    loads.load_all("twilio_messages", [landed])
    derived = "select e.failure_class, m.state, m.failure_class from fact.event as e"
    derived += " cross join fact.message as m where e.event_type = 'undelivered'"
    version = TwilioMessages.rules_version
    assert loads.one(derived) == ("blocked", "bounced", "blocked")
    newer(monkeypatch, TwilioMessages)
    monkeypatch.setitem(TwilioMessages.class_of_code, "30007", "gateway_suppressed")
    (done,) = loads.load_all("twilio_messages", [landed])
    assert done.is_new
    assert counts(done.row) == {"read": 1, "loaded": 1, "mapped": 2, "revised": 1, "unchanged": 1}
    assert loads.one(derived) == ("gateway_suppressed", "not_delivered", None)
    assert loads.rows("select feed, version from ops.rules") == [("twilio_messages", version + 1)]
    before = loads.stamps()
    (again,) = loads.load_all("twilio_messages", [landed])
    assert not again.is_new
    assert loads.stamps() == before


def test_a_replay_marks_only_objects_of_its_feed_as_loaded_under_its_rules(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed = loads.land(
        "twilio_messages", sms("undelivered", "2026-03-01T10:00", "2026-03-01T10:05", error_code="30007")
    )
    loads.load_all("twilio_messages", [landed])
    newer(monkeypatch, TwilioCalls)
    loads.replay("twilio_calls", "2026-03-01 00:00", "2026-03-02 00:00")
    newer(monkeypatch, TwilioMessages)
    monkeypatch.setitem(TwilioMessages.class_of_code, "30007", "soft_bounce")
    assert TwilioMessages.rules_version == TwilioCalls.rules_version
    (done,) = loads.load_all("twilio_messages", [landed])
    assert done.is_new
    assert loads.rows("select failure_class from fact.message") == [("soft_bounce",)]


@pytest.mark.parametrize(("good_count", "poison_count"), [(60, 20), (60, 0), (400, 21)])
def test_a_load_below_either_bound_of_the_ceiling_continues(loads: Loads, good_count: int, poison_count: int) -> None:
    loads.use(rejected_ceiling=0.05)
    good = [sendgrid("processed", "2026-03-01 10:00", f"m{number}") for number in range(good_count)]
    row = loads.load("sendgrid_events", *good, *poison(poison_count))
    assert (row.status, row.loaded_count, row.rejected_count) == ("published", good_count, poison_count)


def test_a_load_above_both_bounds_of_the_ceiling_writes_no_facts(loads: Loads) -> None:
    loads.load("sendgrid_events", GOOD[0])
    before = loads.stamps("fact", "report")
    recipients, pending = (loads.rows(f"table {table}") for table in ("private.recipient", "ops.changed_day"))
    landed = loads.land("sendgrid_events", *GOOD, *poison(21), b'{"event": "open"}')
    loads.use(rejected_ceiling=0.05)
    with pytest.raises(CeilingError, match=r"22 of 82 records were rejected.*not JSON \(21\)") as stopped:
        loads.load_all("sendgrid_events", [landed])
    assert stopped.value.exit_code == 6
    assert loads.stamps("fact", "report") == before
    assert loads.rows("table private.recipient") == recipients
    assert loads.rows("table ops.changed_day") == pending
    status, reason, *books = loads.one(LAST)
    assert (status, *books) == ("stopped", 82, 22, 0, None, True)
    assert "REJECTED_CEILING=0.05" in reason
    assert loads.one("select count(*) from private.rejected_record") == (22,)
    assert loads.staging_tables() == []
    with pytest.raises(CeilingError):
        loads.load_all("sendgrid_events", [landed])
    assert loads.one("select count(*) from private.rejected_record") == (22,)
    loads.use(rejected_ceiling=1.0)
    (done,) = loads.load_all("sendgrid_events", [landed])
    assert counts(done.row) == {
        "read": 82, "loaded": 59, "duplicate": 1, "rejected": 22, "mapped": 60, "inserted": 59, "unchanged": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [("user_agent", "mailer of bob@example.com", "no_address_in_texts"), ("channel", "fax", "channel_known")],
)
def test_a_load_that_fails_a_critical_rule_writes_no_facts(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, column: str, value: str, rule: str
) -> None:
    loads.load("sendgrid_events", GOOD[0])
    before = loads.stamps("fact", "report")
    landed = loads.land("sendgrid_events", GOOD[1], poison(1)[0])
    classify = SendgridEvents.classify

    def leaking(self, event) -> None:
        classify(self, event)
        setattr(event, column, value)

    with monkeypatch.context() as broken:
        broken.setattr(SendgridEvents, "classify", leaking)
        with pytest.raises(QualityGateError, match=rule):
            loads.load_all("sendgrid_events", [landed])
    assert loads.stamps("fact", "report") == before
    status, reason, *books = loads.one(LAST)
    assert (status, *books) == ("stopped", 2, 1, 0, None, True)
    assert rule in reason
    assert loads.one("select count(*) from private.rejected_record") == (1,)
    assert loads.staging_tables() == []
    subject, success, results = loads.one(
        "select subject, success, results::text from ops.validation order by validation_id desc limit 1"
    )
    assert (subject.split()[0], success) == ("load", False)
    assert [found["rule"] for found in json.loads(results) if not found["success"]] == [rule]
    assert "bob@" not in results + reason

    (done,) = loads.load_all("sendgrid_events", [landed])
    assert counts(done.row) == {"read": 2, "loaded": 1, "rejected": 1, "mapped": 1, "inserted": 1}


def test_the_next_load_drops_the_staging_tables_of_a_dead_load(loads: Loads) -> None:
    loads.load("sendgrid_events", GOOD[0])
    before = loads.stamps("fact", "private")

    def dies() -> None:
        steps.publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        loads.load("sendgrid_events", GOOD[1], *poison(1))

    assert forked(dies) == -signal.SIGKILL
    until_alone(loads.url)
    assert len(loads.staging_tables()) == 3
    assert loads.stamps("fact", "private") == before
    loads.load("sendgrid_events", GOOD[2])
    assert loads.staging_tables() == []
    assert loads.rows("select status from ops.load order by load_id") == [("published",), ("stopped",), ("published",)]
    (done,) = loads.load_all("sendgrid_events", [loads.land("sendgrid_events", GOOD[1], *poison(1))])
    assert done.row.loaded_count == 1


def test_the_staging_tables_of_a_running_load_remain(loads: Loads) -> None:
    staged_read, staged_write = os.pipe()
    go_read, go_write = os.pipe()

    def pauses() -> None:
        publish = steps.publish

        def waiting(*arguments: object) -> None:
            os.write(staged_write, b".")
            os.read(go_read, 1)
            publish(*arguments)

        steps.publish = waiting
        loads.load("sendgrid_events", GOOD[1])

    def load_meanwhile(pid: int) -> None:
        try:
            assert os.read(staged_read, 1) == b"."
            theirs = loads.staging_tables()
            assert len(theirs) == 3
            loads.load("sendgrid_events", GOOD[2])
            assert sorted(loads.staging_tables()) == sorted(theirs)
        finally:
            os.write(go_write, b".")

    assert forked(pauses, load_meanwhile) == 0
    assert loads.staging_tables() == []
    assert loads.one("select count(*) from fact.event") == (2,)
    for descriptor in (staged_read, staged_write, go_read, go_write):
        os.close(descriptor)


def test_objects_are_loaded_in_batches_of_one_account_and_bounded_size(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_OBJECTS", 2)
    landed = [loads.land("sendgrid_events", event, account="acme") for event in GOOD[:5]]
    landed += [loads.land("sendgrid_events", event, account="beta") for event in GOOD[:2]]
    done = loads.load_all("sendgrid_events", landed)
    assert [(item.row.account, item.row.read_count) for item in done] == [
        ("acme", 2), ("acme", 2), ("acme", 1), ("beta", 2)
    ]  # fmt: skip
    monkeypatch.setattr(batches, "BATCH_OBJECTS", 100)
    monkeypatch.setattr(batches, "BATCH_BYTES", 2 * landed[0].byte_count)
    landed = [loads.land("sendgrid_events", event, account="gamma") for event in GOOD[:5]]
    done = loads.load_all("sendgrid_events", landed)
    assert [item.row.read_count for item in done] == [2, 2, 1]
    assert loads.one("select count(*) from fact.event") == (12,)


def test_published_objects_are_left_out_of_a_batch(loads: Loads) -> None:
    old, new = loads.land("sendgrid_events", GOOD[0]), loads.land("sendgrid_events", GOOD[1])
    loads.load_all("sendgrid_events", [old])
    (done,) = loads.load_all("sendgrid_events", [old, new, new])
    assert counts(done.row) == {"read": 1, "loaded": 1, "mapped": 1, "inserted": 1}


def test_an_unreadable_object_is_named_and_the_others_are_loaded(loads: Loads) -> None:
    whole = gzip.compress(json.dumps(GOOD[1]).encode())
    landed = [
        loads.land("sendgrid_events", data)
        for data in (json.dumps(GOOD[0]).encode(), whole[:-9], json.dumps(GOOD[2]).encode())
    ]
    with pytest.raises(SourceError, match="truncated") as caught:
        loads.load_all("sendgrid_events", landed)
    assert landed[1].path in str(caught.value)
    assert loads.rows("select provider_message_id from fact.event order by 1") == [("m0",), ("m2",)]
    assert loads.rows("select status, read_count from ops.load order by load_id") == [
        ("stopped", None),
        ("published", 2),
    ]


def test_a_load_creates_the_missing_partition_of_the_next_month(loads: Loads) -> None:
    (name,) = loads.one("select 'event_' || to_char(now() at time zone 'UTC' + interval '1 month', 'YYYYMM')")
    # the last day of January plus a month is the last of February, so the name is always that of the next month
    loads.rows(f"drop table fact.{name}; select 1")
    loads.load("sendgrid_events", GOOD[0])
    partitions = loads.rows("select inhrelid::regclass::text from pg_inherits where inhparent = 'fact.event'::regclass")
    assert (f"fact.{name}",) in partitions


def test_times_after_the_last_partition_are_rejected(loads: Loads) -> None:
    landed_at = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)  # the later of landing and loading
    seconds = [int((landed_at + timedelta(days=1)).timestamp()) + more for more in (0, 60, 86_400 * 9_000)]
    opens = [sendgrid("open", "2026-03-11 00:00") | {"timestamp": second} for second in seconds]
    row = loads.load("sendgrid_events", *opens, landed_at=landed_at)
    assert counts(row) == {"read": 3, "loaded": 1, "rejected": 2, "mapped": 1, "inserted": 1}
    reasons = loads.rows("select distinct reason from private.rejected_record")
    assert reasons == [("time more than a day after its landing",)]


def test_very_old_times_go_to_the_partition_before_all_months(loads: Loads) -> None:
    row = loads.load("sendgrid_events", sendgrid("open", "2005-01-01 00:00"), sendgrid("open", "2004-12-31 23:59"))
    assert counts(row) == {"read": 2, "loaded": 1, "rejected": 1, "mapped": 1, "inserted": 1}
    assert loads.one("select tableoid::regclass::text from fact.event") == ("fact.event_before",)


def test_a_load_without_objects_does_nothing(loads: Loads) -> None:
    before = loads.stamps()
    assert loads.load_all("dispatch_log", []) == []
    after = loads.stamps()
    assert {name for name in after if after[name] != before.get(name)} <= {"ops.rules", "ops.feed", "ops.setting"}


def test_a_file_with_only_rejected_records_is_published_too(loads: Loads) -> None:
    landed = loads.land("dispatch_log", dispatched("gone", "2026-03-01T10:00"))
    (done,) = loads.load_all("dispatch_log", [landed])
    assert counts(done.row) == {"read": 1, "rejected": 1}
    (again,) = loads.load_all("dispatch_log", [landed])
    assert not again.is_new
    assert DispatchLog.rules_version == done.row.rules_version
