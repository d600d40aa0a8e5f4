"""The base of every feed: what a feed declares, and everything that is the same for all of them.

A feed is one stream of one provider: a file of pure functions with no clock, socket, environment or state. It says
what its records look like and what one record means (`sightings`) and how derived columns follow from copied ones
(`classify`). This class owns the rest: typed decoding, limits of time, recipient, redaction, keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, ClassVar, NamedTuple

import msgspec

from etl.model.errors import RejectRecord
from etl.model.event import Event, merge_all
from etl.model.identity import Keyring
from etl.model.providers import PROVIDERS
from etl.model.recipients import country_of, mailbox_provider_of, normalise_address
from etl.model.redaction import Redactor

EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)
CLOCK_AHEAD = timedelta(days=1)


class RawRecord(NamedTuple):
    """One record as it stands in a landed object, before anything is known about it.

    :ivar position: the line (files of lines) or the element (arrays, bodies, Parquet), from 1
    :ivar raw: its bytes as received
    :ivar problem: why it is no record at all (not JSON, not an object), or None
    """

    position: int
    raw: bytes
    problem: str | None = None


class Sighting(NamedTuple):
    """What a feed says of one event: the copied columns, the identity tuple, and the time in the key.

    :ivar event: copied columns as the provider wrote them (clear texts; the base class redacts); `recipient` as written
    :ivar identity: the feed's identity tuple, as texts in which the own recipient still stands
    :ivar key_at: aware time that can never change
    :ivar leg: whether the record names its message (False: kept with a null leg)
    """

    event: Event
    identity: tuple[str, ...]
    key_at: datetime
    leg: bool = True


class Feed:
    """Subclasses set the class attributes and the three methods marked *feed*; nothing else."""

    slug: ClassVar[str]
    title: ClassVar[str]
    provider: ClassVar[str]
    channel: ClassVar[str]  # "all" where the record says which
    kind: ClassVar[str]  # "api" or "files"
    credentials: ClassVar[tuple[str, ...]]  # names of settings; empty for files
    lateness: ClassVar[timedelta]  # how far back each run re-reads
    rules_version: ClassVar[int]  # raise it whenever a derived column may come out otherwise
    record_type: ClassVar[type]
    event_types: ClassVar[dict[str | None, str]]

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        """*feed*: the records of one landed object, in order; blank lines are none."""
        raise NotImplementedError

    def sightings(self, record: msgspec.Struct) -> Iterable[Sighting]:
        """*feed*: what one typed record tells; none: the record is ignored. Raises RejectRecord."""
        raise NotImplementedError

    def classify(self, event: Event) -> None:
        """*feed*: fill event_type, failure_class, failure_reason, not_sent_category, machine_rule from the copied
        columns of a merged event, and from nothing else."""
        raise NotImplementedError
