"""Vonage: the canonical events of its receipts, statuses and calls."""

import json

import pytest

from tests.waybill.feeds.cases import CASES
from tests.waybill.feeds.outcomes import normalise_with, only_event
from waybill.feeds import FEEDS
from waybill.feeds.options import FeedOptions
from waybill.feeds.vonage.webhooks import VonageWebhooks
from waybill.model.event import Event
from waybill.model.vocabulary import FAILURE_CLASSES

SLUG = "vonage_webhooks"
RECEIPT = CASES[SLUG].CASE.record
STATUS = {"message_uuid": "m1", "status": "failed", "to": "12025550123", "timestamp": "2026-03-02T09:20:00Z"}


def event(record: dict[str, object], **values: object) -> Event:
    return only_event(SLUG, json.dumps(record | values).encode())


def test_a_number_without_its_plus_is_the_same_recipient() -> None:
    number = RECEIPT["msisdn"]
    assert event(RECEIPT, msisdn=number[1:]).recipient_key == event(RECEIPT).recipient_key
    assert event(RECEIPT, msisdn=number[1:]).country == "US"
    assert event(STATUS, to={"type": "sms", "number": number[1:]}).recipient == event(STATUS).recipient == number
    messenger = event(STATUS, to=number[1:], channel="messenger")
    assert (messenger.country, event(STATUS).country) == (None, "US")


def test_a_repeated_post_of_a_day_is_one_event() -> None:
    late = event(RECEIPT, **{"message-timestamp": "2026-03-02 23:59:59 +0000"})
    assert late.event_key == event(RECEIPT).event_key
    keys = {event(RECEIPT, status="expired").event_key, event(RECEIPT, messageId="x").event_key}
    assert len(keys | {late.event_key}) == 3


def test_every_code_of_the_table_has_its_class() -> None:
    assert len(VonageWebhooks.class_of_code) == 28 and VonageWebhooks.failure_classes.keys() <= set(FAILURE_CLASSES)
    for code, failure_class in VonageWebhooks.class_of_code.items():
        assert event(RECEIPT, **{"err-code": code}).failure_class == failure_class, code
        assert event(STATUS, error={"title": int(code)}).failure_class == failure_class, code


@pytest.mark.parametrize("reference", ["client-ref", "client_ref"])
def test_the_reference_of_the_customer_is_the_dispatch_id_if_an_option_names_it(reference: str) -> None:
    data = json.dumps(RECEIPT | {reference: "d-1001"}).encode()
    assert only_event(SLUG, data).extra == {reference: "d-1001"}
    feed = FEEDS[SLUG].with_options(FeedOptions(dispatch_id_arguments=(reference,)))
    ((found,),) = normalise_with(feed, data)
    assert (found.dispatch_id, found.extra) == ("d-1001", None)


def test_the_price_is_exact_and_has_a_currency_only_where_the_post_has_one() -> None:
    receipt, status = event(RECEIPT), event(STATUS, usage={"price": "0.0333", "currency": "eur", "new": 1})
    assert (f"{receipt.price:f}", receipt.currency) == ("0.0333", None)
    assert (f"{status.price:f}", status.currency, status.extra) == ("0.0333", "EUR", {"usage": {"new": 1}})
