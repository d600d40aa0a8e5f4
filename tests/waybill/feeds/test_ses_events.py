"""SES events: recipients, routes, nested fields, changes of subscriptions."""

import json

import pytest

from tests.waybill.feeds.golden.ses_events.case import CASE, firehose
from tests.waybill.feeds.outcomes import events_of, keys_of, only_event, reasons_of
from waybill.feeds.providers import MESSAGE_IDS

MAIL = {
    "timestamp": "2026-03-02T09:14:18.012Z",
    "messageId": "0102018f-1",
    "destination": ["ana@inbox.example", "bo@inbox.example"],
}
BOUNCE = {
    "timestamp": "2026-03-02T09:14:21.669Z",
    "bounceType": "Permanent",
    "bouncedRecipients": [{"emailAddress": address, "action": "failed"} for address in MAIL["destination"]],
    "feedbackId": "f-1",
}


def file(word: str, name: str, part: object, **mail: object) -> bytes:
    return firehose([{"eventType": word, "mail": MAIL | mail, name: part}])


def test_each_recipient_of_a_record_has_an_event_and_a_leg():
    events = events_of("ses_events", file("Bounce", "bounce", BOUNCE))
    assert [event.recipient for event in events] == MAIL["destination"]
    assert len(set(keys_of(events))) == len({event.leg_key for event in events}) == 2
    assert {event.extra["bounce"]["action"] for event in events} == {"failed"}


@pytest.mark.parametrize("changed", [{"feedbackId": "f-2"}, {"timestamp": "2026-03-02T09:14:21 +0000"}])
def test_a_bounce_that_is_published_twice_is_one_event(changed: dict):
    one, other = (events_of("ses_events", file("Bounce", "bounce", part)) for part in (BOUNCE, BOUNCE | changed))
    assert keys_of(one) == keys_of(other)


@pytest.mark.parametrize("word", ["Open", "Click"])
def test_engagement_with_several_possible_recipients_names_no_message(word: str):
    event = only_event("ses_events", file(word, word.lower(), {"timestamp": "2026-03-02T09:14:21Z"}))
    assert (event.recipient, event.leg_key) == (None, None)


def test_unknown_fields_of_the_inner_objects_are_kept_without_addresses():
    part = {"timestamp": "2026-03-02T09:14:21Z", "recipients": ["ana@inbox.example"], "seen": "by bo@inbox.example"}
    event = only_event("ses_events", file("Delivery", "delivery", part, brandNew={"for": "ana@inbox.example"}))
    assert event.extra["delivery"] == {"seen": "by <recipient>"}
    assert event.extra["mail"] == {"brandNew": {"for": "<recipient>"}}


def test_no_stored_text_of_a_bounce_contains_another_recipient():
    text = "smtp; 550 ana@inbox.example and bo@inbox.example are unknown"
    recipients = [{"emailAddress": address, "diagnosticCode": text} for address in MAIL["destination"]]
    for event in events_of("ses_events", file("Bounce", "bounce", BOUNCE | {"bouncedRecipients": recipients})):
        assert event.provider_reason == "smtp; 550 <recipient> and <recipient> are unknown"
        assert "inbox.example" not in json.dumps(event.extra)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"mail.destination": [], "eventType": "Send"}, "mail.destination: missing"),
        ({"mail.destination": [None]}, "mail.destination: an address is missing"),
        ({"mail": None}, "mail: missing"),
        ({"eventType": None}, "eventType: missing"),
        ({"click": None}, "click.timestamp: missing"),
        ({"eventType": "Send", "mail.timestamp": ["2026-03-02T09:14:21Z"]}, "mail.timestamp: missing"),
    ],
)
def test_a_record_without_what_an_event_needs_is_rejected(values: dict, reason: str):
    assert reasons_of("ses_events", CASE.file(CASE.record_with(values))) == [reason]


@pytest.mark.parametrize(
    "written", ["0102018f-1", " <0102018f-1@eu-west-1.amazonses.com> ", "0102018f-1@amazonses.com"]
)
def test_the_dispatch_log_may_name_a_message_as_in_its_header(written: str):
    assert MESSAGE_IDS["ses"].message_id(written) == "0102018f-1"
