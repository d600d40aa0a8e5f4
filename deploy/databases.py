"""The two databases of an installation with its own Postgres: Airflow's metadata and the warehouse.

Each has a login with the least rights: Airflow's login owns its database, the login of the tasks is a member of the
loader and the reporter. Only this module uses the administrator.
"""

from collections.abc import Mapping

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extensions import make_dsn, parse_dsn

from waybill.warehouse import locks
from waybill.warehouse.connection import LOADER, REPORTER, connected
from waybill.warehouse.migrations import migrate

Login = Mapping[str, str]
"""Parts of a libpq URL: user, dbname, perhaps password."""


def make_databases(admin_url: str, metadata_url: str, warehouse_url: str, report_timezone: str) -> None:
    """Make databases, tables of the warehouse and logins that are missing. Safe at any time; a login gets the password
    of its URL.

    :param admin_url: libpq URL of a superuser of that server
    :param metadata_url: SQLAlchemy URL of Airflow
    :param warehouse_url: libpq URL of the tasks
    :raises ConfigurationError: the server cannot be reached
    """
    metadata, warehouse = _parts(metadata_url), _parts(warehouse_url)
    with connected(admin_url, application_name="waybill:prepare") as connection:
        connection.autocommit = True  # a database cannot be made in a transaction
        with connection.cursor() as cursor:
            locks.hold(cursor, locks.PREPARE)
            for login in (metadata, warehouse):
                _make_login(cursor, login)
            _make_database(cursor, metadata["dbname"], owner=metadata["user"])
            _make_database(cursor, warehouse["dbname"], owner=None)
    migrate(make_dsn(admin_url, dbname=warehouse["dbname"]), report_timezone)
    with connected(admin_url, application_name="waybill:prepare") as connection, connection, connection.cursor() as c:
        for role in (LOADER, REPORTER):
            c.execute(
                sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(warehouse["user"])),
            )


def _parts(url: str) -> Login:
    """Returns the parts of a URL of libpq, or of SQLAlchemy with the name of a driver."""
    scheme, _, rest = url.partition("://")
    return parse_dsn(f"{scheme.partition('+')[0]}://{rest}")


def _make_login(cursor: Cursor, login: Login) -> None:
    name = sql.Identifier(login["user"])
    cursor.execute("select 1 from pg_roles where rolname = %s", (login["user"],))
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("create role {} login").format(name))
    if "password" in login:
        cursor.execute(sql.SQL("alter role {} password %s").format(name), (login["password"],))


def _make_database(cursor: Cursor, name: str, owner: str | None) -> None:
    cursor.execute("select 1 from pg_database where datname = %s", (name,))
    if cursor.fetchone() is None:
        statement = sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name))
        if owner is not None:
            statement += sql.SQL(" owner {}").format(sql.Identifier(owner))
        cursor.execute(statement)
