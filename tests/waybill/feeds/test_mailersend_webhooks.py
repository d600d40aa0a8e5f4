"""MailerSend: the canonical events of its posts."""

import json

import pytest

from tests.waybill.feeds.outcomes import normalise_with, only_event
from waybill.feeds import FEEDS
from waybill.feeds.options import FeedOptions
from waybill.model.event import Event

SLUG = "mailersend_webhooks"
EMAIL = {"message": {"id": "m01"}, "recipient": {"email": "ana@inbox.example"}}
ACTIVITY = {"id": "a1", "type": "opened", "created_at": "2026-03-02T09:15:11.400000Z", "email": EMAIL}


def data(post: dict[str, object] | None = None, **values: object) -> bytes:
    return json.dumps({"type": "activity.opened", "data": ACTIVITY | values} | (post or {})).encode()


def event(post: dict[str, object] | None = None, **values: object) -> Event:
    return only_event(SLUG, data(post, **values))


def test_a_bare_activity_is_the_event_of_its_post() -> None:
    assert only_event(SLUG, json.dumps(ACTIVITY).encode()) == event()


def test_a_first_opening_that_is_reported_twice_is_one() -> None:
    keys = {
        event().event_key,
        event(type="opened_unique", id="a2").event_key,
        event({"type": "activity.opened_unique"}).event_key,
        event({"created_at": "2026-03-02T11:00:00Z", "attempt": 2}).event_key,
    }
    assert len(keys) == 1
    assert event(morph={"ip": "192.0.2.50"}).event_key not in keys


@pytest.mark.parametrize(
    ("posted", "own", "word"),
    [
        ("activity.sent", "sent", "sent"),
        ("activity.sent", None, "sent"),
        (None, "sent", "sent"),
        ("activity.opened_unique", "opened", "opened"),
        ("levitation.begun", "sent", "levitation.begun"),
    ],
)
def test_the_word_is_that_of_the_activity(posted: str | None, own: str | None, word: str) -> None:
    assert event({"type": posted}, type=own).provider_event == word


def test_tags_of_a_known_name_give_ids_and_the_others_stay() -> None:
    tags = ["dispatch_id: d1", "eu:west", "ref:d2", "template_id:", "invoice"]
    found = event(email=EMAIL | {"tags": tags, "subject": "Dear Ana", "size": 7}, template_id="t1")
    assert (found.dispatch_id, found.tags) == ("d1", ["eu:west", "ref:d2", "template_id:", "invoice"])
    assert (found.campaign_id, found.campaign_source, found.template_id) == ("eu:west", "category", "t1")
    assert found.extra == {"data": {"email": {"size": 7}}}
    feed = FEEDS[SLUG].with_options(FeedOptions(dispatch_id_arguments=("ref", "dispatch_id")))
    ((found,),) = normalise_with(feed, data(email=EMAIL | {"tags": tags}))
    assert (found.dispatch_id, found.tags) == ("d2", ["dispatch_id: d1", "eu:west", "template_id:", "invoice"])


def test_the_address_of_the_receiver_is_not_kept() -> None:
    assert event({"url": "https://user:password@hooks.acme.example"}).extra is None
