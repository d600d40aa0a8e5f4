"""What the written records tell, and what they tell together.

The world writes records; each says a part of some events. The truth is what all written records say together, so a
record that was never written (a status between two polls, a webhook that is still to come) adds nothing to it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from waybill.simulator.truth import Happening

NO_KEY = UUID(int=0)
"""Stands in a Happening until all sightings are merged."""

EventName = tuple[str, ...]
"""Tells two events apart: account, provider and whatever the world needs; no meaning beyond that."""


class Told(NamedTuple):
    """One record as written.

    :ivar account: whose feed it stands in (a dispatch log may hold rows of another account)
    :ivar arrives: when it is there to be written into a file; nothing in it is later
    :ivar record: its fields
    :ivar tells: the events it tells of, each with what this record alone says; none: the record is to be ignored
    """

    account: str
    feed: str
    arrives: datetime
    record: dict[str, object]
    tells: tuple[tuple[EventName, Happening], ...]


class Clock:
    """Hands out the whole seconds of one message, none twice, so that no two of its events are simultaneous."""

    def __init__(self) -> None:
        self._taken: set[datetime] = set()

    def at(self, wanted: datetime) -> datetime:
        """The wanted second, or the first free one after it."""
        moment = wanted.replace(microsecond=0)
        while moment in self._taken:
            moment += timedelta(seconds=1)
        self._taken.add(moment)
        return moment


def leg_key(account: str, provider: str, leg: tuple[str, ...]) -> UUID:
    """A UUID that is the same wherever the same leg is named."""
    written = "\n".join((account, provider, *leg)).encode()
    return UUID(bytes=hashlib.blake2b(written, digest_size=16).digest())


def merged(told: Iterable[Told]) -> list[Happening]:
    """The true events in order of time, with keys that rise in that order."""
    sightings: dict[EventName, list[Happening]] = {}
    for record in told:
        for name, happening in record.tells:
            sightings.setdefault(name, []).append(happening)
    true = sorted(((name, _together(seen)) for name, seen in sightings.items()), key=lambda pair: (pair[1].at, pair[0]))
    return [replace(happening, key=UUID(int=number)) for number, (_, happening) in enumerate(true, start=1)]


def _together(seen: list[Happening]) -> Happening:
    """Least time, dispatch id, campaign and template (best source first); greatest price, segments and duration;
    machine if anyone says so; why it failed by whoever knows the provider's code; any other value before none."""
    if len(seen) == 1:
        return seen[0]
    why = next((happening for happening in seen if happening.provider_code), seen[0])
    return replace(
        seen[0],
        at=min(happening.at for happening in seen),
        dispatch_id=_pick(min, seen, "dispatch_id"),
        campaign=_pick(min, seen, "campaign"),
        template=_pick(min, seen, "template"),
        mailbox_provider=_pick(max, seen, "mailbox_provider"),
        country=_pick(max, seen, "country"),
        failure_class=why.failure_class,
        failure_reason=why.failure_reason,
        provider_code=why.provider_code,
        is_machine=_pick(max, seen, "is_machine"),
        price=_pick(max, seen, "price"),
        currency=_pick(max, seen, "currency"),
        segments=_pick(max, seen, "segments"),
        duration_seconds=_pick(max, seen, "duration_seconds"),
        answered_by=_pick(max, seen, "answered_by"),
    )


def _pick(choose, seen: list[Happening], field: str):  # noqa: ANN001 - least or greatest of any ordered type
    values = [value for happening in seen if (value := getattr(happening, field)) is not None]
    return choose(values) if values else None
