"""Rows of the dispatch log that must be rejected."""

from datetime import UTC, datetime

from waybill.simulator.poison import BROKEN_LINES, MILLENNIUM, NO_OBJECTS


def poison_row(number: int, in_parquet: bool) -> dict[str, object]:
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


def poison_line(number: int) -> str:
    """Returns a line of a dispatch log that is not JSON, or not an object."""
    return (BROKEN_LINES + NO_OBJECTS[:1])[number % 4].format(number=number)
