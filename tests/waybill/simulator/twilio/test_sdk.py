"""Twilio's own client works with the simulated Twilio."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from waybill.simulator.twilio.rows import CALLS, MESSAGES, account_sid, auth_token
from waybill.simulator.world import World

SINCE, UNTIL = datetime(2026, 3, 26, 9, tzinfo=UTC), datetime(2026, 3, 27, 15, 30, tzinfo=UTC)


@pytest.fixture
def sdk(twilio) -> Iterator[Client]:
    http = TwilioHttpClient()
    client = Client(account_sid("north"), auth_token("north"), http_client=http)
    client.api.base_url = twilio.url
    yield client
    http.session.close()


def newest_first(world: World, feed: str, field: str, is_filtered: bool) -> list[tuple[str, str]]:
    """Returns (sid, status) of the rows at the end of the world."""
    rows = []
    for row in world.rows("north", feed):
        state = row.seen_at(world.ends)
        if state is not None and (not is_filtered or (state[field] and SINCE <= state[field] <= UNTIL)):
            rows.append((state[field] or row.created, row.sid, state["status"]))
    return [(sid, status) for _, sid, status in sorted(rows, reverse=True)]


def test_the_client_lists_every_message(sdk, small_world, twilio):
    listed = [(one.sid, str(one.status)) for one in sdk.messages.list(page_size=50)]
    assert listed == newest_first(small_world, MESSAGES, "date_sent", is_filtered=False)
    assert len(twilio.requests.all()) == (len(listed) + 49) // 50 > 2


def test_the_client_lists_messages_of_a_window(sdk, small_world):
    listed = sdk.messages.list(date_sent_after=SINCE, date_sent_before=UNTIL, page_size=50)
    assert [(one.sid, str(one.status)) for one in listed] == newest_first(small_world, MESSAGES, "date_sent", True)
    assert len(listed) > 50
    assert all(SINCE <= one.date_sent <= UNTIL for one in listed)


def test_the_client_lists_all_calls_and_those_of_a_window(sdk, small_world):
    listed = [(one.sid, str(one.status)) for one in sdk.calls.list(page_size=50)]
    assert listed == newest_first(small_world, CALLS, "start_time", is_filtered=False)
    window = sdk.calls.list(start_time_after=SINCE, start_time_before=UNTIL, page_size=50)
    assert [(one.sid, str(one.status)) for one in window] == newest_first(small_world, CALLS, "start_time", True)
    assert len(window) > 20


def test_the_client_follows_next_and_previous_links(sdk):
    first = sdk.messages.page(page_size=10)
    sids = [one.sid for one in first]
    second = first.next_page()
    assert not {one.sid for one in second} & set(sids)
    assert [one.sid for one in second.previous_page()] == sids


def test_the_client_raises_an_error(sdk):
    with pytest.raises(TwilioException):
        sdk.messages.list(to="+15550100001", page_size=10, date_sent="neither a date nor a time")
