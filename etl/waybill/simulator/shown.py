"""The rows that a client has seen: in complete responses, or in the bodies that it kept."""

import json
from collections import Counter
from collections.abc import Iterable
from threading import Lock

from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio import CALLS, MESSAGES
from waybill.simulator.twilio_api import Sighting
from waybill.simulator.twilio_page import as_written, rows_of
from waybill.simulator.world import World


class Shown:
    """The states of rows that were sent, with their counts. Thread-safe."""

    def __init__(self) -> None:
        self._times: Counter[Sighting] = Counter()
        self._lock = Lock()

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Add rows that are sent now."""
        with self._lock:
            self._times.update(sightings)

    def take_back(self, sightings: Iterable[Sighting]) -> None:
        """Remove rows that did not arrive."""
        with self._lock:
            self._times.subtract(sightings)

    def records(self) -> list[WrittenRecord]:
        """Returns the records, each state once."""
        with self._lock:
            return [sighting.record for sighting, times in self._times.items() if times > 0]


def records_in_bodies(world: World, bodies: Iterable[bytes]) -> list[WrittenRecord]:
    """Returns the records of landed pages of Twilio's lists.

    If a client dies between receiving and landing, the landed pages are the truth, not the sent ones.

    :param bodies: pages of either list of any account, as received
    :raises ValueError: a body is not a page, or has a row in a state that the world never had
    """
    return [sighting.record for sighting in sightings_in_bodies(world, bodies)]


def sightings_in_bodies(world: World, bodies: Iterable[bytes]) -> set[Sighting]:
    """Returns the states of rows in landed pages. Raises ValueError as `records_in_bodies` does."""
    rows = {
        row.sid: (account, row)
        for account in world.accounts
        for feed in (MESSAGES, CALLS)
        for row in world.rows(account, feed)
    }
    found = set()
    for body in bodies:
        for written in rows_of(json.loads(body)):
            account, row = rows[str(written["sid"])]
            states = [as_written(state) for _, state in row.states]
            if written not in states:
                raise ValueError(f"expected a state of the row {row.sid}, got one with status {written['status']}")
            found.add(Sighting(account, row, states.index(written)))
    return found
