"""Changed rules: a replay with newer rules gives the same as a clean load with them, and writes only differences."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.warehouses import build, check_equal, facts, load_files, report_cells, writes
from tests.conftest import Server, Warehouse
from waybill.feeds import FEEDS, base, failures, typed_feed
from waybill.feeds.twilio.messages import TwilioMessages
from waybill.flow.replay import replay
from waybill.simulator.world import World
from waybill.warehouse.connection import Warehouse as Target

SINCE, UNTIL = datetime(2006, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
REPLAYED = ("dispatch_log", "sendgrid_events", "twilio_messages")  # with the calls, which are also Twilio's


@pytest.fixture(scope="module")
def files() -> list[tuple[str, str, bytes, datetime]]:
    """A quarter of a world: enough for all rules, and for files with only a part of a message."""
    return [(f.account, f.feed, f.data, f.landed_after) for f in list(World(1).files())[::4]]


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Changes of rules; afterwards the older rules are restored and the cached verdicts are cleared."""
    yield monkeypatch
    monkeypatch.undo()
    failures._verdict.cache_clear()


def raise_versions(newer: pytest.MonkeyPatch) -> None:
    for feed in FEEDS.values():
        newer.setattr(type(feed), "rules_version", feed.rules_version + 1)


def change_rules(newer: pytest.MonkeyPatch) -> None:
    """Change a reason, a class (so that bounced messages become not delivered), a mailbox provider, and a machine
    rule."""
    raise_versions(newer)
    ((words, rule),) = failures._STATUSES["x.1.1"]
    newer.setitem(failures._STATUSES, "x.1.1", [(words, rule._replace(reason="address_inactive"))])
    failures._verdict.cache_clear()
    newer.setitem(TwilioMessages.class_of_code, "30007", "gateway_suppressed")
    mailbox_provider_of, machine_rule = typed_feed.mailbox_provider_of, base.machine_rule
    newer.setattr(
        typed_feed, "mailbox_provider_of", lambda a: "other" if a.endswith("@gmail.com") else mailbox_provider_of(a)
    )
    newer.setattr(base, "machine_rule", lambda a: None if (found := machine_rule(a)) == "security_scanner" else found)


def replay_all_time(warehouse: Warehouse, slug: str) -> int:
    """Replay all objects of one provider; return the number of revised events."""
    done = [item.row for item in replay(Target(warehouse.settings, warehouse.url), FEEDS[slug], SINCE, UNTIL)]
    assert done and {row.status for row in done} == {"published"}
    assert sum(row.inserted_count + row.removed_count for row in done) == 0
    return sum(row.revised_count for row in done)


def written(url: str, before: dict[str, tuple[int, int, int]]) -> dict[str, int]:
    """Return the rows inserted, updated or deleted since then, by table; the partitions of fact.event are one table."""
    found: dict[str, int] = {}
    for table, counts in writes(url).items():
        name = "fact.event" if table.startswith("fact.event") else table
        found[name] = found.get(name, 0) + sum(counts) - sum(before.get(table, (0, 0, 0)))
    return {table: count for table, count in found.items() if count}


def test_a_replay_with_newer_rules_equals_a_clean_load_and_writes_only_differences(
    warehouse: Warehouse, postgres: Server, files: list, newer: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load_files(warehouse.settings, warehouse.url, files)
    build(warehouse.url)
    first, cells_before = facts(warehouse.url), report_cells(warehouse.url)

    change_rules(newer)
    after = first
    for slug in REPLAYED:
        before, writes_before = after, writes(warehouse.url)
        revised = replay_all_time(warehouse, slug)
        after = facts(warehouse.url)
        changed = {table: len(set(after[table]) - set(before[table])) for table in after}
        by_replay = written(warehouse.url, writes_before)
        assert {table: by_replay.get(table, 0) for table in after} == changed, slug
        assert changed["fact.event"] == revised > 0, slug
        assert changed["private.recipient"] == 0, slug
    for table in ("fact.event", "fact.leg", "fact.message"):
        assert 0 < len(set(after[table]) - set(first[table])) < len(first[table]) / 2, table

    writes_before = writes(warehouse.url)
    build(warehouse.url)
    cells = report_cells(warehouse.url)
    by_build = written(warehouse.url, writes_before)
    for name in cells:
        rows_before, rows = cells_before[name], cells[name]
        differing = [grain for grain in rows.keys() | rows_before.keys() if rows.get(grain) != rows_before.get(grain)]
        if f"report.{name}" in writes_before:
            assert by_build.get(f"report.{name}", 0) == len(differing), name
    assert {
        "report.email_failure_reason_daily",
        "report.email_campaign",
        "report.sms_failure_reason_daily",
        "report.email_engagement_daily",
    } <= by_build.keys()

    clean = postgres.database()
    try:
        settings = replace(warehouse.settings, warehouse_url=clean, landing_url=str(tmp_path / "landing"))
        load_files(settings, clean, files)
        build(clean)
        assert facts(clean) == after
        check_equal(cells, report_cells(clean))
    finally:
        postgres.drop(clean)


def test_newer_rules_that_change_nothing_write_nothing(
    warehouse: Warehouse, files: list, newer: pytest.MonkeyPatch
) -> None:
    load_files(warehouse.settings, warehouse.url, files)
    build(warehouse.url)
    before = writes(warehouse.url)
    assert sum(map(sum, before.values())) > 1000
    raise_versions(newer)
    assert [replay_all_time(warehouse, slug) for slug in REPLAYED] == [0, 0, 0]
    build(warehouse.url)
    assert written(warehouse.url, before) == {}
