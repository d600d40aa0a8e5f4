"""delivery_latency_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

import re
from datetime import timedelta
from decimal import Decimal

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts, at

DELIVERIES = {
    "delivery_count": 4,
    "delivery_p50_seconds": Decimal("0"),
    "delivery_p90_seconds": Decimal("1.5"),
    "delivery_p99_seconds": Decimal("60"),
}
WAITS = DELIVERIES | {
    "human_open_count": 1,
    "human_open_p50_seconds": Decimal("60"),
    "human_open_p90_seconds": Decimal("60"),
    "human_open_p99_seconds": Decimal("60"),
}

SUITE = Suite(
    (
        row("delivery_latency_daily", channel="email", **WAITS),
        row("delivery_latency_daily", sent_day=D2, channel="sms", mailbox_provider="(none)", **DELIVERIES),
    ),
    control=(RECOUNTED, counted("delivered_of_sent", D1, 4), counted("delivered_of_sent", D2, 4)),
    others={
        "email_campaign": (
            row("email_campaign", sent=4, delivered=3, opened=2, opened_human=1, clicked=1, clicked_human=1),
            row("email_campaign", campaign_id="y", sent=1, delivered=1, opened=1, opened_human=1, spam_reported=1),
            row("email_campaign", provider="y", sent=1),
        ),
        "sms_activity_daily": (row("sms_activity_daily", sent_day=D2, sent=5, delivered=4),),
    },
    bad={
        "dimensions_present": [{"mailbox_provider": None}],
        "messages_counted": [{"delivery_count": None}, {"human_open_count": -1}],
        "channel_known": [{"channel": "ivr"}],
        "percentiles_where_counted": [
            {"delivery_p50_seconds": None},
            {"human_open_p99_seconds": None},
            {"human_open_count": 0},
        ],
        "percentiles_in_order": [
            {"delivery_p50_seconds": Decimal("-0.001")},
            {"delivery_p90_seconds": Decimal("61")},
            {"human_open_p50_seconds": Decimal("61")},
        ],
        "messages_match_activity": [
            {"human_open_count": 3},
            {"provider": "y"},
            {"account": "y"},
            {"mailbox_provider": "y"},
        ],
        "deliveries_match_events": [{"delivery_count": 3}, {"delivery_count": 5}],
    },
    also={
        "dimensions_present": {"messages_match_activity"},
        "messages_counted": {
            "percentiles_where_counted",
            "messages_match_activity",
            "deliveries_match_events",
        },
        "channel_known": {"messages_match_activity"},
        "percentiles_where_counted": {"percentiles_in_order", "messages_match_activity"},
    },
)


def test_delivery_latency_daily(warehouse: Warehouse, facts: Facts) -> None:
    sent, gmail = at("2026-03-02 10:00"), {"mailbox_provider": "gmail"}
    for number in range(1, 11):
        facts.message(f"e{number}", "email", ["2026-03-02", "2026-03-03"], **gmail)
        facts.leg(
            f"e{number}",
            "email",
            first_event_at=sent,
            first_delivered_at=sent + timedelta(seconds=number, microseconds=500),
            first_human_opened_at=sent + timedelta(days=number) if number < 3 else None,
        )
    # The dispatch log is earlier than both gateways; the second gateway delivered after the first began.
    facts.message("t", "sms", ["2026-03-03"], provider=None)
    facts.leg("t", "sms", provider="dispatch", first_event_at=at("2026-03-03 09:00"))
    facts.leg("t", "sms", name="t1", first_event_at=at("2026-03-03 10:00"))
    facts.leg(
        "t",
        "sms",
        name="t2",
        provider="plivo",
        first_event_at=at("2026-03-03 11:00"),
        first_delivered_at=at("2026-03-03 11:00:30"),
    )
    # Opened by a person without a reported delivery; the open is its first event.
    facts.message("o", "email", ["2026-03-03"])
    facts.leg("o", "email", first_event_at=sent, first_opened_at=sent, first_human_opened_at=sent)
    # not counted: opened only by a machine, not delivered, a call
    facts.message("m", "email", ["2026-03-03"])
    facts.leg("m", "email", first_event_at=sent, first_opened_at=sent)
    facts.message("n", "email", ["2026-03-03"])
    facts.leg("n", "email", first_event_at=sent, last_failure_at=sent)
    facts.message("c", "ivr", ["2026-03-03"])
    facts.leg("c", "ivr", first_event_at=sent, first_completed_at=sent, last_delivered_at=sent)
    waits = {
        "delivery_count": 10,
        "delivery_p50_seconds": Decimal("5.001"),
        "delivery_p90_seconds": Decimal("9.001"),
        "delivery_p99_seconds": Decimal("10.001"),
        "human_open_count": 2,
        "human_open_p50_seconds": Decimal(86_400),
        "human_open_p90_seconds": Decimal(172_800),
        "human_open_p99_seconds": Decimal(172_800),
    }
    no_delivery = dict.fromkeys(name for name in waits if re.match(r"delivery_p", name))
    no_open = dict.fromkeys(name for name in waits if re.match(r"human_open_p", name))
    an_hour = {name: Decimal(3630) for name in no_delivery}
    base = {"account": "acme", "channel": "email", "provider": "sendgrid"}
    expected = [
        {"sent_day": D1, **base, **gmail, **waits},
        {"sent_day": D2, **base, "mailbox_provider": "(none)", "human_open_count": 1, **no_delivery},
        {
            "sent_day": D2,
            **base,
            "channel": "sms",
            "provider": "(none)",
            "mailbox_provider": "(none)",
            "delivery_count": 1,
            **an_hour,
            **no_open,
        },
    ]
    assert rows(warehouse, "delivery_latency_daily") == expected
    assert rows(warehouse, "delivery_latency_daily", [D1]) == expected[:1]
    assert rows(warehouse, "delivery_latency_daily", [D2]) == expected[1:]
