"""The whole product in memory: files in, reports out. Written from the design alone; what the real one is tested by.

Every sighting of every event is kept for ever, and everything else is worked out from them each time it is asked for.
"""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from tests.reference import decode, derive
from tests.reference.feeds import FEEDS
from tests.reference.sighting import IgnoredError, RejectedError, Sighting, merged
from waybill.model.identity import Keyring
from waybill.simulator.truth import Cells, Happening
from waybill.simulator.truth import report_rows as rows_of


@dataclass(frozen=True)
class Rejection:
    """:ivar position: the line or the element, from 1
    :ivar reason: category of the reason: not_json, not_an_object, body, event_word, time, address, sid, status,
        channel, dispatch_id
    :ivar sha256: hexadecimal digest of the record's bytes"""

    position: int
    reason: str
    sha256: str


@dataclass
class Books:
    """What became of the records of one file: read = mapped + ignored + rejected."""

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

    def load(self, account: str, feed: str, data: bytes, landed_at: datetime) -> Books:
        """One landed file of one account's feed. A record is mapped whole, ignored or rejected whole."""
        books = Books()
        for record in decode.records(feed, data):
            books.read += 1
            try:
                if record.problem:
                    raise RejectedError(record.problem)
                told = FEEDS[feed](self.keyring, account, record.value, landed_at)
            except IgnoredError:
                books.ignored += 1
            except RejectedError as why:
                digest = hashlib.sha256(record.raw).hexdigest()
                books.rejected.append(Rejection(record.position, str(why), digest))
                self._rejected.add((account, feed, digest))
            else:
                books.mapped += 1
                for sighting in told:
                    self.sightings[sighting.key].add(sighting)
        return books

    def events(self) -> list[Sighting]:
        """Every event once, merged, in key order."""
        return [merged(self.sightings[key]) for key in sorted(self.sightings)]

    def happenings(self) -> list[Happening]:
        return [derive.happening(event) for event in self.events()]

    def report_rows(self) -> dict[str, Cells]:
        """Report name to grain to measures, as `waybill.simulator.truth.report_rows`."""
        return rows_of(self.happenings(), self.zone)

    def unattributed(self) -> dict[tuple[str, str], int]:
        """(account, feed) to how many events name no message; pairs without any are left out."""
        return dict(Counter((event.account, event.feed) for event in self.events() if event.leg is None))

    def rejected(self) -> set[tuple[str, str, str]]:
        """(account, feed, hexadecimal sha256 of the record's bytes) of every rejected record, once."""
        return set(self._rejected)
