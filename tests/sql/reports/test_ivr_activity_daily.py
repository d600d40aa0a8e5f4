"""ivr_activity_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, Suite, counted, row
from tests.waybill.reports.facts import Facts

CALLS = {
    "sent": 10,
    "completed": 5,
    "no_answer": 2,
    "failed": 2,
    "in_gateway": 1,
    "busy": 1,
    "canceled": 1,
    "human": 3,
    "machine": 2,
    "duration_seconds": 60,
}

SUITE = Suite(
    (row("ivr_activity_daily", **CALLS), row("ivr_activity_daily", sent_day=D2, sent=1, in_gateway=1)),
    control=(counted("ivr_sent", D1, 10), counted("ivr_sent", D2, 1)),
    bad={
        "dimensions_present": [{"campaign_id": None}],
        "counts_not_negative": [{"duration_seconds": -1}, {"human": -1}],
        "parts_sum_to_sent": [{"completed": 4}],
        "parts_within_totals": [{"busy": 3}, {"canceled": 3}, {"human": 9}],
        "sent_matches_facts": [{"sent": 9, "completed": 4}],
    },
    added={
        "not_all_zero": [row("ivr_activity_daily", account="y")],
    },
)


def test_ivr_activity_daily(warehouse: Warehouse, facts: Facts) -> None:
    day = ["2026-03-02"]
    facts.message("a", "ivr", day, state="delivered", answered_by="human", duration_seconds=30)
    facts.message("b", "ivr", day, state="delivered", answered_by="machine_end_beep", duration_seconds=5)
    facts.message("c", "ivr", day, state="delivered", answered_by="fax")
    facts.message("d", "ivr", day, state="delivered", answered_by="unknown")
    facts.message("e", "ivr", day, state="in_gateway", unanswered_type=None)
    for name, state, unanswered in (
        ("f", "not_delivered", "no_answer"),
        ("g", "not_delivered", "busy"),
        ("h", "not_delivered", "failed"),
        ("i", "bounced", "failed"),
        ("j", "not_delivered", "canceled"),
        ("l", "bounced", None),  # its id is also that of a text message, which bounced
    ):
        facts.message(name, "ivr", day, state=state, unanswered_type=unanswered)
    facts.message("k", "ivr", ["2026-03-03"], country="FR")
    base = {"account": "acme", "provider": "twilio", "campaign_id": "(none)"}
    first = {
        "sent_day": D1,
        **base,
        "country": "(none)",
        "sent": 11,
        "completed": 4,
        "no_answer": 2,
        "failed": 4,
        "in_gateway": 1,
        "busy": 1,
        "canceled": 1,
        "human": 1,
        "machine": 2,
        "duration_seconds": 35,
    }
    second = {"sent_day": D2, **base, "country": "FR", "sent": 1, "in_gateway": 1}
    assert rows(warehouse, "ivr_activity_daily") == [first, second]
    assert rows(warehouse, "ivr_activity_daily", [D2]) == [second]
