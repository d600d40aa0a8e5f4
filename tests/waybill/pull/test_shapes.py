"""Every shape of a list shows each record once, also after a death at any page, and ends in bounded time."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.conftest import Warehouse
from tests.waybill.pull.servers import Moment, Server, reply
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.feeds.pages import Listing, Window
from waybill.feeds.paging import Cursor, LastId, NextLink, Offset, OneAnswer, Paging, Repeated
from waybill.ledger import pulls as journal
from waybill.ledger.pulls import Pulled
from waybill.model.errors import ConfigurationError, SourceError
from waybill.model.wire import BEARER, Auth, Rate, Wire, header_token
from waybill.pull import pages
from waybill.pull.client import Answer, Client
from waybill.pull.credentials import Credentials
from waybill.pull.pages import ListPages, Task
from waybill.pull.retrying import UnavailableError
from waybill.warehouse.connection import Warehouse as Target

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=1), NOON)
LINK = "/v1/events"
RECORDS = [{"id": f"r{number}", "at": number * 360} for number in range(10)]
"""Ten records in an hour."""


class Killed(BaseException):
    """Nothing catches it, like SIGKILL."""


@dataclass
class Provider:
    """A provider in memory that pages in one shape.

    :ivar shown: returns the body for the parameters of a request
    :ivar dies_at: the answer that never comes back, from 1
    """

    shown: Callable[[dict[str, str]], object]
    asked: list[str] = field(default_factory=list)
    dies_at: int = 0

    def get(self, link: str, params: tuple[tuple[str, str], ...] = (), body: str = "") -> Answer:
        path, _, query = link.partition("?")
        self.asked.append(f"{link}?{urlencode(params)} {body}")
        if len(self.asked) == self.dies_at:
            raise Killed
        given = {**dict(parse_qsl(query)), **dict(params), "path": path, "body": body}
        return Answer(link, 200, json.dumps(self.shown(given)).encode())

    def check(self, link: str) -> None: ...

    def close(self) -> None: ...


def some(start: int, count: int = 3) -> list[dict]:
    return RECORDS[start : start + count]


def by_link(given: dict[str, str]) -> dict:
    start = int(given.get("from", 0))
    following = f"{LINK}?from={start + 3}" if start + 3 < len(RECORDS) else None
    return {"items": some(start), "links": {"next": following} if following else {}}


def by_link_to_an_empty_page(given: dict[str, str]) -> dict:
    start = int(given.get("from", 0))
    return {"items": some(start), "links": {"next": f"https://api.example{LINK}/{start + 3}?from={start + 3}"}}


def by_token_in_a_post(given: dict[str, str]) -> dict:
    pagination = json.loads(given["body"])["pagination"]
    start = int(pagination.get("token", 0))
    return {"items": some(start), "pagination": {"next": str(start + 3) if start + 3 < len(RECORDS) else None}}


def by_two_tokens(given: dict[str, str]) -> dict:
    start = int(given.get("cursor", 0))
    return {"items": some(start), **({"cursor": start + 3, "iv": "x"} if start + 3 < len(RECORDS) else {})}


def by_last_id(given: dict[str, str]) -> dict:
    start = int(given["after"][1:]) + 1 if "after" in given else 0
    return {"items": some(start), "has_more": start + 3 < len(RECORDS)}


def by_offset(given: dict[str, str]) -> dict:
    return {"items": some(int(given.get("offset", 0))), "total": len(RECORDS)}


def by_page_number(given: dict[str, str]) -> dict:
    return {"items": some((int(given.get("page", 1)) - 1) * 5, 5)}


def of_time(given: dict[str, str], most: int = 3) -> dict:
    found = [one for one in RECORDS if int(given["from"]) <= one["at"] < int(given["until"])]
    return {"items": found[:most]}


def by_offset_up_to_a_limit(given: dict[str, str]) -> dict:
    start = int(given.get("offset", 0))
    assert start < 6, "the provider refuses a higher offset"
    found = of_time(given, 99)["items"]
    return {"items": found[start : start + 3], "total": len(found)}


def with_details(given: dict[str, str]) -> dict:
    one = given["path"].removeprefix(f"{LINK}/")
    return {"id": one, "events": [1, 2]} if one != given["path"] else {"items": RECORDS[:4]}


ITEMS = {"rows": "items", "row_id": "id"}
TOKEN = (("pagination.next", "pagination.token"),)
SHAPES: dict[str, tuple[Paging, Callable[[dict[str, str]], object], int, str]] = {
    "next link": (NextLink(**ITEMS, link="links.next"), by_link, 4, ""),
    "next link, empty end": (
        NextLink(**ITEMS, link="links.next", ends_empty=True),
        by_link_to_an_empty_page,
        5,
        "",
    ),
    "token in a POST": (Cursor(**ITEMS, tokens=TOKEN), by_token_in_a_post, 4, '{"pagination":{"limit":3}}'),
    "two tokens": (Cursor(**ITEMS, tokens=(("cursor", "cursor"), ("iv", "iv"))), by_two_tokens, 4, ""),
    "last id": (LastId(**ITEMS, after="after", more="has_more"), by_last_id, 4, ""),
    "offset and total": (Offset(**ITEMS, limit=3, offset="offset", total="total"), by_offset, 4, ""),
    "page number": (Offset(**ITEMS, limit=5, offset="page", counts_pages=True), by_page_number, 3, ""),
    "one answer": (OneAnswer(**ITEMS, limit=3), of_time, 11, ""),
    "offset to a limit": (
        Offset(**ITEMS, limit=3, offset="offset", total="total", most=6),
        by_offset_up_to_a_limit,
        6,
        "",
    ),
    "details": (OneAnswer(**ITEMS, limit=5, details=LINK + "/{}"), with_details, 5, ""),
}
"""Name to the shape, its provider, the number of requests, and the body of the first one."""


def feed_of(paging: Paging, body: str = "", is_read_once: bool = False) -> ApiFeed:
    class Feed(type(FEEDS["twilio_messages"]), is_base=True):
        listing_span = timedelta(hours=1)
        page, listings = ApiFeed.page, ApiFeed.listings

        def listing(self, account_id: str, stretch: Window) -> Listing:
            times = [int((at - WINDOW.from_at).total_seconds()) for at in stretch]
            params = (("from", str(times[0])), ("until", str(times[1]))) if paging.may_be_cut_off else ()
            return Listing(f"from {stretch.from_at} for {times[1] - times[0]} s", LINK, params, None, body, stretch)

    Feed.paging, Feed.is_read_once = paging, is_read_once
    return Feed()


class Pulls:
    """Pulls of made-up feeds, each for an account of its own."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.count = 0

    def begin(self, feed: ApiFeed) -> "Callable[[Provider], Pulled]":
        """Return a function that pulls, each time as the same command."""
        self.count += 1
        account = f"account{self.count}"

        def pull(provider: Provider) -> Pulled:
            target = Target(self.warehouse.settings, self.warehouse.url)
            with journal.alone(target, feed, account) as connection:
                pull_id = journal.unfinished(connection, feed, account, WINDOW)
                if pull_id is None:
                    pull_id = journal.begin(connection, feed, account, WINDOW)
                task = Task(target.settings, connection, feed, account, "", pull_id, WINDOW, lambda: NOON)
                lists = list(feed.listings("", WINDOW, None))
                while lists:
                    lists.extend(reversed(ListPages(task, lists.pop(), provider).fetch()))
                return journal.end(connection, pull_id)

        return pull

    def landed(self, pulled: Pulled) -> list[dict]:
        found = self.warehouse.rows(
            "select o.path from ops.pull_page as p inner join ops.object as o using (object_id) where p.pull_id = %s",
            (pulled.pull_id,),
        )
        zone = self.warehouse.settings.landing_url
        return [json.loads(Path(zone, path).read_bytes()) for (path,) in found]


@pytest.fixture
def pulls(warehouse: Warehouse) -> Pulls:
    return Pulls(warehouse)


def ids_in(bodies: list[dict]) -> set[str]:
    rows = [row for body in bodies for row in body.get("items", [body])]
    return {row["id"] for row in rows}


def test_every_shape_shows_every_record_and_asks_at_most_once_more_after_a_death(pulls: Pulls) -> None:
    for name, (paging, shown, count, body) in SHAPES.items():
        wanted = {one["id"] for one in (RECORDS[:4] if paging.details else RECORDS)}
        whole = Provider(shown)
        pulled = pulls.begin(feed_of(paging, body))(whole)
        assert ids_in(pulls.landed(pulled)) == wanted, name
        assert len(whole.asked) == len(set(whole.asked)) == pulled.page_count == count, name
        for dies_at in (1, 3, count):
            pull = pulls.begin(feed_of(paging, body))
            dying, again = Provider(shown, dies_at=dies_at), Provider(shown)
            with pytest.raises(Killed):
                pull(dying)
            assert ids_in(pulls.landed(pull(again))) == wanted, name
            assert len(dying.asked) + len(again.asked) == count + 1, name
            assert [*dying.asked[:-1], *again.asked] == whole.asked, name


def read_once() -> Callable[[dict[str, str]], object]:
    rest = list(RECORDS)

    def shown(given: dict[str, str]) -> dict:
        answer, rest[:3] = rest[:3], []
        return {"items": answer}

    return shown


@pytest.mark.parametrize("moment", [(journal, "note_page"), (pages.landing, "note_read")])
def test_an_answer_that_comes_once_is_not_lost_after_its_landing(pulls: Pulls, moment: tuple) -> None:
    """A process dies between landing and recording, at every page."""
    whole = getattr(*moment)
    feed = feed_of(Repeated(**ITEMS, limit=3), is_read_once=True)
    for page in range(1, 5):
        provider, pull, calls = Provider(read_once()), pulls.begin(feed), iter(range(1, 9))

        def deadly(*given: object, calls: Iterator[int] = calls, page: int = page, **named: object) -> object:
            if next(calls) == page:
                raise Killed
            return whole(*given, **named)

        with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
            patched.setattr(*moment, deadly)
            pull(provider)
        assert ids_in(pulls.landed(pull(provider))) == {one["id"] for one in RECORDS}
        assert len(provider.asked) == 4, "no answer was asked for a second time"


def test_a_wrong_answer_that_comes_once_is_kept_and_named(pulls: Pulls) -> None:
    feed = feed_of(Repeated(**ITEMS, limit=3), is_read_once=True)
    answers = iter([{"items": some(0)}, {"error": "a surprise"}, {"items": some(3, 2)}])
    pull = pulls.begin(feed)
    provider = Provider(lambda given: next(answers))
    with pytest.raises(
        SourceError, match=r"has no list `items`. This page was landed as (\S+),.*`waybill load`"
    ) as one:
        pull(provider)
    path = str(one.value).partition("landed as ")[2].partition(",")[0]
    assert b"a surprise" in Path(pulls.warehouse.settings.landing_url, path).read_bytes()
    assert ids_in(pulls.landed(pull(provider))) == {"r0", "r1", "r2", "r3", "r4"}


ENDLESS = {
    "a link that loops": (
        NextLink(**ITEMS, link="next"),
        lambda turn: {"next": f"{LINK}?p={turn % 2}"},
        "requested before",
    ),
    "a token that repeats": (Cursor(**ITEMS, tokens=(("t", "t"),)), lambda turn: {"t": "same"}, "requested before"),
    "fresh tokens, no records": (
        Cursor(**ITEMS, tokens=(("t", "t"),)),
        lambda turn: {"t": turn + 1, "items": []},
        "empty",
    ),
    "fresh tokens, old records": (
        Cursor(**ITEMS, tokens=(("t", "t"),)),
        lambda turn: {"t": turn + 1, "items": some(turn % 2)},
        "only records of earlier pages",
    ),
    "fresh tokens, new records": (
        Cursor(**ITEMS, tokens=(("t", "t"),)),
        lambda turn: {"t": turn + 1},
        "may have 7 pages",
    ),
    "offsets without end": (Offset(**ITEMS, limit=1, offset="o"), lambda turn: {}, "may have 7 pages"),
    "one second that is full": (
        OneAnswer(**ITEMS, limit=1),
        lambda turn: {"items": some(turn % 9, 1)},
        "its time cannot be divided",
    ),
    "more reports without end": (Repeated(**ITEMS, limit=1), lambda turn: {}, "may have 7 pages"),
    "an end that is not empty": (
        NextLink(**ITEMS, link="next", ends_empty=True),
        lambda turn: {},
        "only an empty page",
    ),
    "an offset that shows nothing": (
        Offset(**ITEMS, limit=1, offset="o", total="n"),
        lambda turn: {"n": 5, "items": some(0, 1) if not turn else []},
        "no records, but the list has 5",
    ),
}


def test_every_shape_ends_in_bounded_time(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 7)
    for name, (paging, shown, reason) in ENDLESS.items():
        turns = iter(range(10_000))

        def answer(given: dict, turns: Iterator[int] = turns, shown: Callable = shown) -> dict:
            turn = next(turns)
            return {"items": [{"id": f"r{turn}"}], **shown(turn)}

        provider = Provider(answer)
        with pytest.raises(SourceError) as caught:
            pulls.begin(feed_of(paging, is_read_once=isinstance(paging, Repeated)))(provider)
            pytest.fail(name)
        assert reason in str(caught.value), name
        assert len(provider.asked) <= 14, name


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[1]", b'"text"', b'{"items": {}}', b'{"code": 20500}', b"[" * 100_000]
)
@pytest.mark.parametrize("name", SHAPES)
def test_a_body_without_the_list_is_no_page(name: str, body: bytes) -> None:
    with pytest.raises(SourceError, match=r"not JSON|has no list `items`"):
        SHAPES[name][0].page(body, Listing(name, LINK, ()), LINK)


# The client


@pytest.fixture
def client(server: Server, moment: Moment) -> Callable[..., Client]:
    def client(wire: Wire, user: str = "") -> Client:
        return Client(
            server.url,
            (user, "s3cret/key"),
            wire=wire,
            clock=moment.clock,
            now=moment.now,
            sleep=moment.sleep,
            random=moment.random,
            say=moment.said.append,
        )

    return client


@pytest.mark.parametrize(
    ("auth", "user", "header", "value"),
    [
        (Auth("basic", "api"), "api", "authorization", "Basic YXBpOnMzY3JldC9rZXk="),
        (BEARER, "", "authorization", "Bearer s3cret/key"),
        (header_token("Authorization", "App "), "", "authorization", "App s3cret/key"),
        (header_token("api-key"), "", "api-key", "s3cret/key"),
    ],
)
def test_the_secret_is_where_the_provider_wants_it(
    client: Callable[..., Client], server: Server, auth: Auth, user: str, header: str, value: str
) -> None:
    server.replies = [reply(), reply(400, b'{"message": "no s3cret/key here"}')]
    with client(Wire(auth), user) as one:
        one.get("/list", [("a", "b")])
        with pytest.raises(SourceError) as caught:
            one.get("/list")
    assert server.requests[0].headers[header] == value
    assert server.requests[0].target == "/list?a=b"
    assert "s3cret" not in str(caught.value)


def test_a_post_has_its_body_and_the_key_in_it(client: Callable[..., Client], server: Server) -> None:
    with client(Wire(Auth("body", "key"))) as one:
        one.get("/list", body='{"limit":5}')
    (asked,) = server.requests
    assert asked.method == "POST" and asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {"limit": 5, "key": "s3cret/key"}
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("secret", ["", "two\nlines", "schlüssel"])
def test_a_secret_that_no_header_can_carry_is_refused(secret: str) -> None:
    with pytest.raises(ConfigurationError):
        Credentials("", secret, BEARER)


def test_requests_keep_a_number_per_second(client: Callable[..., Client], server: Server, moment: Moment) -> None:
    with client(Wire(BEARER, Rate(requests_per_second=1 / 3))) as one:
        for _ in range(3):
            one.get("/list")
    assert moment.waits == [3, 3]


def test_the_request_after_the_last_allowed_one_waits_for_the_reset(
    client: Callable[..., Client], server: Server, moment: Moment
) -> None:
    at = str(int(moment.now().timestamp()) + 40)
    left = [reply(200, b"{}", ("X-Left", count), ("X-Reset", at)) for count in ("1", "0")]
    server.replies = [*left, reply(200, b"{}", ("X-Left", "?"), ("X-Reset", "soon")), reply()]
    with client(Wire(BEARER, Rate(remaining="X-Left", reset="X-Reset"))) as one:
        for _ in range(4):
            one.get("/list")
    assert moment.waits == [40]
    assert moment.said == ["no requests left at 127.0.0.1, waiting 40.0 s"]


def test_a_reset_in_the_far_future_ends_the_pull(client: Callable[..., Client], server: Server, moment: Moment) -> None:
    server.replies = [reply(200, b"{}", ("left", "0"), ("reset", "86400"))]
    with client(Wire(BEARER, Rate(remaining="left", reset="reset", is_reset_seconds=True))) as one:
        one.get("/list")
        with pytest.raises(UnavailableError, match=r"allows no request for 86400 s.* Run again later"):
            one.get("/list")
    assert moment.waits == []
