"""Tables, comments, roles, partitions; migrating again, in several processes, after a change, on an older server."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from tests.acceptance.warehouses import at_once, build, check_equal, facts, load_files, report_cells
from tests.conftest import KEY, Server, Warehouse, running_server
from tests.waybill.feeds.cases import golden_files
from waybill.feeds import FEEDS
from waybill.model.errors import ConfigurationError
from waybill.model.event import STORED_COLUMNS
from waybill.reports.catalogue import built_reports
from waybill.settings import Settings
from waybill.warehouse import migrations
from waybill.warehouse.connection import connect, connected
from waybill.warehouse.migrations import ensure_partitions, is_migrated, migrate

FILES = [path.name for path in sorted((migrations.SQL / "schema").glob("*.sql"))]
LANDED_AT = datetime(2026, 3, 3, tzinfo=UTC)

LOADER, REPORTER = "waybill_loader", "waybill_reporter"
BI_READER, SUPPORT_READER = "waybill_bi_reader", "waybill_support_reader"
ROLES = (LOADER, REPORTER, BI_READER, SUPPORT_READER)
RIGHTS = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
REPORT_TABLES = tuple(f"report.{report.name}" for report in built_reports())
REPORT_VIEWS = (
    "report.build",
    "report.freshness",
    "report.account_daily",
    "report.campaign_summary",
    "report.live_monitoring",
    "report.live_monitoring_reason",
    "report.email_activity",
    "report.bounced_email",
    "report.blocked_email",
    "report.invalid_email",
    "report.spam_email",
    "report.sms_activity",
    "report.ivr_activity",
)

# table: (loader, reporter, bi reader, support reader); s select, i insert, u update, d delete of whole rows. Only the
# owner has any other right.
MATRIX = (
    {
        "fact.event": ("siud", "s", "", ""),
        "fact.leg": ("siud", "s", "", ""),
        "fact.message": ("siud", "s", "", ""),
        "fact.counted_join": ("s", "s", "", ""),
        "fact.counted_message": ("s", "s", "", ""),
        "fact.join_count": ("siud", "siud", "", ""),
        "fact.join_day": ("s", "s", "", ""),
        "fact.live_count": ("siud", "siud", "", ""),
        "fact.live_engagement": ("", "siud", "", ""),
        "fact.live_reason": ("siud", "siud", "", ""),
        "fact.reason": ("", "s", "", ""),
        "private.erased_recipient": ("si", "", "", ""),
        "private.message_detail": ("", "", "", ""),
        "private.message_with_recipient": ("", "", "", ""),
        "private.recipient": ("sid", "", "", "s"),
        "private.rejected_record": ("sid", "", "", ""),
        "ops.account_notice": ("siu", "s", "", ""),
        "ops.account_as_of": ("siu", "s", "", ""),
        "ops.build": ("s", "siu", "", ""),
        "ops.changed_day": ("si", "sd", "", ""),
        "ops.changed_engagement": ("si", "sd", "", ""),
        "ops.feed": ("siu", "s", "", ""),
        "ops.load": ("siu", "s", "", ""),
        "ops.load_object": ("si", "s", "", ""),
        "ops.migration": ("s", "s", "", ""),
        "ops.object": ("si", "s", "", ""),
        "ops.pull": ("siu", "s", "", ""),
        "ops.pull_page": ("si", "s", "", ""),
        "ops.report_state": ("s", "siu", "", ""),
        "ops.rules": ("siu", "s", "", ""),
        "ops.setting": ("siu", "siu", "", ""),
        "ops.validation": ("si", "si", "", ""),
        "ops.watermark": ("siu", "s", "", ""),
    }
    | dict.fromkeys(REPORT_TABLES, ("", "siud", "s", "s"))
    | dict.fromkeys(REPORT_VIEWS, ("", "s", "s", "s"))
)
RELATIONS = """
    select n.nspname || '.' || c.relname from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('ops', 'private', 'fact', 'report', 'staging') and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not c.relispartition
"""


@pytest.fixture
def empty(postgres: Server) -> Iterator[str]:
    """Return the URL of an empty database."""
    name = f"empty_{uuid4().hex[:12]}"
    connection = psycopg2.connect(postgres.url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"create database {name} template template0 encoding 'UTF8'")
    connection.close()
    url = postgres.url_of(name)
    yield url
    postgres.drop(url)


def rows(url: str, query: str, parameters: object = None) -> list[tuple]:
    with connected(url) as connection, connection, connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def test_every_table_and_view_has_a_comment(warehouse: Warehouse) -> None:
    found = dict(
        warehouse.rows(
            "select n.nspname || '.' || c.relname, obj_description(c.oid, 'pg_class') from pg_class as c"
            " inner join pg_namespace as n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v')"
            " and n.nspname in ('ops', 'private', 'fact', 'report') and not c.relispartition"
        )
    )
    assert found.keys() == MATRIX.keys(), "a new table needs a line in MATRIX"
    assert [name for name, comment in found.items() if not comment] == []


def test_every_column_has_a_comment(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select n.nspname || '.' || c.relname || '.' || a.attname, col_description(c.oid, a.attnum)"
        " from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace"
        " inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where c.relkind in ('r', 'p', 'v') and n.nspname in ('ops', 'private', 'fact', 'report')"
        " and not c.relispartition"
    )
    assert len(found) > 300
    assert [name for name, comment in found if not comment] == []


def test_every_schema_and_function_has_a_comment(warehouse: Warehouse) -> None:
    schemas = warehouse.rows(
        "select nspname, obj_description(oid, 'pg_namespace') from pg_namespace"
        " where nspname in ('ops', 'private', 'fact', 'staging', 'report')"
    )
    functions = warehouse.rows(
        "select proname, obj_description(oid, 'pg_proc') from pg_proc"
        " where pronamespace in ('fact'::regnamespace, 'ops'::regnamespace, 'report'::regnamespace)"
    )
    assert (len(schemas), len(functions)) == (5, 8)
    assert [name for name, comment in schemas + functions if not comment] == []


def test_the_event_table_has_the_columns_of_the_model_in_order(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select column_name from information_schema.columns where (table_schema, table_name) = ('fact', 'event')"
        " order by ordinal_position"
    )
    assert tuple(name for (name,) in found) == STORED_COLUMNS


def test_texts_of_facts_and_reports_compare_by_bytes(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select table_schema || '.' || table_name || '.' || column_name, collation_name from information_schema.columns"
        " where table_schema in ('fact', 'report') and data_type = 'text' and table_name not like 'event\\_%%'"
    )
    assert len(found) > 50
    assert [name for name, collation in found if collation != "C" and not name.startswith(REPORT_VIEWS)] == []


def test_migrating_applies_every_file_once(empty: str) -> None:
    assert not is_migrated(empty)
    assert migrate(empty, "Europe/Berlin") == FILES
    assert is_migrated(empty)
    before = rows(empty, "select name, checksum, applied_at from ops.migration order by name")
    assert [name for name, *_ in before] == FILES
    assert migrate(empty, "America/New_York") == []
    assert rows(empty, "select name, checksum, applied_at from ops.migration order by name") == before
    assert rows(empty, "select value from ops.setting where name = 'report_timezone'") == [("Europe/Berlin",)]


def test_a_file_that_changed_after_it_was_applied_is_refused(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(migrations.SQL, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    migrate(empty)
    changed = tmp_path / "sql" / "schema" / FILES[2]
    changed.write_text(changed.read_text() + "\ncreate table ops.sneaked_in (x integer);\n")
    (tmp_path / "sql" / "schema" / "9999_next.sql").write_text("create table ops.next (x integer);")
    with pytest.raises(ConfigurationError, match=f"{FILES[2]} was changed after it was applied"):
        migrate(empty)
    found = rows(empty, "select to_regclass('ops.sneaked_in') is null, to_regclass('ops.next') is null")
    assert found == [(True, True)]


def test_a_file_that_fails_changes_nothing_and_is_applied_by_the_next_run(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(migrations.SQL, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    new = tmp_path / "sql" / "schema" / "9999_next.sql"
    new.write_text("create table ops.next (x integer); select 1 / 0;")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(empty)
    assert rows(empty, "select to_regclass('ops.next') is null, (select count(*) from ops.migration)") == [
        (True, len(FILES))
    ]
    assert not is_migrated(empty)
    new.write_text("create table ops.next (x integer);")
    assert migrate(empty) == ["9999_next.sql"]
    assert is_migrated(empty)


def test_the_migration_of_suspected_machines_makes_days_pending(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(migrations.SQL, tmp_path / "sql")
    newer = [tmp_path / "sql" / "schema" / name for name in FILES if name >= "0010_"]
    assert len(newer) >= 2
    with monkeypatch.context() as before:
        before.setattr(migrations, "SQL", tmp_path / "sql")
        for file in newer:
            file.unlink()
        migrate(empty)
    rows(
        empty,
        "insert into fact.event (event_key, event_at, channel, event_type, provider, feed, account, rules_version)"
        " values ('01960000-0000-8000-8000-000000000000', now(), 'email', 'opened', 'sendgrid', 'sendgrid_events', 'a',"
        " 4);"
        "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status)"
        " values ('a', 'sendgrid_events', 'load', '', 4, '', 'published'), ('a', 'x', 'load', '', 4, '', 'stopped');"
        "insert into report.email_engagement_daily values"
        " ('2026-03-02', 'a', 'sendgrid', 'c', 'gmail', 1, 0, 1, 1, 0, 0, 0, 0); select 1",
    )
    migrate(empty)
    assert rows(
        empty, "select l.status, d.day::text from ops.changed_day as d inner join ops.load as l using (load_id)"
    ) == [("published", "2026-03-02")]
    assert rows(
        empty,
        "select open_count, suspected_machine_open_count, suspected_machine_click_count"
        " from report.email_engagement_daily",
    ) == [(1, 0, 0)]
    assert rows(empty, "select feed, machine_rule from fact.event") == [("sendgrid_events", None)]


def test_a_migration_waits_for_a_load_that_is_publishing(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty)
    shutil.copytree(migrations.SQL, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    (tmp_path / "sql" / "schema" / "9999_next.sql").write_text(
        "create index on fact.message (state); create index on fact.leg (channel);"
    )
    waiting = (
        "select count(*) from pg_locks as l inner join pg_database as d on d.oid = l.database"
        " where d.datname = current_database() and not l.granted"
    )
    with ThreadPoolExecutor(1) as pool, connected(empty) as load, load.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock_shared(hashtext('waybill'), hashtext('zone'))")
        cursor.execute("delete from fact.leg")
        migrated = pool.submit(migrate, empty)
        while not rows(empty, waiting)[0][0]:
            assert not migrated.done()
        cursor.execute("delete from fact.message")
        load.commit()
        assert migrated.result(60) == ["9999_next.sql"]


def test_several_processes_may_migrate_at_once(empty: str) -> None:
    def work() -> None:
        migrate(empty)

    assert at_once(work, work, work) == [0, 0, 0]
    assert is_migrated(empty)
    assert [name for (name,) in rows(empty, "select name from ops.migration order by name")] == FILES


def test_a_login_without_rights_gets_an_error_that_names_the_rights(empty: str) -> None:
    name = f"nobody_{uuid4().hex[:8]}"
    rows(empty, f"create role {name} login; select 1")
    try:
        with pytest.raises(ConfigurationError, match="login that may create roles and schemas"):
            migrate(empty.replace("postgres:@", f"{name}:@"))
    finally:
        rows(empty, f"drop role {name}; select 1")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_exactly_the_rights_of_the_matrix(warehouse: Warehouse, role: str) -> None:
    relations = {name for (name,) in warehouse.rows(RELATIONS)}
    assert relations == MATRIX.keys(), "a new table needs a line in MATRIX"
    letters = dict(zip("siud", RIGHTS, strict=False))
    expected = {(table, letters[letter]) for table, rights in MATRIX.items() for letter in rights[ROLES.index(role)]}
    assert expected
    found = {
        (table, right)
        for table in relations
        for right in RIGHTS
        if warehouse.rows("select has_table_privilege(%s, %s, %s)", (role, table, right)) == [(True,)]
        and warehouse.rows("select has_schema_privilege(%s, %s, 'usage')", (role, table.split(".")[0])) == [(True,)]
    }
    assert found == expected


def test_no_role_may_access_a_partition_directly(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select r, inhrelid::regclass::text from pg_inherits cross join unnest(%s) as r"
        " where inhparent = 'fact.event'::regclass"
        " and has_table_privilege(r, inhrelid, 'select, insert, update, delete')",
        (list(ROLES),),
    )
    assert found == []


def test_updates_of_single_columns_are_granted_only_where_listed(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select grantee, table_schema || '.' || table_name || '.' || column_name"
        " from information_schema.column_privileges as c"
        " where grantee like 'waybill%%' and grantee <> 'waybill_owner' and privilege_type = 'UPDATE'"
        " and not has_table_privilege(grantee, table_schema || '.' || table_name, 'update') order by 1, 2"
    )
    assert found == [
        (LOADER, "ops.object.left_out"),
        (LOADER, "ops.object.left_out_at"),
        (LOADER, "ops.object.left_out_because"),
        (LOADER, "ops.object.left_out_by"),
        (LOADER, "ops.object.source"),  # for objects that were landed before this column existed
        (LOADER, "private.rejected_record.acceptable_at"),
        (LOADER, "private.rejected_record.dismissed_at"),
        (LOADER, "private.rejected_record.dismissed_because"),
        (LOADER, "private.rejected_record.dismissed_by"),
        (LOADER, "private.rejected_record.raw"),
        (LOADER, "private.rejected_record.resolved_load_id"),
        (LOADER, "private.rejected_record.sha256"),
        (REPORTER, "fact.leg.engaged_days"),  # a full rebuild in another zone computes the local days again
        (REPORTER, "fact.message.days"),
        (REPORTER, "fact.message.sent_day"),
    ]


def test_roles_cannot_log_in_and_only_writers_may_create_tables_in_staging(warehouse: Warehouse) -> None:
    roles = ("waybill_owner", *ROLES)
    found = warehouse.rows(
        "select rolname, rolcanlogin or rolsuper or rolcreaterole or rolcreatedb or rolbypassrls from pg_roles"
        " where rolname like 'waybill%%' order by rolname"
    )
    assert found == [(role, False) for role in sorted(roles)]
    creators = {
        (role, schema)
        for role in ROLES
        for schema in ("ops", "private", "fact", "report", "staging", "public")
        if warehouse.rows("select has_schema_privilege(%s, %s, 'create')", (role, schema)) == [(True,)]
    }
    assert creators == {(LOADER, "staging"), (REPORTER, "staging")}
    callers = [
        role
        for role in ROLES
        if warehouse.rows(
            "select has_function_privilege(%s, 'fact.ensure_partitions(timestamptz, timestamptz)', 'execute')", (role,)
        )
        == [(True,)]
    ]
    assert callers == [LOADER]


@pytest.mark.parametrize("role", [BI_READER, SUPPORT_READER])
def test_readers_may_read_reports_but_no_private_tables(warehouse: Warehouse, role: str) -> None:
    connection = warehouse.connect(role)
    allowed = [*REPORT_TABLES, *REPORT_VIEWS, *(["private.recipient"] if role == SUPPORT_READER else [])]
    with connection, connection.cursor() as cursor:
        for table in allowed:
            cursor.execute(f"select count(*) from {table}")
    for statement in (
        "select count(*) from fact.message",
        "select count(*) from ops.load",
        "select count(*) from private.rejected_record",
        "delete from report.email_campaign",
        "create table report.mine (x integer)",
        *(["select count(*) from private.recipient"] if role == BI_READER else ["delete from private.recipient"]),
    ):
        with connection, connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)
    connection.close()


def partitions(url: str) -> dict[str, str]:
    return dict(
        rows(
            url,
            "select c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_inherits as i"
            " inner join pg_class as c on c.oid = i.inhrelid where i.inhparent = 'fact.event'::regclass",
        )
    )


def months_until_next(now: datetime, first_year: int) -> list[str]:
    last = now.year * 12 + now.month  # next month, counted from 0
    return [f"event_{number // 12}{number % 12 + 1:02}" for number in range(first_year * 12, last + 1)]


def test_partitions_cover_five_years_back_to_next_month_and_all_time_before(warehouse: Warehouse) -> None:
    rows(warehouse.url, f"drop table {', '.join(f'fact.{name}' for name in partitions(warehouse.url))}; select 1")
    assert partitions(warehouse.url) == {}
    assert migrate(warehouse.url) == []
    found = partitions(warehouse.url)
    now = datetime.now(UTC)
    assert sorted(found) == sorted(["event_before", *months_until_next(now, now.year - 5)])
    bounds = sorted(tuple(part.strip("()'") for part in text[16:].split(" TO ")) for text in found.values())
    edges = [edge for bound in bounds for edge in bound]
    assert edges.count("MINVALUE") == 1
    assert len(set(edges)) == len(bounds) + 1  # every upper bound but the last is the lower bound of another


def test_gaps_between_partitions_are_filled(warehouse: Warehouse) -> None:
    before = partitions(warehouse.url)
    dropped = sorted(before)[5:7] + sorted(before)[-2:-1]
    for name in dropped:
        rows(warehouse.url, f"drop table fact.{name}; select 1")
    assert len(partitions(warehouse.url)) == len(before) - 3
    connection = connect(warehouse.url, LOADER)
    with connection, connection.cursor() as cursor:
        assert ensure_partitions(cursor, datetime.now(UTC)) == 3
        assert ensure_partitions(cursor, datetime.now(UTC)) == 0
    connection.close()
    assert partitions(warehouse.url) == before


def test_a_partition_of_the_loader_belongs_to_the_owner_and_has_all_indexes(warehouse: Warehouse) -> None:
    connection = connect(warehouse.url, LOADER)
    last = datetime.now(UTC).replace(day=28)
    with connection, connection.cursor() as cursor:
        assert ensure_partitions(cursor, last.replace(year=last.year + 1)) == 12
    connection.close()
    found = warehouse.rows(
        "select pg_get_userbyid(c.relowner), count(x.indexrelid), count(*) filter (where x.indisprimary)"
        " from pg_inherits as i inner join pg_class as c on c.oid = i.inhrelid"
        " inner join pg_index as x on x.indrelid = c.oid where i.inhparent = 'fact.event'::regclass group by c.oid, 1"
    )
    own = warehouse.rows("select count(*) from pg_index where indrelid = 'fact.event'::regclass")
    assert len(found) > 12
    assert set(found) == {("waybill_owner", own[0][0], 1)}


def test_partitions_can_be_created_on_a_leap_day(warehouse: Warehouse) -> None:
    connection = connect(warehouse.url, LOADER)
    with connection, connection.cursor() as cursor:
        assert ensure_partitions(cursor, datetime(2028, 2, 29, 23, 59, tzinfo=UTC)) > 0
    connection.rollback()
    connection.close()
    assert "event_202803" in partitions(warehouse.url)


@pytest.fixture(scope="module")
def older() -> Iterator[Server]:
    with running_server(16) as server:
        yield server


def test_an_older_server_gives_the_same_tables(postgres: Server, older: Server, tmp_path: Path) -> None:
    files = [("acme", feed, path.read_bytes(), LANDED_AT) for feed in FEEDS for path in golden_files(feed)]
    assert {feed for _, feed, *_ in files} == FEEDS.keys()
    found = []
    for server in (postgres, older):
        url = server.database("Europe/Berlin")
        settings = Settings.from_environment(
            {
                "WAREHOUSE_URL": url,
                "WAYBILL_VAR": str(tmp_path / server.template / str(len(found))),
                "RECIPIENT_HMAC_KEY": KEY,
                "REJECTED_CEILING": "1",
            }
        )
        loaded = load_files(settings, url, files)
        build(url)
        assert not any(build(url, full=True).values())
        found.append((facts(url), report_cells(url), [item.row.mapped_count for item in loaded]))
        assert rows(url, "show server_version_num")[0][0].startswith("18" if server is postgres else "16")
        server.drop(url)
    (facts_here, cells_here, mapped_here), (facts_there, cells_there, mapped_there) = found
    assert all(facts_here.values())
    assert sum(map(bool, cells_here.values())) > 4
    assert facts_there == facts_here
    check_equal(cells_there, cells_here)
    assert mapped_there == mapped_here
