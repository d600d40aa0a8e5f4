"""Connections to the warehouse: one way to open them, always UTC, always in a named role."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

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

# A client or a server that is gone without a word is noticed within two minutes; a URL may say otherwise.
_KEEPALIVES = {"keepalives_idle": "60", "keepalives_interval": "10", "keepalives_count": "6"}
_SESSION = "-c timezone=UTC -c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
_LOADER_SESSION = "".join(f" -c {name}={value}" for name, value in locks.BOUNDS.items())

_LASTING = re.compile(r"authentication failed|does not exist|no password|pg_hba|could not translate|not permitted")
"""Why no connection comes about, as libpq and the server say it, where another try makes no difference."""

psycopg2.extras.register_uuid()


def warehouse_url(settings: Settings) -> str:
    """The libpq URL of the warehouse; starts the embedded Postgres where WAREHOUSE_URL is not set."""
    if settings.warehouse_url is not None:
        return settings.warehouse_url
    return embedded.start(settings.var / "postgres", settings.postgres_version)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    url = re.sub(r"//([^:/@?]*):.*@", r"//\1:***@", url)
    url = re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1***", url, flags=re.IGNORECASE)
    return re.sub(r"(\b(?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s?&*]+)", r"\1***", url, flags=re.IGNORECASE)


def _secret(url: str) -> str:
    """What `without_password` hides of a URL."""
    shown = without_password(url)
    head, _, tail = shown.partition("***")
    return url[len(head) : len(url) - len(tail)] if "***" in shown else ""


def connect(url: str, role: str | None = None, application_name: str = "waybill") -> Connection:
    """Open a connection, not in autocommit, in UTC, acting as `role`. Raises ConfigurationError with what to do,
    UnavailableError where the server may answer later."""
    options = _SESSION + (_LOADER_SESSION if role == LOADER else "")
    try:
        given = parse_dsn(url)
        alive = {name: value for name, value in _KEEPALIVES.items() if name not in given}
        connection = psycopg2.connect(url, application_name=application_name, options=options, **alive)
    except psycopg2.ProgrammingError:
        raise ConfigurationError(
            "WAREHOUSE_URL is no URL that libpq can read; expected postgresql://user:password@host:port/database."
        ) from None
    except psycopg2.OperationalError as error:
        reason = str(error).strip().split("\n", 1)[0]
        if any(len(part) > 2 and part in reason for part in re.split(r"[@:/%?&='\s]+", _secret(url))):
            reason = "libpq cannot use it as it is written"
        kind = ConfigurationError if _LASTING.search(str(error)) else UnavailableError
        raise kind(
            f"Cannot connect to the warehouse at {without_password(url)}: {reason}. Check WAREHOUSE_URL, and that the "
            "server runs (`waybill doctor`)."
        ) from None
    with connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")  # stronger than PGTZ and PGOPTIONS of whoever calls
    connection.commit()
    if role is not None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            connection.commit()
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            connection.close()
            raise UnavailableError(
                f"The connection to the warehouse at {without_password(url)} broke as soon as it was made. Run the "
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
    """A connection that is closed (and what it did not commit rolled back) at the end.

    :raises UnavailableError: a row or table that somebody else holds was not to be had in time
    """
    connection = connect(url, role, application_name)
    try:
        yield connection
    except psycopg2.errors.LockNotAvailable as error:
        connection.rollback()
        with connection.cursor() as cursor:
            raise locks.in_vain(cursor, error) from None
    finally:
        connection.close()


@dataclass(frozen=True)
class Warehouse:
    """A warehouse as one process works with it.

    :ivar url: libpq URL
    :ivar role: that its sessions act as
    """

    settings: Settings
    url: str
    role: str = LOADER

    @classmethod
    def of(cls, settings: Settings, role: str = LOADER) -> "Warehouse":
        """The warehouse that the settings name; starts the embedded Postgres where they name none."""
        return cls(settings, warehouse_url(settings), role)

    def connect(self, name: str) -> Connection:
        """A session, which the server shows as `waybill:<name>`. Raises as `connect` does."""
        return connect(self.url, self.role, f"waybill:{name}")

    def connected(self, name: str) -> AbstractContextManager[Connection]:
        """The same, closed at the end. Raises as `connected` does."""
        return connected(self.url, self.role, f"waybill:{name}")
