"""A month of simulated Twilio traffic, pulled with all kinds of faults: the result equals the simulator's truth.

Everything in the lists is landed, and everything landed is reported.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.pulled_days import LISTS, MOST_CONCURRENT, TROUBLES, ZONE, PulledDays
from tests.acceptance.warehouses import build, check_equal, load_files, report_cells, until_alone, writes
from tests.conftest import Server
from waybill.feeds import FEEDS
from waybill.flow import ingest
from waybill.flow.slices import slices
from waybill.simulator.http.fault_switch import Switched
from waybill.simulator.records import WrittenRecord
from waybill.simulator.truth.reports import report_rows
from waybill.simulator.twilio.rows import PROVIDER
from waybill.simulator.world import FILE_FEEDS, World
from waybill.warehouse.connection import Warehouse as Target

COLUMNS = (
    "event_type",
    "country",
    "failure_class",
    "failure_reason",
    "provider_code",
    "price",
    "currency",
    "segments",
    "duration_seconds",
    "answered_by",
)
"""Columns of an event with the same name in facts and in the truth."""


def live(pulled: PulledDays, step: timedelta) -> list[Switched]:
    """Pull all days in steps, the last one without faults, so that its result is known. Return how often each fault
    occurred."""
    from tests.acceptance import preloaded  # noqa: F401 - once here instead of in each copy of this process

    pulled.twilio.faults.set(*TROUBLES)
    now = pulled.world.starts + step
    while now < pulled.world.ends:
        pulled.pull_until(now)
        now += step
    struck = pulled.twilio.faults.on()
    pulled.twilio.faults.clear()
    pulled.pull_until(pulled.world.ends, is_last=True)
    return struck


def check_everything_went_wrong(pulled: PulledDays, struck: list[Switched]) -> None:
    assert [switched.fault for switched in struck] == list(TROUBLES)
    assert [switched.fault for switched in struck if not switched.struck] == []
    for counts in pulled.interruptions.values():
        assert min(counts.kill_count, counts.red_count, counts.again_count) > 0
    assert sum(counts.kill_count for counts in pulled.interruptions.values()) > 5
    for words in ("429 from", "waiting 2 s", "500 from", "broken connection", "in time"):
        assert [line for account in pulled.interruptions for line in pulled.said(account, words)], words


def check_everything_was_landed(pulled: PulledDays, landed: list[WrittenRecord], least: int) -> None:
    """Check that every row was landed in its last state."""
    world = pulled.world
    shown = {(seen.fields["sid"], seen.arrives) for seen in landed}
    for account in world.accounts:
        for feed in LISTS:
            rows = [row for row in world.rows(account, feed) if row.created <= world.ends]
            assert len(rows) >= least
            missing = [row.sid for row in rows if (row.sid, row.states[row.state_index_at(world.ends)][0]) not in shown]
            assert missing == [], (account, feed)


def check_everything_landed_is_a_fact_and_reported(pulled: PulledDays, landed: list[WrittenRecord]) -> None:
    world = pulled.world
    load_files(
        pulled.settings,
        pulled.url,
        [(file.account, file.feed, file.data, file.landed_after) for file in world.files(FILE_FEEDS)],
    )
    happenings = world.happenings(FILE_FEEDS, shown=landed)
    events = [
        (one.account, *one.leg, one.at, *(getattr(one, column) for column in COLUMNS))
        for one in happenings
        if one.provider == PROVIDER
    ]
    facts = pulled.rows(
        f"select account, provider_message_id, event_at, {', '.join(COLUMNS)} from fact.event where provider = %s",
        PROVIDER,
    )
    assert len(events) == len(facts)
    assert set(events) == set(facts)
    build(pulled.url)
    expected = report_rows(happenings, ZONE)
    assert all(expected.values()), "a report of the truth is empty"
    check_equal(report_cells(pulled.url), expected)


def check_notes(pulled: PulledDays) -> None:
    """Check that each window was pulled once, despite interruptions, and is complete. A few were given up, and other
    windows cover them: the first answer to a process was a redirect, or one page was wrong three times."""
    world = pulled.world
    ((pull_count, *committed),) = pulled.rows(
        "select count(*), count(committed_at), count(distinct (account, feed, until_at)) filter (where committed_at"
        " is not null) from ops.pull"
    )
    assert len(set(committed)) == 1
    given_up = pulled.rows("select pulled_at is not null, broken from ops.pull where committed_at is null")
    assert [(is_ended, reasons) for is_ended, reasons in given_up if not (is_ended and reasons)] == []
    assert len(given_up) < max(pull_count / 20, 3)
    watermarks = pulled.rows(
        "select count(*), max(complete_from) <= %s, min(complete_until), max(complete_until) from ops.watermark",
        world.starts,
    )
    assert watermarks == [(4, True, world.ends, world.ends)]
    assert pulled.rows("select count(*) from ops.load where status in ('staging', 'staged', 'validated')") == [(0,)]


def check_politeness(pulled: PulledDays) -> None:
    assert max(request.of_account for request in pulled.requests()) <= MOST_CONCURRENT
    assert [request for request in pulled.requests() if request.status == 429 and request.fault is None] == []


def check_once_more_writes_nothing(pulled: PulledDays) -> None:
    until_alone(pulled.url)
    before, objects = writes(pulled.url), pulled.rows("select count(*) from ops.object")
    for slug in LISTS:
        for one in slices(Target(pulled.settings, pulled.url), FEEDS[slug], pulled.world.ends):
            done = ingest.pull(
                Target(pulled.settings, pulled.url),
                FEEDS[slug],
                one,
                now=lambda: pulled.world.ends,
                connect_to=pulled.client,
            )
            assert done.record_count > 0
            outcome = ingest.load_pull(Target(pulled.settings, pulled.url), FEEDS[slug], done.pull_id)
            assert (outcome.done, outcome.failed) == ([], [])
    assert writes(pulled.url) == before
    assert pulled.rows("select count(*) from ops.object") == objects


def check(pulled: PulledDays, step: timedelta, least: int) -> None:
    """Pull all days, and check the result.

    :param least: minimum rows of each list of each account
    """
    with pulled.served():
        struck = live(pulled, step)
        landed = pulled.landed()
        ((pull_count, page_count),) = pulled.rows("select count(distinct pull_id), count(*) from ops.pull_page")
        print(
            f"{len(pulled.requests())} requests, {page_count} pages noted in {pull_count} pulls, {len(landed)} states"
            f" of rows, {pulled.interruptions}, {[(one.fault.kind, one.struck) for one in struck]}"
        )
        check_everything_went_wrong(pulled, struck)
        check_everything_was_landed(pulled, landed, least)
        check_everything_landed_is_a_fact_and_reported(pulled, landed)
        check_notes(pulled)
        check_politeness(pulled)
        check_once_more_writes_nothing(pulled)


@pytest.mark.timeout(900)
def test_days_of_twilio(postgres: Server, tmp_path: Path) -> None:
    world = World(3, days=9, messages_per_day=70)
    check(PulledDays(postgres, tmp_path, world, page_size=6, kills=(0.9, 0.5), seed=1), timedelta(days=1), least=50)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_month_day_by_day(postgres: Server, tmp_path: Path) -> None:
    world = World(3, days=30, messages_per_day=70)
    check(PulledDays(postgres, tmp_path, world, page_size=8, kills=(0.4, 0.2), seed=1), timedelta(days=1), least=100)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(3))
def test_a_busy_month_every_six_hours(postgres: Server, tmp_path: Path, seed: int) -> None:
    world = World(10 + seed, days=30, messages_per_day=600)
    pulled = PulledDays(postgres, tmp_path, world, page_size=20, kills=(0.6, 0.5, 0.4, 0.3), seed=seed)
    check(pulled, timedelta(hours=6), least=1000)
