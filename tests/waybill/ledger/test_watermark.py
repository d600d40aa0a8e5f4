"""The watermark is the stretch without a gap of what is published, and moves with nothing else."""

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


class Book:
    """Pulls of one account of its own, so that many examples share a warehouse."""

    def __init__(self, connection: Connection, account: str | None = None) -> None:
        self.connection = connection
        self.account = account or f"account{next(_names)}"

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def pull(self, hours: Hours, *, is_over: bool = True, broken: Iterable[str] = ()) -> int:
        """A pull that showed nothing of these hours; returns its number."""
        from_at, until_at = (START + hour * HOUR for hour in hours)
        pulled_at = datetime.now(UTC) if is_over else None
        ((number,),) = self.rows(
            "insert into ops.pull (account, feed, from_at, until_at, pulled_at, broken) values (%s, %s, %s, %s, %s, %s)"
            " returning pull_id",
            *(self.account, FEED.slug, from_at, until_at, pulled_at, list(broken)),
        )
        return number

    def page(self, pull_id: int, number: int, object_id: int) -> None:
        """The pull showed this."""
        with self.connection, self.connection.cursor() as cursor:
            journal.note_file(cursor, pull_id, number, object_id)

    def commit(self, *pull_ids: int) -> list[bool]:
        with self.connection, self.connection.cursor() as cursor:
            return [watermark.commit_pull(cursor, number) for number in pull_ids]

    def watermark(self) -> Hours | None:
        found = self.rows(
            "select complete_from, complete_until from ops.watermark where account = %s and feed = %s",
            *(self.account, FEED.slug),
        )
        return tuple((at - START) // HOUR for at in found[0]) if found else None


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Connection]:
    with connected(warehouse.url, LOADER) as connection:
        yield connection


@pytest.fixture
def book(connection: Connection) -> Book:
    return Book(connection)


def stretch_of(committed: list[Hours]) -> Hours | None:
    """The plain model: all hours that are complete, and of them those around the first window without a gap."""
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
def test_it_is_the_stretch_without_a_gap_of_what_was_committed_in_whatever_order(
    connection: Connection, pulls: list[tuple[Hours, str]], begun: Random
) -> None:
    """They end in the order of the list, and began in another one."""
    book = Book(connection)
    numbers: dict[int, int] = {}
    for position in begun.sample(range(len(pulls)), len(pulls)):
        hours, fate = pulls[position]
        broken = ["a page"] if fate == "broken" else []
        numbers[position] = book.pull(hours, is_over=fate != "under way", broken=broken)
        if fate == "unpublished":
            book.page(numbers[position], 1, unpublished_object(book))
    committed: list[Hours] = []
    for position, (hours, fate) in enumerate(pulls):
        if fate != "never":
            assert book.commit(numbers[position]) == [fate == "committed"]
            committed += [hours] if fate == "committed" else []
            assert book.watermark() == stretch_of(committed)


def unpublished_object(book: Book) -> int:
    nothing = LandedObject(book.account, FEED.slug, "digest", "path", 0, START)
    with book.connection, book.connection.cursor() as cursor:
        return record(cursor, nothing).object_id


def test_windows_behind_a_gap_count_as_soon_as_it_is_filled_in_both_directions(book: Book) -> None:
    early, middle, late = book.pull((0, 2)), book.pull((2, 4)), book.pull((6, 8))
    first, gap = book.pull((4, 5)), book.pull((5, 6))
    assert book.commit(first, early, late) == [True] * 3
    assert book.watermark() == (4, 5)
    book.commit(gap)
    assert book.watermark() == (4, 8)
    book.commit(middle)
    assert book.watermark() == (0, 8)


def test_accounts_do_not_share_it(connection: Connection) -> None:
    one, other = Book(connection), Book(connection)
    one.commit(one.pull((0, 2)))
    other.commit(other.pull((2, 4)))
    assert (one.watermark(), other.watermark()) == ((0, 2), (2, 4))


def test_a_pull_is_committed_once(book: Book) -> None:
    number = book.pull((0, 2))
    assert book.commit(number, number) == [True, False]


def test_a_look_into_the_inbox_is_committed_and_moves_nothing(book: Book) -> None:
    ((number,),) = book.rows(
        "insert into ops.pull (account, feed, pulled_at) values ('acme', 'dispatch_log', now()) returning pull_id"
    )
    assert book.commit(number) == [True]
    assert book.rows("select * from ops.watermark") == []


def test_it_can_never_lie_in_the_future(book: Book) -> None:
    hours = (datetime.now(UTC) - START) // HOUR
    number = book.pull((hours - 1, hours + 1))
    with pytest.raises(psycopg2.errors.CheckViolation, match="violates check constraint"):
        book.commit(number)
    assert book.watermark() is None


def test_two_windows_that_are_committed_at_once_do_not_forget_each_other(warehouse: Warehouse, book: Book) -> None:
    numbers = book.pull((0, 2)), book.pull((2, 4))
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
    assert book.watermark() == (0, 4)


# With real loads


class Published:
    """Objects of one pull, loaded one by one."""

    def __init__(self, loads: Loads, connection: Connection) -> None:
        self.loads = loads
        self.book = Book(connection, "acme")

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


def test_it_moves_with_the_last_of_the_objects_of_its_window(published: Published) -> None:
    book = published.book
    number = book.pull((0, 2))
    objects = [published.record(row(1)), published.record(row(2))]
    for page, item in enumerate(objects):
        book.page(number, page, item.object_id)
    first, last = (published.validated(number, item) for item in objects)
    published.publish(last)
    assert book.watermark() is None
    assert book.commit(number) == [False]
    published.publish(first)
    assert book.watermark() == (0, 2)
    assert book.rows("select status, committed_at is null from ops.pull, ops.load") == [("published", False)] * 2


def test_it_moves_in_the_transaction_that_publishes_and_back_with_it(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = published.book
    number = book.pull((0, 2))
    item = published.record(row(1))
    book.page(number, 1, item.object_id)
    seen: list[Hours | None] = []
    commit_pull_of = watermark.commit_pull_of

    def fail_behind_it(cursor: object, load_id: int) -> None:
        commit_pull_of(cursor, load_id)
        cursor.execute("select complete_until from ops.watermark where account = 'acme'")
        assert cursor.fetchone() == (START + 2 * HOUR,)
        seen.append(book.watermark())
        raise QualityGateError("too late")

    with monkeypatch.context() as patched:
        patched.setattr(publish.watermark, "commit_pull_of", fail_behind_it)
        load_id = published.validated(number, item)
        with pytest.raises(QualityGateError, match="too late"):
            published.publish(load_id)
    assert seen == [None]
    assert book.watermark() is None
    assert book.rows("select count(*) from fact.event") == [(0,)]
    assert book.rows("select committed_at from ops.pull") == [(None,)]
    published.publish(published.validated(number, item))
    assert book.watermark() == (0, 2)


def test_a_load_whose_objects_another_one_published_commits_its_pull_too(published: Published) -> None:
    book = published.book
    item = published.record(row(1))
    numbers = [book.pull((0, 2)), book.pull((2, 4))]
    for number in numbers:
        book.page(number, 1, item.object_id)
    first, second = (published.validated(number, item) for number in numbers)
    published.publish(first)
    published.publish(second)
    assert book.rows("select status from ops.load order by load_id") == [("published",), ("superseded",)]
    assert book.watermark() == (0, 4)


def test_a_load_of_files_given_by_hand_moves_nothing(loads: Loads) -> None:
    loads.load(FEED.slug, row(1))
    assert loads.rows("select * from ops.watermark") == []
