"""Keeps the limit of a provider's rate, so that requests are not answered with 429."""

from collections.abc import Callable
from datetime import datetime

import httpx2

from waybill.model.wire import Rate
from waybill.pull.retrying import UnavailableError


class Pace:
    """The waits before requests to one provider.

    :param longest_wait_seconds: above it, the pull ends and is repeated later
    :param clock: monotonic seconds
    :param now: aware UTC
    :param say: receives a line for each wait for a provider's own reset
    """

    def __init__(
        self,
        rate: Rate,
        longest_wait_seconds: float,
        host: str,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        say: Callable[[str], None],
    ) -> None:
        self._rate = rate
        self._longest_wait_seconds = longest_wait_seconds
        self._host = host
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._say = say
        self._next_at: float | None = None

    def wait(self) -> None:
        """Wait until a request is allowed. Raises UnavailableError if that is too long."""
        if self._next_at is not None and (seconds := self._next_at - self._clock()) > 0:
            if seconds > self._longest_wait_seconds:
                raise UnavailableError(
                    f"{self._host} allows no request for {seconds:.0f} s, the rest of its rate limit. Run again later."
                )
            if seconds >= 1:
                self._say(f"no requests left at {self._host}, waiting {seconds:.1f} s")
            self._sleep(seconds)
        rate = self._rate.requests_per_second
        self._next_at = self._clock() + 1 / rate if rate else None

    def note(self, headers: httpx2.Headers) -> None:
        """Read the headers of an answer: if no request is left, the next one waits for the reset."""
        if self._number(headers, self._rate.remaining) == 0:
            reset = self._number(headers, self._rate.reset)
            if reset is not None:
                seconds = reset if self._rate.is_reset_seconds else reset - self._now().timestamp()
                self._next_at = max(self._next_at or 0, self._clock() + seconds)

    @staticmethod
    def _number(headers: httpx2.Headers, name: str) -> int | None:
        text = headers.get(name, "").strip() if name else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None
