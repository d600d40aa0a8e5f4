"""Retries keep the waits that the provider asks for, choose random waits otherwise, and end after a bounded time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waybill.pull.servers import Moment
from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.limits import Limits
from waybill.pull.retrying import Patience, TransientError, UnauthorizedError, wait_asked_for

NOW = datetime(2026, 3, 2, 1, 0, 0, tzinfo=UTC)
HOST = "api.example.com"


def patience(moment: Moment, random: Callable[[], float] | None = None, **limits: float) -> Patience:
    return Patience(
        Limits(**limits),
        HOST,
        clock=moment.clock,
        now=moment.now,
        sleep=moment.sleep,
        random=random or moment.random,
        say=moment.said.append,
    )


class Attempts:
    """Raises one error after the other, then returns `page`. Each attempt takes `seconds`."""

    def __init__(self, *errors: Exception, moment: Moment | None = None, seconds: float = 0) -> None:
        self.errors = list(errors)
        self.count = 0
        self.deadlines: set[float] = set()
        self.moment = moment
        self.seconds = seconds

    def __call__(self, deadline: float) -> str:
        self.count += 1
        self.deadlines.add(deadline)
        if self.moment:
            self.moment.passed_seconds += self.seconds
        if self.errors:
            raise self.errors.pop(0)
        return "page"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("000300", 300),
        ("9" * 400, 10 * 365 * 86_400),
        ("Mon, 02 Mar 2026 01:00:30 GMT", 30),
        ("Monday, 02-Mar-26 01:02:00 GMT", 120),
        ("Mon Mar  2 01:00:05 2026", 5),
        ("Mon, 02 Mar 2026 02:00:30 +0100", 30),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 10 * 365 * 86_400),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float):
    assert wait_asked_for(header, NOW) == seconds


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "0", "-5", "soon", "1e3", "1.5", "12, 30", "\uff11\uff12", "0x10", "2026-03-02"),
        "Mon, 02 Mar 2026 00:59:59 GMT",
    ],
)
def test_a_past_or_malformed_retry_after_is_ignored(header: str | None):
    assert wait_asked_for(header, NOW) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,5} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ ([+-]\d+|GMT|[A-Z]+)"))
def test_no_retry_after_header_raises(header: str):
    seconds = wait_asked_for(header, NOW)
    assert seconds is None or 0 < seconds <= 10 * 365 * 86_400


@given(st.datetimes(datetime(2026, 3, 3), datetime(2030, 1, 1)), st.integers(-12, 14))
def test_a_date_means_the_same_in_every_zone(date: datetime, hours: int):
    aware = date.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    assert wait_asked_for(format_datetime(aware), NOW) == (aware - NOW).total_seconds()


def test_the_first_good_answer_is_returned(moment: Moment):
    attempt = Attempts()
    assert patience(moment).call(attempt) == "page"
    assert (attempt.count, moment.waits, moment.said) == (1, [], [])


def test_waits_are_random_below_a_bound_that_doubles(moment: Moment):
    attempt = Attempts(*[TransientError("503")] * 8)
    patience(moment, random=lambda: 1.0, attempts=9).call(attempt)
    assert moment.waits == [1, 2, 4, 8, 16, 32, 60, 60]

    moment.waits.clear()
    draws = iter([0.0, 0.25, 0.5])
    patience(moment, random=lambda: next(draws)).call(Attempts(*[TransientError("503")] * 3))
    assert moment.waits == [0, 0.5, 2]


def test_the_wait_of_the_provider_is_kept_exactly_and_every_wait_is_logged(moment: Moment):
    attempt = Attempts(
        TransientError("429", "code 20429: Too Many Requests", wait_seconds=12),
        TransientError("no connection"),
        TransientError("429", wait_seconds=300),
    )
    assert patience(moment).call(attempt) == "page"
    assert moment.waits == [12, 1, 300]
    assert moment.said == [
        "429 from api.example.com (code 20429: Too Many Requests), waiting 12 s, attempt 2 of 6",
        "no connection from api.example.com, waiting 1 s, attempt 3 of 6",
        "429 from api.example.com, waiting 300 s, attempt 4 of 6",
    ]


def test_a_wait_above_the_limit_is_an_error_that_names_its_end(moment: Moment):
    attempt = Attempts(TransientError("429", wait_seconds=3600))
    with pytest.raises(SourceError, match=r"asked once .* a wait of 3600 s, until 2026-03-02 02:00:00 UTC\. Run again"):
        patience(moment).call(attempt)
    assert (attempt.count, moment.waits) == (1, [])


def test_the_number_of_attempts_is_bounded(moment: Moment):
    attempt = Attempts(*[TransientError("503", "code 20503: Busy")] * 9)
    with pytest.raises(
        SourceError,
        match=r"^503 from api\.example\.com \(code 20503: Busy\); asked 6 times in 15\.5 s\. Run again later\.$",
    ) as caught:
        patience(moment).call(attempt)
    assert attempt.count == 6
    assert moment.waits == [0.5, 1, 2, 4, 8]
    assert caught.value.__context__ is None


def test_the_total_time_is_bounded(moment: Moment):
    attempt = Attempts(*[TransientError("503", wait_seconds=200)] * 99, moment=moment, seconds=30)
    with pytest.raises(SourceError, match=r"asked 4 times in 720 s"):
        patience(moment, attempts=99).call(attempt)
    assert moment.waits == [200, 200, 200]
    assert attempt.deadlines == {900}


def test_every_attempt_receives_the_deadline(moment: Moment):
    moment.passed_seconds = 50
    attempt = Attempts(TransientError("503"), TransientError("503"))
    patience(moment, total_seconds=100).call(attempt)
    assert attempt.deadlines == {150}


def test_credentials_refused_twice_are_a_configuration_error(moment: Moment):
    attempt = Attempts(*[UnauthorizedError("401", "code 20003: Authenticate")] * 9)
    with pytest.raises(ConfigurationError, match=r"^401 .*code 20003: Authenticate.* 2 times.*user and secret"):
        patience(moment).call(attempt)
    assert attempt.count == 2


def test_a_single_refusal_of_the_credentials_is_ignored(moment: Moment):
    attempt = Attempts(
        TransientError("503"), UnauthorizedError("401"), TransientError("503"), TransientError("no answer in time")
    )
    assert patience(moment).call(attempt) == "page"
    again = Attempts(UnauthorizedError("401"), TransientError("503"), UnauthorizedError("401"))
    with pytest.raises(ConfigurationError):
        patience(moment).call(again)
    assert again.count == 3


@pytest.mark.parametrize("error", [SourceError("said"), ConfigurationError("said"), KeyboardInterrupt(), ValueError()])
def test_other_errors_are_raised_at_once(moment: Moment, error: BaseException):
    attempt = Attempts(error)
    with pytest.raises(type(error)) as caught:
        patience(moment).call(attempt)
    assert caught.value is error
    assert attempt.count == 1


@given(st.lists(st.none() | st.floats(0.001, 2_000), max_size=30), st.integers(1, 12), st.floats(0, 40))
def test_no_page_exceeds_the_limits_of_attempts_and_time(wishes: list, attempts: int, seconds: float):
    moment = Moment()
    attempt = Attempts(*[TransientError("429", wait_seconds=wish) for wish in wishes], moment=moment, seconds=seconds)
    try:
        patience(moment, attempts=attempts).call(attempt)
        assert attempt.count == len(wishes) + 1
    except SourceError:
        assert attempt.count <= len(wishes)
    assert attempt.count <= attempts
    assert sum(moment.waits) < 900
    assert all(wait <= 300 for wait in moment.waits)
    assert len(moment.said) == len(moment.waits) == attempt.count - 1
