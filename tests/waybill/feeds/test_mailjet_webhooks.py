"""Mailjet: the canonical events of its posts."""

import json

import pytest

from tests.waybill.feeds.outcomes import normalise_with, only_event
from waybill.feeds import FEEDS
from waybill.feeds.options import FeedOptions
from waybill.model.event import Event

SLUG = "mailjet_webhooks"
GOOD = {"event": "bounce", "time": 1772442911, "MessageID": 20547681647433001, "email": "ana@inbox.example"}


def event(**values: object) -> Event:
    return only_event(SLUG, json.dumps(GOOD | values).encode())


@pytest.mark.parametrize(
    ("hard_bounce", "error", "event_type", "failure_class"),
    [
        (True, "user unknown", "bounced", "invalid"),
        ("true", "", "bounced", "hard_bounce"),
        (1, "Content Blocked", "bounced", "blocked"),
        (True, "greylisted", "bounced", "hard_bounce"),
        (False, "greylisted", "deferred", None),
        (None, "Greylisted", "deferred", None),
        (False, "user unknown", "bounced", "soft_bounce"),
        (None, "quota exceeded", "bounced", "soft_bounce"),
        (None, "", "bounced", "unknown"),
    ],
)
def test_the_kind_of_bounce_and_its_error_give_the_class(
    hard_bounce: object, error: str, event_type: str, failure_class: str | None
) -> None:
    found = event(hard_bounce=hard_bounce, error=error)
    assert (found.event_type, found.failure_class) == (event_type, failure_class)


@pytest.mark.parametrize(
    ("ids", "message_id"),
    [
        ({}, "20547681647433001"),
        ({"MessageID": "20547681647433001"}, "20547681647433001"),
        ({"MessageID": 2.0547681647433e16, "Message_GUID": "1ab2"}, "1ab2"),
        ({"MessageID": 0, "Message_GUID": "1ab2"}, "1ab2"),
        ({"MessageID": 2.0547681647433e16}, None),
    ],
)
def test_a_rounded_id_names_no_message(ids: dict[str, object], message_id: str | None) -> None:
    found = event(**ids)
    assert found.provider_message_id == message_id
    assert (found.leg_key is None) == (message_id is None)


def test_a_setting_makes_the_custom_id_the_dispatch_id() -> None:
    data = json.dumps(GOOD | {"CustomID": "d7", "Payload": '{"dispatch_id":"d8"}'}).encode()
    assert only_event(SLUG, data).dispatch_id == "d8" and only_event(SLUG, data).extra == {"CustomID": "d7"}
    feed = FEEDS[SLUG].with_options(FeedOptions(dispatch_id_arguments=("CustomID", "dispatch_id")))
    ((found,),) = normalise_with(feed, data)
    assert found.dispatch_id == "d7"


def test_the_name_of_the_campaign_comes_before_its_number() -> None:
    found = event(customcampaign="spring", mj_campaign_id=7257)
    assert (found.campaign_id, found.campaign_source, found.extra) == ("spring", "provider", {"mj_campaign_id": 7257})
    assert event(mj_campaign_id=7257).campaign_id == "7257" and event(mj_campaign_id=0).campaign_id is None
