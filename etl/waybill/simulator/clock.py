"""The time that the stand-in shows its rows at: set by hand, or moving on with requests or with real time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock


class WorldClock:
    """Stands still unless told otherwise. Safe between threads.

    :param at: the first moment
    :param per_request: how far it moves on with every request: rows change between pages
    :param monotonic: real seconds, from anywhere
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
        """Now (UTC)."""
        with self._lock:
            return self._now()

    @at.setter
    def at(self, moment: datetime) -> None:
        with self._lock:
            self._set(moment.astimezone(UTC))

    @property
    def speed(self) -> float:
        """Seconds of the world in a real second; 0 stands still."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        with self._lock:
            self._set(self._now())
            self._speed = speed

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._set(self._now() + by)

    def tick(self) -> datetime:
        """Now, for one request; the next one is `per_request` later."""
        with self._lock:
            now = self._now()
            self._set(now + self.per_request)
            return now

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=self._speed * (self._monotonic() - self._set_at))

    def _set(self, moment: datetime) -> None:
        self._at, self._set_at = moment, self._monotonic()
