"""The simulator's world, through files, loads and a build: every cell of every report is the simulator's truth."""

import pytest

from etl.warehouse.connection import connected
from simulator.truth import report_rows
from simulator.world import World
from tests.acceptance.detail_rows import check_detail_views
from tests.acceptance.warehouses import build, load_files, report_cells
from tests.conftest import Warehouse

ZONE = "Europe/Berlin"


@pytest.fixture(scope="module")
def world() -> World:
    return World(1)


def load_world(warehouse: Warehouse, world: World) -> None:
    files = [(f.account, f.feed, f.data, f.landed_after) for f in world.files()]
    load_files(warehouse.settings, warehouse.url, files)


def test_every_cell_is_the_simulators_truth(warehouse: Warehouse, world: World) -> None:
    with connected(warehouse.url) as connection, connection, connection.cursor() as cursor:
        cursor.execute("update ops.setting set value = %s where name = 'report_timezone'", (ZONE,))
    load_world(warehouse, world)
    build(warehouse.url)
    expected = report_rows(world.happenings(), ZONE)
    assert all(expected.values()), "a report of the truth is empty"
    found = report_cells(warehouse.url)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name
    shown = check_detail_views(warehouse.url, world.happenings(), ZONE)
    assert all(shown.values()), "a detail view is empty"
    rejected = {
        (account, feed): count
        for account, feed, count in warehouse.rows(
            "select account, feed, count(*) from private.rejected_record group by account, feed"
        )
    }
    assert rejected == {key: count for key, count in world.poison().items() if count}
    ignored = {
        (account, feed): int(count)
        for account, feed, count in warehouse.rows(
            "select account, feed, sum(ignored_count) from ops.load group by account, feed"
        )
    }
    assert {k: v for k, v in ignored.items() if v} == {k: v for k, v in world.ignored().items() if v}
