"""message_cost_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from decimal import Decimal

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts

SUITE = Suite(
    (
        row("message_cost_daily", priced_leg_count=2, cost=Decimal("0.0150")),
        row("message_cost_daily", sent_day=D2, priced_leg_count=1, cost=Decimal("-1")),
    ),
    control=(RECOUNTED, counted("priced_leg", D1, 2), counted("priced_leg", D2, 1)),
    bad={
        "dimensions_present": [{"currency": None}],
        "cost_present": [{"cost": None}, {"cost": Decimal("NaN")}],
        "prices_match_events": [{"priced_leg_count": 1}],
    },
    added={
        "legs_counted": [row("message_cost_daily", account="y")],
    },
)


def test_message_cost_daily(warehouse: Warehouse, facts: Facts) -> None:
    facts.message("a", "sms", ["2026-03-02"], campaign_id="spring", country="DE")
    facts.leg("a", "sms", price=Decimal("0.00750"), currency="USD")
    facts.leg("a", "sms", name="a2", provider="plivo", price=Decimal("0.1"), currency="EUR")
    facts.leg("a", "sms", name="a3", provider="dispatch")
    facts.message("b", "sms", ["2026-03-02"], campaign_id="spring", country="DE")
    facts.leg("b", "sms", price=Decimal("0.0025"), currency="USD")
    facts.message("c", "ivr", ["2026-03-03"])
    facts.leg("c", "ivr", price=Decimal("-0.5"), currency=None)
    facts.message("d", "sms", [])
    facts.leg("d", "sms", price=Decimal("9"), currency="USD")
    spring = {"sent_day": D1, "account": "acme", "channel": "sms", "campaign_id": "spring", "country": "DE"}
    expected = [
        {**spring, "provider": "plivo", "currency": "EUR", "priced_leg_count": 1, "cost": Decimal("0.1")},
        {**spring, "provider": "twilio", "currency": "USD", "priced_leg_count": 2, "cost": Decimal("0.01")},
        {
            "sent_day": D2,
            "account": "acme",
            "channel": "ivr",
            "provider": "twilio",
            "campaign_id": "(none)",
            "country": "(none)",
            "currency": "(none)",
            "priced_leg_count": 1,
            "cost": Decimal("-0.5"),
        },
    ]
    found = rows(warehouse, "message_cost_daily")
    assert found == expected
    # A sum has the same decimals in any order of the prices.
    assert [str(row["cost"]) for row in found] == ["0.1", "0.01", "-0.5"]
    assert rows(warehouse, "message_cost_daily", [D1]) == expected[:2]
