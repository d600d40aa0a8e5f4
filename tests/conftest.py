"""A real Postgres for every test that wants one: a server per process of pytest, a fresh migrated database per test."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg2
import pytest
from hypothesis import settings as hypothesis_settings

from waybill.settings import Settings
from waybill.warehouse import embedded, migrations
from waybill.warehouse.connection import connect, connected
from waybill.warehouse.migrations import migrate

os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")
# What a shell starts in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The same examples every time, and no timed test: `make chaos` looks for new ones.
hypothesis_settings.register_profile("same", derandomize=True, deadline=None)
hypothesis_settings.register_profile("new", deadline=None, print_blob=True)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

KEY = "a test key of thirty-two bytes ok"
FAST = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "max_wal_size = 256MB",
    "autovacuum = off",  # its work in one of two databases changes how many pages a query reads there
)
MEMORY = Path("/dev/shm")
# A partition is ten files, copied for each test. Events of earlier years go to the partition before all months.
TEMPLATE_YEARS_BACK = 0
ROOM_BYTES = 2 << 30  # several servers share it; each takes a tenth of that


@dataclass(frozen=True)
class Server:
    """A running Postgres. `url` is that of its maintenance database."""

    url: str
    template: str

    def database(self, zone: str = "UTC") -> str:
        """Make a migrated database; returns its URL."""
        url = self.copy(self.template)
        with connected(url) as connection, connection, connection.cursor() as cursor:
            cursor.execute("update ops.setting set value = %s where name = 'report_timezone'", (zone,))
        return url

    def copy(self, template: str) -> str:
        """Make a database like another, to which nobody is connected; returns its URL."""
        name = f"test_{uuid4().hex[:12]}"
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"create database {name} template {template} strategy file_copy")
        connection.close()
        return self.url_of(name)

    def name_of(self, url: str) -> str:
        return url.split("?")[0].rsplit("/", 1)[1]

    def url_of(self, name: str) -> str:
        return self.url.replace(f"/{embedded.DATABASE}?", f"/{name}?")

    def drop(self, url: str) -> None:
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"drop database if exists {self.name_of(url)} with (force)")
        connection.close()


@dataclass(frozen=True)
class Warehouse:
    """A migrated database of a test's own, with its settings (landing and inbox in a folder of the test)."""

    url: str
    settings: Settings
    server: Server

    def connect(self, role: str | None = None) -> psycopg2.extensions.connection:
        return connect(self.url, role)

    def rows(self, query: str, parameters: object = None) -> list[tuple]:
        """All rows of a query, as the owner of the server."""
        connection = self.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return cursor.fetchall()
        finally:
            connection.close()


@contextmanager
def server_folder(in_memory: bool = True) -> Iterator[Path]:
    """A folder for a server's files: in memory, where the machine has a file system there with room to spare.

    A database is a thousand files, and on disk a copy of it takes ten times as long. Not below pytest's own folder: as
    root the server runs as another user, and every new pytest session closes that folder to others.
    """
    is_roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    with TemporaryDirectory(prefix="waybill-tests-", dir=MEMORY if in_memory and is_roomy else None) as folder:
        yield Path(folder)


@contextmanager
def running_server(version: int) -> Iterator[Server]:
    """A server of tests: real, but not durable, for speed."""
    with server_folder() as folder:
        url = embedded.start(folder / "pg", version)
        try:
            with (folder / "pg" / "postgresql.auto.conf").open("a") as file:
                file.write("\n".join(FAST) + "\n")
            connection = psycopg2.connect(url)
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select pg_reload_conf()")
                cursor.execute("create database migrated")
            connection.close()
            server = Server(url, "migrated")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(migrations, "YEARS_BACK", TEMPLATE_YEARS_BACK)
                migrate(server.url_of("migrated"))
            yield server
        finally:
            embedded.stop(folder / "pg", version)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Postgres 18, or the major version that TEST_POSTGRES_VERSION names."""
    with running_server(int(os.environ.get("TEST_POSTGRES_VERSION", "18"))) as server:
        yield server


@contextmanager
def new_warehouse(postgres: Server, folder: Path) -> Iterator[Warehouse]:
    """Make a migrated database, whose landing and inbox are in `folder`, and drop it at the end."""
    url = postgres.database()
    settings = Settings.from_environment(
        {
            "WAREHOUSE_URL": url,
            "WAYBILL_VAR": str(folder),
            "RECIPIENT_HMAC_KEY": KEY,
            "REJECTED_CEILING": "1",
        }
    )
    yield Warehouse(url, settings, postgres)
    postgres.drop(url)


@pytest.fixture
def warehouse(postgres: Server, tmp_path: Path) -> Iterator[Warehouse]:
    with new_warehouse(postgres, tmp_path) as warehouse:
        yield warehouse
