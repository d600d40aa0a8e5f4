"""Postmark: the canonical events of its posts."""

import json

import pytest

from tests.waybill.feeds.outcomes import normalise, only_event, reasons_of
from waybill.feeds.providers import MESSAGE_IDS
from waybill.model.event import Event

OPEN = {
    "RecordType": "Open",
    "MessageID": "0f4c1d2e-1111-4222-8333-944444444401",
    "Recipient": "ana@inbox.example",
    "ReceivedAt": "2026-03-02T09:15:11.2735393Z",
    "Geo": {"IP": "192.0.2.50", "City": "Berlin"},
    "UserAgent": "Mozilla/5.0",
}
BOUNCE = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "MessageID": "m1",
    "Email": "bo@nowhere.example",
    "BouncedAt": "2026-03-02T09:15:11Z",
}
CHANGE = {
    "RecordType": "SubscriptionChange",
    "MessageID": "m1",
    "Recipient": "ana@inbox.example",
    "ChangedAt": "2026-03-02T09:15:11Z",
}


def event(record: dict[str, object], **values: object) -> Event:
    return only_event("postmark_webhooks", json.dumps(record | values).encode())


def test_fractions_of_a_second_and_the_zone_do_not_change_the_key() -> None:
    one, other = event(OPEN), event(OPEN, ReceivedAt="2026-03-02T04:15:11.9999999-05:00")
    assert one.event_key == other.event_key
    assert (one.event_at.microsecond, other.event_at.microsecond) == (273539, 999999)


@pytest.mark.parametrize(
    "change", [{"UserAgent": "other"}, {"Geo": {"IP": "192.0.2.51"}}, {"Recipient": "b@c.example"}]
)
def test_another_reader_is_another_open(change: dict[str, object]) -> None:
    assert event(OPEN).event_key != event(OPEN, **change).event_key


def test_the_id_of_a_message_has_one_spelling_and_zeros_are_no_id() -> None:
    assert event(OPEN).leg_key == event(OPEN, MessageID=OPEN["MessageID"].upper()).leg_key
    zeros = "00000000-0000-0000-0000-000000000000"
    assert event(OPEN, MessageID=zeros).leg_key is None
    assert MESSAGE_IDS["postmark"].message_id(zeros) == ""


@pytest.mark.parametrize(
    ("details", "failure_class", "failure_reason"),
    [
        ("smtp;550 5.1.1 unknown", "invalid", "address_not_found"),
        ("smtp;550 5.1.2 no such domain", "invalid", "domain_not_found"),
        ("smtp;552 5.2.2 mailbox is full", "hard_bounce", "mailbox_full"),
        (None, "invalid", "address_not_found"),
    ],
)
def test_a_hard_bounce_is_permanent_whatever_its_text(
    details: str | None, failure_class: str, failure_reason: str
) -> None:
    found = event(BOUNCE, Details=details)
    assert (found.failure_class, found.failure_reason) == (failure_class, failure_reason)


@pytest.mark.parametrize(
    ("values", "event_type", "word"),
    [
        ({"SuppressSending": False, "SuppressionReason": None}, "resubscribed", "SubscriptionChange"),
        ({"SuppressSending": False, "SuppressionReason": "HardBounce"}, "resubscribed", "SubscriptionChange"),
        ({"SuppressionReason": "ManualSuppression"}, "unsubscribed", "SubscriptionChange/ManualSuppression"),
        ({"SuppressSending": True}, "unknown", "SubscriptionChange/"),
    ],
)
def test_only_a_change_that_does_not_suppress_is_a_return(
    values: dict[str, object], event_type: str, word: str
) -> None:
    found = event(CHANGE, **values)
    assert (found.event_type, found.provider_event) == (event_type, word)


def test_ids_leave_the_metadata_and_the_rest_stays() -> None:
    found = event(OPEN, Metadata={"dispatch_id": "d1", "template_id": "t", "order": "7"}, Tag="invoice")
    assert (found.dispatch_id, found.template_id, found.template_source) == ("d1", "t", "custom_argument")
    assert (found.campaign_id, found.campaign_source, found.tags) == ("invoice", "category", ["invoice"])
    assert found.extra == {"Metadata": {"order": "7"}, "Geo": {"City": "Berlin"}}


def test_the_content_of_a_bounced_message_is_not_kept() -> None:
    assert event(BOUNCE, Content="Dear Bo", Subject="Your order, Bo").extra is None


def test_an_inbound_message_is_ignored_and_a_record_of_no_type_rejected() -> None:
    assert normalise("postmark_webhooks", b'{"FromFull":{"Email":"ana@inbox.example"},"MessageID":"m"}') == [[]]
    assert reasons_of("postmark_webhooks", b'{"MessageID":"m"}') == ["RecordType: missing"]
