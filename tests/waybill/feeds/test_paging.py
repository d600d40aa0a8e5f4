"""The contract of lists and pages, tested for each feed of an API with the `CASE` and the `PAGING` of its case.py."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Warehouse
from tests.waybill.feeds.case import Record
from tests.waybill.feeds.cases import CASES, case_of, paging_of
from tests.waybill.feeds.outcomes import normalise
from tests.waybill.load.loading import Loads
from tests.waybill.pull.servers import Moment, Server, reply
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed, Listing, Page, Window
from waybill.feeds.providers import PROVIDERS
from waybill.flow import ingest
from waybill.flow.replay import replay
from waybill.ledger.pulls import Pulled
from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.client import Answer, Client
from waybill.pull.run import pull_window
from waybill.warehouse.connection import Warehouse as Target

API_FEEDS = [feed for feed in FEEDS.values() if isinstance(feed, ApiFeed)]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MORNING = Window(NOON - 6 * HOUR, NOON)
USER, SECRET = "AC00000000000000000000000000000007", "a secret/of+this=connection"

every_feed = pytest.mark.parametrize("feed", API_FEEDS, ids=lambda feed: feed.slug)
every_feed_with_links = pytest.mark.parametrize(
    "feed", [feed for feed in API_FEEDS if not paging_of(feed.slug).by_offset], ids=lambda feed: feed.slug
)


def records_of(feed: ApiFeed, count: int) -> list[Record]:
    case, paging = case_of(feed.slug), paging_of(feed.slug)
    names = [name for name in (case.message_id, paging.record_id) if name]
    return [case.record_with(dict.fromkeys(names, f"record{number:03}")) for number in range(count)]


class Pages:
    """A provider in memory: its lists by name, split into pages."""

    def __init__(self, feed: ApiFeed, lists: dict[str, Sequence[Record]], page_size: int) -> None:
        self.feed = feed
        self.lists = lists
        self.page_size = page_size
        self.asked: list[str] = []
        self.bodies: dict[str, bytes] = {}

    def show(self, listing: Listing) -> None:
        """Add the pages of one list."""
        paging = paging_of(self.feed.slug)
        records = self.lists.get(listing.name, ())
        starts = list(range(0, len(records), self.page_size)) or [0]
        if records and (paging.ends_empty or paging.by_offset):
            starts.append(len(records))
        links = [_request(listing.link, listing.params)]
        links += [paging.link(listing, start if paging.by_offset else number) for number, start in enumerate(starts)][
            1:
        ]
        for link, following, start in zip(links, [*links[1:], None], starts, strict=True):
            self.bodies[link] = paging.body(records[start : start + self.page_size], start, following)

    def get(self, link: str, params: Sequence[tuple[str, str]] = (), body: str = "") -> Answer:
        self.asked.append(_request(link, params))
        return Answer(self.asked[-1], 200, self.bodies[self.asked[-1]])

    def check(self, link: str) -> None: ...

    def close(self) -> None: ...


def _request(link: str, params: Sequence[tuple[str, str]]) -> str:
    return link + "".join(f" {name}={value}" for name, value in params)


class Contract:
    """Pulls of one feed."""

    def __init__(self, warehouse: Warehouse, feed: ApiFeed) -> None:
        self.warehouse = warehouse
        self.feed = feed
        self.settings = replace(
            warehouse.settings,
            accounts=("acme",),
            provider_settings=dict(zip(feed.credentials, (USER, SECRET)[-len(feed.credentials) :], strict=True)),
        )

    def pages(self, count: int, page_size: int, window: Window = MORNING) -> Pages:
        """Return pages with `count` records in the first list of the window."""
        self.ask_for(page_size)
        listings = self.feed.listings(USER, window, None)
        pages = Pages(self.feed, {listings[0].name: records_of(self.feed, count)}, page_size)
        for listing in listings:
            pages.show(listing)
        return pages

    def ask_for(self, page_size: int) -> None:
        """Let the feed ask for pages of this size, if it asks by the number of records."""
        if paging_of(self.feed.slug).by_offset:
            self.feed = copy(self.feed)
            self.feed.paging = replace(self.feed.paging, limit=page_size)

    def pull(self, connect_to: Callable, window: Window = MORNING) -> Pulled:
        return pull_window(
            Target(self.settings, self.warehouse.url), self.feed, "acme", window, None, connect_to, lambda: NOON
        )

    def landed(self) -> list[bytes]:
        found = self.warehouse.rows("select path from ops.object order by object_id")
        return [Path(self.settings.landing_url, path).read_bytes() for (path,) in found]


@pytest.fixture
def contract(warehouse: Warehouse, feed: ApiFeed) -> Contract:
    return Contract(warehouse, feed)


def test_every_api_feed_has_its_paging() -> None:
    assert len(API_FEEDS) >= 2
    assert {feed.slug for feed in API_FEEDS} == {slug for slug, case in CASES.items() if hasattr(case, "PAGING")}
    with pytest.raises(LookupError, match=r"no Paging. Write PAGING in golden/carrier_pigeons/case.py"):
        paging_of("carrier_pigeons")


@every_feed
def test_lists_have_unique_and_stable_names(feed: ApiFeed) -> None:
    window = Window(NOON - 50 * HOUR, NOON)
    listings = feed.listings(USER, window, NOON - 20 * HOUR)
    assert len({one.name for one in listings}) == len(listings) > 2
    assert listings == feed.listings(USER, window, NOON - 20 * HOUR)
    assert all(one.link.startswith("/") and SECRET not in str(one) for one in listings)


@every_feed
def test_overlapping_windows_share_listings(feed: ApiFeed) -> None:
    """So unchanged records come in the same bytes and are not loaded again."""
    hours = [NOON + number * HOUR for number in range(4)]
    for one, other in pairwise(hours):
        early = set(feed.listings(USER, Window(one - 120 * HOUR, one), None))
        late = set(feed.listings(USER, Window(other - 120 * HOUR, other), None))
        assert len(early ^ late) <= 4 < len(early & late)


@every_feed
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_page_is_fetched_once(contract: Contract, count: int) -> None:
    pages = contract.pages(count, 2)
    pulled = contract.pull(lambda _: pages)
    assert sorted(pages.asked) == sorted(pages.bodies)
    assert (pulled.page_count, pulled.record_count) == (len(pages.bodies), count)
    assert sorted(contract.landed()) == sorted(set(pages.bodies.values()))


@every_feed
def test_page_boundaries_do_not_matter(contract: Contract) -> None:
    slug, texts = contract.feed.slug, []
    for window, page_size in (
        (MORNING, 7),
        (MORNING._replace(until_at=NOON - HOUR), 3),
        (Window(NOON - HOUR, NOON), 1),
    ):
        pages = contract.pages(7, page_size, window)
        contract.pull(lambda _, pages=pages: pages, window)
        texts.append({str(events) for body in pages.bodies.values() for events in normalise(slug, body)})
    assert texts[0] == texts[1] == texts[2]
    assert len(texts[0]) == 7


@every_feed_with_links
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_page_with_an_earlier_page_as_its_next_is_refused(contract: Contract, number: int) -> None:
    pages = contract.pages(8, 2)
    links = list(pages.bodies)
    paging = paging_of(contract.feed.slug)
    for back in links[1 : number + 1]:
        pages.asked.clear()
        records = records_of(contract.feed, 2 * number + 2)[-2:]
        pages.bodies[links[number]] = paging.body(records, 2 * number, back)
        with pytest.raises(SourceError, match="requested before"):
            contract.pull(lambda _: pages)
        assert links[number] in pages.asked and links[number + 1 :][:1] != pages.asked[-1:]


@every_feed
def test_a_repeated_page_is_refused(contract: Contract) -> None:
    pages = contract.pages(6, 2)
    links = list(pages.bodies)
    pages.bodies[links[1]] = paging_of(contract.feed.slug).body(records_of(contract.feed, 2), 2, links[2])
    with pytest.raises(SourceError, match="same records as the page before"):
        contract.pull(lambda _: pages)


@every_feed
def test_an_empty_window_is_complete(contract: Contract) -> None:
    pages = contract.pages(0, 2)
    pulled = contract.pull(lambda _: pages)
    assert (pulled.record_count, pulled.broken) == (0, ())
    assert pulled.page_count == len(pages.asked) == len(contract.feed.listings(USER, MORNING, None))


@every_feed
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"<html></html>", b'{"code": 500, "message": "no"}'])
def test_a_body_that_is_no_page_is_refused(feed: ApiFeed, body: bytes) -> None:
    (listing, *_) = feed.listings(USER, MORNING, None)
    if body == b"{}" and feed.paging is not None and feed.paging.is_empty_without_list:
        assert feed.page(body, listing) == Page((), None, is_end=True)
        return
    with pytest.raises(SourceError):
        feed.page(body, listing)


@every_feed
def test_a_truncated_page_is_refused(feed: ApiFeed) -> None:
    (listing, *_) = feed.listings(USER, MORNING, None)
    paging = paging_of(feed.slug)
    body = paging.body(records_of(feed, 2), 0, paging.link(listing, 1))
    assert len(feed.page(body, listing).record_ids) == 2
    for length in Random(1).sample(range(len(body)), 40):
        with pytest.raises(SourceError):
            feed.page(body[:length], listing)


@every_feed
def test_a_replay_gives_the_same_keys(contract: Contract) -> None:
    pages = contract.pages(5, 2)
    pulled = contract.pull(lambda _: pages)
    outcome = ingest.load_pull(Target(contract.settings, contract.warehouse.url), contract.feed, pulled.pull_id)
    assert [item.row.loaded_count for item in outcome.checked()] == [5]
    stamps = Loads(contract.warehouse)
    before = stamps.stamps("fact", "private")
    assert before["fact.leg"]
    keys = contract.warehouse.rows("select event_key from fact.event order by 1")
    (again,) = replay(Target(contract.settings, contract.warehouse.url), contract.feed, NOON - 72 * HOUR, NOON)
    assert (again.row.read_count, again.row.inserted_count, again.row.removed_count) == (5, 0, 0)
    assert contract.warehouse.rows("select event_key from fact.event order by 1") == keys
    assert stamps.stamps("fact", "private") == before


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All log records at DEBUG, of Waybill and of the libraries."""
    with caplog.at_level(logging.DEBUG):
        yield lambda: caplog.text


@every_feed
def test_no_log_and_no_error_contains_credentials(
    contract: Contract, server: Server, logged: Callable[[], str]
) -> None:
    contract.ask_for(2)
    paging, moment, texts = paging_of(contract.feed.slug), Moment(), []
    (listing, *_) = contract.feed.listings(USER, MORNING, None)
    echo = f'{{"code": 20003, "message": "no {USER} with {SECRET} here"}}'.encode()
    server.replies = [
        reply(503),
        reply(200, paging.body(records_of(contract.feed, 2), 0, paging.link(listing, 1))),
        *[reply(401, echo)] * 2,
        reply(400, echo),
        reply(200, b"<html>" + SECRET.encode()),
    ]
    wire = PROVIDERS[contract.feed.provider].wire
    client = partial(
        Client,
        server.url,
        (wire.auth.name or USER, SECRET),
        wire=wire,
        clock=moment.clock,
        now=moment.now,
        sleep=moment.sleep,
        random=moment.random,
        say=moment.said.append,
    )
    for _ in range(3):
        with closing(client()) as one, pytest.raises((SourceError, ConfigurationError)) as caught:
            contract.pull(lambda _, one=one: one)
        texts += [str(caught.value), repr(caught.value), repr(one)]
    assert len(server.requests) == 6
    header = wire.auth.name.lower() if wire.auth.place == "header" else "authorization"
    assert all(header in asked.headers for asked in server.requests)
    basic = server.requests[0].headers[header].removeprefix("Basic ")
    texts += [*moment.said, str(contract.warehouse.rows("select p::text from ops.pull as p"))]
    assert "httpcore2" in logged()
    for text in (logged(), *texts):
        assert SECRET not in text and basic not in text
