"""The simulated APIs that list events of emails, on a socket."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx2
import pytest

from waybill.simulator.brevo import stand_in as brevo
from waybill.simulator.brevo.stand_in import BrevoStandIn
from waybill.simulator.email.stand_in import EmailStandIn, api_key
from waybill.simulator.http import faults, page_faults
from waybill.simulator.http.fault_switch import AnyFault
from waybill.simulator.http.server import serving
from waybill.simulator.mailgun.stand_in import MailgunStandIn, events_path
from waybill.simulator.sparkpost import stand_in as sparkpost
from waybill.simulator.sparkpost.stand_in import SparkPostStandIn
from waybill.simulator.world import World

OF_LINKS = (page_faults.LoopingLink, page_faults.ForeignLink, page_faults.EarlyEnd, page_faults.EndlessList)
WAITING = (faults.Late, faults.Silence, faults.Stall)
DAYS = 3


class Api(NamedTuple):
    """How a client of the tests reads one API.

    :ivar account: the account that has emails there
    :ivar first: path and query of a first page of five rows, of the whole world
    """

    stand_in: type[EmailStandIn]
    account: str
    headers: Callable[[str], dict[str, str]]
    first: str
    rows_name: str
    next_link: Callable[[str, dict], str | None]
    identity: Callable[[dict], object]


def basic(key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'api:{key}'.encode()).decode()}"}


def next_offset(link: str) -> str:
    before, _, offset = link.rpartition("=")
    return f"{before}={int(offset) + 5}"


FROM = datetime(2026, 3, 26, tzinfo=UTC)
UNTIL = FROM + timedelta(days=DAYS, hours=1)
APIS = [
    Api(
        MailgunStandIn,
        "north",
        basic,
        f"{events_path('north')}?begin={FROM.timestamp()}&end={UNTIL.timestamp()}&limit=5",
        "items",
        lambda link, body: body["paging"]["next"] if body["items"] else None,
        lambda row: row["id"],
    ),
    Api(
        SparkPostStandIn,
        "south",
        lambda key: {"Authorization": key},
        f"{sparkpost.PATH}?from={FROM:%Y-%m-%dT%H:%M:%SZ}&to={UNTIL:%Y-%m-%dT%H:%M:%SZ}&per_page=5",
        "results",
        lambda link, body: body["links"].get("next"),
        lambda row: row["event_id"],
    ),
    Api(
        BrevoStandIn,
        "north",
        lambda key: {"api-key": key},
        f"{brevo.PATH}?startDate={FROM:%Y-%m-%d}&endDate={UNTIL:%Y-%m-%d}&sort=asc&limit=5&offset=0",
        "events",
        lambda link, body: next_offset(link) if len(body.get("events", ())) == 5 else None,
        lambda row: (row["messageId"], row["date"]),
    ),
]


@pytest.fixture(scope="module")
def world() -> World:
    return World(5, days=DAYS, messages_per_day=600, email_providers=("mailgun", "sparkpost", "brevo"))


@pytest.fixture(params=APIS, ids=lambda api: api.stand_in.sheet.slug)
def api(request) -> Api:
    return request.param


@pytest.fixture
def stand_in(api: Api, world: World) -> Iterator[EmailStandIn]:
    with serving(api.stand_in(world, at=UNTIL)) as found:
        yield found


@pytest.fixture
def client(api: Api, stand_in: EmailStandIn) -> Iterator[httpx2.Client]:
    headers = api.headers(api_key(api.account, api.stand_in.sheet.slug))
    with httpx2.Client(base_url=str(stand_in.url), headers=headers, timeout=30) as found:
        yield found


def pages(api: Api, client: httpx2.Client, most: int = 200) -> list[dict]:
    """Returns the pages of the whole list, by following their links."""
    found, link = [], api.first
    while link and len(found) < most:
        answer = client.get(link)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        link = api.next_link(link, found[-1])
    return found


def identities(api: Api, found: list[dict]) -> list[str]:
    return [api.identity(row) for page in found for row in page.get(api.rows_name, ())]


def test_all_pages_together_tell_the_lives_that_the_webhooks_tell(api, stand_in, client, world) -> None:
    found = pages(api, client)
    seen = identities(api, found)
    assert len(found) > 20
    assert len(seen) == len(set(seen)) == len(world.emails(api.account, stand_in.sheet.slug))
    found, expected = (
        [(h.at, h.provider, h.leg, h.event_type, h.failure_reason) for h in one]
        for one in (stand_in.happenings(feeds=()), world.happenings((stand_in.sheet.feed,)))
    )
    assert found == expected
    if api.stand_in is not BrevoStandIn:  # its rows lack what the sender gave
        assert stand_in.happenings(feeds=()) == world.happenings((stand_in.sheet.feed,))
    assert stand_in.requests.repeated_pages == {}


def test_events_come_late_and_into_pages_that_were_sent(api, stand_in, client) -> None:
    late = 0
    whole = api._replace(
        first=api.first.replace("limit=5", "limit=300").replace("per_page=5", "per_page=300"), next_link=one_page
    )
    for hour in range(8, 60, 3):
        stand_in.clock.at = moment = FROM + timedelta(hours=hour)
        before = identities(api, pages(whole, client))
        stand_in.clock.at = moment + api.stand_in.longest_lag
        rows = [row for page in pages(whole, client) for row in page.get(api.rows_name, ())]
        late += sum(api.identity(row) not in before and at(row) < moment for row in rows)
        times = [at(row) for row in rows]
        assert times == sorted(times) or times == sorted(times, reverse=True)
    assert late > 1


def one_page(link: str, body: dict) -> None:
    return None


def at(row: dict) -> datetime:
    value = row.get("timestamp") or row["date"]
    return datetime.fromtimestamp(value, UTC) if isinstance(value, float) else datetime.fromisoformat(value)


def test_refusals_have_the_form_of_the_provider(api, stand_in, client, world) -> None:
    assert client.get(api.first, headers=api.headers("x")).status_code == 401
    assert httpx2.get(f"{stand_in.url}{api.first}").status_code == 401
    assert client.get("/elsewhere").status_code == 404
    assert client.post(api.first).status_code == 405
    for name in ("limit", "per_page", "begin", "from", "startDate", "offset"):
        if f"{name}=" in api.first:
            assert client.get(f"{api.first}&{name}=none").status_code == 400
    assert stand_in.shown.records() == []
    with serving(api.stand_in(world, most_per_second=3)) as limited:
        own = httpx2.Client(base_url=str(limited.url), headers=client.headers)
        assert [own.get(api.first).status_code for _ in range(4)] == [200, 200, 200, 429]
        own.close()


def test_every_fault_strikes_every_api(api, stand_in, client) -> None:
    second = api.next_link(api.first, client.get(api.first).json())
    clean = client.get(second)
    for kind in AnyFault.__args__:
        stand_in.faults.set(kind(times=1))
        try:
            answer = client.get(second, timeout=0.3 if kind in WAITING else 30)
            is_different = (answer.status_code, answer.headers, answer.content) != (200, clean.headers, clean.content)
        except httpx2.TransportError:
            is_different = True
        has_links = api.stand_in is not BrevoStandIn
        if kind is not faults.TimePasses and (has_links or kind not in OF_LINKS):
            assert is_different, kind
        assert stand_in.faults.on()[0].struck == 1
    assert client.get(second).json() == clean.json()


def test_an_endless_list_has_fresh_links_and_old_rows(api, stand_in, client) -> None:
    everything = set(identities(api, pages(api, client)))
    stand_in.faults.set(page_faults.EndlessList())
    found = pages(api, client, most=100)
    assert len(found) == 100
    if api.stand_in is not BrevoStandIn:
        assert len({api.next_link("", page) for page in found}) == 100
    assert set(identities(api, found)) == everything
