"""Webhook records that must be rejected."""

import json

from waybill.simulator.poison import BROKEN_LINES, MILLENNIUM, NO_OBJECTS


def webhook_text(number: int, in_lines: bool) -> str:
    """Returns the text of an unusable webhook record; the number makes it unique (except for `true`)."""
    objects = _webhook_objects(number)
    choices = [json.dumps(one) for one in objects] + [text.format(number=number) for text in NO_OBJECTS]
    if in_lines:
        choices += [text.format(number=number) for text in BROKEN_LINES]
    return choices[number % len(choices)]


def _webhook_objects(number: int) -> list[dict[str, object]]:
    good: dict[str, object] = {
        "email": "sim.000000@example.com",
        "timestamp": 1774519200 + number,
        "event": "delivered",
        "sg_event_id": f"poison-{number}",
        "sg_message_id": f"poison{number}.recvd-1-0.0",
    }
    return [
        {name: value for name, value in good.items() if name != "email"},
        {**good, "email": None},
        {**good, "email": "sim.000000@example.com, sim.000001@example.com"},
        {name: value for name, value in good.items() if name != "event"},
        {**good, "event": 7},
        {name: value for name, value in good.items() if name != "timestamp"},
        {**good, "timestamp": "yesterday"},
        {**good, "timestamp": 86_400 + number},
        {**good, "timestamp": int(MILLENNIUM.timestamp()) + number},
    ]
