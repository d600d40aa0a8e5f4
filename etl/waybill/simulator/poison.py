"""Records that no feed can map. Each one must be rejected, without any effect on other records."""

import json
from datetime import UTC, datetime

MILLENNIUM = datetime(2150, 1, 1, tzinfo=UTC)
"""A time that is later than the warehouse accepts."""

BROKEN_LINES = (
    '{{"email": "sim.000000@example.com", "event": "open", "timestamp": 17745{number}',
    "POST /webhook HTTP/1.1 {number}",
    "\\ufffd\\ufffd {number}",
)
"""Lines that are not JSON; only for files of lines."""

NO_OBJECTS = ('"noise {number}"', "{number}", "true")


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


def dispatch_row(number: int, in_parquet: bool) -> dict[str, object]:
    """Returns an unusable row of the dispatch log."""
    good: dict[str, object] = {
        "dispatch_id": f"poison-{number:06d}",
        "occurred_at": datetime.fromtimestamp(1774519200 + number, UTC),
        "channel": "email",
        "status": "queued",
        "recipient": "sim.000000@example.com",
        "campaign_id": "spring-sale",
        "template_id": None,
        "reason": None,
        "account": None,
        "provider": None,
        "provider_message_id": None,
    }
    choices = [
        {**good, "status": "teleported"},
        {**good, "recipient": "sim.000000@example.com;sim.000001@example.com"},
        {**good, "occurred_at": MILLENNIUM},
        {**good, "occurred_at": None},
        {**good, "status": None},
    ]
    if not in_parquet:
        choices += [{**good, "occurred_at": "yesterday"}, {**good, "occurred_at": "2026-03-26T10:00:00"}]
    return choices[number % len(choices)]


def dispatch_line(number: int) -> str:
    """Returns a line of a dispatch log that is not JSON, or not an object."""
    return (BROKEN_LINES + NO_OBJECTS[:1])[number % 4].format(number=number)
