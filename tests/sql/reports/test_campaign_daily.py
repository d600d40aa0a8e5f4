"""campaign_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses; and its totals."""

from decimal import Decimal

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts
from waybill.reports.catalogue import statement

COUNTS = {
    "targeted": 40,
    "sent": 24,
    "delivered": 12,
    "bounced_hard": 4,
    "bounced_soft": 4,
    "not_delivered": 2,
    "in_gateway": 2,
    "opened": 8,
    "opened_human": 6,
    "clicked": 4,
    "clicked_human": 2,
    "spam_reported": 2,
    "unsubscribed": 2,
    "not_sent": 12,
    "not_sent_internally_suppressed": 6,
    "not_sent_incomplete_or_invalid": 2,
    "not_sent_system_error": 2,
    "not_sent_other": 2,
    "in_progress": 4,
}

SUITE = Suite(
    (
        row("campaign_daily", channel="email", **COUNTS),
        row("campaign_daily", targeted_day=D2, channel="ivr", targeted=3, sent=3, delivered=3),
    ),
    control=(
        RECOUNTED,
        counted("email_targeted", None, 40),
        counted("ivr_targeted", None, 3),
        counted("email_sent", D1, 99),
    ),
    others={
        "email_campaign": (
            row("email_campaign", sent=15, delivered=8),
            row("email_campaign", provider="y", sent=9, delivered=4),
        ),
        "sms_activity_daily": (),
        "ivr_activity_daily": (row("ivr_activity_daily", sent_day=D2, sent=3, completed=3),),
    },
    bad={
        "dimensions_present": [{"campaign_id": None}],
        "counts_not_negative": [{"unsubscribed": -1}],
        "parts_sum_to_targeted": [{"in_progress": 1}],
        "parts_sum_to_sent": [{"in_gateway": 3}],
        "categories_sum_to_not_sent": [{"not_sent_other": 3}, {"not_sent_system_error": 1}],
        "parts_within_totals": [
            {"clicked": 9},
            {"opened": 13},
            {"opened_human": 9},
            {"clicked_human": 5},
            {"clicked": 8, "clicked_human": 7},
            {"spam_reported": 13},
            {"unsubscribed": 25},
        ],
        "sent_matches_reports": [
            {"campaign_id": "y"},
            {"account": "y"},
            {"targeted_day": D2},
            {"sent": 23, "in_gateway": 1, "in_progress": 5},
            {"delivered": 11, "in_gateway": 3},
        ],
        "targeted_matches_facts": [{"targeted": 41, "in_progress": 5}],
    },
    added={
        "not_all_zero": [row("campaign_daily", account="y", channel="email")],
    },
    also={"dimensions_present": {"sent_matches_reports"}},
    half={name: count // 2 for name, count in COUNTS.items()},
)


def of_every_outcome(facts: Facts) -> None:
    """Write messages of two days and two campaigns, in every state."""
    day, both = ["2026-03-02"], ["2026-03-02", "2026-03-03"]
    opened = {"is_opened": True, "is_opened_human": True}
    facts.message("a", "email", both, state="delivered", campaign_id="x", **opened, is_clicked=True)
    facts.message("b", "email", day, state="delivered", campaign_id="x", is_opened=True, is_unsubscribed=True)
    facts.message("c", "email", day, state="bounced", campaign_id="x", failure_class="invalid")
    facts.message("d", "email", day, state="bounced", campaign_id="x", failure_class="blocked")
    facts.message("e", "email", day, state="not_delivered", campaign_id="x", failure_class=None)
    facts.message("f", "email", day, state="in_gateway", campaign_id="x")
    facts.message("g", "email", day, state="delivered", campaign_id="x", is_spam_reported=True)
    for name, category in (("h", "internally_suppressed"), ("i", "other"), ("j", "system_error")):
        unsent = {"sent_day": None, "not_sent_category": category, "not_sent_reason": "y"}
        facts.message(name, "email", day, state="not_sent", campaign_id="x", **unsent)
    facts.message("k", "email", ["2026-03-03"], sent_day=None, state="in_progress", campaign_id="x")
    facts.message("l", "sms", ["2026-03-03"], state="delivered")


FIRST = {
    **{"targeted_day": D1, "account": "acme", "channel": "email", "campaign_id": "x", "targeted": 10, "sent": 7},
    **{"delivered": 3, "bounced_hard": 1, "bounced_soft": 1, "not_delivered": 1, "in_gateway": 1},
    **{"opened": 2, "opened_human": 1, "clicked": 1, "spam_reported": 1, "unsubscribed": 1, "not_sent": 3},
    **{"not_sent_internally_suppressed": 1, "not_sent_system_error": 1, "not_sent_other": 1},
}
WAITING = {"targeted_day": D2, "account": "acme", "channel": "email", "campaign_id": "x", "targeted": 1} | {
    "in_progress": 1
}
TEXT = {"targeted_day": D2, "account": "acme", "channel": "sms", "campaign_id": "(none)"} | dict.fromkeys(
    ("targeted", "sent", "delivered"), 1
)


def test_campaign_daily(warehouse: Warehouse, facts: Facts) -> None:
    of_every_outcome(facts)
    assert rows(warehouse, "campaign_daily") == [FIRST, WAITING, TEXT]
    assert rows(warehouse, "campaign_daily", [D1]) == [FIRST]
    assert rows(warehouse, "campaign_daily", [D2]) == [WAITING, TEXT]


def test_totals_add_up_campaigns_and_their_rates_are_of_sums(warehouse: Warehouse, facts: Facts) -> None:
    of_every_outcome(facts)
    facts.run(f"insert into report.campaign_daily {statement('campaign_daily')}", {"days": None})
    names = (
        "targeted, sent, not_sent, in_progress, sent_rate, delivery_rate, bounce_rate, open_rate, click_to_open_rate"
    )
    found = warehouse.rows(f"select campaign_id, first_day, last_day, {names} from report.campaign_summary order by 1")
    of_email = tuple(map(Decimal, ("0.636364", "0.428571", "0.285714", "0.666667", "0.5")))
    assert found == [
        ("(none)", D2, D2, 1, 1, 0, 0, 1, 1, 0, 0, None),
        ("x", D1, D2, 11, 7, 3, 1, *of_email),
    ]
    found = warehouse.rows(f"select targeted_day, channel, {names} from report.account_daily order by 1, 2")
    assert found == [
        (D1, "email", 10, 7, 3, 0, Decimal("0.7"), *of_email[1:]),
        (D2, "email", 1, 0, 0, 1, 0, None, None, None, None),
        (D2, "sms", 1, 1, 0, 0, 1, 1, 0, 0, None),
    ]
