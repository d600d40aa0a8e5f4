"""Loads, rebuilds and replays at the same time give the tables of one clean load; none fails or waits for ever."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pytest

from tests.acceptance.warehouses import (
    LandedFile,
    at_once,
    build,
    check_equal,
    facts,
    in_batches,
    load_files,
    report_cells,
    until_alone,
)
from tests.conftest import KEY, Server, Warehouse
from waybill.feeds import FEEDS
from waybill.flow import ingest
from waybill.flow.replay import replay as replay_range
from waybill.landing import objects as landing
from waybill.ledger.objects import record
from waybill.reports.catalogue import built_reports
from waybill.settings import Settings
from waybill.simulator.world import World
from waybill.warehouse.connection import Warehouse as Target

FIRST, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def files() -> list[LandedFile]:
    world = World(11, days=2, messages_per_day=40)
    found = [(file.account, file.feed, file.data, file.landed_after) for file in world.files()]
    return [file for file in found if file[1] != "twilio_calls"]


@pytest.fixture(scope="module")
def clean(
    postgres: Server, files: list[LandedFile], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict, dict]]:
    """Return facts and report cells of one clean load of all files."""
    url = postgres.database()
    folder = tmp_path_factory.mktemp("clean")
    environment = {"WAREHOUSE_URL": url, "WAYBILL_VAR": str(folder), "RECIPIENT_HMAC_KEY": KEY, "REJECTED_CEILING": "1"}
    load_files(Settings.from_environment(environment), url, files)
    build(url)
    found = facts(url), report_cells(url)
    assert all(found[0].values())
    assert sum(map(bool, found[1].values())) > 4
    yield found
    postgres.drop(url)


def check_same(warehouse: Warehouse, clean: tuple[dict, dict]) -> None:
    assert facts(warehouse.url) == clean[0]
    build(warehouse.url)
    check_equal(report_cells(warehouse.url), clean[1])
    assert warehouse.rows("select * from ops.changed_day") == []
    # a replay overtaken by a load starts again (see the ledger); one of two loads of a file does nothing
    ends = warehouse.rows("select distinct kind, status from ops.load order by 1, 2")
    others = {("replay", "published"), ("replay", "stopped"), ("load", "superseded")}
    assert set(ends) - others == {("load", "published")}
    assert warehouse.rows("select distinct status from ops.build") == [("published",)]
    assert warehouse.rows("select tablename from pg_tables where schemaname = 'staging'") == []
    events = len(clean[0]["fact.event"])
    assert warehouse.rows("select sum(inserted_count) - sum(removed_count) from ops.load") == [(events,)]


def test_three_processes_with_the_same_command(
    warehouse: Warehouse, files: list[LandedFile], clean: tuple[dict, dict]
) -> None:
    def load() -> None:
        load_files(warehouse.settings, warehouse.url, files)

    assert at_once(load, load, load) == [0, 0, 0]
    check_same(warehouse, clean)
    before = warehouse.rows("select count(*) from ops.load")
    load()
    assert warehouse.rows("select count(*) from ops.load") == before


def test_three_processes_with_the_same_files_in_different_orders(
    warehouse: Warehouse, files: list[LandedFile], clean: tuple[dict, dict]
) -> None:
    def load(seed: int) -> None:
        for batch in in_batches(files, seed, most=2):
            load_files(warehouse.settings, warehouse.url, batch)

    assert at_once(lambda: load(1), lambda: load(2), lambda: load(3)) == [0, 0, 0]
    check_same(warehouse, clean)


def test_loads_beside_rebuilds(warehouse: Warehouse, files: list[LandedFile], clean: tuple[dict, dict]) -> None:
    def load(half: list[LandedFile]) -> None:
        for batch in in_batches(half, len(half), most=2):
            load_files(warehouse.settings, warehouse.url, batch)

    def rebuild() -> None:
        for turn in range(4):
            build(warehouse.url, full=turn % 3 == 2)

    assert at_once(lambda: load(files[0::2]), lambda: load(files[1::2]), rebuild) == [0, 0, 0]
    assert warehouse.rows("select count(*) from ops.build") == [(4,)]
    check_same(warehouse, clean)


@pytest.mark.parametrize("full", [False, True])
def test_concurrent_rebuilds(
    warehouse: Warehouse, files: list[LandedFile], clean: tuple[dict, dict], full: bool
) -> None:
    load_files(warehouse.settings, warehouse.url, files)

    def rebuild() -> None:
        build(warehouse.url, full)

    assert at_once(rebuild, rebuild) == [0, 0]
    changed = warehouse.rows("select rows_changed from ops.build order by build_id")
    ((engaged,),) = warehouse.rows("select count(*) from fact.live_engagement")
    assert engaged > 0
    assert changed == [(sum(len(clean[1][report.name]) for report in built_reports()) + engaged,), (0,)]
    check_same(warehouse, clean)


def test_replays_beside_loads(warehouse: Warehouse, files: list[LandedFile], clean: tuple[dict, dict]) -> None:
    third = len(files) // 3
    load_files(warehouse.settings, warehouse.url, files[:third])

    def load(batch: list[LandedFile]) -> None:
        for part in in_batches(batch, 1, most=2):
            load_files(warehouse.settings, warehouse.url, part)

    def replay() -> None:
        for _ in range(2):
            for slug in FEEDS:
                replay_range(Target(warehouse.settings, warehouse.url), FEEDS[slug], FIRST, UNTIL)

    ends = at_once(replay, lambda: load(files[third : 2 * third]), lambda: load(files[2 * third :]))
    assert ends == [0, 0, 0]
    feed_count = len({feed for _, feed, *_ in files})
    assert feed_count == 3
    assert warehouse.rows("select count(*) >= 2 * %s from ops.load where kind = 'replay'", (feed_count,)) == [(True,)]
    check_same(warehouse, clean)


def test_concurrent_replays(warehouse: Warehouse, files: list[LandedFile], clean: tuple[dict, dict]) -> None:
    load_files(warehouse.settings, warehouse.url, files)
    before = facts(warehouse.url)

    def replay() -> None:
        for slug in FEEDS:
            replay_range(Target(warehouse.settings, warehouse.url), FEEDS[slug], FIRST, UNTIL)

    assert at_once(replay, replay) == [0, 0]
    assert facts(warehouse.url) == before
    check_same(warehouse, clean)


def test_concurrent_loads_of_new_files_in_opposite_orders(
    warehouse: Warehouse, files: list[LandedFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = [data for account, feed, data, _ in files if (account, feed) == ("north", "sendgrid_events")][:4]
    assert len(mails) == 4
    landed = [landing.land(BytesIO(data), "north", "sendgrid_events", warehouse.settings.landing_url) for data in mails]

    def slow(cursor, item):
        recorded = record(cursor, item)
        time.sleep(0.2)
        return recorded

    monkeypatch.setattr(ingest, "record", slow)

    def load(order: int) -> None:
        ingest.load(Target(warehouse.settings, warehouse.url), FEEDS["sendgrid_events"], landed[::order]).checked()

    assert at_once(lambda: load(1), lambda: load(-1)) == [0, 0]
    until_alone(warehouse.url)
