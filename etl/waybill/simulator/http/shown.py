"""The rows that a client has seen in complete responses."""

from collections import Counter
from collections.abc import Iterable
from threading import Lock

from waybill.simulator.http.page import Sighting
from waybill.simulator.records import WrittenRecord


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
