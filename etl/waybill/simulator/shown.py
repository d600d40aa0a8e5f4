"""Which rows a client has been shown: by answers that came whole, or by the bodies that it kept."""

import json
from collections import Counter
from collections.abc import Iterable
from threading import Lock

from waybill.simulator.telling import Told
from waybill.simulator.twilio import CALLS, MESSAGES
from waybill.simulator.twilio_api import Sighting
from waybill.simulator.twilio_page import as_written, rows_of
from waybill.simulator.world import World


class Shown:
    """The states of rows that went out, each with how often. Safe between threads."""

    def __init__(self) -> None:
        self._times: Counter[Sighting] = Counter()
        self._lock = Lock()

    def add(self, sightings: Iterable[Sighting]) -> None:
        """They go out now."""
        with self._lock:
            self._times.update(sightings)

    def take_back(self, sightings: Iterable[Sighting]) -> None:
        """They did not arrive after all."""
        with self._lock:
            self._times.subtract(sightings)

    def told(self) -> list[Told]:
        """What they tell, each state once."""
        with self._lock:
            return [sighting.told for sighting, times in self._times.items() if times > 0]


def told_by_bodies(world: World, bodies: Iterable[bytes]) -> list[Told]:
    """What landed pages of Twilio's lists tell.

    For clients that die between receiving and landing: what was landed is the truth, not what was sent.

    :param bodies: pages of either list of any account, as received
    :raises ValueError: where a body is no page, or shows a row as the world never had it
    """
    return [sighting.told for sighting in sightings_in_bodies(world, bodies)]


def sightings_in_bodies(world: World, bodies: Iterable[bytes]) -> set[Sighting]:
    """The states of rows that landed pages show. Raises ValueError as `told_by_bodies` does."""
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
