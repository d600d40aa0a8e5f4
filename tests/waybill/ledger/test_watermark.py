"""The watermark is the stretch of published windows without a gap; nothing else moves it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import psycopg2
import psycopg2.errors
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import Warehouse
from tests.waybill.load.loading import Loads, sms
from waybill.feeds import FEEDS
from waybill.flow import steps
from waybill.landing.objects import LandedObject
from waybill.ledger import pulls as journal
from waybill.ledger import watermark
from waybill.ledger.objects import RecordedObject, record
from waybill.load import publish
from waybill.model.errors import QualityGateError
from waybill.warehouse.connection import LOADER, connected

FEED = FEEDS["twilio_messages"]
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Hours = tuple[int, int]
_names = count()


class Account:
    """A new account with its pulls, so that many examples share a warehouse."""

    def __init__(self, connection: Connection, account: str | None = None) -> None:
        self.connection = connection
        self.name = account or f"account{next(_names)}"

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def pull(self, hours: Hours, *, is_over: bool = True, broken: Iterable[str] = ()) -> int:
        """Insert a pull of these hours without a record; return its pull_id."""
        from_at, until_at = (START + hour * HOUR for hour in hours)
        pulled_at = datetime.now(UTC) if is_over else None
        ((number,),) = self.rows(
            "insert into ops.pull (account, feed, from_at, until_at, pulled_at, broken) values (%s, %s, %s, %s, %s, %s)"
            " returning pull_id",
            *(self.name, FEED.slug, from_at, until_at, pulled_at, list(broken)),
        )
        return number

    def page(self, pull_id: int, number: int, object_id: int) -> None:
        """Store an object as a page of the pull."""
        with self.connection, self.connection.cursor() as cursor:
            journal.note_file(cursor, pull_id, number, object_id)

    def commit(self, *pull_ids: int) -> list[bool]:
        with self.connection, self.connection.cursor() as cursor:
            return [watermark.commit_pull(cursor, number) for number in pull_ids]

    def watermark(self) -> Hours | None:
        found = self.rows(
            "select complete_from, complete_until from ops.watermark where account = %s and feed = %s",
            *(self.name, FEED.slug),
        )
        return tuple((at - START) // HOUR for at in found[0]) if found else None


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Connection]:
    with connected(warehouse.url, LOADER) as connection:
        yield connection


@pytest.fixture
def account(connection: Connection) -> Account:
    return Account(connection)


def stretch_of(committed: list[Hours]) -> Hours | None:
    """The plain model: the complete hours around the first window, up to the next gap on both sides."""
    if not committed:
        return None
    hours = {hour for first, until in committed for hour in range(first, until)}
    first, until = committed[0]
    while first - 1 in hours:
        first -= 1
    while until in hours:
        until += 1
    return first, until


windows = st.tuples(st.integers(0, 7), st.integers(1, 2)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))
fates = st.sampled_from(["committed"] * 6 + ["broken", "unpublished", "under way", "never"])
by_chance = st.lists(st.tuples(windows, fates), min_size=1, max_size=12)


@given(pulls=by_chance, begun=st.randoms(use_true_random=False))
@example(pulls=[((4, 5), "committed"), ((0, 2), "committed"), ((2, 4), "committed")], begun=Random(1))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_the_committed_stretch_without_a_gap_in_any_order(
    connection: Connection, pulls: list[tuple[Hours, str]], begun: Random
) -> None:
    """The pulls end in the order of the list and began in another order."""
    account = Account(connection)
    numbers: dict[int, int] = {}
    for position in begun.sample(range(len(pulls)), len(pulls)):
        hours, fate = pulls[position]
        broken = ["a page"] if fate == "broken" else []
        numbers[position] = account.pull(hours, is_over=fate != "under way", broken=broken)
        if fate == "unpublished":
            account.page(numbers[position], 1, unpublished_object(account))
    committed: list[Hours] = []
    for position, (hours, fate) in enumerate(pulls):
        if fate != "never":
            assert account.commit(numbers[position]) == [fate == "committed"]
            committed += [hours] if fate == "committed" else []
            assert account.watermark() == stretch_of(committed)


def unpublished_object(account: Account) -> int:
    nothing = LandedObject(account.name, FEED.slug, "digest", "path", 0, START)
    with account.connection, account.connection.cursor() as cursor:
        return record(cursor, nothing).object_id


def test_filling_a_gap_counts_the_windows_beyond_it_in_both_directions(account: Account) -> None:
    early, middle, late = account.pull((0, 2)), account.pull((2, 4)), account.pull((6, 8))
    first, gap = account.pull((4, 5)), account.pull((5, 6))
    assert account.commit(first, early, late) == [True] * 3
    assert account.watermark() == (4, 5)
    account.commit(gap)
    assert account.watermark() == (4, 8)
    account.commit(middle)
    assert account.watermark() == (0, 8)


def test_accounts_have_separate_watermarks(connection: Connection) -> None:
    one, other = Account(connection), Account(connection)
    one.commit(one.pull((0, 2)))
    other.commit(other.pull((2, 4)))
    assert (one.watermark(), other.watermark()) == ((0, 2), (2, 4))


def test_a_pull_is_committed_once(account: Account) -> None:
    number = account.pull((0, 2))
    assert account.commit(number, number) == [True, False]


def test_a_pull_of_the_inbox_is_committed_and_moves_nothing(account: Account) -> None:
    ((number,),) = account.rows(
        "insert into ops.pull (account, feed, pulled_at) values ('acme', 'dispatch_log', now()) returning pull_id"
    )
    assert account.commit(number) == [True]
    assert account.rows("select * from ops.watermark") == []


def test_it_is_never_in_the_future(account: Account) -> None:
    hours = (datetime.now(UTC) - START) // HOUR
    number = account.pull((hours - 1, hours + 1))
    with pytest.raises(psycopg2.errors.CheckViolation, match="violates check constraint"):
        account.commit(number)
    assert account.watermark() is None


def test_two_windows_committed_at_the_same_time_both_count(warehouse: Warehouse, account: Account) -> None:
    numbers = account.pull((0, 2)), account.pull((2, 4))
    with (
        connected(warehouse.url, LOADER) as one,
        connected(warehouse.url, LOADER) as other,
        one.cursor() as first,
        other.cursor() as second,
    ):
        assert watermark.commit_pull(first, numbers[0])
        second.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            watermark.commit_pull(second, numbers[1])
        other.rollback()
        one.commit()
        assert watermark.commit_pull(second, numbers[1])
        other.commit()
    assert account.watermark() == (0, 4)


# With real loads


class Published:
    """Loads the objects of a pull one by one."""

    def __init__(self, loads: Loads, connection: Connection) -> None:
        self.loads = loads
        self.account = Account(connection, "acme")

    def record(self, *rows: dict) -> RecordedObject:
        with connected(self.loads.url, LOADER) as connection, connection, connection.cursor() as cursor:
            return record(cursor, self.loads.land(FEED.slug, *rows))

    def validated(self, pull_id: int, *objects: RecordedObject) -> int:
        with connected(self.loads.url, LOADER) as connection:
            load_id = steps.stage_load(connection, self.loads.target, FEED, objects, "load", pull_id, HOUR)
            steps.validate_load(connection, self.loads.target, load_id)
        return load_id

    def publish(self, load_id: int) -> None:
        with connected(self.loads.url, LOADER) as connection:
            steps.publish_load(connection, self.loads.target, load_id)


@pytest.fixture
def published(loads: Loads, connection: Connection) -> Published:
    return Published(loads, connection)


def row(number: int) -> dict:
    return sms("delivered", "2026-01-01T00:30", "2026-01-01T00:31", sid=f"SM{number}")


def test_it_moves_when_the_last_object_of_the_window_is_published(published: Published) -> None:
    account = published.account
    number = account.pull((0, 2))
    objects = [published.record(row(1)), published.record(row(2))]
    for page, item in enumerate(objects):
        account.page(number, page, item.object_id)
    first, last = (published.validated(number, item) for item in objects)
    published.publish(last)
    assert account.watermark() is None
    assert account.commit(number) == [False]
    published.publish(first)
    assert account.watermark() == (0, 2)
    assert account.rows("select status, committed_at is null from ops.pull, ops.load") == [("published", False)] * 2


def test_it_moves_in_the_publishing_transaction_and_is_rolled_back_with_it(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = published.account
    number = account.pull((0, 2))
    item = published.record(row(1))
    account.page(number, 1, item.object_id)
    seen: list[Hours | None] = []
    commit_pull_of = watermark.commit_pull_of

    def fail_after_it(cursor: object, load_id: int) -> None:
        commit_pull_of(cursor, load_id)
        cursor.execute("select complete_until from ops.watermark where account = 'acme'")
        assert cursor.fetchone() == (START + 2 * HOUR,)
        seen.append(account.watermark())
        raise QualityGateError("too late")

    with monkeypatch.context() as patched:
        patched.setattr(publish.watermark, "commit_pull_of", fail_after_it)
        load_id = published.validated(number, item)
        with pytest.raises(QualityGateError, match="too late"):
            published.publish(load_id)
    assert seen == [None]
    assert account.watermark() is None
    assert account.rows("select count(*) from fact.event") == [(0,)]
    assert account.rows("select committed_at from ops.pull") == [(None,)]
    published.publish(published.validated(number, item))
    assert account.watermark() == (0, 2)


def test_a_superseded_load_commits_its_pull_too(published: Published) -> None:
    account = published.account
    item = published.record(row(1))
    numbers = [account.pull((0, 2)), account.pull((2, 4))]
    for number in numbers:
        account.page(number, 1, item.object_id)
    first, second = (published.validated(number, item) for number in numbers)
    published.publish(first)
    published.publish(second)
    assert account.rows("select status from ops.load order by load_id") == [("published",), ("superseded",)]
    assert account.watermark() == (0, 4)


def test_a_load_of_named_files_moves_nothing(loads: Loads) -> None:
    loads.load(FEED.slug, row(1))
    assert loads.rows("select * from ops.watermark") == []
