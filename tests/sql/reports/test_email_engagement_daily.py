"""email_engagement_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import D3, engagement, rows
from tests.sql.reports.suite import D1, D2, Suite, counted, row
from tests.waybill.reports.facts import Facts

ENGAGED = {
    "open_count": 5,
    "machine_open_count": 2,
    "unique_open_count": 3,
    "unique_human_open_count": 3,
    "click_count": 2,
    "machine_click_count": 1,
    "unique_click_count": 1,
    "unsubscribe_count": 1,
    "suspected_machine_open_count": 3,
    "suspected_machine_click_count": 1,
}
FEWER_OPENS = {"open_count": 4, "machine_open_count": 1}

SUITE = Suite(
    (row("email_engagement_daily", **ENGAGED), row("email_engagement_daily", event_day=D2, unsubscribe_count=1)),
    control=(
        counted("opened", D1, 5),
        counted("clicked", D1, 2),
        counted("unsubscribed", D1, 1),
        counted("unsubscribed", D2, 1),
        counted("email_sent", D1, 99),
    ),
    bad={
        "dimensions_present": [{"campaign_id": None}, {"mailbox_provider": None}],
        "counts_not_negative": [
            {"machine_click_count": -1},
            {"unique_click_count": -1},
            {"suspected_machine_open_count": -1},
            {"suspected_machine_click_count": -1},
        ],
        "parts_within_totals": [
            {"machine_open_count": 6, "unique_human_open_count": 0},
            {"machine_click_count": 3},
            {"suspected_machine_open_count": 4},
            {"suspected_machine_click_count": 2},
            {"unique_open_count": 6},
            {"unique_human_open_count": 4},
            {"unique_click_count": 3},
        ],
        "events_match_facts": [
            FEWER_OPENS,
            {"click_count": 3},
            {"unsubscribe_count": 2},
            {"event_day": D2, "account": "y"},
        ],
    },
    added={
        "not_all_zero": [row("email_engagement_daily", account="y")],
    },
    also={
        "dimensions_present": {"events_match_facts"},
    },
)


def test_email_engagement_daily(warehouse: Warehouse, facts: Facts) -> None:
    engagement(facts)
    spring = {"account": "acme", "provider": "sendgrid", "campaign_id": "spring", "mailbox_provider": "gmail"}
    none = {"account": "acme", "provider": "sendgrid", "campaign_id": "(none)", "mailbox_provider": "(none)"}
    expected = [
        {"event_day": D1, **spring, "open_count": 1, "machine_open_count": 1, "unique_open_count": 1},
        {"event_day": D2, **none, "open_count": 1, "unique_open_count": 1, "unique_human_open_count": 1},
        {
            "event_day": D2,
            **spring,
            "open_count": 2,
            "machine_open_count": 1,
            "unique_human_open_count": 1,
            "click_count": 1,
            "unique_click_count": 1,
            "suspected_machine_open_count": 1,
            "suspected_machine_click_count": 1,
        },
        {"event_day": D3, **spring, "click_count": 1, "machine_click_count": 1, "unsubscribe_count": 1},
    ]
    assert rows(warehouse, "email_engagement_daily") == expected
    assert rows(warehouse, "email_engagement_daily", [D2]) == expected[1:3]
    assert rows(warehouse, "email_engagement_daily", [D1, D3]) == [expected[0], expected[3]]
