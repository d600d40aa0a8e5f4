"""email_deliverability_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import D3, rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts, at

SUITE = Suite(
    (
        row(
            "email_deliverability_daily",
            delivered_count=2,
            hard_bounce_count=1,
            soft_bounce_count=2,
            bounced_count=3,
        ),
        row("email_deliverability_daily", event_day=D2, delivered_count=1),
    ),
    control=(RECOUNTED, counted("delivered_email_leg", D1, 2), counted("delivered_email_leg", D2, 1)),
    bad={
        "dimensions_present": [{"event_day": None}, {"account": None}],
        "counts_not_negative": [{"blocked_count": -1}, {"processed_count": -1}],
        "bounced_is_hard_and_soft": [{"bounced_count": 2}, {"hard_bounce_count": 0}],
        "deliveries_match_events": [{"delivered_count": 1}],
    },
    added={
        "not_all_zero": [row("email_deliverability_daily", account="y")],
    },
    also={
        "dimensions_present": {"deliveries_match_events"},
    },
)


def test_email_deliverability_daily(warehouse: Warehouse, facts: Facts) -> None:
    days = ["2026-03-02", "2026-03-03", "2026-03-04"]
    facts.message("a", "email", days, campaign_id="spring", mailbox_provider="gmail")
    # Delivered on the second day after a deferral, bounced on the third, and reported as spam.
    facts.leg(
        "a",
        "email",
        first_processed_at=at("2026-03-02 10:00"),
        first_deferred_at=at("2026-03-02 10:01"),
        first_delivered_at=at("2026-03-03 10:00"),
        first_spam_reported_at=at("2026-03-04 12:00"),
        last_failure_at=at("2026-03-04 10:00"),
        last_failure_class="soft_bounce",
    )
    # The same message at another gateway, which dropped it; and the leg of the dispatch log, which is not counted.
    facts.leg(
        "a",
        "email",
        name="a2",
        provider="mailgun",
        first_processed_at=at("2026-03-02 11:00"),
        first_dropped_at=at("2026-03-02 11:01"),
        last_failure_at=at("2026-03-02 11:01"),
        last_failure_class="gateway_suppressed",
    )
    facts.leg("a", "email", name="a3", provider="dispatch", first_event_at=at("2026-03-02 09:00"))
    for number, failure_class in enumerate(("hard_bounce", "invalid", "blocked", "unknown")):
        facts.message(f"f{number}", "email", ["2026-03-04"])
        facts.leg(f"f{number}", "email", last_failure_at=at("2026-03-04 10:00"), last_failure_class=failure_class)
    facts.message("s", "sms", days)
    facts.leg("s", "sms", first_delivered_at=at("2026-03-03 10:00"))
    spring = {"account": "acme", "campaign_id": "spring", "mailbox_provider": "gmail"}
    expected = [
        {
            "event_day": D1,
            **spring,
            "provider": "mailgun",
            "processed_count": 1,
            "gateway_suppressed_count": 1,
            "dropped_count": 1,
        },
        {"event_day": D1, **spring, "provider": "sendgrid", "processed_count": 1, "deferred_count": 1},
        {"event_day": D2, **spring, "provider": "sendgrid", "delivered_count": 1},
        {
            "event_day": D3,
            "account": "acme",
            "provider": "sendgrid",
            "campaign_id": "(none)",
            "mailbox_provider": "(none)",
            "hard_bounce_count": 1,
            "bounced_count": 1,
            "blocked_count": 1,
            "invalid_count": 1,
            "unclassified_count": 1,
        },
        {
            "event_day": D3,
            **spring,
            "provider": "sendgrid",
            "spam_report_count": 1,
            "soft_bounce_count": 1,
            "bounced_count": 1,
        },
    ]
    assert rows(warehouse, "email_deliverability_daily") == expected
    assert rows(warehouse, "email_deliverability_daily", [D1]) == expected[:2]
    assert rows(warehouse, "email_deliverability_daily", [D2, D3]) == expected[2:]
