"""The canonical event, and how several sightings of one event become one.

Columns are *copied* from the provider or *derived* from the merged copied ones. Copied columns only ever merge, by
operations in which order cannot matter; derived columns follow after the merge (`Feed.derive`). See docs/model.md.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Annotated
from uuid import UUID

import msgspec

from waybill.model.columns import Holds, Key, Merge, columns_of
from waybill.model.vocabulary import SOURCES

_KEY = Key(longest_bytes=1_000)
_SHORT_KEY = Key(longest_bytes=200)


class Event(msgspec.Struct, gc=False):
    """One canonical event. Absent values are None; texts hold no address (`recipient` apart, which is not stored
    with facts). Times are aware and UTC; `price` is what it costs, positive; `duration_seconds` whole seconds.

    `recipient` is the normalised clear address: it goes to private.recipient and to stdout, never into a fact.
    `named_leg_key` is the gateway leg that a row of the dispatch log names, if it names one. `own_leg_key` is the leg
    that the sender's own Message-ID makes with this recipient, if the record has that id: a keyed hash, the id
    itself is not kept.
    """

    event_key: Annotated[UUID | None, Merge.SAME, Holds.OWN] = None
    event_at: Annotated[datetime | None, Merge.EARLIEST, Holds.OWN] = None
    channel: Annotated[str | None, Merge.SAME, Holds.OWN] = None
    event_type: Annotated[str | None, Merge.DERIVED, Holds.OWN] = None
    provider: Annotated[str | None, Merge.SAME, Holds.OWN] = None
    gateway: Annotated[str | None, Merge.GREATEST, Holds.IDENTIFIER, _SHORT_KEY] = None
    feed: Annotated[str | None, Merge.GREATEST, Holds.OWN] = None
    account: Annotated[str | None, Merge.SAME, Holds.OWN] = None
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


COLUMNS = columns_of(Event)
"""The roles of every column, by name, in order."""

STORED_COLUMNS: tuple[str, ...] = tuple(name for name, column in COLUMNS.items() if column.holds is not Holds.ADDRESS)
"""Columns of fact.event and of every staging table, in order."""


def _merging(merge: Merge) -> tuple[str, ...]:
    return tuple(name for name, column in COLUMNS.items() if column.merge is merge)


def in_bytes(value: object) -> bytes:
    """What `the greater in bytes` compares: UTF-8 of a text, sorted JSON of anything else."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    return msgspec.json.encode(value, order="sorted")


def rank(value: object) -> tuple[bytes, bool]:
    """The order of `the greater in bytes`; of the text "1" and the number 1, alike in bytes, the text is greater."""
    return in_bytes(value), isinstance(value, str)


def _greater(one: object, other: object) -> object:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=rank)


def _best_sourced(id_one: str | None, source_one: str | None, id_other: str | None, source_other: str | None):
    if id_one is None or id_other is None:
        return (id_other, source_other) if id_one is None else (id_one, source_one)
    one = (SOURCES.index(source_one), id_one.encode())
    other = (SOURCES.index(source_other), id_other.encode())
    return (id_one, source_one) if one <= other else (id_other, source_other)


def _merge_each_name(one: dict[str, object] | None, other: dict[str, object] | None) -> dict[str, object] | None:
    if not one or not other:
        return one or other or None
    return {name: _greater(one.get(name), other.get(name)) for name in sorted(one.keys() | other.keys())}


_CHOOSE: dict[Merge, Callable] = {
    Merge.SAME: lambda one, other: one,
    Merge.EARLIEST: min,
    Merge.LEAST: partial(min, key=str.encode),
    Merge.MOST: max,
    Merge.GREATEST: partial(max, key=rank),
}
"""Of two values that are there."""
_CHOSEN = [(name, _CHOOSE[column.merge]) for name, column in COLUMNS.items() if column.merge in _CHOOSE]
_chosen_of = attrgetter(*(name for name, _ in _CHOSEN))
_SOURCED = [
    (name, f"{name.removesuffix('_id')}_source") for name in _merging(Merge.BEST_SOURCE) if name.endswith("_id")
]
_EACH_NAME = _merging(Merge.EACH_NAME)
_WITH_RECIPIENT = _merging(Merge.WITH_RECIPIENT)


def merge(one: Event, other: Event) -> Event:
    """Merge the copied columns of two sightings of one event; commutative, associative, idempotent.

    Derived columns other than those of the recipient are left empty: `Feed.derive` fills them. Mailbox provider and
    country go with the recipient they were derived from; where both name the same one, with the greater in bytes.
    """
    merged = Event()
    for (name, choose), mine, theirs in zip(_CHOSEN, _chosen_of(one), _chosen_of(other), strict=True):
        if mine is None or theirs is None:
            setattr(merged, name, theirs if mine is None else mine)
        else:
            setattr(merged, name, choose(mine, theirs))
    for name in _EACH_NAME:
        setattr(merged, name, _merge_each_name(getattr(one, name), getattr(other, name)))
    for id_name, source_name in _SOURCED:
        best_id, best_source = _best_sourced(
            getattr(one, id_name), getattr(one, source_name), getattr(other, id_name), getattr(other, source_name)
        )
        setattr(merged, id_name, best_id)
        setattr(merged, source_name, best_source)
    chosen = max(one, other, key=lambda e: (e.recipient_key or b"", in_bytes(_derived_address(e))))
    for name in _WITH_RECIPIENT:
        setattr(merged, name, getattr(chosen, name))
    return merged


def merge_all(sightings: Iterable[Event]) -> Event:
    """Merge one or more sightings of one event."""
    iterator = iter(sightings)
    merged = next(iterator)
    for sighting in iterator:
        merged = merge(merged, sighting)
    return merged


def _derived_address(event: Event) -> list[object]:
    return [event.mailbox_provider, event.country, event.recipient]
