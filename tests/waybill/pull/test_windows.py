"""The windows of successive pulls have no gap between them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Warehouse
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed, Window, on_grid
from waybill.ledger import pulls as journal
from waybill.pull.windows import PullWindow, given_window, next_window
from waybill.warehouse.connection import LOADER, connected
from waybill.warehouse.connection import Warehouse as Target

FEED = FEEDS["twilio_messages"]
ACCOUNT = "acme"
NOW = datetime(2026, 3, 10, 12, 34, 56, 789, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
API_FEEDS = [feed for feed in FEEDS.values() if isinstance(feed, ApiFeed)]

instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
spans = st.timedeltas(timedelta(seconds=1), timedelta(days=9))


@given(instants, spans, st.sampled_from([HOUR, 6 * HOUR, DAY, timedelta(minutes=7)]))
def test_the_stretches_cover_a_window_without_gap_or_overlap(
    from_at: datetime, length: timedelta, span: timedelta
) -> None:
    window = Window(from_at, from_at + length)
    stretches = list(on_grid(window, span))
    assert stretches[0].from_at <= window.from_at < stretches[0].until_at
    assert stretches[-1].from_at < window.until_at <= stretches[-1].until_at
    assert all(one.until_at == other.from_at for one, other in pairwise(stretches))
    assert all(one.until_at - one.from_at == span for one in stretches)


@given(instants, spans, spans)
def test_overlapping_windows_share_the_stretches_of_their_overlap(
    from_at: datetime, length: timedelta, shift: timedelta
) -> None:
    one, other = Window(from_at, from_at + length), Window(from_at + shift, from_at + shift + length)
    both = set(on_grid(one, 6 * HOUR)) & set(on_grid(other, 6 * HOUR))
    shared = Window(other.from_at, one.until_at)
    assert both >= (set(on_grid(shared, 6 * HOUR)) if shared.from_at < shared.until_at else set())


class Windows:
    """Returns the next window after the pulls of a test."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def complete(self, until_at: datetime) -> None:
        self.warehouse.rows(
            "insert into ops.watermark (account, feed, complete_from, complete_until) values (%s, %s, %s, %s)"
            " on conflict (account, feed) do update set complete_until = excluded.complete_until returning account",
            (ACCOUNT, FEED.slug, until_at - DAY, until_at),
        )

    def died(self, window: Window, account: str = ACCOUNT, **fields: object) -> int:
        """Record a pull of that window that died."""
        values = {"started_at": datetime.now(UTC), "pulled_at": None} | fields
        ((number,),) = self.warehouse.rows(
            "insert into ops.pull (account, feed, from_at, until_at, started_at, pulled_at)"
            " values (%s, %s, %s, %s, %s, %s) returning pull_id",
            (account, FEED.slug, *window, values["started_at"], values["pulled_at"]),
        )
        return number

    def next(self, until_at: datetime = NOW) -> PullWindow:
        with connected(self.warehouse.url, LOADER) as connection, connection, connection.cursor() as cursor:
            return next_window(cursor, FEED, ACCOUNT, until_at)


@pytest.fixture
def windows(warehouse: Warehouse) -> Iterator[Windows]:
    yield Windows(warehouse)


def test_the_first_window_is_as_long_as_the_lateness_and_is_swept(windows: Windows) -> None:
    assert windows.next() == (Window(NOW - FEED.lateness, NOW), NOW - FEED.lateness)


def test_a_window_begins_at_the_watermark_less_the_lateness(windows: Windows) -> None:
    windows.complete(NOW - HOUR)
    assert windows.next() == (Window(NOW - HOUR - FEED.lateness, NOW), NOW - HOUR - FEED.sweep)


def test_after_an_outage_the_window_contains_all_that_was_missed(windows: Windows) -> None:
    windows.complete(NOW - 30 * DAY)
    asked = windows.next()
    assert asked.window == Window(NOW - 30 * DAY - FEED.lateness, NOW)
    assert asked.swept_from == NOW - 30 * DAY - FEED.sweep


def test_a_run_for_an_earlier_time_ends_there(windows: Windows) -> None:
    windows.complete(NOW)
    earlier = NOW - 5 * DAY
    assert windows.next(earlier) == (Window(earlier - FEED.lateness, earlier), earlier - FEED.sweep)


@pytest.mark.parametrize("feed", API_FEEDS, ids=lambda feed: feed.slug)
def test_the_sweep_never_begins_before_the_window(feed: ApiFeed) -> None:
    assert timedelta(0) <= feed.sweep <= feed.lateness and feed.lateness > timedelta(0)
    assert feed.listing_span > timedelta(0)


def test_the_window_of_a_pull_that_died_is_used_again(windows: Windows) -> None:
    windows.complete(NOW - 2 * DAY)
    died = Window(NOW - 2 * DAY - FEED.lateness, NOW - HOUR)
    windows.died(died)
    assert windows.next() == (died, NOW - 2 * DAY - FEED.sweep)


def test_the_window_of_a_first_pull_that_died_is_used_again(windows: Windows) -> None:
    died = Window(NOW - HOUR - FEED.lateness, NOW - HOUR)
    windows.died(died)
    assert windows.next() == (died, died.from_at)


NEXT = Window(NOW - 2 * DAY - FEED.lateness, NOW)
"""The window after a watermark two days ago."""


@pytest.mark.parametrize(
    ("window", "fields"),
    [
        (NEXT._replace(until_at=NOW - HOUR), {"pulled_at": NOW}),
        (NEXT._replace(until_at=NOW - HOUR), {"started_at": datetime.now(UTC) - journal.RESUMED_WITHIN - HOUR}),
        (NEXT._replace(until_at=NOW + HOUR), {}),
        (NEXT._replace(from_at=NEXT.from_at + HOUR), {}),
        (NEXT._replace(from_at=NEXT.from_at - HOUR), {}),
        (NEXT._replace(until_at=NOW - HOUR), {"account": "other"}),
    ],
    ids=["it ended", "too long ago", "it ends later", "begins later", "begins earlier", "another account"],
)
def test_the_window_of_another_pull_is_not_used_again(windows: Windows, window: Window, fields: dict) -> None:
    windows.complete(NOW - 2 * DAY)
    windows.died(window, **fields)
    assert windows.next().window == NEXT


def test_the_window_of_a_pull_before_the_last_is_not_used_again(windows: Windows) -> None:
    windows.complete(NOW - 2 * DAY)
    windows.died(NEXT._replace(until_at=NOW - HOUR))
    windows.died(Window(NOW - 9 * DAY, NOW - 8 * DAY), pulled_at=NOW)
    assert windows.next().window == NEXT


def test_the_window_of_a_running_pull_is_not_used_again(windows: Windows) -> None:
    windows.complete(NOW - 2 * DAY)
    target = Target(windows.warehouse.settings, windows.warehouse.url)
    with journal.alone(target, FEED, ACCOUNT):
        windows.died(NEXT._replace(until_at=NOW - HOUR))
        assert windows.next().window == NEXT
    assert windows.next().window == NEXT._replace(until_at=NOW - HOUR)


def test_a_given_window_is_used_and_swept() -> None:
    window = Window(NOW - DAY, NOW)
    assert given_window(window) == (window, window.from_at)
    assert given_window(window, is_dated_only=True) == (window, None)
