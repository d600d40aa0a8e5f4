"""The failure of a message, in a warehouse from before the column: the migration fills in what loads would write."""

import pytest

from tests.acceptance.warehouses import build, check_equal, load_files, report_cells
from tests.conftest import Warehouse
from waybill.simulator.world import World
from waybill.warehouse.migrations import migrate

MIGRATION = "0007_sms_failure_reason_daily.sql"
NEW_REPORTS = ("sms_failure_reason_daily", "email_failure_reason_daily", "email_link")


@pytest.fixture
def loaded(warehouse: Warehouse) -> Warehouse:
    world = World(5, days=2, messages_per_day=240)
    files = [(file.account, file.feed, file.data, file.landed_after) for file in world.files()]
    load_files(warehouse.settings, warehouse.url, files)
    build(warehouse.url)
    return warehouse


def legs_and_messages(warehouse: Warehouse) -> dict[str, list[tuple]]:
    return {
        name: warehouse.rows(f"select to_jsonb(t) from fact.{name} as t order by {name}_key")
        for name in ("leg", "message")
    }


def as_before(warehouse: Warehouse) -> None:
    """Make the warehouse like that of the release before, with the same events."""
    warehouse.rows(
        "update fact.leg set last_failure_at = null, last_failure_key = null, last_failure_class = null,"
        " last_failure_reason = null from fact.event"
        " where event_key = last_failure_key and event_type in ('undelivered', 'failed');"
        "alter table fact.message drop column failure_key;"
        f"drop table report.{NEW_REPORTS[0]};"
        + "".join(f"delete from report.{name};" for name in NEW_REPORTS[1:])
        + f"delete from ops.migration where name = '{MIGRATION}' returning 1"
    )


def test_the_migration_fills_the_column_for_existing_messages(loaded: Warehouse) -> None:
    expected = legs_and_messages(loaded)
    failures = loaded.rows(
        "select m.channel, m.state, e.event_type, count(*) from fact.message as m"
        " inner join fact.event as e on e.event_key = m.failure_key group by 1, 2, 3"
    )
    assert {kind[:3] for kind in failures} >= {
        ("email", "bounced", "bounced"),
        ("email", "not_delivered", "dropped"),
        ("sms", "bounced", "undelivered"),
        ("sms", "not_delivered", "dropped"),
        ("sms", "not_delivered", "undelivered"),
        ("ivr", "not_delivered", "failed"),
    }
    as_before(loaded)
    assert legs_and_messages(loaded) != expected
    assert migrate(loaded.url) == [MIGRATION]
    assert legs_and_messages(loaded) == expected


def test_a_new_report_is_complete_after_the_next_build(loaded: Warehouse) -> None:
    expected = report_cells(loaded.url)
    assert all(expected[name] for name in NEW_REPORTS)
    as_before(loaded)
    migrate(loaded.url)
    assert not report_cells(loaded.url)[NEW_REPORTS[0]]
    build(loaded.url)
    check_equal(report_cells(loaded.url), expected)
