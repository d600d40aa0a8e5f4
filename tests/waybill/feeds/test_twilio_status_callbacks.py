"""Twilio's status callbacks: they share legs and classes with the lists."""

import json

from tests.waybill.feeds.cases import CASES
from tests.waybill.feeds.outcomes import events_of, only_event
from waybill.model.event import Event

SLUG = "twilio_status_callbacks"
GOOD = CASES[SLUG].CASE.record
ROW = {
    "sid": "SM01",
    "status": "undelivered",
    "to": "+12025550123",
    "error_code": 30003,
    "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
    "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
}


def post(**values: object) -> Event:
    return only_event(SLUG, json.dumps(GOOD | values).encode())


def test_a_status_has_the_leg_and_the_class_of_the_same_status_in_the_list() -> None:
    listed = events_of("twilio_messages", json.dumps({"messages": [ROW]}).encode())[-1]
    posted = post()
    for name in ("leg_key", "recipient_key", "event_type", "failure_class", "failure_reason", "provider_event"):
        assert getattr(posted, name) == getattr(listed, name) is not None, name


def test_a_repeated_post_of_a_day_is_one_event() -> None:
    keys = {post(received_at=f"2026-03-02T{time}Z").event_key for time in ("00:00:00", "09:14:58", "23:59:59")}
    assert keys == {post().event_key}
    others = {post(MessageSid="SM02").event_key, post(MessageStatus="sent").event_key}
    assert len(others | keys | {post(received_at="2026-03-01T23:59:59Z").event_key}) == 4


def test_a_form_is_the_object_with_its_fields() -> None:
    assert events_of(SLUG, CASES[SLUG].forms([GOOD])) == [post()]
