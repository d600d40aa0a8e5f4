"""Live monitoring in a warehouse from before it: its counts are right after the migration, and after later loads."""

import pytest

from tests.acceptance.warehouses import LandedFile, build, check_equal, load_files, report_cells
from tests.conftest import Warehouse
from waybill.facts.live_counts import LIVE_TABLES
from waybill.simulator.world import World
from waybill.warehouse.migrations import migrate

MIGRATION = "0008_live_monitoring.sql"


@pytest.fixture
def files() -> list[LandedFile]:
    world = World(5, days=2, messages_per_day=60)
    return [(file.account, file.feed, file.data, file.landed_after) for file in world.files()]


def as_before(warehouse: Warehouse) -> None:
    """Make the warehouse like that of the release before, with the same facts."""
    warehouse.rows(
        "drop view report.live_monitoring, report.live_monitoring_reason, fact.counted_message;"
        "drop table fact.live_count, fact.live_reason, fact.live_engagement, ops.changed_engagement, ops.account_as_of;"
        f"delete from ops.migration where name = '{MIGRATION}' returning 1"
    )


def stored(warehouse: Warehouse) -> dict[str, list[tuple]]:
    return {
        table.name: warehouse.rows(f"select * from {table.table} order by {', '.join(table.grain)}")
        for table in LIVE_TABLES
    }


def test_the_migration_counts_the_existing_messages(warehouse: Warehouse, files: list[LandedFile]) -> None:
    load_files(warehouse.settings, warehouse.url, files)
    build(warehouse.url)
    expected = stored(warehouse), report_cells(warehouse.url)
    assert all(expected[0].values())
    last = warehouse.rows(
        "select account, max(ended_at) from ops.load where status = 'published' group by 1 order by 1"
    )
    as_before(warehouse)
    assert migrate(warehouse.url) == [MIGRATION]
    assert stored(warehouse) == expected[0]
    check_equal(report_cells(warehouse.url), expected[1])
    assert warehouse.rows("select account, delivery_as_of from ops.account_as_of order by 1") == last
    assert not any(build(warehouse.url, full=True).values())


def test_messages_that_wait_for_a_build_are_counted_once(warehouse: Warehouse, files: list[LandedFile]) -> None:
    first, later = files[::2], files[1::2]
    load_files(warehouse.settings, warehouse.url, first)
    as_before(warehouse)
    migrate(warehouse.url)
    load_files(warehouse.settings, warehouse.url, later)
    build(warehouse.url)
    assert all(stored(warehouse).values())
    assert not any(build(warehouse.url, full=True).values())


def test_an_empty_warehouse_has_nothing_to_count(warehouse: Warehouse) -> None:
    as_before(warehouse)
    assert migrate(warehouse.url) == [MIGRATION]
    assert not any(stored(warehouse).values())
    assert warehouse.rows("select * from report.live_monitoring") == []
