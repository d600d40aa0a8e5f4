"""Tries a page again: politely, and not for ever.

A wait that the provider asks for (Retry-After) is kept to the second; where it asks for none, waits are random up to a
bound that doubles (full jitter), so that many clients do not come back at once.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.limits import Limits

Result = TypeVar("Result")

_SECONDS = re.compile(r"[0-9]+", re.ASCII)
_MOST_SECONDS = 10 * 365 * 86_400.0


class TransientError(Exception):
    """This attempt failed; the next one may not.

    :param reason: what happened, in two words: `429`, `no connection`
    :param detail: more of it, redacted; empty if nothing is known
    :param wait_seconds: that the provider asked for; None if it did not
    """

    def __init__(self, reason: str, detail: str = "", *, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.wait_seconds = wait_seconds


class UnauthorizedError(TransientError):
    """The credentials were refused. Providers do that to good ones too, but seldom twice."""


class UnavailableError(SourceError):
    """The provider could not be asked, or gave no answer; the same request may succeed later."""


def wait_asked_for(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header (RFC 9110: seconds or a date) asks for; None if it asks for none, lies in the
    past or cannot be read.

    :param now: aware
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return min(seconds, _MOST_SECONDS) if seconds > 0 else None


class Patience:
    """How often and how long one provider is asked again.

    :param host: of the provider, for what is said
    :param clock: monotonic seconds
    :param now: aware UTC
    :param random: uniform in 0..1, for jitter
    :param say: takes a line for each retry
    """

    def __init__(
        self,
        limits: Limits,
        host: str,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        random: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self._limits = limits
        self._host = host
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._random = random
        self._say = say

    def call(self, attempt: Callable[[float], Result]) -> Result:
        """The result of the first attempt that raises no TransientError.

        :param attempt: takes the moment, on the clock, at which it must be over
        :raises UnavailableError: the attempts or the time are used up, or the provider asks for too long a wait
        :raises ConfigurationError: the credentials are refused
        """
        started = self._clock()
        deadline = started + self._limits.total_seconds
        refused_count = 0

        def is_over(state: RetryCallState) -> bool:
            nonlocal refused_count
            error = state.outcome.exception()
            refused_count += isinstance(error, UnauthorizedError)
            return (
                state.attempt_number >= self._limits.attempts
                or refused_count >= self._limits.unauthorized_attempts
                or (error.wait_seconds or 0) > self._limits.longest_wait_seconds
                or self._clock() + state.upcoming_sleep >= deadline
            )

        def give_up(state: RetryCallState) -> Result:
            error = state.outcome.exception()
            times = "once" if state.attempt_number == 1 else f"{state.attempt_number} times"
            asked = ""
            if error.wait_seconds is not None:
                back_at = self._now() + timedelta(seconds=error.wait_seconds)
                asked = f" It asks to come back in {_told(error.wait_seconds)} s, at {back_at:%Y-%m-%d %H:%M:%S} UTC."
            told = f"{_what(error, self._host)}; asked {times} in {_told(self._clock() - started)} s.{asked}"
            if isinstance(error, UnauthorizedError):
                raise ConfigurationError(
                    f"{told} The credentials are refused there: check user and secret of this connection."
                )
            raise UnavailableError(f"{told} Run again later.")

        return Retrying(
            sleep=self._sleep,
            retry=retry_if_exception_type(TransientError),
            wait=self._wait,
            stop=is_over,
            before_sleep=self._tell,
            retry_error_callback=give_up,
        )(attempt, deadline)

    def _wait(self, state: RetryCallState) -> float:
        asked = state.outcome.exception().wait_seconds
        if asked is not None:
            return asked
        bound = self._limits.first_backoff_seconds * 2 ** (state.attempt_number - 1)
        return self._random() * min(bound, self._limits.longest_backoff_seconds)

    def _tell(self, state: RetryCallState) -> None:
        self._say(
            f"{_what(state.outcome.exception(), self._host)}, waiting {_told(state.upcoming_sleep)} s, "
            f"attempt {state.attempt_number + 1} of {self._limits.attempts}"
        )


def _what(error: TransientError, host: str) -> str:
    return f"{error.reason} from {host}" + (f" ({error.detail})" if error.detail else "")


def _told(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")
