"""email_campaign: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from decimal import Decimal

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, Suite, counted, row
from tests.waybill.reports.facts import Facts

FUNNEL = {
    "sent": 10,
    "delivered": 4,
    "bounced_hard": 2,
    "bounced_soft": 2,
    "blocked": 1,
    "invalid": 1,
    "not_delivered": 1,
    "in_gateway": 1,
    "opened": 3,
    "opened_human": 2,
    "clicked": 2,
    "clicked_human": 1,
    "spam_reported": 1,
    "unsubscribed": 1,
    "delivery_rate": Decimal("0.4"),
    "bounce_rate": Decimal("0.4"),
    "open_rate": Decimal("0.75"),
    "click_rate": Decimal("0.5"),
    "spam_rate": Decimal("0.25"),
    "unsubscribe_rate": Decimal("0.25"),
    "click_to_open_rate": Decimal("0.666667"),
}

SUITE = Suite(
    (
        row("email_campaign", **FUNNEL),
        row("email_campaign", sent_day=D2, sent=1, in_gateway=1, delivery_rate=0, bounce_rate=0),
    ),
    control=(
        counted("email_sent", D1, 10),
        counted("email_sent", D2, 1),
        counted("sms_sent", D1, 99),
    ),
    bad={
        "dimensions_present": [{"template_id": None}, {"provider": None}],
        "counts_not_negative": [{"clicked_human": -1}, {"blocked": -1}],
        "parts_sum_to_sent": [{"in_gateway": 0}, {"bounced_hard": 3}, {"not_delivered": 2}],
        "parts_within_totals": [
            {"blocked": 3},
            {"invalid": 3},
            {"clicked": 4},
            {"opened": 5},
            {"opened_human": 4},
            {"clicked_human": 3},
            {"spam_reported": 5},
            {"unsubscribed": 3},
        ],
        "rates_in_range": [{"open_rate": Decimal("1.000001")}, {"bounce_rate": Decimal("-0.1")}],
        "rates_where_defined": [{"open_rate": None}, {"delivery_rate": None}],
        "sent_matches_facts": [{"sent": 9, "in_gateway": 0}, {"sent": 11, "in_gateway": 2}],
    },
    added={
        "not_all_zero": [row("email_campaign", account="y", delivery_rate=0, bounce_rate=0)],
    },
)


def test_email_campaign(warehouse: Warehouse, facts: Facts) -> None:
    day, named = ["2026-03-02"], {"campaign_id": "spring", "template_id": "t1", "mailbox_provider": "gmail"}
    facts.message("a", "email", [*day, "2026-03-03"], state="delivered", **named)
    facts.message(
        "b",
        "email",
        day,
        state="delivered",
        is_opened=True,
        is_opened_human=True,
        is_clicked=True,
        is_clicked_human=True,
        is_unsubscribed=True,
        **named,
    )
    facts.message("c", "email", day, state="delivered", is_opened=True, is_spam_reported=True, **named)
    for number, failure_class in enumerate(("invalid", "hard_bounce", "soft_bounce", "blocked")):
        facts.message(f"f{number}", "email", day, state="bounced", failure_class=failure_class, **named)
    facts.message("g", "email", day, state="not_delivered", **named)
    facts.message("h", "email", day, state="in_gateway", **named)
    facts.message("i", "email", ["2026-03-03"], provider=None)
    # not counted: never sent, or no email
    facts.message("j", "email", [], state="not_sent")
    facts.message("k", "sms", day, state="delivered")
    spring = {
        "sent_day": D1,
        "account": "acme",
        "provider": "sendgrid",
        **named,
        "sent": 9,
        "delivered": 3,
        "bounced_hard": 2,
        "bounced_soft": 2,
        "blocked": 1,
        "invalid": 1,
        "not_delivered": 1,
        "in_gateway": 1,
        "opened": 2,
        "opened_human": 1,
        "clicked": 1,
        "clicked_human": 1,
        "spam_reported": 1,
        "unsubscribed": 1,
        "delivery_rate": Decimal("0.333333"),
        "bounce_rate": Decimal("0.444444"),
        "open_rate": Decimal("0.666667"),
        "click_rate": Decimal("0.333333"),
        "spam_rate": Decimal("0.333333"),
        "unsubscribe_rate": Decimal("0.333333"),
        "click_to_open_rate": Decimal("0.500000"),
    }
    nothing = {
        "sent_day": D2,
        "account": "acme",
        "provider": "(none)",
        "campaign_id": "(none)",
        "template_id": "(none)",
        "mailbox_provider": "(none)",
        "sent": 1,
        "in_gateway": 1,
        **dict.fromkeys(("open_rate", "click_rate", "spam_rate", "unsubscribe_rate", "click_to_open_rate")),
    }
    assert rows(warehouse, "email_campaign") == [spring, nothing]
    assert rows(warehouse, "email_campaign", [D1]) == [spring]
    # A message that also counts on another day is not counted there.
    assert rows(warehouse, "email_campaign", [D2]) == [nothing]
