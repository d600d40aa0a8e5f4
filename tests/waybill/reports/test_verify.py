"""Verify finds every row that does not follow from the events, and nothing in a consistent warehouse."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.acceptance.warehouses import build, load_files
from tests.conftest import KEY, Server, Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from waybill.facts.live_counts import LIVE_TABLES
from waybill.model.errors import ConfigurationError
from waybill.reports.catalogue import built_reports
from waybill.reports.verify import Finding, Verification, verify
from waybill.settings import Settings
from waybill.simulator.world import World
from waybill.warehouse.connection import REPORTER, connected

SMALL = {"days": 2, "accounts": ("north",), "messages_per_day": 40}
LATE = {"event": "open", "timestamp": 1_772_600_000, "email": "ann@example.com", "sg_message_id": "late.filter"}


@pytest.fixture(scope="module")
def loaded(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Return a warehouse with traffic and reports, to be copied."""
    url = postgres.database()
    settings = Settings.from_environment(
        {
            "WAREHOUSE_URL": url,
            "WAYBILL_VAR": str(tmp_path_factory.mktemp("var")),
            "RECIPIENT_HMAC_KEY": KEY,
            "REJECTED_CEILING": "1",
        }
    )
    load_files(settings, url, [(f.account, f.feed, f.data, f.landed_after) for f in World(7, **SMALL).files()])
    build(url)
    yield Warehouse(url, settings, postgres)
    postgres.drop(url)


@pytest.fixture
def verified(loaded: Warehouse) -> Iterator[Warehouse]:
    """Return a copy of it for one test."""
    url = loaded.server.copy(loaded.server.name_of(loaded.url))
    yield Warehouse(url, replace(loaded.settings, warehouse_url=url), loaded.server)
    loaded.server.drop(url)


def run(warehouse: Warehouse) -> Verification:
    with connected(warehouse.url, REPORTER) as connection:
        return verify(connection)


def change(warehouse: Warehouse, statement: str) -> None:
    with connected(warehouse.url) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


def differing(found: Verification) -> dict[str, Finding]:
    return {finding.table: finding for finding in found.findings if not finding.is_equal}


def test_a_consistent_warehouse_has_no_findings_and_nothing_is_written(verified: Warehouse) -> None:
    before = verified.rows("select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables")
    found = run(verified)
    assert found.is_equal and found.pending_days == 0 and not differing(found)
    compared = {finding.table: finding.compared for finding in found.findings}
    assert set(compared) >= {"fact.leg", "fact.message"} | {table.table for table in (*LIVE_TABLES, *built_reports())}
    assert all(compared.values()), "every table has rows to compare"
    assert verified.rows("select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables") == before
    assert verified.rows("select count(*) from pg_tables where schemaname = 'staging'") == [(0,)]


@pytest.mark.parametrize(
    ("statement", "table", "counts"),
    [
        ("update fact.leg set first_delivered_at = null where leg_key = (select min(leg_key::text)::uuid from fact.leg"
         " where first_delivered_at is not null)", "fact.leg", (0, 0, 1)),
        ("delete from fact.leg where leg_key = (select min(leg_key::text)::uuid from fact.leg)", "fact.leg", (1, 0, 0)),
        ("update fact.message set state = 'bounced' where message_key = (select min(message_key::text)::uuid from"
         " fact.message where state = 'delivered')", "fact.message", (0, 0, 1)),
        ("delete from fact.message where message_key = (select min(message_key::text)::uuid from fact.message)",
         "fact.message", (1, 0, 0)),
        ("update fact.message set message_key = '00000000-0000-8000-8000-000000000001' where"
         " message_key = (select min(message_key::text)::uuid from fact.message)", "fact.message", (1, 1, 0)),
        ("delete from fact.event where event_type = 'delivered' and channel = 'email'", "fact.leg", None),
        ("update fact.live_count set sent = sent + 1 where ctid = (select min(ctid) from fact.live_count)",
         "fact.live_count", (0, 0, 1)),
        ("delete from fact.live_reason where ctid = (select min(ctid) from fact.live_reason)",
         "fact.live_reason", (1, 0, 0)),
        ("update fact.live_engagement set opened = opened - 1 where ctid ="
         " (select min(ctid) from fact.live_engagement)", "fact.live_engagement", (0, 0, 1)),
        ("update report.email_campaign set sent = sent + 1 where ctid = (select min(ctid) from report.email_campaign)",
         "report.email_campaign", (0, 0, 1)),
    ],
)  # fmt: skip
def test_manual_changes_are_found(
    verified: Warehouse, statement: str, table: str, counts: tuple[int, int, int] | None
) -> None:
    change(verified, statement)
    found = differing(run(verified))
    assert table in found
    finding = found[table]
    if counts is not None:
        assert (finding.missing, finding.surplus, finding.different) == counts
    assert finding.examples and all(set(example) > {"row"} for example in finding.examples)


def test_a_finding_has_examples_with_both_values(verified: Warehouse) -> None:
    change(verified, "update report.sms_activity_daily set segments = segments + 5")
    finding = differing(run(verified))["report.sms_activity_daily"]
    assert finding.different == finding.compared > 0
    for example in finding.examples:
        assert set(example) == {"row", "segments"}
        stored, expected = example["segments"]
        assert stored == expected + 5
        assert set(example["row"]) == {"sent_day", "account", "provider", "campaign_id", "country"}


def test_pending_days_are_compared_in_facts_but_not_in_reports(verified: Warehouse) -> None:
    landed_at = datetime(2026, 6, 1, tzinfo=UTC)
    load_files(
        verified.settings, verified.url, [("north", "sendgrid_events", json.dumps(LATE).encode() + b"\n", landed_at)]
    )
    found = run(verified)
    assert found.is_equal and found.pending_days == 1
    change(verified, "update ops.changed_day set day = day + 100")
    assert set(differing(run(verified))) == {
        "report.email_engagement_daily",
        "report.email_campaign",
        "report.campaign_daily",
        "report.communication_activity_daily",
        "report.delivery_latency_daily",
    }


def test_an_unfinished_change_of_the_zone_is_an_error(verified: Warehouse) -> None:
    change(verified, "update ops.setting set value = 'Asia/Kolkata' where name = 'report_timezone'")
    with pytest.raises(ConfigurationError, match="rebuild --full"):
        run(verified)


def test_the_command_prints_the_differences_and_exits_with_5(verified: Warehouse) -> None:
    settings = environment_of(verified)
    fine = waybill("verify", settings=settings)
    assert fine.code == 0 and "report.email_campaign" in fine.out and "All stored rows agree" in fine.err
    assert json.loads(waybill("verify", "--json", settings=settings).out)["is_equal"] is True
    change(verified, "update report.email_campaign set delivered = 0")
    bad = waybill("verify", settings=settings)
    assert bad.code == 5 and "report.email_campaign" in bad.err and '"delivered":[0,' in bad.out
    document = json.loads(waybill("verify", "--json", settings=settings).out)
    assert document["is_equal"] is False
    assert {row["table"] for row in document["findings"] if row["different"]} == {"report.email_campaign"}
