"""Every advisory lock, what it protects, and the one order in which locks are taken.

A process that holds a lock takes only locks that come later in `ORDER`, so no two processes wait for each other. No
other module calls Postgres for an advisory lock. `fact.ensure_partitions` (in SQL) takes one more, the last of all,
for as long as it runs. A command that has to wait says for what, waits a bounded time, and learns who has it.
"""

import logging
from typing import NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import UnavailableError

ORDER = {
    "prepare": "the preparation of a warehouse by `make run` or compose; one process prepares at a time",
    "database": "the creation of the database in an embedded Postgres",
    "migrate": "migrations; one process migrates at a time",
    "build": "everything that builds write: candidate tables, reports, the pending days",
    "pull": "the pulls of one feed and account; the second goes on where the first ended",
    "load": "the staging tables of one load, for as long as its process lives; a free lock says that it died",
    "zone": "the local days that facts keep. Loads share it while they publish; a change of the zone or a migration "
    "takes it alone",
    "account": "the facts of one account; publishers take their accounts in order of name",
}
"""What each kind of lock protects, in the order in which they are taken."""


class Lock(NamedTuple):
    """An advisory lock. The hashes of the first two texts are its keys; those of one load have its number instead.

    :ivar kind: one of `ORDER`
    """

    kind: str
    space: str
    name: str | int

    @property
    def place(self) -> int:
        """Its place in the order."""
        return list(ORDER).index(self.kind)


PREPARE = Lock("prepare", "waybill", "prepare")
DATABASE = Lock("database", "waybill", "database")
MIGRATE = Lock("migrate", "waybill", "migrate")
BUILD = Lock("build", "waybill", "build")
ZONE = Lock("zone", "waybill", "zone")


def pull_lock(feed: str, account: str) -> Lock:
    """The lock of the pulls of one feed (its slug) and account."""
    return Lock("pull", "waybill-pull", f"{account}/{feed}")


def load_lock(load_id: int) -> Lock:
    """The lock of one load."""
    return Lock("load", "waybill-load", load_id)


def account_lock(account: str) -> Lock:
    """The lock of the facts of one account."""
    return Lock("account", "waybill-account", account)


PATIENCE = "10min"
"""How long a command waits for a lock of somebody else; a setting of its connections."""
BOUNDS = {"lock_timeout": PATIENCE, "idle_in_transaction_session_timeout": "30min"}
"""Settings of sessions that write: they wait a bounded time, and one that stands still within a transaction (its
process was stopped, its machine is gone) lets go of its locks."""

log = logging.getLogger("waybill.warehouse")

_HOLDERS = (
    "select a.application_name, a.pid from pg_locks as l inner join pg_stat_activity as a on a.pid = l.pid"
    " where l.granted and l.pid <> pg_backend_pid()"
    " and l.database = (select oid from pg_database where datname = current_database()) and {} order by a.pid"
)
_OF_KEYS = (
    "l.locktype = 'advisory' and l.classid::bigint = hashtext(%s)::bigint & 4294967295"
    " and l.objid::bigint = hashtext(%s)::bigint & 4294967295"
)
_OF_RELATION = (
    "l.locktype = 'relation' and l.mode not in ('AccessShareLock', 'RowShareLock') and l.relation in"
    " (select c.oid from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace"
    " where n.nspname in ('ops', 'private', 'fact', 'staging') and position(quote_ident(c.relname) in %s) > 0)"
)


def bound(cursor: Cursor) -> None:
    """Give a session `BOUNDS`; with a connection in autocommit, or before a commit."""
    for name, value in BOUNDS.items():
        cursor.execute(sql.SQL("set {} = %s").format(sql.Identifier(name)), (value,))


def hold(cursor: Cursor, lock: Lock, is_of_session: bool = True) -> None:
    """Take a lock, and wait for it as long as the connection allows; until the end of the session or transaction."""
    _call(cursor, "pg_advisory_", lock, is_shared=False, is_of_session=is_of_session)


def is_free(cursor: Cursor, lock: Lock) -> bool:
    """Take a lock until the end of the transaction, if nobody else has it; whether that was so."""
    return _call(cursor, "pg_try_advisory_", lock, is_shared=False, is_of_session=False)


def take(
    cursor: Cursor,
    lock: Lock,
    what: str,
    who: str,
    is_shared: bool = False,
    is_of_session: bool = False,
) -> None:
    """Take a lock, until the end of the transaction or of the session.

    :param what: is locked, in words
    :param who: waits, for the log: `load 7`
    :raises UnavailableError: it was not to be had within `PATIENCE`
    """
    if _call(cursor, "pg_try_advisory_", lock, is_shared, is_of_session):
        return
    holders = _named(cursor, _OF_KEYS, lock[1:])
    log.info("%s: waiting for %s%s", who, what, holders, extra={"lock": lock.kind})
    try:
        _call(cursor, "pg_advisory_", lock, is_shared, is_of_session)
    except psycopg2.errors.LockNotAvailable:
        raise UnavailableError(_in_vain(what, holders)) from None


def _call(cursor: Cursor, function: str, lock: Lock, is_shared: bool, is_of_session: bool) -> bool:
    """Ask Postgres for a lock; whether it was taken (a function that waits says nothing, and takes it)."""
    name = f"{function}{'' if is_of_session else 'xact_'}lock{'_shared' if is_shared else ''}"
    key = sql.SQL("%s" if isinstance(lock.name, int) else "hashtext(%s)")
    statement = sql.SQL("select {}(hashtext(%s), {})").format(sql.Identifier(name), key)
    cursor.execute(statement, (lock.space, lock.name))
    return cursor.fetchone()[0] is not False


def in_vain(cursor: Cursor, error: psycopg2.errors.LockNotAvailable) -> UnavailableError:
    """The error for a row or a table that was not to be had in time, with who writes to it; on a transaction that was
    rolled back."""
    place = error.diag.context or ""
    return UnavailableError(_in_vain("a row or table of the warehouse", _named(cursor, _OF_RELATION, (place,))))


def _named(cursor: Cursor, condition: str, parameters: tuple[str, ...]) -> str:
    cursor.execute(_HOLDERS.format(condition), parameters)
    found = ", ".join(f"{name or 'a session without a name'} (backend {pid})" for name, pid in cursor.fetchall())
    return f", which is held by {found}" if found else ""


def _in_vain(what: str, holders: str) -> str:
    return (
        f"Waited {PATIENCE} for {what}{holders}, in vain. Nothing half done stays: run the same command again when "
        "that has ended, or end it (`select pg_terminate_backend(<backend>)`)."
    )
