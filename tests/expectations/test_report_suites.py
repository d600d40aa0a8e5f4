"""The suites over the candidates of a build: good rows pass; for each rule one bad row makes exactly it fail."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.conftest import Warehouse
from tests.expectations.tables import Row, failed, make, rules_of, validate
from waybill.quality.gate import Outcome, Subject
from waybill.reports.catalogue import built_reports, find

D1, D2 = date(2026, 3, 2), date(2026, 3, 3)
CONTROL_COLUMNS = "select ''::text as measure, current_date as day, 0::bigint as expected"
NULLABLE = ("_rate", "_p50_seconds", "_p90_seconds", "_p99_seconds")
RECOUNTED = {"measure": "recounted", "day": None, "expected": 1}


class Good(NamedTuple):
    """A candidate that passes.

    :ivar rows: two rows, of two days; the measures left out are 0
    :ivar control: the counts that it is held against
    :ivar others: rows of the candidates of other reports that it is held against
    """

    rows: tuple[Row, Row]
    control: tuple[Row, ...]
    others: Mapping[str, tuple[Row, ...]] = MappingProxyType({})


def row(name: str, **values: object) -> dict[str, object]:
    """A row of a report: texts x, counts 0, rates and percentiles null, unless said otherwise."""
    report = find(name)
    dimensions = dict.fromkeys(report.grain[1:], "x")
    measures = {measure: None if measure.endswith(NULLABLE) else 0 for measure in report.measures}
    return {report.grain[0]: D1, **dimensions, **measures, **values}


def expected(measure: str, day: date, count: int) -> dict[str, object]:
    return {"measure": measure, "day": day, "expected": count}


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
FULL = {"failure_class": "soft_bounce", "failure_reason": "mailbox_full"}
UNCLASSIFIED = {"failure_class": "unknown", "failure_reason": "unclassified"}
FILTERED = {"failure_class": "blocked", "failure_reason": "carrier_filtered", "provider_code": "30007"}
LANDLINE = {"failure_class": "invalid", "failure_reason": "number_not_mobile", "provider_code": "21614"}
CANCELED = dict.fromkeys(("failure_class", "failure_reason", "provider_code"), "(none)")
LINK = {"url": "https://acme.example/offer"}
DELIVERIES = {
    "delivery_count": 4,
    "delivery_p50_seconds": Decimal("0"),
    "delivery_p90_seconds": Decimal("1.5"),
    "delivery_p99_seconds": Decimal("60"),
}
WAITS = DELIVERIES | {
    "human_open_count": 1,
    "human_open_p50_seconds": Decimal("60"),
    "human_open_p90_seconds": Decimal("60"),
    "human_open_p99_seconds": Decimal("60"),
}

GOOD: dict[str, Good] = {
    "email_engagement_daily": Good(
        (row("email_engagement_daily", **ENGAGED), row("email_engagement_daily", event_day=D2, unsubscribe_count=1)),
        (
            expected("opened", D1, 5),
            expected("clicked", D1, 2),
            expected("unsubscribed", D1, 1),
            expected("unsubscribed", D2, 1),
            expected("email_sent", D1, 99),
        ),
    ),
    "email_deliverability_daily": Good(
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
        (RECOUNTED, expected("delivered_email_leg", D1, 2), expected("delivered_email_leg", D2, 1)),
    ),
    "email_failure_reason_daily": Good(
        (
            row("email_failure_reason_daily", **FULL, leg_count=2),
            row("email_failure_reason_daily", event_day=D2, **UNCLASSIFIED, leg_count=1),
        ),
        (RECOUNTED, expected("failed_email_leg", D1, 2), expected("failed_email_leg", D2, 1)),
        {
            "email_deliverability_daily": (
                row("email_deliverability_daily", soft_bounce_count=2, bounced_count=2, delivered_count=9),
                row("email_deliverability_daily", event_day=D2, unclassified_count=1),
            )
        },
    ),
    "email_campaign": Good(
        (
            row("email_campaign", **FUNNEL),
            row("email_campaign", sent_day=D2, sent=1, in_gateway=1, delivery_rate=0, bounce_rate=0),
        ),
        (expected("email_sent", D1, 10), expected("email_sent", D2, 1), expected("sms_sent", D1, 99)),
    ),
    "email_link": Good(
        (
            row("email_link", **LINK, click_count=5, unique_click_count=3, unique_human_click_count=2),
            row("email_link", sent_day=D2, **LINK, click_count=1, unique_click_count=1),
        ),
        (
            RECOUNTED,
            expected("clicked_of_message", D1, 5),
            expected("clicked_of_message", D2, 1),
            expected("clicked", D1, 99),
        ),
        {
            "email_campaign": (
                row("email_campaign", clicked=2, clicked_human=2, unsubscribed=0),
                row("email_campaign", provider="y", clicked=2, clicked_human=1, unsubscribed=1),
                row("email_campaign", sent_day=D2, clicked=1),
                row("email_campaign", sent_day=D2, account="y", clicked=1, clicked_human=1, unsubscribed=1),
            )
        },
    ),
    "sms_activity_daily": Good(
        (
            row("sms_activity_daily", sent=3, delivered=1, undelivered=1, in_gateway=1, segments=4),
            row("sms_activity_daily", sent_day=D2, sent=1, delivered=1),
        ),
        (expected("sms_sent", D1, 3), expected("sms_sent", D2, 1)),
    ),
    "sms_failure_reason_daily": Good(
        (
            row("sms_failure_reason_daily", **FILTERED, message_count=2),
            row("sms_failure_reason_daily", sent_day=D2, **LANDLINE, message_count=1),
        ),
        (expected("sms_bounced", D1, 2), expected("sms_bounced", D2, 1), expected("sms_sent", D2, 99)),
        {
            "sms_activity_daily": (
                row("sms_activity_daily", sent=5, delivered=3, undelivered=2),
                row("sms_activity_daily", country="y", sent=5, delivered=5),
                row("sms_activity_daily", sent_day=D2, sent=1, undelivered=1),
            )
        },
    ),
    "ivr_activity_daily": Good(
        (row("ivr_activity_daily", **CALLS), row("ivr_activity_daily", sent_day=D2, sent=1, in_gateway=1)),
        (expected("ivr_sent", D1, 10), expected("ivr_sent", D2, 1)),
    ),
    "message_cost_daily": Good(
        (
            row("message_cost_daily", priced_leg_count=2, cost=Decimal("0.0150")),
            row("message_cost_daily", sent_day=D2, priced_leg_count=1, cost=Decimal("-1")),
        ),
        (RECOUNTED, expected("priced_leg", D1, 2), expected("priced_leg", D2, 1)),
    ),
    "communication_activity_daily": Good(
        (
            row("communication_activity_daily", channel="email", event_status="Delivered", message_count=2),
            row("communication_activity_daily", event_day=D2, channel="sms", event_status="Delivered", message_count=1),
        ),
        (RECOUNTED, expected("email_delivered", D1, 2), expected("sms_delivered", D2, 1)),
        {"email_deliverability_daily": (row("email_deliverability_daily", delivered_count=2, processed_count=2),)},
    ),
    "delivery_latency_daily": Good(
        (
            row("delivery_latency_daily", channel="email", **WAITS),
            row("delivery_latency_daily", sent_day=D2, channel="sms", mailbox_provider="(none)", **DELIVERIES),
        ),
        (RECOUNTED, expected("delivered_of_sent", D1, 4), expected("delivered_of_sent", D2, 4)),
        {
            "email_campaign": (
                row("email_campaign", sent=4, delivered=3, opened=2, opened_human=1, clicked=1, clicked_human=1),
                row("email_campaign", campaign_id="y", sent=1, delivered=1, opened=1, opened_human=1, spam_reported=1),
                row("email_campaign", provider="y", sent=1),
            ),
            "sms_activity_daily": (row("sms_activity_daily", sent_day=D2, sent=5, delivered=4),),
        },
    ),
}

FEWER_OPENS = {"open_count": 4, "machine_open_count": 1}
BAD: dict[tuple[str, str], list[Row]] = {
    # Changes of the first good row. Those of counts keep every other sum as it is.
    ("email_engagement_daily", "dimensions_present"): [{"campaign_id": None}, {"mailbox_provider": None}],
    ("email_engagement_daily", "counts_not_negative"): [
        {"machine_click_count": -1},
        {"unique_click_count": -1},
        {"suspected_machine_open_count": -1},
        {"suspected_machine_click_count": -1},
    ],
    ("email_engagement_daily", "parts_within_totals"): [
        {"machine_open_count": 6, "unique_human_open_count": 0},
        {"machine_click_count": 3},
        {"suspected_machine_open_count": 4},
        {"suspected_machine_click_count": 2},
        {"unique_open_count": 6},
        {"unique_human_open_count": 4},
        {"unique_click_count": 3},
    ],
    ("email_engagement_daily", "events_match_facts"): [
        FEWER_OPENS,
        {"click_count": 3},
        {"unsubscribe_count": 2},
        {"event_day": D2, "account": "y"},
    ],
    ("email_deliverability_daily", "dimensions_present"): [{"event_day": None}, {"account": None}],
    ("email_deliverability_daily", "counts_not_negative"): [{"blocked_count": -1}, {"processed_count": -1}],
    ("email_deliverability_daily", "bounced_is_hard_and_soft"): [{"bounced_count": 2}, {"hard_bounce_count": 0}],
    ("email_deliverability_daily", "deliveries_match_events"): [{"delivered_count": 1}],
    ("email_failure_reason_daily", "dimensions_present"): [{"failure_reason": None}, {"event_day": None}],
    ("email_failure_reason_daily", "words_known"): [{"failure_class": "bounced"}, {"failure_reason": "full"}],
    ("email_failure_reason_daily", "reasons_match_deliverability"): [
        {"campaign_id": "y"},
        {"failure_class": "blocked"},
    ],
    ("email_failure_reason_daily", "failures_match_events"): [{"leg_count": 1}, {"event_day": D2}],
    ("email_campaign", "dimensions_present"): [{"template_id": None}, {"provider": None}],
    ("email_campaign", "counts_not_negative"): [{"clicked_human": -1}, {"blocked": -1}],
    ("email_campaign", "parts_sum_to_sent"): [{"in_gateway": 0}, {"bounced_hard": 3}, {"not_delivered": 2}],
    ("email_campaign", "parts_within_totals"): [
        {"blocked": 3},
        {"invalid": 3},
        {"clicked": 4},
        {"opened": 5},
        {"opened_human": 4},
        {"clicked_human": 3},
        {"spam_reported": 5},
        {"unsubscribed": 3},
    ],
    ("email_campaign", "rates_in_range"): [{"open_rate": Decimal("1.000001")}, {"bounce_rate": Decimal("-0.1")}],
    ("email_campaign", "rates_where_defined"): [{"open_rate": None}, {"delivery_rate": None}],
    ("email_campaign", "sent_matches_facts"): [{"sent": 9, "in_gateway": 0}, {"sent": 11, "in_gateway": 2}],
    ("email_link", "dimensions_present"): [{"url": None}],
    ("email_link", "parts_within_totals"): [{"unique_human_click_count": 4}, {"click_count": 2}],
    ("email_link", "url_without_query"): [
        {"url": "https://acme.example/?u=1"},
        {"url": "https://acme.example/#top"},
        {"url": ""},
        {"url": "u" * 501},
    ],
    ("email_link", "messages_match_campaign"): [
        {"unique_click_count": 5},
        {"unique_click_count": 2},
        {"unique_human_click_count": 1},
        {"campaign_id": "y"},
        {"sent_day": D2, "url": "https://acme.example/news"},
    ],
    ("email_link", "clicks_match_events"): [{"click_count": 4}, {"click_count": 6}],
    ("sms_activity_daily", "dimensions_present"): [{"country": None}],
    ("sms_activity_daily", "counts_not_negative"): [{"segments": -1}, {"segments": None}],
    ("sms_activity_daily", "parts_sum_to_sent"): [{"undelivered": 0}],
    ("sms_activity_daily", "sent_matches_facts"): [{"sent": 2, "in_gateway": 0}],
    ("sms_failure_reason_daily", "dimensions_present"): [{"provider_code": None}],
    ("sms_failure_reason_daily", "words_known"): [
        {"failure_class": "undelivered"},
        {"failure_reason": "filtered"},
        {"failure_class": "(none)"},
        {"failure_reason": "(none)"},
    ],
    ("sms_failure_reason_daily", "messages_match_undelivered"): [
        {"message_count": 1},
        {"country": "y"},
        {"sent_day": D2},
    ],
    ("sms_failure_reason_daily", "bounced_match_facts"): [CANCELED, FILTERED | {"failure_class": "unknown"}],
    ("ivr_activity_daily", "dimensions_present"): [{"campaign_id": None}],
    ("ivr_activity_daily", "counts_not_negative"): [{"duration_seconds": -1}, {"human": -1}],
    ("ivr_activity_daily", "parts_sum_to_sent"): [{"completed": 4}],
    ("ivr_activity_daily", "parts_within_totals"): [{"busy": 3}, {"canceled": 3}, {"human": 9}],
    ("ivr_activity_daily", "sent_matches_facts"): [{"sent": 9, "completed": 4}],
    ("message_cost_daily", "dimensions_present"): [{"currency": None}],
    ("message_cost_daily", "cost_present"): [{"cost": None}, {"cost": Decimal("NaN")}],
    ("message_cost_daily", "prices_match_events"): [{"priced_leg_count": 1}],
    ("communication_activity_daily", "deliveries_match_events"): [{"message_count": 1}],
    ("delivery_latency_daily", "dimensions_present"): [{"mailbox_provider": None}],
    ("delivery_latency_daily", "messages_counted"): [{"delivery_count": None}, {"human_open_count": -1}],
    ("delivery_latency_daily", "channel_known"): [{"channel": "ivr"}],
    ("delivery_latency_daily", "percentiles_where_counted"): [
        {"delivery_p50_seconds": None},
        {"human_open_p99_seconds": None},
        {"human_open_count": 0},
    ],
    ("delivery_latency_daily", "percentiles_in_order"): [
        {"delivery_p50_seconds": Decimal("-0.001")},
        {"delivery_p90_seconds": Decimal("61")},
        {"human_open_p50_seconds": Decimal("61")},
    ],
    ("delivery_latency_daily", "messages_match_activity"): [
        {"human_open_count": 3},
        {"provider": "y"},
        {"account": "y"},
        {"mailbox_provider": "y"},
    ],
    ("delivery_latency_daily", "deliveries_match_events"): [{"delivery_count": 3}, {"delivery_count": 5}],
}
# Sums that a bad row breaks as well: it is missing where it belongs.
ALSO: dict[tuple[str, str], set[str]] = {
    ("email_engagement_daily", "dimensions_present"): {"events_match_facts"},
    ("email_deliverability_daily", "dimensions_present"): {"deliveries_match_events"},
    ("email_failure_reason_daily", "dimensions_present"): {
        "words_known",
        "reasons_match_deliverability",
        "failures_match_events",
    },
    ("email_failure_reason_daily", "words_known"): {"reasons_match_deliverability"},
    ("email_failure_reason_daily", "failures_match_events"): {"reasons_match_deliverability"},
    ("email_link", "dimensions_present"): {"url_without_query"},
    ("sms_failure_reason_daily", "words_known"): {"bounced_match_facts"},
    ("sms_failure_reason_daily", "messages_match_undelivered"): {"bounced_match_facts"},
    ("email_link", "parts_within_totals"): {"messages_match_campaign", "clicks_match_events"},
    ("delivery_latency_daily", "dimensions_present"): {"messages_match_activity"},
    ("delivery_latency_daily", "messages_counted"): {
        "percentiles_where_counted",
        "messages_match_activity",
        "deliveries_match_events",
    },
    ("delivery_latency_daily", "channel_known"): {"messages_match_activity"},
    ("delivery_latency_daily", "percentiles_where_counted"): {"percentiles_in_order", "messages_match_activity"},
}
# What a row says that, told twice, is the first good one: of reports that are held against other reports.
HALVES: dict[str, Row] = {
    "email_failure_reason_daily": {"leg_count": 1},
    "sms_failure_reason_daily": {"message_count": 1},
    "communication_activity_daily": {"message_count": 1},
}
# Rows that are added, where a change of the first one would break a sum as well.
ADDED: dict[tuple[str, str], list[Row]] = {
    ("sms_activity_daily", "not_all_zero"): [row("sms_activity_daily", account="y")],
    ("ivr_activity_daily", "not_all_zero"): [row("ivr_activity_daily", account="y")],
    ("email_engagement_daily", "not_all_zero"): [row("email_engagement_daily", account="y")],
    ("email_deliverability_daily", "not_all_zero"): [row("email_deliverability_daily", account="y")],
    ("email_campaign", "not_all_zero"): [row("email_campaign", account="y", delivery_rate=0, bounce_rate=0)],
    ("message_cost_daily", "legs_counted"): [row("message_cost_daily", account="y")],
    ("email_failure_reason_daily", "legs_counted"): [row("email_failure_reason_daily", account="y", **FULL)],
    ("sms_failure_reason_daily", "messages_counted"): [row("sms_failure_reason_daily", account="y", **FILTERED)],
    ("email_link", "clicks_counted"): [row("email_link", account="y")],
    ("communication_activity_daily", "dimensions_present"): [
        row("communication_activity_daily", account=None, channel="ivr", event_status="Failed", message_count=1)
    ],
    ("communication_activity_daily", "messages_counted"): [
        row("communication_activity_daily", channel="ivr", event_status="Failed")
    ],
    ("communication_activity_daily", "status_on_its_channel"): [
        row("communication_activity_daily", channel="sms", event_status="Open", message_count=1),
        row("communication_activity_daily", channel="ivr", event_status="completed", message_count=1),
    ],
    ("communication_activity_daily", "within_deliverability"): [
        row("communication_activity_daily", channel="email", event_status="Processed", message_count=3),
        row("communication_activity_daily", event_day=D2, channel="email", event_status="Processed", message_count=1),
    ],
}


def run(
    warehouse: Warehouse, name: str, rows: list[Row], control: tuple[Row, ...] | None = None, lost: int = 0
) -> Outcome:
    """Validate these rows as the candidate of a report; the other candidates are empty where it is."""
    report = find(name)
    make(warehouse, "candidate", f"select {', '.join(report.columns)} from {report.table}", rows)
    make(warehouse, "control", CONTROL_COLUMNS, GOOD[name].control if control is None else control)
    tables = {"control": "staging.control"}
    for other, others in GOOD[name].others.items():
        tables[other] = f"staging.{other}"
        columns = ", ".join(find(other).columns)
        make(warehouse, other, f"select {columns} from {find(other).table}", others if rows else ())
    return validate(warehouse, Subject(name, "staging.candidate", len(rows) + lost, tables, report.shape))


def test_each_report_has_a_suite_and_each_rule_a_case() -> None:
    assert list(GOOD) == [report.name for report in built_reports()]
    rules = {(name, rule) for name in GOOD for rule in rules_of(name, find(name).shape)}
    common = {(name, rule) for name in GOOD for rule in ("row_count", "grain_unique")}
    assert rules == set(BAD) | set(ADDED) | common


@pytest.mark.parametrize("name", GOOD)
def test_good_rows_pass(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, list(GOOD[name].rows))) == []
    assert failed(run(warehouse, name, [], ())) == []


@pytest.mark.parametrize(("name", "rule"), BAD)
def test_one_bad_row_makes_exactly_its_rule_fail(warehouse: Warehouse, name: str, rule: str) -> None:
    first, second = GOOD[name].rows
    for change in BAD[name, rule]:
        outcome = run(warehouse, name, [first | change, second])
        assert set(failed(outcome)) - ALSO.get((name, rule), set()) == {rule}, change


@pytest.mark.parametrize(("name", "rule"), ADDED)
def test_one_row_too_many_makes_exactly_its_rule_fail(warehouse: Warehouse, name: str, rule: str) -> None:
    for added in ADDED[name, rule]:
        assert failed(run(warehouse, name, [*GOOD[name].rows, added])) == [rule], added


@pytest.mark.parametrize("name", GOOD)
def test_a_row_that_comes_twice_fails(warehouse: Warehouse, name: str) -> None:
    """Even where every sum is right."""
    first, second = GOOD[name].rows
    control = [dict(counted) for counted in GOOD[name].control]
    for counted in control:
        if counted["day"] == D1:
            counted["expected"] *= 2
    if name in HALVES:
        first, control = first | HALVES[name], list(GOOD[name].control)
    assert failed(run(warehouse, name, [first, first, second], tuple(control))) == ["grain_unique"]


@pytest.mark.parametrize("name", GOOD)
def test_a_candidate_that_lost_rows_fails(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, [], (), lost=1)) == ["row_count"]


@pytest.mark.parametrize("name", [name for name, good in GOOD.items() if RECOUNTED in good.control])
def test_what_was_not_recounted_is_not_compared(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, list(GOOD[name].rows), ())) == []


@pytest.mark.parametrize("name", GOOD)
def test_a_count_that_no_row_shows_fails(warehouse: Warehouse, name: str) -> None:
    """The day is missing from the report altogether."""
    rules = [rule for rule in rules_of(name, find(name).shape) if "match" in rule]
    assert rules
    assert failed(run(warehouse, name, [GOOD[name].rows[0]])) == rules
