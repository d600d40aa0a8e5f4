"""Live monitoring after each load: what changes and what does not. A recount gives the same."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
from psycopg2 import sql

from tests.waybill.load.loading import Loads, before_publish, call, dispatched, sendgrid, sms
from waybill.facts import live_counts
from waybill.facts.live_counts import LIVE_TABLES, WRITTEN_BY_LOADS
from waybill.feeds.sendgrid.events import SendgridEvents
from waybill.model.errors import QualityGateError
from waybill.reports import live
from waybill.reports.catalogue import find
from waybill.warehouse.connection import REPORTER, connect

NAMING = {"provider": "sendgrid", "provider_message_id": "m1", "recipient": "ann@example.com"}
BI_READER = "waybill_bi_reader"
MONITORING = find("live_monitoring")
Grain = tuple[str, str, str]


@pytest.fixture(autouse=True)
def recounted(loads: Loads) -> Iterator[None]:
    """After each test, a recount gives the stored counts."""
    yield
    check_recount(loads)


def check_recount(loads: Loads) -> None:
    connection = connect(loads.url, REPORTER)
    with connection, connection.cursor() as cursor:
        live.derive(cursor)
        for table in LIVE_TABLES:
            columns = ", ".join(table.columns)
            cursor.execute(f"select {columns} from {table.table} order by {', '.join(table.grain)}")
            stored = cursor.fetchall()
            cursor.execute(f"select {columns} from pg_temp.{table.name} order by {', '.join(table.grain)}")
            expected = cursor.fetchall()
            if table in WRITTEN_BY_LOADS:
                assert stored == expected, table.name
            else:  # without a build, all engagement is pending
                assert stored == expected == [], table.name
    connection.close()


def shown(loads: Loads) -> dict[Grain, dict[str, int]]:
    """Counts that are not zero, by grain."""
    rows = loads.rows(f"select {', '.join(MONITORING.grain + MONITORING.counts)} from report.live_monitoring")
    return {
        row[:3]: {name: count for name, count in zip(MONITORING.counts, row[3:], strict=True) if count} for row in rows
    }


def reasons(loads: Loads) -> dict[tuple, int]:
    rows = loads.rows("select account, campaign_id, channel, category, reason, message_count from"
                      " report.live_monitoring_reason")  # fmt: skip
    return {row[:5]: row[5] for row in rows}


def pending(loads: Loads) -> list[tuple]:
    return loads.rows(
        "select account, campaign_id, channel, delivered, opened, clicked from ops.changed_engagement order by load_id"
    )


def as_of(loads: Loads) -> dict[str, datetime]:
    return dict(loads.rows("select account, delivery_as_of from report.live_monitoring"))


EMAIL = ("acme", "(none)", "email")


def test_a_message_counts_by_its_state_after_each_load(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("queued", "2026-03-01T08:00", **NAMING))
    assert shown(loads) == {EMAIL: {"targeted": 1, "in_progress_queued": 1}}
    loads.load("dispatch_log", dispatched("about_to_be_sent", "2026-03-01T08:30", **NAMING))
    assert shown(loads) == {EMAIL: {"targeted": 1, "in_progress_about_to_be_sent": 1}}
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 09:00"))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "in_gateway": 1}}
    loads.load("sendgrid_events", sendgrid("dropped", "2026-03-01 09:01", reason="Unsubscribed Address"))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "not_delivered": 1}}
    loads.load("sendgrid_events", sendgrid("bounce", "2026-03-01 09:02", type="blocked"))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "bounced_soft": 1}}
    loads.load("sendgrid_events", sendgrid("bounce", "2026-03-01 09:03", status="5.1.1"))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "bounced_hard": 1}}
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 09:04"))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "delivered": 1}}
    loads.load("sendgrid_events", sendgrid("spamreport", "2026-03-01 10:00"))
    loads.load("sendgrid_events", sendgrid("unsubscribe", "2026-03-01 10:01"))
    marked = {"marked_spam": 1, "marked_unsubscribed": 1}
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "delivered": 1} | marked}


def test_every_channel_counts(loads: Loads) -> None:
    loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01"))
    loads.load("twilio_calls", call("busy", "2026-03-01T10:00", "2026-03-01T10:01"))
    assert shown(loads) == {
        ("acme", "(none)", "sms"): {"targeted": 1, "sent": 1, "delivered": 1},
        ("acme", "(none)", "ivr"): {"targeted": 1, "sent": 1, "not_delivered": 1},
    }


def test_what_was_not_sent_counts_by_category_and_reason(loads: Loads) -> None:
    loads.load(
        "dispatch_log",
        dispatched("not_sent", "2026-03-01T08:00", "d1", reason="ndnc", campaign_id="spring"),
        dispatched("not_sent", "2026-03-01T08:00", "d2", reason="NDNC", campaign_id="spring"),
        dispatched("not_sent", "2026-03-01T08:00", "d3", reason="coupon_expired", campaign_id="spring"),
        dispatched("not_sent", "2026-03-01T08:00", "d4", reason="system_timeout", campaign_id="spring"),
        dispatched("not_sent", "2026-03-01T08:00", "d5", reason="our own word", campaign_id="spring"),
        dispatched("not_sent", "2026-03-01T08:00", "d6", campaign_id="spring"),
    )
    grain = ("acme", "spring", "email")
    assert shown(loads) == {
        grain: {
            "targeted": 6,
            "not_sent": 6,
            "not_sent_internally_suppressed": 2,
            "not_sent_incomplete_or_invalid": 1,
            "not_sent_system_error": 1,
            "not_sent_other": 2,
        }
    }
    assert reasons(loads) == {
        (*grain, "internally_suppressed", "ndnc"): 2,
        (*grain, "incomplete_or_invalid", "coupon_expired"): 1,
        (*grain, "system_error", "system_timeout"): 1,
        (*grain, "other", "unclassified"): 2,
    }
    assert loads.rows("select count(*) from fact.event where not_sent_reason = 'our own word'") == [(1,)]
    # later decisions: one message gets another reason, one is handed over
    loads.load(
        "dispatch_log",
        dispatched("not_sent", "2026-03-01T09:00", "d3", reason="coupon_redeemed"),
        dispatched("handed_over", "2026-03-01T09:00", "d4"),
    )
    assert reasons(loads) == {
        (*grain, "internally_suppressed", "ndnc"): 2,
        (*grain, "incomplete_or_invalid", "coupon_redeemed"): 1,
        (*grain, "other", "unclassified"): 2,
    }
    assert shown(loads)[grain]["in_gateway"] == 1


def test_a_late_campaign_moves_the_counts_to_itself(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00"), sendgrid("open", "2026-03-01 11:00"))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00", "m2"))
    assert shown(loads) == {EMAIL: {"targeted": 2, "sent": 2, "delivered": 2}}
    loads.load("sendgrid_events", sendgrid("click", "2026-03-01 12:00", campaign_id="spring", url="https://a.example"))
    spring = ("acme", "spring", "email")
    one = {"targeted": 1, "sent": 1, "delivered": 1}
    assert shown(loads) == {EMAIL: one, spring: one}
    assert pending(loads) == [(*EMAIL, 1, 1, 0), (*EMAIL, 1, 0, 0), (*EMAIL, -1, -1, 0), (*spring, 1, 1, 1)]
    loads.load("sendgrid_events", sendgrid("open", "2026-03-01 12:00", "m2", campaign_id="spring"))
    assert shown(loads) == {spring: {"targeted": 2, "sent": 2, "delivered": 2}}


def test_a_late_dispatch_id_joins_two_messages(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("handed_over", "2026-02-27T10:00", recipient="ann@example.com"))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00"))
    assert shown(loads) == {EMAIL: {"targeted": 2, "sent": 2, "delivered": 1, "in_gateway": 1}}
    loads.load("dispatch_log", dispatched("about_to_be_sent", "2026-02-26T10:00", **NAMING))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "delivered": 1}}


def test_only_engagement_waits_for_a_build(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("open", "2026-03-01 11:00"))
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "delivered": 1}}
    assert pending(loads) == [(*EMAIL, 1, 1, 0)]
    assert loads.one("select opened, clicked, engagement_as_of from report.live_monitoring") == (0, 0, None)


def test_a_load_that_changes_nothing_writes_nothing(loads: Loads) -> None:
    events = [sendgrid("delivered", "2026-03-01 10:00"), sendgrid("open", "2026-03-01 11:00")]
    loads.load("sendgrid_events", *events)
    before = loads.stamps("fact", "report"), pending(loads)
    row = loads.load("sendgrid_events", *reversed(events))
    assert row.duplicate_count == 2
    assert (loads.stamps("fact", "report"), pending(loads)) == before


def test_a_load_that_changes_no_count_writes_no_counts(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00"), sendgrid("open", "2026-03-01 11:00"))
    before = loads.stamps("fact", "ops")
    row = loads.load("sendgrid_events", sendgrid("open", "2026-03-01 12:00"))
    assert row.inserted_count == 1
    after = loads.stamps("fact", "ops")
    for table in ("fact.live_count", "ops.changed_engagement"):
        assert before[table] == after[table], table


def test_a_replay_subtracts_counts(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load(
        "sendgrid_events",
        sendgrid("processed", "2026-03-01 10:00"),
        sendgrid("click", "2026-03-03 10:00", url="https://example.com/x"),
        sendgrid("click", "2026-03-03 10:00", "m2", url="https://example.com/x"),
    )
    assert shown(loads) == {EMAIL: {"targeted": 2, "sent": 2, "delivered": 2}}
    sightings = SendgridEvents.sightings
    monkeypatch.setattr(
        SendgridEvents, "sightings", lambda self, record: () if record.event == "click" else sightings(self, record)
    )
    (row,) = loads.replay("sendgrid_events", "2026-03-03 00:00", "2026-03-04 00:00")
    assert row.removed_count == 2
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "in_gateway": 1}}
    assert pending(loads) == [(*EMAIL, 2, 2, 2), (*EMAIL, -2, -2, -2)]


def test_the_accounts_of_one_file_count_separately_as_of_the_same_load(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00"), account="delta")
    before = as_of(loads)["delta"]
    loads.load(
        "dispatch_log",
        dispatched("queued", "2026-03-01T10:00", campaign_id="spring"),
        dispatched("queued", "2026-03-01T10:00", campaign_id="spring", account="beta"),
        dispatched("not_sent", "2026-03-01T10:00", reason="ndnc", campaign_id="spring", account="gamma"),
    )
    queued = {"targeted": 1, "in_progress_queued": 1}
    found = shown(loads)
    assert found["acme", "spring", "email"] == found["beta", "spring", "email"] == queued
    assert found["gamma", "spring", "email"] == {
        "targeted": 1,
        "not_sent": 1,
        "not_sent_internally_suppressed": 1,
    }
    at = as_of(loads)
    assert at.keys() == {"acme", "beta", "gamma", "delta"}
    assert at["acme"] == at["beta"] == at["gamma"] > at["delta"] == before


def test_delivery_as_of_is_the_end_of_the_last_load_even_without_changes(loads: Loads) -> None:
    events = [sendgrid("delivered", "2026-03-01 10:00"), sendgrid("open", "2026-03-01 11:00")]
    loads.load("sendgrid_events", *events)
    first = as_of(loads)["acme"]
    row = loads.load("sendgrid_events", *reversed(events))
    assert first < row.started_at < row.ended_at < as_of(loads)["acme"]


def test_overlapping_loads_of_one_account_both_count(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first load commits while the second is being published: both differences of the message are added."""
    landed = loads.land("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00", campaign_id="spring"))
    before_publish(
        monkeypatch, lambda _: loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 09:00", category="news"))
    )
    loads.load_all("sendgrid_events", [landed])
    assert shown(loads) == {("acme", "spring", "email"): {"targeted": 1, "sent": 1, "delivered": 1}}


def test_loads_with_common_accounts_wait_for_each_other_and_both_count(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second load begins to publish after the first has written everything and before it commits."""
    rows = [dispatched("queued", "2026-03-01T10:00", account=account) for account in ("beta", "alpha", "acme")]
    others = [row | {"dispatch_id": "d2"} for row in reversed(rows)]
    done = []
    second = threading.Thread(target=lambda: done.append(loads.load("dispatch_log", *others, account="beta")))
    note = live_counts.note_as_of

    def note_beside_another(*arguments: object) -> None:
        note(*arguments)
        if not second.ident:
            second.start()
            second.join(2)
            assert not done

    monkeypatch.setattr(live_counts, "note_as_of", note_beside_another)
    loads.load("dispatch_log", *rows)
    second.join(60)
    assert [row.status for row in done] == ["published"]
    assert shown(loads) == {
        (account, "(none)", "email"): {"targeted": 2, "in_progress_queued": 2} for account in ("acme", "alpha", "beta")
    }


def test_a_publish_that_fails_counts_nothing(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"))
    before = shown(loads), pending(loads), as_of(loads)
    note = live_counts.note_as_of

    def note_then_fail(*arguments: object) -> None:
        note(*arguments)
        raise QualityGateError("stopped at the very end")

    landed = loads.land("sendgrid_events", sendgrid("open", "2026-03-01 11:00", campaign_id="spring"))
    monkeypatch.setattr(live_counts, "note_as_of", note_then_fail)
    with pytest.raises(QualityGateError):
        loads.load_all("sendgrid_events", [landed])
    assert (shown(loads), pending(loads), as_of(loads)) == before
    monkeypatch.undo()
    loads.load_all("sendgrid_events", [landed])
    assert shown(loads) == {("acme", "spring", "email"): {"targeted": 1, "sent": 1, "delivered": 1}}


def test_a_reader_blocks_no_load_and_sees_one_state(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"))
    reader = connect(loads.url, BI_READER)
    reader.set_session(isolation_level="REPEATABLE READ")
    with reader.cursor() as cursor:
        cursor.execute("select in_gateway, delivered from report.live_monitoring")
        assert cursor.fetchall() == [(1, 0)]
        loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01"))  # a lock would never be released
        assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "delivered": 1}}
        cursor.execute("select in_gateway, delivered from report.live_monitoring")
        assert cursor.fetchall() == [(1, 0)]
    reader.close()


def test_a_load_that_is_being_published_blocks_no_reader(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"))
    seen = []
    note = live_counts.note_as_of

    def read_then_note(*arguments: object) -> None:
        reader = connect(loads.url, BI_READER)
        with reader, reader.cursor() as cursor:
            cursor.execute("set local statement_timeout = '30s'")
            cursor.execute("select in_gateway, delivered from report.live_monitoring")
            seen.extend(cursor.fetchall())
            cursor.execute("select count(*) from report.live_monitoring_reason")
        reader.close()
        note(*arguments)

    monkeypatch.setattr(live_counts, "note_as_of", read_then_note)
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01"))
    assert seen == [(1, 0)]
    assert shown(loads) == {EMAIL: {"targeted": 1, "sent": 1, "delivered": 1}}


def test_a_load_waits_for_a_correction_of_the_same_row_and_both_are_added(loads: Loads) -> None:
    """A full build adds a correction while a load adds a difference: both are added."""
    loads.load("sendgrid_events", sendgrid("processed", "2026-03-01 10:00"))
    loads.rows("update fact.live_count set targeted = 5 returning 1")
    builder = connect(loads.url, REPORTER)
    done = []
    with builder.cursor() as cursor:
        cursor.execute("create temporary table correction as select * from fact.live_count where false")
        cursor.execute(
            "insert into correction select account, campaign_id, channel, -4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,"
            " 0 from fact.live_count"
        )
        live_counts.add(cursor, live_counts.LIVE_COUNT, sql.SQL("correction"))
        loading = threading.Thread(
            target=lambda: done.append(loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00", "m2")))
        )
        loading.start()
        loading.join(2)
        assert not done
        builder.commit()
        loading.join(60)
    builder.close()
    assert [row.status for row in done] == ["published"]
    assert shown(loads) == {EMAIL: {"targeted": 2, "sent": 2, "delivered": 1, "in_gateway": 1}}
