"""The canonical event, and how several sightings of one event become one.

Columns are *copied* from the provider or *derived* from the merged copied ones. Copied columns only ever merge, by
operations in which order cannot matter; derived columns follow after the merge (`Feed.derive`). See docs/model.md.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from waybill.model.vocabulary import SOURCES


class Event(msgspec.Struct, gc=False):
    """One canonical event. Absent values are None; texts hold no address (`recipient` apart, which is not stored
    with facts). Times are aware and UTC; `price` is what it costs, positive; `duration_seconds` whole seconds.

    `recipient` is the normalised clear address: it goes to private.recipient and to stdout, never into a fact.
    `named_leg_key` is the gateway leg that a row of the dispatch log names, if it names one. `own_leg_key` is the leg
    that the sender's own Message-ID makes with this recipient, if the record has that id: a keyed hash, the id
    itself is not kept.
    """

    event_key: UUID | None = None
    event_at: datetime | None = None
    channel: str | None = None
    event_type: str | None = None
    provider: str | None = None
    gateway: str | None = None
    feed: str | None = None
    account: str | None = None
    provider_account: str | None = None
    leg_key: UUID | None = None
    provider_message_id: str | None = None
    provider_event_id: str | None = None
    dispatch_id: str | None = None
    campaign_id: str | None = None
    campaign_source: str | None = None
    template_id: str | None = None
    template_source: str | None = None
    recipient: str | None = None
    recipient_key: bytes | None = None
    mailbox_provider: str | None = None
    country: str | None = None
    failure_class: str | None = None
    failure_reason: str | None = None
    provider_code: str | None = None
    status_code: str | None = None
    provider_event: str | None = None
    provider_reason: str | None = None
    not_sent_category: str | None = None
    not_sent_reason: str | None = None
    url: str | None = None
    user_agent: str | None = None
    ip: str | None = None
    is_machine: bool | None = None
    machine_rule: str | None = None
    scope: str | None = None
    segments: int | None = None
    price: Decimal | None = None
    currency: str | None = None
    duration_seconds: int | None = None
    answered_by: str | None = None
    tags: list[str] | None = None
    extra: dict[str, object] | None = None
    named_leg_key: UUID | None = None
    own_leg_key: UUID | None = None


STORED_COLUMNS: tuple[str, ...] = tuple(name for name in Event.__struct_fields__ if name != "recipient")
"""Columns of fact.event and of every staging table, in order."""

DERIVED_COLUMNS = (
    "event_type",
    "failure_class",
    "failure_reason",
    "not_sent_category",
    "mailbox_provider",
    "country",
    "machine_rule",
    "named_leg_key",
)
"""Columns that follow from the merged copied ones."""

_FIXED = ("event_key", "leg_key", "account", "provider", "channel")
_SPECIAL = ("event_at", "price", "segments", "duration_seconds", "is_machine", "dispatch_id", "extra")
_SOURCED = ("campaign_id", "campaign_source", "template_id", "template_source")
_RECIPIENT = ("recipient", "recipient_key", "mailbox_provider", "country")
_GREATEST = tuple(
    name
    for name in Event.__struct_fields__
    if name not in (*_FIXED, *_SPECIAL, *_SOURCED, *_RECIPIENT, *DERIVED_COLUMNS)
)


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


def _pick(one, other, choose):  # noqa: ANN001 - any ordered type
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)


def _best_sourced(id_one: str | None, source_one: str | None, id_other: str | None, source_other: str | None):
    if id_one is None or id_other is None:
        return (id_other, source_other) if id_one is None else (id_one, source_one)
    one = (SOURCES.index(source_one), id_one.encode())
    other = (SOURCES.index(source_other), id_other.encode())
    return (id_one, source_one) if one <= other else (id_other, source_other)


def merge(one: Event, other: Event) -> Event:
    """Merge the copied columns of two sightings of one event; commutative, associative, idempotent.

    Derived columns other than those of the recipient are left empty: `Feed.derive` fills them. Mailbox provider and
    country go with the recipient they were derived from; where both name the same one, with the greater in bytes.
    """
    merged = Event(**{name: getattr(one, name) for name in _FIXED})
    merged.event_at = min(one.event_at, other.event_at)
    merged.price = _pick(one.price, other.price, max)
    merged.segments = _pick(one.segments, other.segments, max)
    merged.duration_seconds = _pick(one.duration_seconds, other.duration_seconds, max)
    merged.is_machine = _pick(one.is_machine, other.is_machine, max)
    merged.dispatch_id = _pick(one.dispatch_id, other.dispatch_id, lambda a, b: min(a, b, key=str.encode))
    merged.campaign_id, merged.campaign_source = _best_sourced(
        one.campaign_id, one.campaign_source, other.campaign_id, other.campaign_source
    )
    merged.template_id, merged.template_source = _best_sourced(
        one.template_id, one.template_source, other.template_id, other.template_source
    )
    for name in _GREATEST:
        setattr(merged, name, _greater(getattr(one, name), getattr(other, name)))
    chosen = max(one, other, key=lambda e: (e.recipient_key or b"", in_bytes(_derived_address(e))))
    for name in _RECIPIENT:
        setattr(merged, name, getattr(chosen, name))
    merged.extra = _merge_extra(one.extra, other.extra)
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


def _merge_extra(one: dict[str, object] | None, other: dict[str, object] | None) -> dict[str, object] | None:
    if not one or not other:
        return one or other or None
    return {name: _greater(one.get(name), other.get(name)) for name in sorted(one.keys() | other.keys())}
