"""The suite of a load's staging table: a good batch passes; for each rule there is a row that fails only this rule."""

from uuid import UUID

import pytest

from tests.conftest import Warehouse
from tests.expectations.tables import Row, failed, make, rules_of, validate
from tests.waybill.reports.facts import at
from waybill.model.vocabulary import (
    CHANNELS,
    EVENT_TYPES,
    FAILURE_CLASSES,
    FAILURE_EVENTS,
    FAILURE_REASONS,
    NOT_SENT_REASONS,
    SOURCES,
)
from waybill.quality.gate import Subject

SUITE = "event_staging"

GOOD = {
    "event_key": UUID(int=1),
    "event_at": at("2026-03-02 10:00"),
    "channel": "email",
    "event_type": "clicked",
    "provider": "sendgrid",
    "feed": "sendgrid_events",
    "account": "acme",
    "leg_key": UUID(int=2),
    "provider_message_id": "FE4PHg53Rj-c1yWJUY1KHA",
    "campaign_id": "spring",
    "campaign_source": "category",
    "template_id": "t1",
    "template_source": "custom_argument",
    "recipient_key": bytes(32),
    "segments": 0,
    "duration_seconds": 0,
    "object_no": 0,
    "record_no": 1,
}
FAILED = GOOD | {"event_type": "bounced", "failure_class": "unknown", "failure_reason": "unclassified"}
SUPPRESSED = GOOD | {"event_type": "suppressed", "not_sent_category": "other"}


def batch() -> list[dict]:
    """Return rows with every word of the vocabulary, and with texts that only look like an address."""
    rows = [
        GOOD
        | {"channel": channel, "event_type": event_type}
        | ({"failure_class": "unknown", "failure_reason": "unclassified"} if event_type in FAILURE_EVENTS else {})
        | ({"not_sent_category": "other"} if event_type == "suppressed" else {})
        for event_type, channels in EVENT_TYPES.items()
        if event_type != "unknown"
        for channel in channels
    ]
    rows += [FAILED | {"failure_class": failure_class} for failure_class in FAILURE_CLASSES]
    rows += [FAILED | {"failure_reason": reason} for reason in FAILURE_REASONS]
    rows += [SUPPRESSED | {"not_sent_category": category} for category in NOT_SENT_REASONS]
    rows += [GOOD | {"campaign_source": source, "template_source": source} for source in SOURCES]
    rows += [
        GOOD | dict.fromkeys(("campaign_id", "campaign_source", "template_id", "template_source", "recipient_key")),
        GOOD | {"segments": None, "duration_seconds": None, "leg_key": None},
        GOOD | {"event_at": at("2005-01-01 00:00")},
        GOOD | {"event_at": at("2100-12-31 23:59")},
        GOOD | {"url": "https://medium.com/@author/a%20b?to=<recipient>&x=%40home"},
        GOOD | {"provider_reason": "550 5.1.1 <recipient>: 3 @ 5, 100%@x.co"},
        GOOD | {"campaign_id": f"{'0a' * 32}@example.com", "dispatch_id": "sale@home", "template_id": "%C3@x.co"},
        GOOD | {"extra": {"note": "line\n@x.co", "who": "<recipient>"}, "tags": ["@spring", "50%@"]},
    ]
    return rows


# Redaction must have removed the texts below.
BAD: dict[str, list[Row]] = {
    "event_key_present": [{"event_key": None}],
    "event_at_present": [{"event_at": None}],
    "provider_present": [{"provider": None}],
    "feed_present": [{"feed": None}],
    "account_present": [{"account": None}],
    "channel_known": [{"channel": "fax"}, {"channel": None}, {"channel": "Email"}],
    "event_type_known": [{"event_type": "open"}, {"event_type": None}],
    "event_type_on_its_channel": [
        {"channel": channel, "event_type": event_type}
        | ({"failure_class": "unknown", "failure_reason": "unclassified"} if event_type in FAILURE_EVENTS else {})
        for event_type, channels in EVENT_TYPES.items()
        for channel in CHANNELS
        if channel not in channels
    ],
    "failure_class_where_failed": [FAILED | {"failure_class": None}, {"failure_class": "invalid"}],
    "failure_class_known": [FAILED | {"failure_class": "hard"}],
    "failure_reason_where_failed": [FAILED | {"failure_reason": None}, {"failure_reason": "mailbox_full"}],
    "failure_reason_known": [FAILED | {"failure_reason": "full"}],
    "not_sent_category_where_suppressed": [SUPPRESSED | {"not_sent_category": None}, {"not_sent_category": "other"}],
    "not_sent_category_known": [SUPPRESSED | {"not_sent_category": "unsubscribed"}],
    "event_at_in_range": [{"event_at": at("2004-12-31 23:59")}, {"event_at": at("2101-01-01 00:00")}],
    "campaign_source_known": [{"campaign_source": "tag"}, {"campaign_source": None}, {"campaign_id": None}],
    "template_source_known": [{"template_source": "tag"}, {"template_source": None}, {"template_id": None}],
    "no_address_in_texts": [
        {"url": "https://example.com/?to=joe@example.com"},
        {"url": "https://example.com/?to=joe%40example.com"},
        {"url": "https://example.com/?to=joe%2540example.com"},
        {"user_agent": "bot (joe.d+x@mail.example.com)"},
        {"provider_reason": '550 "joe@example.com" is unknown'},
        {"not_sent_reason": "no such person: joe@example.com."},
        {"user_agent": "bot/1.0 (joe%40example.com)"},
        {"provider_code": "bounce/joe@example.com"},
        {"status_code": "5.1.1 joe@example.com"},
        {"provider_event": "open joe@example.com"},
        {"ip": "joe@example.com"},
        {"scope": "group joe@example.com"},
        {"currency": "JOE@EXAMPLE.COM"},
        {"answered_by": "joe%2540example.com"},
    ],
    "no_address_in_ids": [
        {"provider_message_id": "joe@example.com"},
        {"provider_event_id": "x-joe%40example.com"},
        {"dispatch_id": "7/joe@example.com"},
        {"campaign_id": "joe@example.com"},
        {"template_id": "for joe@example.com"},
        {"provider_account": "joe@example.com"},
        {"gateway": "joe@example.com"},
    ],
    "no_address_in_tags": [
        {"tags": ["spring", "joe@example.com"]},
        {"extra": {"to": "joe@example.com"}},
        {"extra": {"joe@example.com": 1}},
        {"extra": {"deep": [{"to": "joe%40example.com"}]}},
    ],
    "recipient_key_length": [{"recipient_key": bytes(31)}, {"recipient_key": b"joe"}],
    "segments_not_negative": [{"segments": -1}],
    "duration_not_negative": [{"duration_seconds": -1}],
    "event_type_mapped": [{"event_type": "unknown"}],
}


def stage(warehouse: Warehouse, rows: list[Row]) -> Subject:
    make(warehouse, "load_1", "select *, 0 as object_no, 0::bigint as record_no from fact.event", rows)
    return Subject(SUITE, "staging.load_1", len(rows))


def test_a_good_batch_passes(warehouse: Warehouse) -> None:
    rows = batch()
    assert len(rows) > 90
    assert failed(validate(warehouse, stage(warehouse, rows))) == []


def test_an_empty_batch_passes(warehouse: Warehouse) -> None:
    assert failed(validate(warehouse, stage(warehouse, []))) == []


def test_each_rule_has_a_test_case() -> None:
    assert ["row_count", *BAD] == rules_of(SUITE)


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_row_fails_exactly_its_rule(warehouse: Warehouse, rule: str) -> None:
    for change in BAD[rule]:
        subject = stage(warehouse, [GOOD, GOOD | change])
        outcome = validate(warehouse, subject)
        assert failed(outcome) == [rule], change
        assert [r.unexpected_count for r in outcome.rules if r.rule == rule] == [1]


def test_the_number_of_staged_rows_is_checked(warehouse: Warehouse) -> None:
    stage(warehouse, [GOOD])
    assert failed(validate(warehouse, Subject(SUITE, "staging.load_1", 2))) == ["row_count"]


def test_a_small_share_of_unmapped_events_only_warns(warehouse: Warehouse) -> None:
    rows = [GOOD] * 198 + [GOOD | {"event_type": "unknown"}] * 2
    assert failed(validate(warehouse, stage(warehouse, rows))) == []
    outcome = validate(warehouse, stage(warehouse, [*rows, GOOD | {"event_type": "unknown"}]))
    assert failed(outcome) == ["event_type_mapped"]
    assert outcome.success and [rule.rule for rule in outcome.warnings] == ["event_type_mapped"]
