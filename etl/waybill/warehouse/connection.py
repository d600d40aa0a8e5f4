"""Connections to the warehouse, always in UTC and in a named role. No other module opens them."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.extras
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - the driver's own name is lower case
from psycopg2.extensions import parse_dsn

from waybill.model.errors import ConfigurationError, UnavailableError
from waybill.settings import Settings
from waybill.warehouse import embedded, locks

LOADER = "waybill_loader"
REPORTER = "waybill_reporter"

# A client or a server that vanished is noticed within two minutes, unless the URL sets other values.
_KEEPALIVES = {"keepalives_idle": "60", "keepalives_interval": "10", "keepalives_count": "6"}
_SESSION = "-c timezone=UTC -c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
_LOADER_SESSION = "".join(f" -c {name}={value}" for name, value in locks.BOUNDS.items())

_LASTING = re.compile(r"authentication failed|does not exist|no password|pg_hba|could not translate|not permitted")
"""Errors of libpq and the server for which another try makes no difference."""

psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]  # the stubs give its arguments no types


def warehouse_url(settings: Settings) -> str:
    """Return the libpq URL of the warehouse. Starts the embedded Postgres if WAREHOUSE_URL is not set."""
    if settings.warehouse_url is not None:
        return settings.warehouse_url
    return embedded.start(settings.var / "postgres", settings.postgres_version)


def without_password(url: str) -> str:
    """Return the URL with its password replaced by `***`."""
    url = re.sub(r"//([^:/@?]*):.*@", r"//\1:***@", url)
    url = re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1***", url, flags=re.IGNORECASE)
    return re.sub(r"(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s?&*]+)", r"\1***", url, flags=re.IGNORECASE)


def _secret(url: str) -> str:
    """Return the part of a URL that `without_password` hides."""
    shown = without_password(url)
    head, _, tail = shown.partition("***")
    return url[len(head) : len(url) - len(tail)] if "***" in shown else ""


def connect(url: str, role: str | None = None, application_name: str = "waybill") -> Connection:
    """Open a connection, not in autocommit, in UTC, acting as `role`.

    :raises ConfigurationError: no connection is possible; the message says what to do
    :raises UnavailableError: the server may answer later
    """
    options = _SESSION + (_LOADER_SESSION if role == LOADER else "")
    try:
        given = parse_dsn(url)
        arguments: dict[str, Any] = {name: value for name, value in _KEEPALIVES.items() if name not in given}
        connection: Connection = psycopg2.connect(url, application_name=application_name, options=options, **arguments)
    except psycopg2.ProgrammingError:
        raise ConfigurationError(
            "libpq cannot read WAREHOUSE_URL; expected postgresql://user:password@host:port/database."
        ) from None
    except psycopg2.OperationalError as error:
        reason = str(error).strip().split("\n", 1)[0]
        if any(len(part) > 2 and part in reason for part in re.split(r"[@:/%?&='\s]+", _secret(url))):
            reason = "libpq cannot read it"
        kind = ConfigurationError if _LASTING.search(str(error)) else UnavailableError
        raise kind(
            f"Cannot connect to the warehouse at {without_password(url)}: {reason}. Check WAREHOUSE_URL, and that the "
            "server runs (`waybill doctor`)."
        ) from None
    with connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")  # overrides PGTZ and PGOPTIONS of the environment
    connection.commit()
    if role is not None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            connection.commit()
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            connection.close()
            raise UnavailableError(
                f"The connection to the warehouse at {without_password(url)} broke as soon as it was open. Run the "
                "same command again when the server is up."
            ) from None
        except psycopg2.Error as error:
            connection.close()
            raise ConfigurationError(
                f"The login of {without_password(url)} cannot act as {role}: {str(error).strip()}. Run "
                f"`waybill warehouse migrate`, or `grant {role} to <login>`."
            ) from None
    return connection


@contextmanager
def connected(url: str, role: str | None = None, application_name: str = "waybill") -> Iterator[Connection]:
    """Open a connection, and close it at the end. Changes that were not committed are rolled back.

    :raises UnavailableError: another session held a row or table for too long
    """
    connection = connect(url, role, application_name)
    try:
        yield connection
    except psycopg2.errors.LockNotAvailable as error:
        connection.rollback()
        with connection.cursor() as cursor:
            raise locks.timeout_error(cursor, error) from None
    finally:
        connection.close()


@dataclass(frozen=True)
class Warehouse:
    """The warehouse of a process.

    :ivar url: libpq URL
    :ivar role: the role of its sessions
    """

    settings: Settings
    url: str
    role: str = LOADER

    @classmethod
    def of(cls, settings: Settings, role: str = LOADER) -> "Warehouse":
        """Return the warehouse that the settings name. Starts the embedded Postgres if they name none."""
        return cls(settings, warehouse_url(settings), role)

    def connect(self, name: str) -> Connection:
        """Open a session with the application name `waybill:<name>`. Raises like `connect`."""
        return connect(self.url, self.role, f"waybill:{name}")

    def connected(self, name: str) -> AbstractContextManager[Connection]:
        """Open such a session, and close it at the end. Raises like `connected`."""
        return connected(self.url, self.role, f"waybill:{name}")
