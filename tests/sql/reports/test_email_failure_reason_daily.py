"""email_failure_reason_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import D3, rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts, at

FULL = {"failure_class": "soft_bounce", "failure_reason": "mailbox_full"}
UNCLASSIFIED = {"failure_class": "unknown", "failure_reason": "unclassified"}

SUITE = Suite(
    (
        row("email_failure_reason_daily", **FULL, leg_count=2),
        row("email_failure_reason_daily", event_day=D2, **UNCLASSIFIED, leg_count=1),
    ),
    control=(RECOUNTED, counted("failed_email_leg", D1, 2), counted("failed_email_leg", D2, 1)),
    others={
        "email_deliverability_daily": (
            row("email_deliverability_daily", soft_bounce_count=2, bounced_count=2, delivered_count=9),
            row("email_deliverability_daily", event_day=D2, unclassified_count=1),
        )
    },
    bad={
        "dimensions_present": [{"failure_reason": None}, {"event_day": None}],
        "words_known": [{"failure_class": "bounced"}, {"failure_reason": "full"}],
        "reasons_match_deliverability": [
            {"campaign_id": "y"},
            {"failure_class": "blocked"},
        ],
        "failures_match_events": [{"leg_count": 1}, {"event_day": D2}],
    },
    added={
        "legs_counted": [row("email_failure_reason_daily", account="y", **FULL)],
    },
    also={
        "dimensions_present": {
            "words_known",
            "reasons_match_deliverability",
            "failures_match_events",
        },
        "words_known": {"reasons_match_deliverability"},
        "failures_match_events": {"reasons_match_deliverability"},
    },
    half={"leg_count": 1},
)


def test_email_failure_reason_daily(warehouse: Warehouse, facts: Facts) -> None:
    days, named = ["2026-03-02", "2026-03-03"], {"campaign_id": "spring", "mailbox_provider": "gmail"}
    full = {"last_failure_class": "soft_bounce", "last_failure_reason": "mailbox_full"}
    malformed = {"last_failure_class": "invalid", "last_failure_reason": "address_malformed"}
    facts.message("a", "email", days, **named)
    facts.leg("a", "email", last_failure_at=at("2026-03-03 10:00"), **full)
    # Another gateway refused the same message the day before; each leg counts with its own latest failure.
    facts.leg("a", "email", name="a2", provider="mailgun", last_failure_at=at("2026-03-02 10:00"), **malformed)
    facts.leg("a", "email", name="a3", provider="dispatch")
    for name in ("b", "c"):
        facts.message(name, "email", days[1:], **named)
        facts.leg(name, "email", last_failure_at=at("2026-03-03 11:00"), **full)
    facts.message("d", "email", days[1:])
    facts.leg("d", "email", last_failure_at=at("2026-03-03 12:00"), **malformed)
    # not counted: no failure, or no email
    facts.message("e", "email", days, state="delivered")
    facts.leg("e", "email", first_delivered_at=at("2026-03-03 10:00"))
    facts.message("s", "sms", days, state="bounced")
    facts.leg("s", "sms", last_failure_at=at("2026-03-03 10:00"), **malformed)
    full, malformed = ({name.removeprefix("last_"): word for name, word in why.items()} for why in (full, malformed))
    none = {"campaign_id": "(none)", "mailbox_provider": "(none)"}
    expected = [
        {"event_day": D1, "account": "acme", "provider": "mailgun", **named, **malformed, "leg_count": 1},
        {"event_day": D2, "account": "acme", "provider": "sendgrid", **none, **malformed, "leg_count": 1},
        {"event_day": D2, "account": "acme", "provider": "sendgrid", **named, **full, "leg_count": 3},
    ]
    assert rows(warehouse, "email_failure_reason_daily") == expected
    assert rows(warehouse, "email_failure_reason_daily", [D1]) == expected[:1]
    assert rows(warehouse, "email_failure_reason_daily", [D2, D3]) == expected[1:]
