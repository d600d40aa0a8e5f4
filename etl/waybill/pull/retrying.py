"""Tries a page again after failures that may pass, for a bounded time.

If the provider asks for a wait (Retry-After), the next attempt comes exactly after that wait. Otherwise waits are
random below a bound that doubles (full jitter), so that many clients do not come back at the same time.
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
    """This attempt failed, but the next may succeed.

    :param reason: the failure in one or two words: `429`, `no connection`
    :param detail: the message of the provider, redacted; empty if there is none
    :param wait_seconds: the wait that the provider asked for; None if it did not
    """

    def __init__(self, reason: str, detail: str = "", *, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.wait_seconds = wait_seconds


class UnauthorizedError(TransientError):
    """The credentials were refused. Providers sometimes refuse good credentials too, but seldom twice."""


class UnavailableError(SourceError):
    """The provider was not reached or gave no answer. The same request may succeed later."""


def wait_asked_for(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header (RFC 9110: seconds or a date) asks for; None if the header is
    missing, in the past or malformed.

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
    """The retries of requests to one provider.

    :param host: the provider's host, for messages
    :param clock: monotonic seconds
    :param now: aware UTC
    :param random: uniform in 0..1, for jitter
    :param say: receives a line for each retry
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
        """Return the result of the first attempt that does not raise TransientError.

        :param attempt: receives its deadline, a time of the clock
        :raises UnavailableError: the attempts or the time are used up, or the provider asks for too long a wait
        :raises ConfigurationError: the credentials are refused
        """
        started = self._clock()
        deadline = started + self._limits.total_seconds
        refused_count = 0

        def is_over(state: RetryCallState) -> bool:
            nonlocal refused_count
            error = _error_of(state)
            refused_count += isinstance(error, UnauthorizedError)
            return (
                state.attempt_number >= self._limits.attempts
                or refused_count >= self._limits.unauthorized_attempts
                or (error.wait_seconds or 0) > self._limits.longest_wait_seconds
                or self._clock() + state.upcoming_sleep >= deadline
            )

        def give_up(state: RetryCallState) -> Result:
            error = _error_of(state)
            times = "once" if state.attempt_number == 1 else f"{state.attempt_number} times"
            message = f"{_what(error, self._host)}; asked {times} in {_seconds(self._clock() - started)} s."
            if error.wait_seconds is not None:
                at = self._now() + timedelta(seconds=error.wait_seconds)
                message += f" It asks for a wait of {_seconds(error.wait_seconds)} s, until {at:%Y-%m-%d %H:%M:%S} UTC."
            if isinstance(error, UnauthorizedError):
                raise ConfigurationError(
                    f"{message} The provider refuses the credentials: check user and secret of this connection."
                )
            raise UnavailableError(f"{message} Run again later.")

        return Retrying(
            sleep=self._sleep,
            retry=retry_if_exception_type(TransientError),
            wait=self._wait,
            stop=is_over,
            before_sleep=self._say_retry,
            retry_error_callback=give_up,
        )(attempt, deadline)

    def _wait(self, state: RetryCallState) -> float:
        asked = _error_of(state).wait_seconds
        if asked is not None:
            return asked
        bound: float = self._limits.first_backoff_seconds * 2 ** (state.attempt_number - 1)
        return self._random() * min(bound, self._limits.longest_backoff_seconds)

    def _say_retry(self, state: RetryCallState) -> None:
        self._say(
            f"{_what(_error_of(state), self._host)}, waiting {_seconds(state.upcoming_sleep)} s, "
            f"attempt {state.attempt_number + 1} of {self._limits.attempts}"
        )


def _error_of(state: RetryCallState) -> TransientError:
    """Return the error of an attempt that failed."""
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientError):
        raise TypeError(f"A retry needs a TransientError, not {type(error).__name__}.")
    return error


def _what(error: TransientError, host: str) -> str:
    return f"{error.reason} from {host}" + (f" ({error.detail})" if error.detail else "")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")
