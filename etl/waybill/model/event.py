"""The canonical event, and the merge of several sightings of one event.

Columns are *copied* from the provider or *derived* from the merged copied columns. Copied columns merge by operations
that commute; `Feed.derive` fills the derived columns after the merge. See docs/model.md.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Annotated, Any
from uuid import UUID

import msgspec

from waybill.model.columns import Holds, Key, Merge, columns_of
from waybill.model.vocabulary import SOURCES

_KEY = Key(longest_bytes=1_000)
_SHORT_KEY = Key(longest_bytes=200)


class EventDraft(msgspec.Struct, gc=False):
    """The columns of an event while they are filled. Absent values are None; of the texts that every event has, empty.

    Times are aware and UTC. `price` is positive for a cost; `duration_seconds` are whole seconds. `recipient` is the
    normalised clear address: private.recipient and stdout show it, facts never do. No other text contains an address.
    `named_leg_key` is the gateway leg that a row of the dispatch log names. `own_leg_key` is the leg of the sender's
    own Message-ID and this recipient: a keyed hash, the id itself is not stored.
    """

    event_key: Annotated[UUID | None, Merge.SAME, Holds.OWN] = None
    event_at: Annotated[datetime | None, Merge.EARLIEST, Holds.OWN] = None
    channel: Annotated[str, Merge.SAME, Holds.OWN] = ""
    event_type: Annotated[str | None, Merge.DERIVED, Holds.OWN] = None
    provider: Annotated[str, Merge.SAME, Holds.OWN] = ""
    gateway: Annotated[str | None, Merge.GREATEST, Holds.IDENTIFIER, _SHORT_KEY] = None
    feed: Annotated[str, Merge.GREATEST, Holds.OWN] = ""
    account: Annotated[str, Merge.SAME, Holds.OWN] = ""
    provider_account: Annotated[str | None, Merge.GREATEST, Holds.IDENTIFIER, _KEY] = None
    leg_key: Annotated[UUID | None, Merge.SAME, Holds.OWN] = None
    provider_message_id: Annotated[str | None, Merge.GREATEST, Holds.IDENTIFIER, _KEY] = None
    provider_event_id: Annotated[str | None, Merge.GREATEST, Holds.IDENTIFIER, _KEY] = None
    dispatch_id: Annotated[str | None, Merge.LEAST, Holds.IDENTIFIER, _KEY] = None
    campaign_id: Annotated[str | None, Merge.BEST_SOURCE, Holds.LABEL, _KEY] = None
    campaign_source: Annotated[str | None, Merge.BEST_SOURCE, Holds.OWN] = None
    template_id: Annotated[str | None, Merge.BEST_SOURCE, Holds.LABEL, _KEY] = None
    template_source: Annotated[str | None, Merge.BEST_SOURCE, Holds.OWN] = None
    recipient: Annotated[str | None, Merge.WITH_RECIPIENT, Holds.ADDRESS, _KEY] = None
    recipient_key: Annotated[bytes | None, Merge.WITH_RECIPIENT, Holds.OWN] = None
    mailbox_provider: Annotated[str | None, Merge.WITH_RECIPIENT, Holds.OWN] = None
    country: Annotated[str | None, Merge.WITH_RECIPIENT, Holds.OWN] = None
    failure_class: Annotated[str | None, Merge.DERIVED, Holds.OWN] = None
    failure_reason: Annotated[str | None, Merge.DERIVED, Holds.OWN] = None
    provider_code: Annotated[str | None, Merge.GREATEST, Holds.CODE, _KEY] = None
    status_code: Annotated[str | None, Merge.GREATEST, Holds.CODE] = None
    provider_event: Annotated[str | None, Merge.GREATEST, Holds.CODE] = None
    provider_reason: Annotated[str | None, Merge.GREATEST, Holds.TEXT] = None
    not_sent_category: Annotated[str | None, Merge.DERIVED, Holds.OWN] = None
    not_sent_reason: Annotated[str | None, Merge.GREATEST, Holds.TEXT] = None
    url: Annotated[str | None, Merge.GREATEST, Holds.TEXT] = None
    user_agent: Annotated[str | None, Merge.GREATEST, Holds.TEXT] = None
    ip: Annotated[str | None, Merge.GREATEST, Holds.TEXT] = None
    is_machine: Annotated[bool | None, Merge.MOST, Holds.OWN] = None
    machine_rule: Annotated[str | None, Merge.DERIVED, Holds.OWN] = None
    scope: Annotated[str | None, Merge.GREATEST, Holds.CODE] = None
    segments: Annotated[int | None, Merge.MOST, Holds.OWN] = None
    price: Annotated[Decimal | None, Merge.MOST, Holds.OWN] = None
    currency: Annotated[str | None, Merge.GREATEST, Holds.CODE, _SHORT_KEY] = None
    duration_seconds: Annotated[int | None, Merge.MOST, Holds.OWN] = None
    answered_by: Annotated[str | None, Merge.GREATEST, Holds.CODE] = None
    tags: Annotated[list[str] | None, Merge.GREATEST, Holds.TREE] = None
    extra: Annotated[dict[str, object] | None, Merge.EACH_NAME, Holds.TREE] = None
    named_leg_key: Annotated[UUID | None, Merge.DERIVED, Holds.OWN] = None
    own_leg_key: Annotated[UUID | None, Merge.GREATEST, Holds.OWN] = None


class Event(EventDraft, gc=False):
    """A finished event: it has a key, a time, a channel and a type, and its derived columns are filled."""

    event_key: UUID
    event_at: datetime
    channel: str
    event_type: str


COLUMNS = columns_of(EventDraft)
"""The roles of every column, by name, in order."""

STORED_COLUMNS: tuple[str, ...] = tuple(name for name, column in COLUMNS.items() if column.holds is not Holds.ADDRESS)
"""Columns of fact.event and of every staging table, in order."""


def _merging(merge: Merge) -> tuple[str, ...]:
    return tuple(name for name, column in COLUMNS.items() if column.merge is merge)


def in_bytes(value: object) -> bytes:
    """Return the bytes by which values are compared: UTF-8 of a text, sorted JSON of any other value."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    return msgspec.json.encode(value, order="sorted")


def rank(value: object) -> tuple[bytes, bool]:
    """Return the order of values by their bytes. A text is greater than a number of the same bytes ("1" and 1)."""
    return in_bytes(value), isinstance(value, str)


def _greater(one: object, other: object) -> object:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=rank)


_Sourced = tuple[str | None, str | None]
"""An id and its source; None if the event has none."""


def _best_sourced(one: _Sourced, other: _Sourced) -> _Sourced:
    return min(one, other, key=_source_rank)


def _source_rank(sourced: _Sourced) -> tuple[int, bytes]:
    """Return the order of sources, the best first, and of ids; no id is last."""
    found, source = sourced
    return (len(SOURCES), b"") if found is None or source is None else (SOURCES.index(source), found.encode())


def _merge_each_name(one: dict[str, object] | None, other: dict[str, object] | None) -> dict[str, object] | None:
    if not one or not other:
        return one or other or None
    return {name: _greater(one.get(name), other.get(name)) for name in sorted(one.keys() | other.keys())}


_CHOOSE: dict[Merge, Callable[[Any, Any], object]] = {
    Merge.SAME: lambda one, other: one,
    Merge.EARLIEST: min,
    Merge.LEAST: partial(min, key=str.encode),
    Merge.MOST: max,
    Merge.GREATEST: partial(max, key=rank),
}
"""How two values that are not None merge."""
_CHOSEN = [(name, _CHOOSE[column.merge]) for name, column in COLUMNS.items() if column.merge in _CHOOSE]
_chosen_of = attrgetter(*(name for name, _ in _CHOSEN))
_SOURCED = [
    (name, source, attrgetter(name, source))
    for name in _merging(Merge.BEST_SOURCE)
    if name.endswith("_id") and (source := f"{name.removesuffix('_id')}_source")
]
_EACH_NAME = _merging(Merge.EACH_NAME)
_WITH_RECIPIENT = _merging(Merge.WITH_RECIPIENT)


def merge(one: EventDraft, other: EventDraft) -> EventDraft:
    """Merge the copied columns of two sightings of one event; commutative, associative, idempotent.

    Derived columns stay empty: `Feed.derive` fills them. Only mailbox provider and country are merged, together with
    the recipient from which they are derived; with one recipient on both sides, the greater in bytes wins.
    """
    merged = EventDraft()
    for (name, choose), mine, theirs in zip(_CHOSEN, _chosen_of(one), _chosen_of(other), strict=True):
        if mine is None or theirs is None:
            setattr(merged, name, theirs if mine is None else mine)
        else:
            setattr(merged, name, choose(mine, theirs))
    for name in _EACH_NAME:
        setattr(merged, name, _merge_each_name(getattr(one, name), getattr(other, name)))
    for id_name, source_name, sourced in _SOURCED:
        best_id, best_source = _best_sourced(sourced(one), sourced(other))
        setattr(merged, id_name, best_id)
        setattr(merged, source_name, best_source)
    chosen = max(one, other, key=lambda e: (e.recipient_key or b"", in_bytes(_derived_address(e))))
    for name in _WITH_RECIPIENT:
        setattr(merged, name, getattr(chosen, name))
    return merged


def merge_all(sightings: Iterable[EventDraft]) -> EventDraft:
    """Merge one or more sightings of one event."""
    iterator = iter(sightings)
    merged = next(iterator)
    for sighting in iterator:
        merged = merge(merged, sighting)
    return merged


def finished(draft: EventDraft) -> Event:
    """Return the event with the columns of a draft, of which the required ones are filled."""
    return Event(*msgspec.structs.astuple(draft)[: len(COLUMNS)])


def _derived_address(event: EventDraft) -> list[object]:
    return [event.mailbox_provider, event.country, event.recipient]
