"""Every report's SELECT: hand-made facts in, expected rows out."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.facts import ZONE, Facts, at, key
from waybill.reports.catalogue import CONTROL, built_reports, find, statement

D1, D2, D3 = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


def rows(warehouse: Warehouse, name: str, days: list[date] | None = None, zone: str = ZONE) -> list[dict]:
    """Rows of a report's SELECT in the order of its grain, without the measures that are 0."""
    connection = warehouse.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        cursor.execute(statement(name), {"days": days, "report_timezone": zone})
        names = [column.name for column in cursor.description]
        found = cursor.fetchall()
    connection.close()
    grain = ("measure", "day") if name == CONTROL else find(name).grain
    if name != CONTROL:
        assert tuple(names) == find(name).columns
    dicts = [dict(zip(names, row, strict=True)) for row in found]
    dicts.sort(key=lambda row: [str(row[column]) for column in grain])
    return [{k: v for k, v in row.items() if k in grain or v != 0} for row in dicts]


def without(row: dict, *names: str) -> dict:
    return {name: value for name, value in row.items() if name not in names}


def engagement(facts: Facts) -> None:
    """One email opened on three days (twice by a machine), clicked and unsubscribed from; another only opened."""
    facts.message(
        "a", "email", ["2026-03-02", "2026-03-03", "2026-03-04"], campaign_id="spring", mailbox_provider="gmail"
    )
    facts.leg(
        "a",
        "email",
        first_opened_at=at("2026-03-02 10:00"),
        first_human_opened_at=at("2026-03-03 10:00"),
        first_clicked_at=at("2026-03-03 11:00"),
        first_human_clicked_at=at("2026-03-03 11:00"),
    )
    facts.event("a", "opened", at("2026-03-02 10:00"), is_machine=True, machine_rule="mozilla_alone")
    facts.event("a", "opened", at("2026-03-03 10:00"), is_machine=False, machine_rule="google_image_prefetch")
    facts.event("a", "opened", at("2026-03-03 10:30"), is_machine=True)
    facts.event("a", "clicked", at("2026-03-03 11:00"), machine_rule="security_scanner")
    facts.event("a", "clicked", at("2026-03-04 11:00"), is_machine=True)
    facts.event("a", "unsubscribed", at("2026-03-04 12:00"))
    facts.message("b", "email", ["2026-03-03"])
    facts.leg("b", "email", first_opened_at=at("2026-03-03 09:00"), first_human_opened_at=at("2026-03-03 09:00"))
    facts.event("b", "opened", at("2026-03-03 09:00"))
    # counted nowhere: no leg, no email, another kind of event
    facts.event(None, "opened", at("2026-03-03 09:00"))
    facts.message("s", "sms", ["2026-03-03"])
    facts.leg("s", "sms", first_opened_at=at("2026-03-03 09:00"))
    facts.event("s", "opened", at("2026-03-03 09:00"), channel="sms")
    facts.event("b", "delivered", at("2026-03-03 08:00"))


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


def test_email_deliverability_daily(warehouse: Warehouse, facts: Facts) -> None:
    days = ["2026-03-02", "2026-03-03", "2026-03-04"]
    facts.message("a", "email", days, campaign_id="spring", mailbox_provider="gmail")
    # Delivered on the second day after a deferral, bounced on the third, and reported as spam all the same.
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
    # The same message by another gateway, which dropped it; and the dispatch log's leg, which says nothing here.
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


def test_email_failure_reason_daily(warehouse: Warehouse, facts: Facts) -> None:
    days, named = ["2026-03-02", "2026-03-03"], {"campaign_id": "spring", "mailbox_provider": "gmail"}
    full = {"last_failure_class": "soft_bounce", "last_failure_reason": "mailbox_full"}
    malformed = {"last_failure_class": "invalid", "last_failure_reason": "address_malformed"}
    facts.message("a", "email", days, **named)
    facts.leg("a", "email", last_failure_at=at("2026-03-03 10:00"), **full)
    # Another gateway had refused the same message the day before: each counts by its own latest failure.
    facts.leg("a", "email", name="a2", provider="mailgun", last_failure_at=at("2026-03-02 10:00"), **malformed)
    facts.leg("a", "email", name="a3", provider="dispatch")
    for name in ("b", "c"):
        facts.message(name, "email", days[1:], **named)
        facts.leg(name, "email", last_failure_at=at("2026-03-03 11:00"), **full)
    facts.message("d", "email", days[1:])
    facts.leg("d", "email", last_failure_at=at("2026-03-03 12:00"), **malformed)
    # counted nowhere: it did not fail; it is no email
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
    # counted nowhere: never sent, or no email
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


def test_email_link(warehouse: Warehouse, facts: Facts) -> None:
    days, offer, news = ["2026-03-02", "2026-03-03"], "https://acme.example/offer", "https://acme.example/news"
    # Two gateways carried it; clicked through both, on both days, by a machine and by a person.
    facts.message("a", "email", days, campaign_id="spring", is_clicked=True, is_clicked_human=True)
    facts.leg("a", "email", first_clicked_at=at("2026-03-02 10:00"), engaged_days=[D1])
    facts.leg(
        "a", "email", name="a2", provider="mailgun", first_clicked_at=at("2026-03-03 10:00"), engaged_days=[D1, D2]
    )
    facts.event("a", "clicked", at("2026-03-02 10:00"), url=f"{offer}?u=1#top", is_machine=True)
    facts.event("a2", "clicked", at("2026-03-03 10:00"), url=f"{offer}#top?u=1", is_machine=False)
    facts.event("a2", "clicked", at("2026-03-03 11:00"), url=news, is_machine=True)
    facts.event("a2", "opened", at("2026-03-03 11:00"), url=news)
    facts.message("b", "email", days[:1], campaign_id="spring", is_clicked=True)
    facts.leg("b", "email", first_clicked_at=at("2026-03-02 10:00"), engaged_days=[D1])
    facts.event("b", "clicked", at("2026-03-02 10:00"), url=news, is_machine=True)
    facts.message("c", "email", days[1:], is_clicked=True)
    facts.leg("c", "email", first_clicked_at=at("2026-03-03 10:00"), engaged_days=[D2])
    for number, url in enumerate((None, "?u=1", "", "https://acme.example/" + "ü" * 500)):
        facts.event("c", "clicked", at(f"2026-03-03 1{number}:00"), url=url)
    # counted nowhere: unsubscribed from without a click; a click of no leg
    facts.message("d", "email", days, is_clicked=True, is_unsubscribed=True)
    facts.leg("d", "email", engaged_days=[D1])
    facts.event("d", "unsubscribed", at("2026-03-02 10:00"), url=news)
    facts.event(None, "clicked", at("2026-03-02 10:00"), url=news)
    spring = {"sent_day": D1, "account": "acme", "campaign_id": "spring"}
    none = {"sent_day": D2, "account": "acme", "campaign_id": "(none)", "unique_click_count": 1}
    expected = [
        {**spring, "url": news, "click_count": 2, "unique_click_count": 2},
        {**spring, "url": offer, "click_count": 2, "unique_click_count": 1, "unique_human_click_count": 1},
        {**none, "url": "(none)", "click_count": 3, "unique_human_click_count": 1},
        {
            **none,
            "url": "https://acme.example/" + "ü" * (500 - len("https://acme.example/")),
            "click_count": 1,
            "unique_human_click_count": 1,
        },
    ]
    assert rows(warehouse, "email_link") == expected
    # On the day it was sent, also for the click of the day after; and not on that day.
    assert rows(warehouse, "email_link", [D1]) == expected[:2]
    assert rows(warehouse, "email_link", [D2, D3]) == expected[2:]


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


def test_sms_failure_reason_daily(warehouse: Warehouse, facts: Facts) -> None:
    day = ["2026-03-02"]

    def failed(name: str, state: str, days: list[str], *why: str | None, **columns: object) -> None:
        """A failed message; why: class, reason and code of the event that it is put down to."""
        facts.message(name, "sms", days, state=state, **columns)
        facts.leg(name, "sms")
        failure_class, failure_reason, code = why
        event_key = facts.event(
            name,
            "undelivered",
            at(f"{days[0]} 10:00"),
            channel="sms",
            failure_class=failure_class,
            failure_reason=failure_reason,
            provider_code=code,
        )
        facts.run("update fact.message set failure_key = %s where message_key = %s", (event_key, key(name)))

    unreachable = ("soft_bounce", "handset_unreachable", "30003")
    failed("a", "bounced", [*day, "2026-03-03"], *unreachable, country="DE")
    failed("b", "bounced", day, *unreachable, country="DE")
    failed("c", "bounced", day, *unreachable, country="FR", campaign_id="spring", provider=None)
    failed("d", "not_delivered", day, "unknown", "unclassified", None, country="DE")
    facts.message("e", "sms", day, state="not_delivered", country="DE")
    failed("f", "bounced", ["2026-03-03"], "blocked", "carrier_filtered", "30007")
    # counted nowhere: delivered in the end, or no text message
    failed("g", "delivered", day, *unreachable, country="DE")
    facts.message("h", "ivr", day, state="not_delivered")
    base = {"sent_day": D1, "account": "acme"}
    german = {**base, "provider": "twilio", "campaign_id": "(none)", "country": "DE"}
    names = ("failure_class", "failure_reason", "provider_code", "message_count")

    def why(*values: object) -> dict:
        return dict(zip(names, values, strict=True))

    expected = [
        {**base, "provider": "(none)", "campaign_id": "spring", "country": "FR", **why(*unreachable, 1)},
        {**german, **why("(none)", "(none)", "(none)", 1)},
        {**german, **why(*unreachable, 2)},
        {**german, **why("unknown", "unclassified", "(none)", 1)},
        {**german, "sent_day": D2, "country": "(none)", **why("blocked", "carrier_filtered", "30007", 1)},
    ]
    assert rows(warehouse, "sms_failure_reason_daily") == expected
    assert rows(warehouse, "sms_failure_reason_daily", [D1]) == expected[:4]
    assert rows(warehouse, "sms_failure_reason_daily", [D2]) == expected[4:]


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
    ):
        facts.message(name, "ivr", day, state=state, unanswered_type=unanswered)
    facts.message("k", "ivr", ["2026-03-03"], country="FR")
    base = {"account": "acme", "provider": "twilio", "campaign_id": "(none)"}
    first = {
        "sent_day": D1,
        **base,
        "country": "(none)",
        "sent": 10,
        "completed": 4,
        "no_answer": 2,
        "failed": 3,
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
    # One way to write a number, whatever order the prices came in.
    assert [str(row["cost"]) for row in found] == ["0.1", "0.01", "-0.5"]
    assert rows(warehouse, "message_cost_daily", [D1]) == expected[:2]


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
    # The other leg was first: the message is Processed once, a day earlier; Bounced and Blocked overlap.
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
    # An opened, processed text message has no status of its own.
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
    # The dispatch log spoke before the gateways; the second one delivered, after the first began.
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
    # Opened by a person, and no delivery was ever told; the open is the first that was heard of it.
    facts.message("o", "email", ["2026-03-03"])
    facts.leg("o", "email", first_event_at=sent, first_opened_at=sent, first_human_opened_at=sent)
    # counted nowhere: opened by a machine alone, not delivered, a call
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


def test_control_counts_the_facts(warehouse: Warehouse, facts: Facts) -> None:
    engagement(facts)
    facts.event("b", "delivered", at("2026-03-04 08:00"))
    facts.event("b", "dropped", at("2026-03-02 08:00"))
    facts.event("b", "bounced", at("2026-03-04 09:00"))
    facts.event("s", "delivered", at("2026-03-04 08:00"), channel="sms")
    facts.message("t", "sms", ["2026-03-04"], state="bounced")
    facts.message("u", "email", ["2026-03-04"], state="bounced")
    facts.event("s", "sent", at("2026-03-03 08:00"), channel="sms", price=Decimal("0.1"))
    cheap = {
        ("clicked", D2): 1,
        ("clicked", D3): 1,
        ("email_sent", D1): 1,
        ("email_sent", D2): 1,
        ("email_sent", D3): 1,
        ("opened", D1): 1,
        ("opened", D2): 3,
        ("sms_bounced", D3): 1,
        ("sms_sent", D2): 1,
        ("sms_sent", D3): 1,
        ("unsubscribed", D3): 1,
    }
    dear = {
        ("delivered_email_leg", D2): 1,
        ("failed_email_leg", D3): 1,
        ("delivered_of_sent", D2): 2,
        ("email_delivered", D2): 1,
        ("sms_delivered", D3): 1,
        ("priced_leg", D2): 1,
        ("email_targeted", None): 3,
        ("sms_targeted", None): 2,
        ("recounted", None): 1,
    }

    def found(days: list[date] | None) -> dict:
        return {(row["measure"], row["day"]): row["expected"] for row in rows(warehouse, CONTROL, days)}

    assert found(None) == cheap | dear
    assert found([D1, D3]) == {name: count for name, count in cheap.items() if name[1] in (D1, D3)}


CLOCK_CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29), 23),
    ("Europe/Berlin", date(2026, 10, 25), 25),
    # The clock is put back from 01:00 to midnight: the first hour of the day comes twice.
    ("America/Havana", date(2026, 11, 1), 25),
    # Midnight does not exist.
    ("Africa/Cairo", date(2026, 4, 24), 23),
    ("UTC", date(2026, 3, 29), 24),
]
"""Zone, a day on which its clock changes, and the hours of that day."""


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(("zone", "day", "hours"), CLOCK_CHANGES)
def test_a_local_day_is_one_report_day(warehouse: Warehouse, facts: Facts, zone: str, day: date, hours: int) -> None:
    """An open in every half hour around a day on which the clock changes counts on the day that Python says."""
    first = midnight(day, zone) - timedelta(hours=3)
    opens = [first + timedelta(minutes=30 * number) for number in range(2 * (hours + 6))]
    facts.message("a", "email", [day.isoformat()])
    facts.leg("a", "email", first_opened_at=opens[0])
    for opened_at in opens:
        facts.event("a", "opened", opened_at)
    expected = [opened_at for opened_at in opens if opened_at.astimezone(ZoneInfo(zone)).date() == day]
    assert len(expected) == 2 * hours
    found = rows(warehouse, "email_engagement_daily", [day], zone)
    assert [(row["event_day"], row["open_count"]) for row in found] == [(day, 2 * hours)]
    by_day = {row["event_day"]: row["open_count"] for row in rows(warehouse, "email_engagement_daily", None, zone)}
    assert by_day[day] == 2 * hours
    assert sum(by_day.values()) == len(opens)
    control = rows(warehouse, CONTROL, [day], zone)
    assert [row["expected"] for row in control if row["measure"] == "opened"] == [2 * hours]


@pytest.mark.parametrize(("zone", "day", "hours"), CLOCK_CHANGES)
def test_a_click_counts_once_whatever_the_clock_does(
    warehouse: Warehouse, facts: Facts, zone: str, day: date, hours: int
) -> None:
    """Read by ranges around the local days on which there were clicks, none is read twice and none left out."""
    first = midnight(day, zone) - timedelta(hours=24)
    clicks = [first + timedelta(minutes=30 * number) for number in range(2 * (hours + 48))]
    days = sorted({clicked_at.astimezone(ZoneInfo(zone)).date() for clicked_at in clicks})
    assert len(days) == 3
    facts.message("a", "email", ["2026-03-02"], is_clicked=True)
    facts.leg("a", "email", first_clicked_at=clicks[0], engaged_days=days)
    for clicked_at in clicks:
        facts.event("a", "clicked", clicked_at)
    for built in ([D1], None):
        (found,) = rows(warehouse, "email_link", built, zone)
        assert found["click_count"] == len(clicks)


@pytest.mark.parametrize("name", [*(report.name for report in built_reports())])
@pytest.mark.parametrize("days", [None, [], [D1]])
def test_no_facts_no_rows(warehouse: Warehouse, name: str, days: list[date] | None) -> None:
    assert rows(warehouse, name, days) == []


_FORBIDDEN: dict[str, Callable[[str], bool]] = {
    "now()": lambda text: re.search(r"\bnow\s*\(|current_(date|timestamp|time)\b", text) is not None,
    "select *": lambda text: re.search(r"select\s+(\w+\.)?\*", text) is not None,
    "distinct": lambda text: re.search(r"\bdistinct\b", text.replace("is distinct from", "")) is not None,
    "::date at time zone": lambda text: re.search(r"::date\s+at\s+time\s+zone", text) is not None,
    "templating": lambda text: "{" in text,
    "right join": lambda text: "right join" in text,
    "upper case keywords": lambda text: re.search(r"\b(SELECT|FROM|WHERE|GROUP|JOIN)\b", text) is not None,
}


@pytest.mark.parametrize("name", [*(report.name for report in built_reports()), CONTROL])
def test_sql_is_plain(name: str) -> None:
    text = statement(name)
    body = "\n".join(line.split("--")[0] for line in text.splitlines())
    assert [rule for rule, is_broken in _FORBIDDEN.items() if is_broken(body)] == []
    assert len(text.splitlines()) <= 120
    assert body.count(";") == 0
    header = [line.removeprefix("-- ").split(":")[0] for line in text.splitlines() if line.startswith("-- ")]
    assert header[0] in ("report", "control")
    assert {"grain", "reads", "params", "why"} <= set(header)
    grain = re.search(r"^-- grain: (.*)$", text, re.MULTILINE)[1]
    assert tuple(grain.split(", ")) == (("measure", "day") if name == CONTROL else find(name).grain)
    tables = set(re.findall(r"\b(?:from|join) (fact\.\w+)", body))
    assert tables
    assert set(re.search(r"^-- reads: (.*)$", text, re.MULTILINE)[1].split(", ")) == tables
