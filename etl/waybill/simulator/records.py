"""Written records, and the true events that follow from all of them.

Each record that the world writes contains a part of some events. The truth is what all written records contain
together, so a record that was never written (a status between two polls, a webhook that has not arrived) adds nothing.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from waybill.simulator.truth.outcome import Happening, greatest, least

NO_KEY = UUID(int=0)
"""The key of a Happening until all its sightings are merged."""

EventName = tuple[str, ...]
"""Identifies an event: account, provider and other parts, without a further meaning."""


class WrittenRecord(NamedTuple):
    """One record as written.

    :ivar account: the account of the file that contains it (a dispatch log may have rows of another account)
    :ivar arrives: when it can be written into a file; nothing in it is later
    :ivar fields: the fields of the record
    :ivar events: the events that it contains, with what this record alone says; empty: the record is to be ignored
    """

    account: str
    feed: str
    arrives: datetime
    fields: dict[str, object]
    events: tuple[tuple[EventName, Happening], ...]


class Files(Protocol):
    """What stand-ins ask the world: its accounts and end, and what its files contain.

    :ivar file_feeds: the feeds that are files even if other feeds are read over HTTP
    """

    accounts: tuple[str, ...]
    ends: datetime
    file_feeds: tuple[str, ...]

    def happenings(
        self, feeds: Collection[str] = ..., until: datetime | None = None, shown: Iterable[WrittenRecord] = ()
    ) -> list[Happening]:
        """Returns the true events of the files and of other seen records, as `World.happenings`."""


class Clock:
    """Gives each event of one message its own whole second."""

    def __init__(self) -> None:
        self._taken: set[datetime] = set()

    def at(self, wanted: datetime) -> datetime:
        """Returns the wanted second, or the first free one after it."""
        moment = wanted.replace(microsecond=0)
        while moment in self._taken:
            moment += timedelta(seconds=1)
        self._taken.add(moment)
        return moment


def leg_key(account: str, provider: str, leg: tuple[str, ...]) -> UUID:
    """Returns a UUID that depends only on the name of the leg."""
    written = "\n".join((account, provider, *leg)).encode()
    return UUID(bytes=hashlib.blake2b(written, digest_size=16).digest())


def merged(records: Iterable[WrittenRecord]) -> list[Happening]:
    """Returns the true events in order of time, with ascending keys."""
    sightings: dict[EventName, list[Happening]] = {}
    for record in records:
        for name, happening in record.events:
            sightings.setdefault(name, []).append(happening)
    true = sorted(((name, _together(seen)) for name, seen in sightings.items()), key=lambda pair: (pair[1].at, pair[0]))
    return [replace(happening, key=UUID(int=number)) for number, (_, happening) in enumerate(true, start=1)]


def _together(seen: list[Happening]) -> Happening:
    """Returns one event from its sightings.

    It has the least time, dispatch id, campaign and template (best source first), and the greatest of the other values;
    it is of a machine if one sighting says so. The failure is that of the first sighting with a provider's code.
    """
    if len(seen) == 1:
        return seen[0]
    why = next((h for h in seen if h.provider_code), seen[0])
    return replace(
        seen[0],
        at=min(h.at for h in seen),
        dispatch_id=least(h.dispatch_id for h in seen),
        campaign=least(h.campaign for h in seen),
        template=least(h.template for h in seen),
        mailbox_provider=greatest(h.mailbox_provider for h in seen),
        country=greatest(h.country for h in seen),
        failure_class=why.failure_class,
        failure_reason=why.failure_reason,
        provider_code=why.provider_code,
        is_machine=greatest(h.is_machine for h in seen),
        price=greatest(h.price for h in seen),
        currency=greatest(h.currency for h in seen),
        segments=greatest(h.segments for h in seen),
        duration_seconds=greatest(h.duration_seconds for h in seen),
        answered_by=greatest(h.answered_by for h in seen),
    )
