"""Every right of every role on everything that is in the warehouse: as Postgres has it written, and tried for real.

What each role may do with each table and view stands in MATRIX of test_migrations. Here is what else there is: schemas,
sequences, functions, PUBLIC, strangers; and logins of their own, as people have them.
"""

from collections.abc import Iterator
from itertools import product

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import Warehouse
from tests.waybill.warehouse.test_migrations import BI_READER, LOADER, MATRIX, REPORTER, ROLES, SUPPORT_READER

OWNER, NOBODY, PUBLIC = "waybill_owner", "nobody", "public"
READERS = {REPORTER, BI_READER, SUPPORT_READER}
OURS = ("ops", "private", "fact", "staging", "report")
LETTERS = {"s": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE"}

SCHEMAS = {
    "ops": {LOADER: "USAGE", REPORTER: "USAGE"},
    "private": {LOADER: "USAGE", SUPPORT_READER: "USAGE"},
    "fact": {LOADER: "USAGE", REPORTER: "USAGE"},
    "staging": {LOADER: "CREATE USAGE", REPORTER: "CREATE USAGE"},
    "report": dict.fromkeys((LOADER, *READERS), "USAGE"),
}
FUNCTIONS = {
    # say nothing of anybody
    "fact.message_key": {PUBLIC},
    "fact.recipient_message_key": {PUBLIC},
    "fact.key_floor": {PUBLIC},
    "fact.masked": {PUBLIC},
    "fact.sees_recipients": {PUBLIC},
    # act as the owner
    "fact.ensure_partitions": {LOADER},
    "fact.timeline": READERS,
    "fact.failure": READERS,
}
RELATIONS = """
    select n.nspname || '.' || c.relname, c.relkind, c.relispartition
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any (%s) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
"""
GRANTS = """
    select n.nspname || '.' || c.relname, coalesce(r.rolname, 'public'), a.privilege_type
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    cross join lateral aclexplode(
        coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's'::"char" else 'r' end, c.relowner))
    ) as a
    left join pg_roles as r on r.oid = a.grantee
    where n.nspname = any (%s) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and a.grantee <> c.relowner
"""


def may(table: str, role: str, letter: str) -> bool:
    return role in ROLES and letter in MATRIX[table][ROLES.index(role)]


def test_every_relation_has_exactly_the_grants_that_were_decided(warehouse: Warehouse) -> None:
    found = warehouse.rows(GRANTS, (list(OURS),))
    # the loader has rights on some tables of schemas that only others may use; without usage they are nothing
    expected = {
        (table, role, right)
        for (table, role), (letter, right) in product(product(MATRIX, ROLES), LETTERS.items())
        if may(table, role, letter)
    }
    assert len(expected) > 100
    assert set(found) == expected, "a new table, view or sequence needs a line in MATRIX of test_migrations"


def test_every_relation_was_decided_about(warehouse: Warehouse) -> None:
    found = warehouse.rows(RELATIONS, (list(OURS),))
    tables = {name for name, kind, is_partition in found if kind != "S" and not is_partition}
    assert tables == MATRIX.keys()
    assert sum(kind == "S" for _, kind, _ in found) >= 6
    assert sum(is_partition for *_, is_partition in found) > 60


def test_a_relation_that_nobody_decided_about_is_noticed(warehouse: Warehouse) -> None:
    warehouse.rows("create table report.new_one (x integer); grant select on report.new_one to public; select 1")
    found = warehouse.rows(GRANTS, (list(OURS),))
    assert ("report.new_one", PUBLIC, "SELECT") in found
    assert "report.new_one" in {name for name, *_ in warehouse.rows(RELATIONS, (list(OURS),))} - MATRIX.keys()


def test_schemas_are_used_by_whom_was_decided(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select n.nspname, coalesce(r.rolname, 'public'), string_agg(a.privilege_type, ' ' order by a.privilege_type)"
        " from pg_namespace as n"
        " cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a"
        " left join pg_roles as r on r.oid = a.grantee"
        " where n.nspname = any (%s) and a.grantee <> n.nspowner group by 1, 2",
        (list(OURS),),
    )
    assert found
    assert {(schema, role): rights for schema, role, rights in found} == {
        (schema, role): rights for schema, of_schema in SCHEMAS.items() for role, rights in of_schema.items()
    }
    others = warehouse.rows(
        "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> all (%s)", (list(OURS),)
    )
    assert sorted(name for (name,) in others) == ["information_schema", "public"]


def test_functions_are_called_by_whom_was_decided(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select n.nspname || '.' || p.proname, coalesce(r.rolname, 'public'), p.prosecdef, p.proconfig"
        " from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace"
        " cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a"
        " left join pg_roles as r on r.oid = a.grantee"
        " where n.nspname = any (%s) and a.grantee <> p.proowner",
        (list(OURS),),
    )
    grantees: dict[str, set[str]] = {}
    for name, grantee, is_definer, config in found:
        grantees.setdefault(name, set()).add(grantee)
        if is_definer:
            # temporary things last: where they are not named, types of a caller's making are found first
            assert "search_path=pg_catalog, pg_temp" in config, f"{name} acts as the owner wherever its names are found"
            assert grantee != PUBLIC, name
    assert grantees == FUNCTIONS


def test_everything_is_the_owners_and_no_grant_waits_for_what_is_made_later(warehouse: Warehouse) -> None:
    strangers = warehouse.rows(
        "select n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner) from pg_class as c"
        " inner join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any (%s) and pg_get_userbyid(c.relowner) <> %s and c.relkind not in ('i', 'I')",
        (list(OURS), OWNER),
    )
    assert {name for name, _ in strangers} <= {"ops.migration"}, "written before there is an owner"
    assert warehouse.rows("select count(*) from pg_default_acl") == [(0,)]


@pytest.fixture
def logins(warehouse: Warehouse) -> Iterator[dict[str, Connection]]:
    """A login of its own for each role, and one of a stranger who is a member of nothing."""
    admin = warehouse.connect()
    admin.autocommit = True
    opened = {}
    with admin.cursor() as cursor:
        for role in (*ROLES, NOBODY):
            cursor.execute(f"drop role if exists login_of_{role}")
            cursor.execute(f"create role login_of_{role} login" + ("" if role == NOBODY else f" in role {role}"))
            opened[role] = psycopg2.connect(warehouse.url, user=f"login_of_{role}")
            opened[role].autocommit = True
    yield opened
    with admin.cursor() as cursor:
        for role, connection in opened.items():
            connection.close()
            cursor.execute(f"drop role login_of_{role}")
    admin.close()


def is_let(connection: Connection, statement: str) -> bool:
    """Whether the statement is let through; any other trouble than a missing right is an error of the test."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            return False
    return True


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_a_login_selects_from_and_empties_what_its_role_may_and_nothing_else(
    warehouse: Warehouse, logins: dict[str, Connection], role: str
) -> None:
    found = warehouse.rows(RELATIONS, (list(OURS),))
    selected = {name for name, *_ in found if is_let(logins[role], f"select * from {name} limit 1")}
    deleted = {
        name for name, kind, _ in found if kind in "rp" and is_let(logins[role], f"delete from {name} where false")
    }
    usable = {schema for schema, rights in SCHEMAS.items() if role in rights}
    in_reach = {table for table in MATRIX if table.split(".")[0] in usable}
    assert selected == {table for table in in_reach if may(table, role, "s")}
    assert deleted == {table for table in in_reach if may(table, role, "d")}
    assert not any(is_let(logins[role], f"truncate {name}") for name, kind, _ in found if kind in "rp")
    if role == BI_READER:
        assert {name.split(".")[0] for name in selected} == {"report"}
        assert selected == {table for table in MATRIX if table.startswith("report.")}
    if role == NOBODY:
        assert selected == set()


@pytest.mark.parametrize("role", [BI_READER, SUPPORT_READER, NOBODY])
def test_readers_and_strangers_change_nothing(logins: dict[str, Connection], role: str) -> None:
    for statement in (
        "create table report.mine (x integer)",
        "create table public.mine (x integer)",
        "create schema mine",
        "insert into report.message_cost_daily (cost) values (1)",
        "update report.email_campaign set sent = 0",
        "comment on table report.email_campaign is 'mine'",
        "alter view report.email_activity rename to mine",
        "alter view private.message_with_recipient set (security_barrier = false)",
        "select fact.ensure_partitions(now(), now())",
        "select nextval('ops.load_load_id_seq')",
        "set role waybill_owner",
        "grant waybill_support_reader to current_user",
    ):
        assert not is_let(logins[role], statement), statement
