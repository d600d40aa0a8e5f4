"""Counts of joins after each load: hand-overs without an event, and gateway messages without a dispatch row."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.waybill.load.loading import Loads, dispatched, sendgrid, sms
from waybill.facts.join_counts import JOIN_COUNT
from waybill.reports import live
from waybill.reports.catalogue import find
from waybill.warehouse.connection import REPORTER, connect

COUNTS = tuple(name for name in find("freshness").columns if name.startswith(("handed_over", "gateway_message")))
NAMING = {"provider": "sendgrid", "recipient": "ann@example.com"}


@pytest.fixture(autouse=True)
def recounted(loads: Loads) -> Iterator[None]:
    """After each test, a recount gives the stored counts."""
    yield
    columns = ", ".join(JOIN_COUNT.columns)
    connection = connect(loads.url, REPORTER)
    with connection, connection.cursor() as cursor:
        live.derive(cursor)
        cursor.execute(f"select {columns} from fact.join_count order by {columns}")
        stored = cursor.fetchall()
        cursor.execute(f"select {columns} from pg_temp.join_count order by {columns}")
        assert stored == cursor.fetchall() != []
    connection.close()


def shown(loads: Loads) -> dict[tuple[str, str], dict[str, int]]:
    """Counts of joins that are not zero, by (account, feed)."""
    rows = loads.rows(f"select account, feed, {', '.join(COUNTS)} from report.freshness")
    return {
        row[:2]: counts
        for row in rows
        if (counts := {name.removesuffix("_count"): n for name, n in zip(COUNTS, row[2:], strict=True) if n})
    }


def test_a_hand_over_without_gateway_events_counts_for_the_feed_of_the_gateway(loads: Loads) -> None:
    loads.load(
        "dispatch_log",
        dispatched("handed_over", "2026-03-01T10:00", "d1", **NAMING),
        dispatched("handed_over", "2026-03-01T10:00", "d2", **NAMING),
        dispatched("queued", "2026-03-01T10:00", "d3", **NAMING),
        dispatched("not_sent", "2026-03-01T10:00", "d4", reason="ndnc", **NAMING),
    )
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01", dispatch_id="d1"))
    assert shown(loads) == {
        ("acme", "sendgrid_events"): {"handed_over": 2, "handed_over_unseen": 1, "gateway_message": 1}
    }
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:02", "m2", dispatch_id="d2"))
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 2, "gateway_message": 2}}


def test_a_failed_join_counts_on_both_sides_until_it_is_repaired(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T10:00", "d1", **NAMING))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01", dispatch_id="x-d1"))
    failed = {"handed_over": 1, "handed_over_unseen": 1, "gateway_message": 1, "gateway_message_undispatched": 1}
    assert shown(loads) == {("acme", "sendgrid_events"): failed}
    # the provider's message id comes late
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T10:00", "d1", provider_message_id="m1", **NAMING))
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 1, "gateway_message": 1}}


def test_an_account_without_a_dispatch_log_has_no_missing_join(loads: Loads) -> None:
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01"))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01"), account="beta")
    loads.load("dispatch_log", dispatched("queued", "2026-03-01T10:00", "d1"), account="beta")
    assert shown(loads) == {("beta", "sendgrid_events"): {"gateway_message": 1, "gateway_message_undispatched": 1}}


def test_messages_before_the_dispatch_log_began_have_no_missing_join(loads: Loads) -> None:
    loads.load(
        "sendgrid_events",
        sendgrid("delivered", "2026-02-27 10:00", "m1"),
        sendgrid("delivered", "2026-02-28 10:00", "m2"),
        sendgrid("delivered", "2026-03-02 10:00", "m3"),
    )
    loads.load("dispatch_log", dispatched("not_sent", "2026-02-28T12:00", "d1", reason="ndnc"))
    assert shown(loads)["acme", "sendgrid_events"] == {"gateway_message": 2, "gateway_message_undispatched": 2}
    loads.load("dispatch_log", dispatched("queued", "2026-02-27T12:00", "d2"))
    assert shown(loads)["acme", "sendgrid_events"] == {"gateway_message": 3, "gateway_message_undispatched": 3}


def test_a_hand_over_is_unseen_only_after_the_lateness_of_its_gateway_feed(loads: Loads) -> None:
    now = datetime.now(UTC)
    times = (now - timedelta(days=5), now - timedelta(days=2))
    rows = [
        dispatched("handed_over", f"{time:%Y-%m-%dT%H:%M}", f"d{number}", **NAMING) for number, time in enumerate(times)
    ]
    loads.load("dispatch_log", *rows, landed_at=now)
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00"))
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 1, "handed_over_unseen": 1}}


def test_a_gateway_without_a_feed_counts_for_the_dispatch_log(loads: Loads) -> None:
    loads.load(
        "dispatch_log",
        dispatched("handed_over", "2026-03-01T10:00", "d1", provider="pigeon_post"),
        dispatched("handed_over", "2026-03-01T10:00", "d2"),
        dispatched("handed_over", "2026-03-01T10:00", "d3", "sms", provider="twilio", provider_message_id="SM1"),
        dispatched("handed_over", "2026-03-01T10:00", "d1", provider="pigeon_post", account="beta"),
    )
    unseen = {"handed_over": 3, "handed_over_unseen": 3}
    one = {"handed_over": 1, "handed_over_unseen": 1}
    assert shown(loads) == {("acme", "dispatch_log"): unseen, ("beta", "dispatch_log"): one}
    loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01"))
    assert shown(loads) == {
        ("acme", "dispatch_log"): {"handed_over": 2, "handed_over_unseen": 2},
        ("acme", "twilio_messages"): {"handed_over": 1, "gateway_message": 1},
        ("beta", "dispatch_log"): one,
    }


def test_a_load_that_changes_no_join_writes_no_counts(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T10:00", "d1", **NAMING))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:00", dispatch_id="d1"))
    before = loads.stamps("fact")
    row = loads.load("sendgrid_events", sendgrid("open", "2026-03-01 12:00"))
    assert row.inserted_count == 1
    assert before["fact.join_count"] == loads.stamps("fact")["fact.join_count"]


FIVE = [f"p{number}@example.com" for number in range(5)]


def test_a_batch_of_five_with_one_dispatch_id_joins_five_times(loads: Loads) -> None:
    loads.load(
        "dispatch_log",
        *(dispatched("handed_over", "2026-03-01T10:00", "b1", provider="sendgrid", recipient=to) for to in FIVE),
    )
    loads.load(
        "sendgrid_events",
        *(sendgrid("delivered", "2026-03-01 10:01", f"m{to[1]}", to, dispatch_id="b1") for to in FIVE[:4]),
    )
    one_missing = {"handed_over": 5, "handed_over_unseen": 1, "gateway_message": 4}
    assert shown(loads) == {("acme", "sendgrid_events"): one_missing}
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01", "m4", FIVE[4], dispatch_id="b1"))
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 5, "gateway_message": 5}}


def test_a_blind_copy_is_not_missing_and_replaces_no_recipient(loads: Loads) -> None:
    copy = sendgrid("delivered", "2026-03-01 10:01", "m1", "archive@example.com", dispatch_id="d1")
    own = sendgrid("bounce", "2026-03-01 10:01", "m1", "ann@example.com", dispatch_id="d1", status="5.1.1")
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T10:00", "d1", **NAMING))
    loads.load("sendgrid_events", copy)
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 1, "handed_over_unseen": 1}}
    loads.load("sendgrid_events", own)
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 1, "gateway_message": 1}}


def test_a_delayed_bounce_with_only_the_own_message_id_joins(loads: Loads) -> None:
    own = "<abc.1@mail.example.com>"
    first = sendgrid("delivered", "2026-03-01 10:01", "m1", dispatch_id="d1", **{"smtp-id": own})
    late = sendgrid("bounce", "2026-03-02 10:01", None, status="5.1.1", **{"smtp-id": own})
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T10:00", "d1", **NAMING))
    loads.load("sendgrid_events", late)
    loads.load("sendgrid_events", first)
    assert shown(loads) == {("acme", "sendgrid_events"): {"handed_over": 1, "gateway_message": 1}}
