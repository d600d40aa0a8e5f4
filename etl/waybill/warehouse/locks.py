"""Locks that commands wait for: whoever waits says for what, waits a bounded time, and learns who has it."""

from collections.abc import Callable

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import UnavailableError

PATIENCE = "10min"
"""How long a load or a pull waits for a lock of somebody else; a setting of its connections."""

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


def take(
    cursor: Cursor,
    keys: tuple[str, str],
    what: str,
    say: Callable[[str], None],
    is_shared: bool = False,
    is_of_session: bool = False,
) -> None:
    """Take an advisory lock, until the end of the transaction or of the session.

    :param keys: the name of its kind and its own; their hashes are the two numbers of the lock
    :param what: is locked, in words
    :param say: is given one message where it has to wait
    :raises UnavailableError: it was not to be had within `PATIENCE`
    """
    function = f"{'' if is_of_session else 'xact_'}lock{'_shared' if is_shared else ''}"
    asked = sql.SQL("select {}(hashtext(%s), hashtext(%s))")
    cursor.execute(asked.format(sql.Identifier(f"pg_try_advisory_{function}")), keys)
    if cursor.fetchone()[0]:
        return
    holders = _named(cursor, _OF_KEYS, keys)
    say(f"waiting for {what}{holders}")
    try:
        cursor.execute(asked.format(sql.Identifier(f"pg_advisory_{function}")), keys)
    except psycopg2.errors.LockNotAvailable:
        raise UnavailableError(_in_vain(what, holders)) from None


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
