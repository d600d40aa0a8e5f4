"""The suites of live monitoring: good rows pass; for each rule there is a row that fails only this rule."""

from collections.abc import Iterable

import pytest

from tests.conftest import Warehouse
from tests.expectations.tables import Row, failed, make, rules_of, validate
from waybill.facts.live_counts import LIVE_COUNT, LIVE_ENGAGEMENT, LIVE_REASON, LIVE_TABLES
from waybill.model.vocabulary import NOT_SENT_REASONS
from waybill.quality.gate import Outcome, Subject
from waybill.quality.suites import Shape

SPRING = {"account": "acme", "campaign_id": "spring", "channel": "email"}
NEWS = {"account": "acme", "campaign_id": "(none)", "channel": "sms"}
COUNTED = {
    "targeted": 20,
    "sent": 12,
    "delivered": 4,
    "bounced_hard": 3,
    "bounced_soft": 2,
    "not_delivered": 2,
    "in_gateway": 1,
    "marked_spam": 1,
    "marked_unsubscribed": 2,
    "not_sent": 5,
    "not_sent_internally_suppressed": 2,
    "not_sent_incomplete_or_invalid": 1,
    "not_sent_system_error": 1,
    "not_sent_other": 1,
    "in_progress_queued": 2,
    "in_progress_about_to_be_sent": 1,
}
QUEUED = dict.fromkeys(COUNTED, 0) | {"targeted": 1, "in_progress_queued": 1}
NDNC = {"category": "internally_suppressed", "reason": "ndnc"}
WHY = (
    NDNC | {"message_count": 1},
    {"category": "internally_suppressed", "reason": "unsubscribed", "message_count": 1},
    {"category": "incomplete_or_invalid", "reason": "coupon_expired", "message_count": 1},
    {"category": "system_error", "reason": "system_timeout", "message_count": 1},
    {"category": "other", "reason": "unclassified", "message_count": 1},
)
SHAPES = {table.name: Shape(table.grain, table.measures) for table in LIVE_TABLES}
GOOD: dict[str, tuple[Row, ...]] = {
    "live_count": (SPRING | COUNTED, NEWS | QUEUED),
    "live_reason": tuple(SPRING | why for why in WHY),
    "live_engagement": (SPRING | {"delivered": 4, "opened": 3, "clicked": 2},),
}
CONTROL = tuple(
    {"measure": measure, "day": None, "expected": count}
    for measure, count in (
        ("recounted", 1),
        ("email_targeted", 20),
        ("email_sent", 7),
        ("email_sent", 5),
        ("sms_targeted", 1),
        ("opened", 99),
    )
)

BAD: dict[tuple[str, str], list[Row]] = {
    # Changes of the first good row. Changes of counts do not change any other sum.
    ("live_count", "dimensions_present"): [{"account": None}, {"campaign_id": None}],
    ("live_count", "counts_not_negative"): [{"marked_spam": -1}, {"marked_unsubscribed": -1}],
    ("live_count", "messages_counted"): [dict.fromkeys(COUNTED, 0)],
    ("live_count", "words_known"): [{"channel": "fax"}],
    ("live_count", "parts_sum_to_targeted"): [{"in_progress_queued": 3}, {"in_progress_about_to_be_sent": 0}],
    ("live_count", "parts_sum_to_sent"): [{"delivered": 5}, {"in_gateway": 0}, {"bounced_hard": 2}],
    ("live_count", "parts_sum_to_not_sent"): [{"not_sent_other": 0}, {"not_sent_system_error": 2}],
    ("live_count", "parts_within_totals"): [{"marked_spam": 5}, {"marked_unsubscribed": 13}],
    ("live_count", "messages_match_facts"): [
        {"targeted": 21, "in_progress_queued": 3},
        {"sent": 11, "in_gateway": 0, "in_progress_queued": 3},
        {"channel": "ivr"},
    ],
    ("live_reason", "dimensions_present"): [{"campaign_id": None}],
    ("live_reason", "messages_counted"): [{"message_count": 0}, {"message_count": -1}],
    ("live_reason", "words_known"): [{"reason": "system_timeout"}, {"reason": "unclassified"}],
    ("live_reason", "reasons_match_not_sent"): [{"message_count": 2}, {"channel": "sms"}, {"account": "beta"}],
    ("live_engagement", "dimensions_present"): [{"channel": None}],
    ("live_engagement", "counts_not_negative"): [{"clicked": -1}],
    ("live_engagement", "not_all_zero"): [{"delivered": 0, "opened": 0, "clicked": 0}],
    ("live_engagement", "parts_within_totals"): [{"clicked": 4}, {"opened": 5}],
    ("live_engagement", "deliveries_match_live_count"): [{"delivered": 3}, {"campaign_id": "other"}],
}
# Rules that a change also breaks: with a null the grain matches no other row, and an empty row matches no channel.
ALSO = {
    ("live_count", "messages_counted"): {"messages_match_facts"},
    ("live_count", "words_known"): {"messages_match_facts"},
    ("live_reason", "dimensions_present"): {"reasons_match_not_sent"},
    ("live_reason", "messages_counted"): {"reasons_match_not_sent"},
    ("live_engagement", "dimensions_present"): {"deliveries_match_live_count"},
    ("live_engagement", "not_all_zero"): {"deliveries_match_live_count"},
}


def run(
    warehouse: Warehouse, name: str, rows: Iterable[Row], control: Iterable[Row] = CONTROL, lost: int = 0
) -> Outcome:
    """Validate the rows as the candidate of that name, together with good rows of live_count."""
    rows = list(rows)
    make(warehouse, "control", "select ''::text as measure, current_date as day, 0::bigint as expected", list(control))
    tables = {"control": "staging.control"}
    for table in LIVE_TABLES:
        columns = f"select {', '.join(table.columns)} from {table.table}"
        make(warehouse, table.name, columns, rows if table.name == name else GOOD[table.name])
        tables[table.name] = f"staging.{table.name}"
    return validate(warehouse, Subject(name, f"staging.{name}", len(rows) + lost, tables, SHAPES[name]))


def test_each_table_has_a_suite_and_each_rule_a_test_case() -> None:
    assert list(GOOD) == [table.name for table in LIVE_TABLES]
    assert set(GOOD["live_count"][0]) == set(LIVE_COUNT.columns)
    assert set(GOOD["live_reason"][0]) == set(LIVE_REASON.columns)
    assert set(GOOD["live_engagement"][0]) == set(LIVE_ENGAGEMENT.columns)
    rules = {(name, rule) for name in GOOD for rule in rules_of(name, SHAPES[name])}
    assert rules == set(BAD) | {(name, rule) for name in GOOD for rule in ("row_count", "grain_unique")}


@pytest.mark.parametrize("name", GOOD)
def test_good_rows_pass(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, GOOD[name])) == []


@pytest.mark.parametrize(("name", "rule"), BAD)
def test_a_bad_row_fails_exactly_its_rule(warehouse: Warehouse, name: str, rule: str) -> None:
    first, *others = GOOD[name]
    for change in BAD[name, rule]:
        outcome = run(warehouse, name, [first | change, *others])
        assert set(failed(outcome)) - ALSO.get((name, rule), set()) == {rule}, change


@pytest.mark.parametrize("name", GOOD)
def test_a_duplicate_row_fails(warehouse: Warehouse, name: str) -> None:
    first, *others = GOOD[name]
    assert "grain_unique" in failed(run(warehouse, name, [first, first, *others]))


@pytest.mark.parametrize("name", GOOD)
def test_a_candidate_that_lost_rows_fails(warehouse: Warehouse, name: str) -> None:
    assert failed(run(warehouse, name, GOOD[name], lost=1)) == ["row_count"]


def test_counts_that_were_not_recounted_are_not_compared(warehouse: Warehouse) -> None:
    assert failed(run(warehouse, "live_count", GOOD["live_count"], control=CONTROL[1:2])) == []


def test_a_campaign_without_its_reasons_or_deliveries_fails(warehouse: Warehouse) -> None:
    assert failed(run(warehouse, "live_reason", [])) == ["reasons_match_not_sent"]
    assert failed(run(warehouse, "live_engagement", [])) == ["deliveries_match_live_count"]
    assert failed(run(warehouse, "live_count", [])) == ["messages_match_facts"]


def test_every_reason_passes_only_in_its_own_category(warehouse: Warehouse) -> None:
    known = [
        SPRING | {"category": category, "reason": reason, "message_count": 1}
        for category, reasons in NOT_SENT_REASONS.items()
        for reason in reasons
    ]
    assert "words_known" not in failed(run(warehouse, "live_reason", known))
    strangers = [row | {"category": "other"} for row in known if row["category"] != "other"]
    outcome = run(warehouse, "live_reason", strangers)
    (found,) = [rule.unexpected_count for rule in outcome.rules if rule.rule == "words_known"]
    assert found == len(strangers) > 20
