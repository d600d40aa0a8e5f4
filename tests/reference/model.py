"""The whole product in memory, from files to reports. It was written only from the documentation, to test the real one.

It keeps all sightings of all events, and computes everything else from them at each call.
"""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from tests.reference import decode, derive
from tests.reference.feeds import FEEDS
from tests.reference.sighting import IgnoredError, RejectedError, Sighting, merged
from waybill.model.identity import Keyring
from waybill.simulator.truth.reports import Cells, Happening
from waybill.simulator.truth.reports import report_rows as rows_of


@dataclass(frozen=True)
class Rejection:
    """One rejected record.

    :ivar position: number of the line or the element, from 1
    :ivar reason: category of the reason: not_json, not_an_object, body, event_word, time, address, sid, status,
        channel, dispatch_id
    :ivar sha256: hexadecimal digest of the record's bytes
    """

    position: int
    reason: str
    sha256: str


@dataclass
class Counts:
    """Counts of the records of one file: read = mapped + ignored + rejected."""

    read: int = 0
    mapped: int = 0
    ignored: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class Model:
    """One warehouse.

    :param zone: name of the report time zone
    """

    def __init__(self, keyring: Keyring, zone: str) -> None:
        self.keyring = keyring
        self.zone = zone
        self.sightings: dict[object, set[Sighting]] = defaultdict(set)
        self._rejected: set[tuple[str, str, str]] = set()

    def load(self, account: str, feed: str, data: bytes, landed_at: datetime) -> Counts:
        """Load one landed file of an account's feed. Each record is mapped, ignored or rejected as a whole."""
        counts = Counts()
        for record in decode.records(feed, data):
            counts.read += 1
            try:
                if record.problem:
                    raise RejectedError(record.problem)
                sightings = FEEDS[feed](self.keyring, account, record.value, landed_at)
            except IgnoredError:
                counts.ignored += 1
            except RejectedError as why:
                digest = hashlib.sha256(record.raw).hexdigest()
                counts.rejected.append(Rejection(record.position, str(why), digest))
                self._rejected.add((account, feed, digest))
            else:
                counts.mapped += 1
                for sighting in sightings:
                    self.sightings[sighting.key].add(sighting)
        return counts

    def events(self) -> list[Sighting]:
        """Return each event once, merged, in key order."""
        return [merged(self.sightings[key]) for key in sorted(self.sightings)]

    def happenings(self) -> list[Happening]:
        return [derive.happening(event) for event in self.events()]

    def report_rows(self) -> dict[str, Cells]:
        """Return measures by report name and grain, as `waybill.simulator.truth.reports.report_rows`."""
        return rows_of(self.happenings(), self.zone)

    def unattributed(self) -> dict[tuple[str, str], int]:
        """Return the number of events without a message, by (account, feed); pairs without any are left out."""
        return dict(Counter((event.account, event.feed) for event in self.events() if event.leg is None))

    def rejected(self) -> set[tuple[str, str, str]]:
        """Return (account, feed, hexadecimal sha256 of the record's bytes) of all rejected records."""
        return set(self._rejected)
