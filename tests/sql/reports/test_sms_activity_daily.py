"""sms_activity_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, Suite, counted, row
from tests.waybill.reports.facts import Facts

SUITE = Suite(
    (
        row("sms_activity_daily", sent=3, delivered=1, undelivered=1, in_gateway=1, segments=4),
        row("sms_activity_daily", sent_day=D2, sent=1, delivered=1),
    ),
    control=(counted("sms_sent", D1, 3), counted("sms_sent", D2, 1)),
    bad={
        "dimensions_present": [{"country": None}],
        "counts_not_negative": [{"segments": -1}, {"segments": None}],
        "parts_sum_to_sent": [{"undelivered": 0}],
        "sent_matches_facts": [{"sent": 2, "in_gateway": 0}],
    },
    added={
        "not_all_zero": [row("sms_activity_daily", account="y")],
    },
)


def test_sms_activity_daily(warehouse: Warehouse, facts: Facts) -> None:
    day = ["2026-03-02"]
    facts.message("a", "sms", [*day, "2026-03-03"], state="delivered", country="DE", segments=3)
    facts.message("b", "sms", day, state="bounced", failure_class="invalid", country="DE", segments=1)
    facts.message("c", "sms", day, state="not_delivered", country="DE")
    facts.message("d", "sms", day, state="in_gateway", campaign_id="spring")
    facts.message("e", "email", day, state="delivered")
    facts.message("f", "sms", [], state="in_progress")
    base = {"sent_day": D1, "account": "acme", "provider": "twilio"}
    expected = [
        {**base, "campaign_id": "(none)", "country": "DE", "sent": 3, "delivered": 1, "undelivered": 2, "segments": 4},
        {**base, "campaign_id": "spring", "country": "(none)", "sent": 1, "in_gateway": 1},
    ]
    assert rows(warehouse, "sms_activity_daily") == expected
    assert rows(warehouse, "sms_activity_daily", [D1]) == expected
    assert rows(warehouse, "sms_activity_daily", [D2]) == []
