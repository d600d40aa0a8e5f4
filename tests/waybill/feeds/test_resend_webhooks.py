"""Resend: the canonical events of its posts."""

import json

import pytest

from tests.waybill.feeds.outcomes import events_of, keys_of, only_event
from waybill.model.event import Event

SLUG = "resend_webhooks"
EMAIL = {"email_id": "e1", "to": ["ana@inbox.example"], "created_at": "2026-03-02T09:14:11.894719+00:00"}


def events(word: str = "email.delivered", at: str = "2026-03-02T09:15:11.126Z", **data: object) -> list[Event]:
    return events_of(SLUG, json.dumps({"type": word, "created_at": at, "data": EMAIL | data}).encode())


def event(word: str = "email.delivered", at: str = "2026-03-02T09:15:11.126Z", **data: object) -> Event:
    (found,) = events(word, at, **data)
    return found


def test_the_posts_about_each_of_several_recipients_give_each_recipient_one_event() -> None:
    both = {"to": ["ana@inbox.example", "Bo <bo@inbox.example>", "ana@inbox.example"]}
    first, second = events(**both), events(at="2026-03-02T09:15:17Z", **both)
    assert [one.recipient for one in first] == ["ana@inbox.example", "bo@inbox.example"]
    assert keys_of(first) == keys_of(second) and len({one.leg_key for one in first}) == 2


@pytest.mark.parametrize(("word", "part"), [("email.opened", "open"), ("email.clicked", "click")])
def test_an_opening_by_one_of_several_recipients_names_no_message(word: str, part: str) -> None:
    found = event(word, to=["ana@inbox.example", "bo@inbox.example"], **{part: {"ipAddress": "192.0.2.50"}})
    assert (found.recipient, found.leg_key, found.ip) == (None, None, "192.0.2.50")
    assert event(word, **{part: {"ipAddress": "192.0.2.50"}}).leg_key is not None


def test_a_status_is_one_event_and_every_opening_its_own() -> None:
    later = "2026-03-02T09:16:11.126Z"
    assert event().event_key == event(at=later).event_key != event("email.sent").event_key
    assert event("email.opened").event_key != event("email.opened", later).event_key
    assert event("email.opened").event_key == event("email.opened", "2026-03-02T09:15:11.999Z").event_key


@pytest.mark.parametrize(
    ("bounce", "event_type", "failure_class"),
    [
        ({"type": "Permanent", "subType": "General"}, "bounced", "hard_bounce"),
        ({"type": "Permanent", "subType": "General", "diagnosticCode": "550 5.1.1 no"}, "bounced", "invalid"),
        ({"type": "Permanent", "subType": "Suppressed"}, "dropped", "gateway_suppressed"),
        ({"type": "Transient", "message": "550 5.1.1 user unknown"}, "bounced", "soft_bounce"),
        ({"type": "Transient", "subType": "ContentRejected"}, "bounced", "blocked"),
        ({"type": "Undetermined", "diagnosticCode": ["", "554 5.7.1 ip blocked"]}, "bounced", "blocked"),
        ({}, "bounced", "soft_bounce"),
        (None, "bounced", "soft_bounce"),
    ],
)
def test_type_and_reason_of_a_bounce_give_its_class(bounce: object, event_type: str, failure_class: str) -> None:
    found = event("email.bounced", bounce=bounce)
    assert (found.event_type, found.failure_class) == (event_type, failure_class)


@pytest.mark.parametrize(
    "tags",
    [{"dispatch_id": "d1", "order": "7"}, [{"name": "dispatch_id", "value": "d1"}, {"name": "order", "value": "7"}]],
)
def test_ids_leave_the_tags_and_the_rest_stays_at_its_depth(tags: object) -> None:
    found = event(tags=tags, broadcast_id="b1", template_id="t1", priority=1, subject="Dear Ana")
    assert (found.dispatch_id, found.campaign_id, found.campaign_source) == ("d1", "b1", "provider")
    assert (found.template_id, found.template_source) == ("t1", "provider")
    assert found.extra == {"data": {"tags": {"order": "7"}, "priority": 1}}


def test_a_post_without_the_time_of_the_email_is_an_event_of_its_second() -> None:
    bare = {
        "type": "email.sent",
        "created_at": "2026-03-02T09:15:11.126Z",
        "data": {"email_id": "e1", "to": "a@b.example"},
    }
    assert only_event(SLUG, json.dumps(bare).encode()).leg_key is not None
