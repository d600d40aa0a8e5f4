"""communication_activity_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts, at

SUITE = Suite(
    (
        row("communication_activity_daily", channel="email", event_status="Delivered", message_count=2),
        row("communication_activity_daily", event_day=D2, channel="sms", event_status="Delivered", message_count=1),
    ),
    control=(RECOUNTED, counted("email_delivered", D1, 2), counted("sms_delivered", D2, 1)),
    others={"email_deliverability_daily": (row("email_deliverability_daily", delivered_count=2, processed_count=2),)},
    bad={
        "deliveries_match_events": [{"message_count": 1}],
    },
    added={
        "dimensions_present": [
            row("communication_activity_daily", account=None, channel="ivr", event_status="Failed", message_count=1)
        ],
        "messages_counted": [row("communication_activity_daily", channel="ivr", event_status="Failed")],
        "status_on_its_channel": [
            row("communication_activity_daily", channel="sms", event_status="Open", message_count=1),
            row("communication_activity_daily", channel="ivr", event_status="completed", message_count=1),
        ],
        "within_deliverability": [
            row("communication_activity_daily", channel="email", event_status="Processed", message_count=3),
            row(
                "communication_activity_daily", event_day=D2, channel="email", event_status="Processed", message_count=1
            ),
        ],
    },
    half={"message_count": 1},
)


def test_communication_activity_daily(warehouse: Warehouse, facts: Facts) -> None:
    facts.message("a", "email", ["2026-03-02", "2026-03-03"])
    facts.leg(
        "a",
        "email",
        first_processed_at=at("2026-03-03 10:00"),
        first_delivered_at=at("2026-03-03 10:01"),
        first_opened_at=at("2026-03-03 11:00"),
        first_clicked_at=at("2026-03-03 11:00"),
        first_spam_reported_at=at("2026-03-03 11:00"),
    )
    # The other leg is earlier, so the message is Processed once, a day before; Bounced and Blocked overlap.
    facts.leg(
        "a",
        "email",
        name="a2",
        first_processed_at=at("2026-03-02 10:00"),
        first_bounced_at=at("2026-03-02 10:01"),
        first_blocked_at=at("2026-03-02 10:01"),
        first_invalid_at=at("2026-03-02 10:02"),
        first_dropped_at=at("2026-03-02 10:02"),
    )
    facts.message("b", "sms", ["2026-03-02", "2026-03-03"])
    facts.leg("b", "sms", first_undelivered_at=at("2026-03-03 10:00"), first_dropped_at=at("2026-03-02 10:00"))
    facts.message("c", "sms", ["2026-03-03"])
    # Text messages have no status for opens or processing.
    facts.leg("c", "sms", first_delivered_at=at("2026-03-03 10:00"), first_processed_at=at("2026-03-03 10:00"))
    facts.message("d", "ivr", ["2026-03-03"])
    facts.leg(
        "d",
        "ivr",
        first_completed_at=at("2026-03-03 10:00"),
        first_no_answer_at=at("2026-03-03 10:00"),
        first_failed_at=at("2026-03-03 10:00"),
    )
    expected = {
        (D1, "email", "Blocked"),
        (D1, "email", "Bounced"),
        (D1, "email", "Dropped"),
        (D1, "email", "Invalid"),
        (D1, "email", "Processed"),
        (D1, "sms", "Undelivered"),
        (D2, "email", "Click"),
        (D2, "email", "Delivered"),
        (D2, "email", "Open"),
        (D2, "email", "Spam"),
        (D2, "ivr", "Completed"),
        (D2, "ivr", "Failed"),
        (D2, "ivr", "No-Answer"),
        (D2, "sms", "Delivered"),
    }
    found = rows(warehouse, "communication_activity_daily")
    assert {(row["event_day"], row["channel"], row["event_status"]) for row in found} == expected
    assert all(row["message_count"] == 1 and row["account"] == "acme" for row in found)
    second = rows(warehouse, "communication_activity_daily", [D2])
    assert {(row["event_day"], row["channel"], row["event_status"]) for row in second} == {
        row for row in expected if row[0] == D2
    }
