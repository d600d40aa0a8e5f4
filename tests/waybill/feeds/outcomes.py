"""The result of a feed for some bytes: the events or the reject reason of each record."""

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.model.errors import RejectRecord
from waybill.model.event import Event
from waybill.model.identity import Keyring

KEYRING = Keyring(b"a secret for tests only")
ACCOUNT = "acme"
LANDED_AT = datetime(2026, 3, 3, tzinfo=UTC)


def normalise(slug: str, data: bytes) -> list[list[Event] | str]:
    """Return for each record its events (empty if ignored) or the reason of its rejection."""
    return normalise_with(FEEDS[slug], data)


def normalise_with(feed: Feed, data: bytes, landed_at: datetime = LANDED_AT) -> list[list[Event] | str]:
    outcomes: list[list[Event] | str] = []
    for raw in feed.records(io.BytesIO(data)):
        try:
            outcomes.append(feed.normalise(raw, ACCOUNT, landed_at, KEYRING))
        except RejectRecord as rejection:
            outcomes.append(rejection.reason)
    return outcomes


def events_of(slug: str, data: bytes) -> list[Event]:
    return [event for outcome in normalise(slug, data) if not isinstance(outcome, str) for event in outcome]


def only_event(slug: str, data: bytes) -> Event:
    (event,) = events_of(slug, data)
    return event


def reasons_of(slug: str, data: bytes) -> list[str]:
    return [outcome for outcome in normalise(slug, data) if isinstance(outcome, str)]


def keys_of(events: Iterable[Event]) -> list[str]:
    return sorted(str(event.event_key) for event in events)


def readable(outcomes: list[list[Event] | str]) -> list[object]:
    """Return the outcomes in the form of expected files: without absent columns, recipient keys in hexadecimal."""
    written = []
    for outcome in outcomes:
        if isinstance(outcome, str):
            written.append({"rejected": outcome})
            continue
        events = []
        for event in outcome:
            columns = msgspec.structs.asdict(event)
            columns["recipient_key"] = event.recipient_key.hex() if event.recipient_key else None
            events.append({name: value for name, value in columns.items() if value is not None})
        written.append(events)
    return json.loads(msgspec.json.encode(written))
