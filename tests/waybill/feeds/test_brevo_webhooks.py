"""Brevo: the canonical events of its posts."""

import json
from datetime import UTC, datetime

import pytest

from tests.waybill.feeds.outcomes import only_event
from waybill.feeds.providers import MESSAGE_IDS
from waybill.model.event import Event

GOOD = {
    "event": "opened",
    "email": "ana@inbox.example",
    "ts_epoch": 1772442911417,
    "message-id": "<202603020914.27287306011@smtp-relay.acme.example>",
}


def event(**values: object) -> Event:
    return only_event("brevo_webhooks", json.dumps(GOOD | values).encode())


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({"ts_epoch": 1772442911417, "ts_event": 1772446511}, datetime(2026, 3, 2, 9, 15, 11, 417000, UTC)),
        ({"ts_epoch": 1772442911, "date": "2026-03-02 10:15:11"}, datetime(2026, 3, 2, 9, 15, 11, tzinfo=UTC)),
        ({"ts_epoch": None, "ts_event": 1772442911, "ts": 1}, datetime(2026, 3, 2, 9, 15, 11, tzinfo=UTC)),
    ],
)
def test_the_time_is_the_one_in_utc(times: dict[str, object], at: datetime) -> None:
    assert event(**times).event_at == at


@pytest.mark.parametrize(("one", "other"), [("opened", "unique_opened"), ("proxy_open", "unique_proxy_open")])
def test_a_first_opening_that_is_reported_twice_is_one(one: str, other: str) -> None:
    assert event(event=one).event_key == event(event=other).event_key
    assert event(event=one).is_machine is event(event=other).is_machine is (one == "proxy_open")


def test_the_same_second_and_word_are_another_event_only_for_another_link_or_recipient() -> None:
    click = {"event": "click", "link": "https://acme.example/offer"}
    keys = {event(**click).event_key, event(**click, ts_epoch=1772442911999, id=5, user_agent="x").event_key}
    assert len(keys) == 1
    keys |= {
        event(**click | {"link": "https://acme.example/"}).event_key,
        event(**click, email="b@c.example").event_key,
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    "custom", ['{"dispatch_id":"d1","order":"7"}', "dispatch_id:d1|order:7", {"dispatch_id": "d1", "order": "7"}]
)
def test_ids_leave_the_metadata_and_the_rest_stays(custom: object) -> None:
    found = event(**{"X-Mailin-custom": custom, "tag": '["invoice"]', "template_id": 22})
    assert (found.dispatch_id, found.extra) == ("d1", {"X-Mailin-custom": {"order": "7"}})
    assert (found.campaign_id, found.campaign_source, found.tags) == ("invoice", "category", ["invoice"])
    assert (found.template_id, found.template_source) == ("22", "provider")


@pytest.mark.parametrize(
    ("written", "message_id"),
    [
        ("<202603020914.27287306011@smtp-relay.acme.example>", "202603020914.27287306011"),
        (" 202603020914.27287306011@acme.example", "202603020914.27287306011"),
        ("<order-7@acme.example>", "order-7@acme.example"),
        ("", ""),
    ],
)
def test_an_id_that_brevo_made_loses_its_domain(written: str, message_id: str) -> None:
    assert MESSAGE_IDS["brevo"].message_id(written) == message_id
