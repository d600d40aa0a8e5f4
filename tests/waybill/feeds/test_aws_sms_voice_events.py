"""AWS End User Messaging: the canonical events of its event destinations."""

import json

from tests.waybill.feeds.cases import CASES
from tests.waybill.feeds.outcomes import events_of, only_event
from waybill.model.event import Event

SLUG = "aws_sms_voice_events"
GOOD = CASES[SLUG].CASE.record


def event(**values: object) -> Event:
    return only_event(SLUG, json.dumps(GOOD | values).encode())


def test_an_event_without_its_recipient_has_the_same_key_and_leg() -> None:
    without = {name: value for name, value in GOOD.items() if name != "destinationPhoneNumber"}
    (bridged,) = events_of(SLUG, CASES[SLUG].event_bridge([without]))
    assert (bridged.event_key, bridged.leg_key, bridged.recipient) == (event().event_key, event().leg_key, None)


def test_the_identity_is_message_word_and_millisecond() -> None:
    changes = ({"messageId": "m-2"}, {"eventType": "TEXT_UNREACHABLE"}, {"eventTimestamp": 1772442911124})
    assert len({event().event_key, *(event(**values).event_key for values in changes)}) == 4
    assert event(eventTimestamp="2026-03-02T09:15:11.123Z", isFinal=True).event_key == event().event_key


def test_ids_leave_the_context_and_the_rest_stays() -> None:
    found = event(context={"dispatch_id": "d1", "campaign_id": "spring", "shop": "eu"}, totalMessagePrice=0.1)
    assert (found.dispatch_id, found.campaign_id, found.campaign_source) == ("d1", "spring", "custom_argument")
    assert found.extra == {"eventVersion": "1.0", "context": {"shop": "eu"}}
    assert (f"{found.price:f}", found.currency, event().currency) == ("0.1", "USD", None)
