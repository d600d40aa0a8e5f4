"""Mandrill: the canonical events of its posts."""

import json

import pytest

from tests.waybill.feeds.cases import CASES
from tests.waybill.feeds.outcomes import events_of, normalise, only_event
from waybill.model.event import Event

SLUG = "mandrill_webhooks"
MESSAGE = {"email": "ana@inbox.example", "_id": "m01", "ts": 1772440000}
GOOD = {"event": "open", "ts": 1772442911, "_id": "m01", "msg": MESSAGE}


def event(msg: dict[str, object] | None = None, **values: object) -> Event:
    return only_event(SLUG, json.dumps(GOOD | {"msg": MESSAGE | (msg or {})} | values).encode())


def test_events_of_a_form_are_the_bare_events() -> None:
    other = GOOD | {"ts": 1772442912}
    assert events_of(SLUG, CASES[SLUG].form([GOOD, other])) == events_of(SLUG, json.dumps([GOOD, other]).encode())


def test_a_later_state_of_the_message_is_the_same_event() -> None:
    later = event({"opens": [{"ts": 1772442911}], "state": "opened", "clicks": [{"ts": 1772442999}]})
    assert later.event_key == event().event_key and "opens" not in later.extra["msg"]
    keys = {event(ip="192.0.2.1").event_key, event(user_agent="x").event_key, event(ts=1772442912).event_key}
    assert len(keys | {event().event_key}) == 4


@pytest.mark.parametrize(
    ("values", "code", "failure_class"),
    [
        ({"reject": {"reason": "unsub", "detail": "by the link"}}, "reject/unsub", "gateway_suppressed"),
        ({"msg": MESSAGE | {"reject": {"reason": "hard-bounce"}}}, "reject/hard-bounce", "gateway_suppressed"),
        ({"msg": MESSAGE | {"reject": "invalid"}}, "reject/invalid", "invalid"),
        ({"msg": MESSAGE | {"reject": None}, "reject": {"reason": "rule"}}, "reject/rule", "blocked"),
        ({}, None, "gateway_suppressed"),
    ],
)
def test_the_reason_of_a_rejection_is_read_where_it_is(
    values: dict[str, object], code: str | None, failure_class: str
) -> None:
    found = only_event(SLUG, json.dumps(GOOD | {"event": "reject"} | values).encode())
    assert (found.event_type, found.provider_code, found.failure_class) == ("dropped", code, failure_class)


def test_ids_leave_the_metadata_and_the_rest_stays() -> None:
    found = event({"metadata": {"dispatch_id": "d1", "user": 7}, "tags": ["invoice"], "template": "welcome"})
    assert (found.dispatch_id, found.campaign_id, found.campaign_source) == ("d1", "invoice", "category")
    assert (found.template_id, found.template_source) == ("welcome", "provider")
    assert found.extra == {"msg": {"ts": 1772440000, "metadata": {"user": 7}}}
    assert event({"metadata": []}).extra == {"msg": {"ts": 1772440000}}


def test_changes_of_lists_are_ignored() -> None:
    changes = [{"type": word, "action": "add", "ts": 1772442911} for word in ("whitelist", "blacklist")]
    assert normalise(SLUG, CASES[SLUG].form(changes)) == [[], []]
