"""The simulated Postmark, on a socket: messages, their details, and bounces."""

from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest

from waybill.simulator.email.stand_in import api_key
from waybill.simulator.http import page_faults
from waybill.simulator.http.server import serving
from waybill.simulator.postmark.stand_in import BOUNCES, MESSAGES, PostmarkStandIn
from waybill.simulator.truth.outcome import Happening
from waybill.simulator.world import World


@pytest.fixture(scope="module")
def postmark() -> Iterator[PostmarkStandIn]:
    world = World(5, days=3, messages_per_day=600, accounts=("north",), email_providers=("postmark",))
    with serving(PostmarkStandIn(world, at=world.ends + timedelta(hours=1))) as found:
        yield found


@pytest.fixture
def client(postmark: PostmarkStandIn) -> Iterator[httpx2.Client]:
    headers = {"X-Postmark-Server-Token": api_key("north", "postmark")}
    with httpx2.Client(base_url=str(postmark.url), headers=headers, timeout=30) as found:
        yield found


def rows(client: httpx2.Client, path: str, name: str) -> list[dict]:
    """Returns every row of a list, seven a page."""
    found: list[dict] = []
    while True:
        body = client.get(path, params={"count": 7, "offset": len(found)}).json()
        found += body[name]
        if len(found) >= body["TotalCount"]:
            return found


def lives(happenings: list[Happening]) -> set[tuple[object, ...]]:
    return {(h.leg, h.at, h.event_type, h.failure_class, h.failure_reason) for h in happenings}


def test_messages_details_and_bounces_together_tell_what_the_webhooks_tell(postmark, client) -> None:
    messages = rows(client, MESSAGES, "Messages")
    ids = [message["MessageID"] for message in messages]
    assert len(ids) == len(set(ids)) > 40
    assert [message["ReceivedAt"] for message in messages] == sorted((m["ReceivedAt"] for m in messages), reverse=True)
    accepted = lives(postmark.happenings(feeds=()))
    assert {event_type for _, _, event_type, *_ in accepted} == {"processed"}
    for message_id in ids:
        details = client.get(f"{MESSAGES}/{message_id}/details").json()
        assert details["MessageID"] == message_id
    bounces = rows(client, BOUNCES, "Bounces")
    assert {bounce["Type"] for bounce in bounces} >= {"HardBounce", "Transient", "SpamComplaint"}
    posted = {life for life in lives(postmark.world.happenings((postmark.sheet.feed,))) if life[2] != "unknown"}
    assert lives(postmark.happenings(feeds=())) - accepted == posted


@pytest.mark.parametrize("query", ["", "count=5", "count=501&offset=0", "count=500&offset=9501", "count=5&offset=x"])
def test_a_query_that_postmark_refuses(client, query: str) -> None:
    answer = client.get(f"{BOUNCES}?{query}")
    assert (answer.status_code, answer.json()["ErrorCode"]) == (422, 300)


def test_wrong_credentials_and_unknown_messages(postmark, client) -> None:
    assert httpx2.get(f"{postmark.url}{MESSAGES}?count=5&offset=0").status_code == 401
    assert client.get(f"{MESSAGES}/none/details").status_code == 404


def test_bounds_are_days_or_times(client) -> None:
    whole = [row["BouncedAt"] for row in rows(client, BOUNCES, "Bounces")]
    day = client.get(f"{BOUNCES}?count=500&offset=0&fromdate=2026-03-27&todate=2026-03-27").json()["Bounces"]
    # days begin at 04:00 UTC in New York's summer
    assert [row["BouncedAt"] for row in day] == [at for at in whole if "2026-03-27T04" <= at < "2026-03-28T04"]
    assert 0 < len(day) < len(whole)


def test_a_page_can_repeat_the_one_before_it(postmark, client) -> None:
    first, second = (client.get(f"{BOUNCES}?count=5&offset={offset}").json() for offset in (0, 5))
    postmark.faults.set(page_faults.RepeatedPage(times=1))
    assert client.get(f"{BOUNCES}?count=5&offset=5").json() == {**second, "Bounces": first["Bounces"]} != second
    postmark.faults.clear()
