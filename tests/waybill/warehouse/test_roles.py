"""The rights of every role on everything in the warehouse: as the catalogue of Postgres lists them, and as they work.

MATRIX of test_migrations lists the rights of each role on each table and view. The tests here also cover schemas,
sequences, functions, PUBLIC, logins of the roles, and a login without a role.
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
OWN_SCHEMAS = ("ops", "private", "fact", "staging", "report")
LETTERS = {"s": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE"}

SCHEMAS = {
    "ops": {LOADER: "USAGE", REPORTER: "USAGE"},
    "private": {LOADER: "USAGE", SUPPORT_READER: "USAGE"},
    "fact": {LOADER: "USAGE", REPORTER: "USAGE"},
    "staging": {LOADER: "CREATE USAGE", REPORTER: "CREATE USAGE"},
    "report": dict.fromkeys((LOADER, *READERS), "USAGE"),
}
FUNCTIONS = {
    # reveal nothing about recipients
    "fact.message_key": {PUBLIC},
    "fact.recipient_message_key": {PUBLIC},
    "fact.key_floor": {PUBLIC},
    "fact.masked": {PUBLIC},
    "fact.sees_recipients": {PUBLIC},
    # run with the rights of the owner
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


def test_every_relation_has_exactly_the_grants_of_the_matrix(warehouse: Warehouse) -> None:
    found = warehouse.rows(GRANTS, (list(OWN_SCHEMAS),))
    # The loader has rights on some tables in schemas that it may not use; these rights have no effect.
    expected = {
        (table, role, right)
        for (table, role), (letter, right) in product(product(MATRIX, ROLES), LETTERS.items())
        if may(table, role, letter)
    }
    assert len(expected) > 100
    assert set(found) == expected, "a new table, view or sequence needs a line in MATRIX of test_migrations"


def test_every_relation_is_in_the_matrix(warehouse: Warehouse) -> None:
    found = warehouse.rows(RELATIONS, (list(OWN_SCHEMAS),))
    tables = {name for name, kind, is_partition in found if kind != "S" and not is_partition}
    assert tables == MATRIX.keys()
    assert sum(kind == "S" for _, kind, _ in found) >= 6
    assert any(is_partition for *_, is_partition in found)


def test_a_relation_that_is_missing_from_the_matrix_is_noticed(warehouse: Warehouse) -> None:
    warehouse.rows("create table report.new_one (x integer); grant select on report.new_one to public; select 1")
    found = warehouse.rows(GRANTS, (list(OWN_SCHEMAS),))
    assert ("report.new_one", PUBLIC, "SELECT") in found
    assert "report.new_one" in {name for name, *_ in warehouse.rows(RELATIONS, (list(OWN_SCHEMAS),))} - MATRIX.keys()


def test_schemas_have_exactly_the_listed_grants(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select n.nspname, coalesce(r.rolname, 'public'), string_agg(a.privilege_type, ' ' order by a.privilege_type)"
        " from pg_namespace as n"
        " cross join lateral aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as a"
        " left join pg_roles as r on r.oid = a.grantee"
        " where n.nspname = any (%s) and a.grantee <> n.nspowner group by 1, 2",
        (list(OWN_SCHEMAS),),
    )
    assert found
    assert {(schema, role): rights for schema, role, rights in found} == {
        (schema, role): rights for schema, of_schema in SCHEMAS.items() for role, rights in of_schema.items()
    }
    others = warehouse.rows(
        "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> all (%s)", (list(OWN_SCHEMAS),)
    )
    assert sorted(name for (name,) in others) == ["information_schema", "public"]


def test_functions_have_exactly_the_listed_grants(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select n.nspname || '.' || p.proname, coalesce(r.rolname, 'public'), p.prosecdef, p.proconfig"
        " from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace"
        " cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a"
        " left join pg_roles as r on r.oid = a.grantee"
        " where n.nspname = any (%s) and a.grantee <> p.proowner",
        (list(OWN_SCHEMAS),),
    )
    grantees: dict[str, set[str]] = {}
    for name, grantee, is_definer, config in found:
        grantees.setdefault(name, set()).add(grantee)
        if is_definer:
            # pg_temp last: if it is not listed, the temporary types of the caller are found first
            assert "search_path=pg_catalog, pg_temp" in config, f"{name} runs as the owner without a fixed search_path"
            assert grantee != PUBLIC, name
    assert grantees == FUNCTIONS


def test_the_owner_owns_everything_and_there_are_no_default_grants(warehouse: Warehouse) -> None:
    strangers = warehouse.rows(
        "select n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner) from pg_class as c"
        " inner join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any (%s) and pg_get_userbyid(c.relowner) <> %s and c.relkind not in ('i', 'I')",
        (list(OWN_SCHEMAS), OWNER),
    )
    assert {name for name, _ in strangers} <= {"ops.migration"}, "created before the owner exists"
    assert warehouse.rows("select count(*) from pg_default_acl") == [(0,)]


@pytest.fixture
def logins(warehouse: Warehouse) -> Iterator[dict[str, Connection]]:
    """Return a connection for each role, with its own login, and one for a login without a role."""
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


def is_allowed(connection: Connection, statement: str) -> bool:
    """Return whether the rights of the login allow the statement; any other error fails the test."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except psycopg2.errors.InsufficientPrivilege:
            return False
    return True


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_a_login_may_select_and_delete_only_what_its_role_may(
    warehouse: Warehouse, logins: dict[str, Connection], role: str
) -> None:
    found = warehouse.rows(RELATIONS, (list(OWN_SCHEMAS),))
    selected = {name for name, *_ in found if is_allowed(logins[role], f"select * from {name} limit 1")}
    deleted = {
        name for name, kind, _ in found if kind in "rp" and is_allowed(logins[role], f"delete from {name} where false")
    }
    usable = {schema for schema, rights in SCHEMAS.items() if role in rights}
    in_reach = {table for table in MATRIX if table.split(".")[0] in usable}
    assert selected == {table for table in in_reach if may(table, role, "s")}
    assert deleted == {table for table in in_reach if may(table, role, "d")}
    assert not any(is_allowed(logins[role], f"truncate {name}") for name, kind, _ in found if kind in "rp")
    if role == BI_READER:
        assert {name.split(".")[0] for name in selected} == {"report"}
        assert selected == {table for table in MATRIX if table.startswith("report.")}
    if role == NOBODY:
        assert selected == set()


@pytest.mark.parametrize("role", [BI_READER, SUPPORT_READER, NOBODY])
def test_readers_and_logins_without_a_role_cannot_change_anything(logins: dict[str, Connection], role: str) -> None:
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
        assert not is_allowed(logins[role], statement), statement
