"""Pages of Twilio's lists: rows and their order at a moment."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis.strategies import integers, none, tuples
from hypothesis.strategies import lists as lists_of

from waybill.simulator.http.page import Page
from waybill.simulator.twilio.lists import RowList
from waybill.simulator.twilio.page import as_written
from waybill.simulator.twilio.query import OWN_TIME, InvalidQueryError, read_query
from waybill.simulator.twilio.rows import CALLS, MESSAGES, Row, new_message
from waybill.simulator.world import World

ACCOUNT = "north"
NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)
FEEDS = pytest.mark.parametrize("feed", [MESSAGES, CALLS])


@pytest.fixture(scope="module")
def lists(small_world) -> dict[str, RowList]:
    return {feed: RowList(ACCOUNT, feed, small_world.rows(ACCOUNT, feed)) for feed in (MESSAGES, CALLS)}


def page(rows: RowList, feed: str, query: str, moment: datetime) -> Page:
    return rows.page(read_query(ACCOUNT, feed, query), moment)


def everything(rows: RowList, feed: str, query: str, moment: datetime) -> list[str]:
    """Returns the sids of all pages, by following their links."""
    sids: list[str] = []
    while True:
        found = page(rows, feed, query, moment)
        sids += [sighting.row.sid for sighting in found.shows]
        following = json.loads(found.body)["next_page_uri"]
        if following is None:
            return sids
        query = following.partition("?")[2]


def expected(world: World, feed: str, moment: datetime, admits=lambda state: True) -> list[str]:
    """Returns the sids of all present rows, newest first, computed row by row."""
    seen = [(row, row.seen_at(moment)) for row in world.rows(ACCOUNT, feed)]
    listed = [
        (state[OWN_TIME[feed]] or row.created, row.sid) for row, state in seen if state is not None and admits(state)
    ]
    return [sid for _, sid in sorted(listed, reverse=True)]


@FEEDS
@pytest.mark.parametrize("page_size", [1, 7, 50, 1000])
def test_all_pages_together_are_the_list_newest_first(small_world, lists, feed, page_size):
    for moment in (small_world.ends, NOON, small_world.starts + timedelta(hours=9, minutes=1)):
        sids = everything(lists[feed], feed, f"PageSize={page_size}", moment)
        assert sids == expected(small_world, feed, moment)
        assert len(sids) > 3


@FEEDS
def test_a_row_is_listed_in_its_state_at_that_moment(small_world, lists, feed):
    rows = {row.sid: row for row in small_world.rows(ACCOUNT, feed)}
    statuses = {}
    for moment in (NOON, NOON + timedelta(hours=12)):
        body = json.loads(page(lists[feed], feed, "PageSize=1000", moment).body)
        written = body["messages" if feed == MESSAGES else "calls"]
        assert len(written) > 20
        assert all(one == as_written(rows[one["sid"]].seen_at(moment)) for one in written)
        statuses[moment] = {one["sid"]: (one["status"], one["price"]) for one in written}
    before, after = statuses.values()
    assert any(after[sid] != before[sid] for sid in before)


def test_before_the_first_row_the_list_is_one_empty_page(small_world, lists):
    body = json.loads(page(lists[MESSAGES], MESSAGES, "", small_world.starts - timedelta(days=1)).body)
    assert (body["messages"], body["next_page_uri"], body["previous_page_uri"]) == ([], None, None)
    assert (body["page"], body["page_size"], body["start"], body["end"]) == (0, 50, 0, 0)


@FEEDS
def test_a_time_filter_includes_both_bounds_and_excludes_rows_without_the_time(small_world, lists, feed):
    name, field = ("DateSent", "date_sent") if feed == MESSAGES else ("StartTime", "start_time")
    moment = small_world.ends
    times = sorted(
        state[field] for row in small_world.rows(ACCOUNT, feed) if (state := row.seen_at(moment)) and state[field]
    )
    since, until = times[len(times) // 4], times[len(times) // 2]
    query = f"{name}%3E={since:%Y-%m-%dT%H:%M:%SZ}&{name}%3C={until:%Y-%m-%dT%H:%M:%SZ}&PageSize=20"
    found = everything(lists[feed], feed, query, moment)
    assert found == expected(small_world, feed, moment, lambda state: state[field] and since <= state[field] <= until)
    assert len(found) >= 20
    is_null = expected(small_world, feed, moment, lambda state: state[field] is None)
    assert is_null
    assert not set(is_null) & set(everything(lists[feed], feed, f"{name}%3E=2020-01-01", moment))
    assert set(is_null) <= set(everything(lists[feed], feed, "", moment))


def test_rows_without_date_sent_are_ordered_by_creation(small_world, lists):
    sids = everything(lists[MESSAGES], MESSAGES, "", small_world.ends)
    states = {row.sid: row.seen_at(small_world.ends) for row in small_world.rows(ACCOUNT, MESSAGES)}
    places = [states[sid]["date_sent"] or states[sid]["date_created"] for sid in sids]
    assert places == sorted(places, reverse=True)
    assert sum(states[sid]["date_sent"] is None for sid in sids[5:-5]) > 5


def test_filters_of_equality_are_combined(small_world, lists):
    moment = small_world.ends
    busiest = small_world.rows(ACCOUNT, CALLS)[10].seen_at(moment)
    query = f"Status={busiest['status']}&To=%2B{busiest['to'][1:]}&From=%2B{busiest['from'][1:]}"
    found = everything(lists[CALLS], CALLS, query, moment)
    assert found == expected(
        small_world,
        CALLS,
        moment,
        lambda state: all(state[field] == busiest[field] for field in ("status", "to", "from")),
    )
    assert found
    children = everything(lists[CALLS], CALLS, "Status=completed&StartTime%3E=2026-03-01", moment)
    parents = {
        row.seen_at(moment)["parent_call_sid"] for row in small_world.rows(ACCOUNT, CALLS) if row.sid in children
    }
    parent = next(sid for sid in parents if sid)
    assert len(everything(lists[CALLS], CALLS, f"ParentCallSid={parent}", moment)) == 1


def test_calls_can_be_filtered_by_their_end(small_world, lists):
    found = everything(lists[CALLS], CALLS, "EndTime%3E=2026-03-27&EndTime%3C=2026-03-27", small_world.ends)
    day = datetime(2026, 3, 27, tzinfo=UTC)
    assert found == expected(
        small_world,
        CALLS,
        small_world.ends,
        lambda state: state["end_time"] and day <= state["end_time"] < day + timedelta(days=1),
    )
    assert len(found) > 10


def test_the_last_page_has_no_next_link(lists, small_world):
    count = len(expected(small_world, MESSAGES, NOON))
    whole = json.loads(page(lists[MESSAGES], MESSAGES, f"PageSize={count}", NOON).body)
    assert (len(whole["messages"]), whole["next_page_uri"]) == (count, None)
    almost = json.loads(page(lists[MESSAGES], MESSAGES, f"PageSize={count - 1}", NOON).body)
    assert almost["next_page_uri"] is not None


def test_previous_links_lead_back(lists, small_world):
    first = json.loads(page(lists[MESSAGES], MESSAGES, "PageSize=10&DateSent%3E=2026-03-26", NOON).body)
    second = json.loads(page(lists[MESSAGES], MESSAGES, first["next_page_uri"].partition("?")[2], NOON).body)
    third = json.loads(page(lists[MESSAGES], MESSAGES, second["next_page_uri"].partition("?")[2], NOON).body)
    back = json.loads(page(lists[MESSAGES], MESSAGES, third["previous_page_uri"].partition("?")[2], NOON).body)
    assert back["messages"] == second["messages"] != third["messages"]
    assert (back["page"], back["next_page_uri"]) == (1, second["next_page_uri"])
    start = json.loads(page(lists[MESSAGES], MESSAGES, back["previous_page_uri"].partition("?")[2], NOON).body)
    assert (start["messages"], start["page"], start["previous_page_uri"]) == (first["messages"], 0, None)


def test_a_token_keeps_its_position_when_rows_are_added_and_a_page_number_does_not(lists, small_world):
    rows, later = lists[MESSAGES], NOON + timedelta(hours=3)
    first = page(rows, MESSAGES, "PageSize=20", NOON)
    shown = [sighting.row.sid for sighting in first.shows]
    following = json.loads(first.body)["next_page_uri"].partition("?")[2]
    by_token = [sighting.row.sid for sighting in page(rows, MESSAGES, following, later).shows]
    by_number = [sighting.row.sid for sighting in page(rows, MESSAGES, "PageSize=20&Page=1", later).shows]
    unmoved = [sighting.row.sid for sighting in page(rows, MESSAGES, following, NOON).shows]
    assert not set(by_token) & set(shown)
    assert by_token == unmoved
    assert set(by_number) & set(shown) or by_number[0] not in unmoved


def test_page_numbers_count_from_the_newest_row(lists, small_world):
    by_number = [page(lists[CALLS], CALLS, f"PageSize=15&Page={number}", NOON).shows for number in range(3)]
    assert [one.row.sid for rows in by_number for one in rows] == expected(small_world, CALLS, NOON)[:45]


@pytest.mark.parametrize("token", ["PASM0", "PBSM0", "SM", "PA", "PX{sid}", "{sid}", "PA{later}"])
def test_a_token_of_no_row_is_refused(small_world, lists, token):
    rows = small_world.rows(ACCOUNT, MESSAGES)
    token = token.format(sid=rows[0].sid, later=rows[-1].sid)
    with pytest.raises(InvalidQueryError, match="PageToken"):
        page(lists[MESSAGES], MESSAGES, f"PageToken={token}", NOON)


SECONDS = integers(0, 12)


@given(
    histories=lists_of(tuples(SECONDS, none() | tuples(SECONDS, SECONDS)), max_size=12),
    moment=SECONDS,
    page_size=integers(1, 5),
    bounds=tuples(none() | SECONDS, none() | SECONDS),
)
def test_any_rows_are_listed_by_the_definition(histories, moment, page_size, bounds):
    """Rows of the same second, rows that move when they are sent, empty windows."""

    def at(second):
        return NOON + timedelta(seconds=second)

    rows = []
    for number, (created, sending) in enumerate(histories):
        row = new_message(None, ACCOUNT, at(created), Random(number))
        if sending is not None:
            sent, known = sending
            row.change(at(created + 1 + sent + known), status="sent", date_sent=at(created + sent))
        rows.append(row)
    since, until = (None if second is None else at(second) for second in bounds)
    query = f"PageSize={page_size}"
    query += f"&DateSent%3E={since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
    query += f"&DateSent%3C={until:%Y-%m-%dT%H:%M:%SZ}" if until else ""
    listed = []
    for row in rows:
        state = row.seen_at(at(moment))
        if state is None:
            continue
        sent_at = state["date_sent"]
        is_in = not (since or until) or (sent_at and (since or sent_at) <= sent_at <= (until or sent_at))
        if is_in:
            listed.append((sent_at or row.created, row.sid))
    found = everything(RowList(ACCOUNT, MESSAGES, rows), MESSAGES, query, at(moment))
    assert found == [sid for _, sid in sorted(listed, reverse=True)]


class CountedRow(Row):
    """Counts how often rows are read."""

    looks = 0

    def state_index_at(self, moment: datetime) -> int | None:
        CountedRow.looks += 1
        return super().state_index_at(moment)


def test_the_cost_of_a_page_depends_on_its_rows_alone():
    random = Random(1)
    rows = []
    for number in range(15_000):
        created = NOON + timedelta(seconds=160 * number)
        row = new_message(None, ACCOUNT, created, random)
        row.__class__ = CountedRow
        row.change(created + timedelta(seconds=30), status="sent", date_sent=created + timedelta(seconds=30))
        rows.append(row)
    listed = RowList(ACCOUNT, MESSAGES, rows)
    middle, end = NOON + timedelta(days=14), NOON + timedelta(days=60)
    for query, moment in (
        (f"PageSize=1000&DateSent%3C={middle:%Y-%m-%dT%H:%M:%SZ}", end),
        ("PageSize=1000", middle),
        (f"PageSize=1000&PageToken=PA{rows[10_000].sid}", end),
        (f"PageSize=1000&PageToken=PB{rows[10_000].sid}", end),
    ):
        CountedRow.looks = 0
        assert len(page(listed, MESSAGES, query, moment).shows) == 1000
        assert 1000 <= CountedRow.looks <= 1010
