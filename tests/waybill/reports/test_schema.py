"""The report schema: the tables and views that BI tools may read, and the two views of the ledger."""

import re
import uuid
from datetime import UTC, datetime

import psycopg2
import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.facts import Facts, at
from waybill.reports.catalogue import all_reports, built_reports, find


def test_the_catalogue_has_the_columns_of_the_schema(warehouse: Warehouse) -> None:
    tables = dict(
        warehouse.rows(
            "select table_name, array_agg(column_name::text order by ordinal_position) from information_schema.columns"
            " where table_schema = 'report' group by table_name"
        )
    )
    assert {name: tuple(columns) for name, columns in tables.items()} == {r.name: r.columns for r in all_reports()}
    keys = dict(
        warehouse.rows(
            "select conrelid::regclass::text, array_agg(attname::text order by n) from pg_constraint"
            " cross join lateral unnest(conkey) with ordinality as k (attnum, n)"
            " inner join pg_attribute on attrelid = conrelid and pg_attribute.attnum = k.attnum"
            " where contype = 'p' and connamespace = 'report'::regnamespace group by 1"
        )
    )
    assert {name: tuple(columns) for name, columns in keys.items()} == {r.table: r.grain for r in built_reports()}


def test_types_and_names_of_columns_follow_the_conventions(warehouse: Warehouse) -> None:
    columns = warehouse.rows(
        "select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname"
        " from pg_attribute as a inner join pg_class as c on c.oid = a.attrelid"
        " left join pg_collation as l on l.oid = a.attcollation"
        " where c.relnamespace = 'report'::regnamespace and c.relkind = 'r' and a.attnum > 0"
    )
    assert len(columns) == sum(len(report.columns) for report in built_reports())
    for table, column, kind, is_required, collation in columns:
        where = f"{table}.{column}"
        if column.endswith("_rate"):
            assert (kind, is_required) == ("numeric(7,6)", False), where
        elif re.search(r"_p\d\d_seconds$", column):
            assert (kind, is_required) == ("numeric(12,3)", False), where
        elif column == "cost":
            assert (kind, is_required) == ("numeric", True), where
        elif column in find(table).measures:
            assert (kind, is_required) == ("bigint", True), where
        elif column.endswith("_day"):
            assert (kind, is_required) == ("date", True), where
        else:
            assert (kind, is_required, collation) == ("text", True, "C"), where


def test_every_table_and_column_has_a_comment(warehouse: Warehouse) -> None:
    missing = warehouse.rows(
        "select c.relname, coalesce(a.attname, '') from pg_class as c"
        " left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where c.relnamespace = 'report'::regnamespace and c.relkind in ('r', 'v')"
        " and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)"
    )
    assert missing == []


@pytest.mark.parametrize("role", ["waybill_bi_reader", "waybill_support_reader"])
def test_readers_may_read_every_report_and_write_none(warehouse: Warehouse, role: str) -> None:
    connection = warehouse.connect(role)
    with connection.cursor() as cursor:
        for report in all_reports():
            cursor.execute(f"select count(*) from {report.table}")
        connection.commit()
        for report in all_reports():
            cursor.execute(
                "select bool_or(has_table_privilege(%s, privilege)) from"
                " unnest(array['insert', 'update', 'delete', 'truncate']) as privilege",
                (report.table,),
            )
            assert cursor.fetchone() == (False,), report.name
        for table in ("fact.event", "ops.build", "ops.object"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"select 1 from {table}")
            connection.rollback()
    connection.close()


def test_the_loader_has_no_rights_on_reports(warehouse: Warehouse) -> None:
    connection = warehouse.connect("waybill_loader")
    with connection.cursor() as cursor:
        for report in all_reports():
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"select 1 from {report.table}")
            connection.rollback()
    connection.close()


def freshness(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, object]]:
    columns = find("freshness").columns
    rows = warehouse.rows(f"select {', '.join(columns)} from report.freshness order by account, feed")
    return {row[:2]: dict(zip(columns, row, strict=True)) for row in rows}


def land(facts: Facts, number: int, landed_at: str, feed: str = "sendgrid_events") -> None:
    facts.run(
        "insert into ops.object (account, feed, sha256, path, byte_count, landed_at)"
        " values ('acme', %s, %s, %s, 1, %s)",
        (feed, str(number), str(number), at(landed_at)),
    )


def publish(facts: Facts, number: int, last: datetime | None, status: str = "published") -> int:
    load_id = facts.pending()
    last_key = None if last is None else uuid.UUID(int=(int(last.timestamp() * 1000) << 80) | 7)
    facts.run("update ops.load set status = %s, stop_reason = 'x' where load_id = %s", (status, load_id))
    facts.run(
        "insert into ops.load_object (load_id, object_id, last_key, record_count)"
        " select %s, object_id, %s, 1 from ops.object where sha256 = %s",
        (load_id, last_key, str(number)),
    )
    return load_id


def test_freshness_of_a_file_feed(warehouse: Warehouse, facts: Facts) -> None:
    facts.run("insert into ops.feed (feed, kind) values ('sendgrid_events', 'files')")
    land(facts, 1, "2026-03-02 10:00")
    land(facts, 2, "2026-03-02 11:00")
    land(facts, 3, "2026-03-02 12:00")

    def complete_until() -> datetime:
        return freshness(warehouse)["acme", "sendgrid_events"]["complete_until"]

    assert complete_until() == at("2026-03-02 10:00")
    publish(facts, 1, at("2026-03-01 09:00:00.123"))
    publish(facts, 3, at("2026-03-01 08:00"))
    publish(facts, 2, at("2026-03-09 00:00"), status="stopped")
    assert complete_until() == at("2026-03-02 11:00")
    row = freshness(warehouse)["acme", "sendgrid_events"]
    assert row["last_event_at"] == at("2026-03-01 09:00:00.123")
    publish(facts, 2, None)
    assert complete_until() == at("2026-03-02 12:00")
    (ended_at,) = warehouse.rows("select max(ended_at) from ops.load where status = 'published'")[0]
    assert freshness(warehouse)["acme", "sendgrid_events"]["last_loaded_at"] == ended_at


def test_freshness_of_an_api_feed_and_of_an_unknown_feed(warehouse: Warehouse, facts: Facts) -> None:
    facts.run("insert into ops.feed (feed, kind) values ('twilio_messages', 'api')")
    land(facts, 1, "2026-03-02 10:00", "twilio_messages")
    land(facts, 2, "2026-03-02 10:00", "other_feed")
    publish(facts, 1, at("2026-03-01 09:00"))
    found = freshness(warehouse)
    assert {key: row["complete_until"] for key, row in found.items()} == {
        ("acme", "other_feed"): None,
        ("acme", "sendgrid_events"): None,
        ("acme", "twilio_messages"): None,
    }
    assert found["acme", "twilio_messages"]["last_event_at"] == at("2026-03-01 09:00")
    assert found["acme", "other_feed"]["last_event_at"] is None


def test_freshness_counts_records_and_messages_outside_all_reports(warehouse: Warehouse, facts: Facts) -> None:
    load_id = facts.pending()
    facts.event(None, "bounced", at("2026-03-02 10:00"))
    facts.event(None, "unknown", at("2026-03-02 10:00"))
    facts.event("a", "unknown", at("2026-03-02 10:00"))
    facts.event("a", "delivered", at("2026-03-02 10:00"))
    facts.event(None, "unknown", at("2026-03-02 10:00"), account="other")
    for number, resolved in enumerate((None, None, None, load_id)):
        facts.run(
            "insert into private.rejected_record (account, feed, sha256, reason, raw, position, load_id,"
            " resolved_load_id) values ('acme', 'sendgrid_events', %s, 'not JSON', 'x', 1, %s, %s)",
            (str(number), load_id, resolved),
        )
    facts.run("update ops.report_state set stale_reason = 'build 7: stopped'")
    row = freshness(warehouse)["acme", "sendgrid_events"]
    assert (row["unattributed_count"], row["unknown_count"], row["rejected_count"]) == (2, 2, 3)
    assert row["stale_reason"] == "build 7: stopped"


def test_freshness_uses_partial_indexes(warehouse: Warehouse, facts: Facts) -> None:
    """Counts over the whole history must not scan it."""
    connection = warehouse.connect()
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off")
        cursor.execute("explain select unattributed_count, unknown_count, rejected_count from report.freshness")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    connection.close()
    assert "Seq Scan on event" not in plan
    # two indexes contain only unresolved records
    assert "rejected_record_unresolved" in plan or "rejected_record_object" in plan
    names = warehouse.rows(
        "select count(*) from pg_indexes where schemaname = 'fact' and indexdef like '%event_type = ''unknown''%'"
    )
    assert names[0][0] > 1


def test_only_published_builds_are_shown(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        for status in ("building", "failed", "published"):
            cursor.execute(
                "insert into ops.build (status, as_of, report_timezone, is_full, rows_changed, code_version)"
                " values (%s, %s, 'UTC', true, 0, '1')",
                (status, datetime(2026, 3, 2, tzinfo=UTC)),
            )
    connection.close()
    assert warehouse.rows("select build_id, days_built from report.build") == [(3, None)]
