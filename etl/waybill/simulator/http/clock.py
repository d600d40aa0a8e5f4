"""The time of the simulated world: set by hand, or moved by requests or by real time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock


class WorldClock:
    """A clock that does not move by itself, unless `speed` is set. Thread-safe.

    :param at: the first moment
    :param per_request: how far each request moves it, so that rows change between pages
    :param monotonic: returns real seconds
    """

    def __init__(
        self,
        at: datetime,
        per_request: timedelta = timedelta(0),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.per_request = per_request
        self._at = at.astimezone(UTC)
        self._speed = 0.0
        self._monotonic = monotonic
        self._set_at = monotonic()
        self._lock = Lock()

    @property
    def at(self) -> datetime:
        """The present time (UTC)."""
        with self._lock:
            return self._now()

    @at.setter
    def at(self, moment: datetime) -> None:
        with self._lock:
            self._set(moment.astimezone(UTC))

    @property
    def speed(self) -> float:
        """Seconds of the world per real second; 0: the clock does not move."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        with self._lock:
            self._set(self._now())
            self._speed = speed

    def move(self, by: timedelta) -> None:
        """Move the clock."""
        with self._lock:
            self._set(self._now() + by)

    def tick(self) -> datetime:
        """Returns the time for one request, and moves the clock by `per_request`."""
        with self._lock:
            now = self._now()
            self._set(now + self.per_request)
            return now

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=self._speed * (self._monotonic() - self._set_at))

    def _set(self, moment: datetime) -> None:
        self._at, self._set_at = moment, self._monotonic()
