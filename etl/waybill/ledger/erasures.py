"""People who were erased: their keys, and the removal of their addresses from the tables of the warehouse."""

import hashlib
from collections.abc import Collection, Mapping

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.identity import Keyring
from waybill.model.mentions import Wanted
from waybill.warehouse import locks
from waybill.warehouse.queries import sql_of

BLOCK = 500


def hash_of(keyring: Keyring, account: str, raw: bytes) -> str:
    """Return what takes the place of the SHA-256 of a rejected record of an erased person. Nobody without the secret
    can find the bytes by hashing guesses."""
    return keyring.recipient_key(account, hashlib.sha256(raw).hexdigest()).hex()


def everybody(cursor: Cursor, keyring: Keyring) -> Wanted:
    """Return everybody who was erased."""
    cursor.execute("select recipient_key, account from private.erased_recipient")
    return Wanted(keyring, {bytes(key): account for key, account in cursor.fetchall()})


def accounts(cursor: Cursor) -> list[str]:
    """Return all accounts of the warehouse."""
    cursor.execute(sql_of("ledger/erasures", "accounts"))
    return [account for (account,) in cursor.fetchall()]


def recipient_count(cursor: Cursor, keys: Collection[bytes]) -> int:
    """Return how many of these people have a clear address in the warehouse."""
    cursor.execute("select from private.recipient where recipient_key = any(%s)", (list(keys),))
    return cursor.rowcount


def note(cursor: Cursor, keys: Mapping[bytes, str]) -> None:
    """Note the keys of erased people with their accounts, and remove their clear addresses."""
    cursor.execute(sql_of("ledger/erasures", "note"), {"keys": list(keys), "accounts": [keys[key] for key in keys]})
    cursor.execute("delete from private.recipient where recipient_key = any(%s)", (list(keys),))


def clear_staging(connection: Connection, wanted: Wanted) -> None:
    """Remove people from the staging tables of loads that have not ended. Waits for loads that are staging now.

    :raises UnavailableError: such a load did not end in time
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/erasures", "unfinished"))
        load_ids = [load_id for (load_id,) in cursor.fetchall()]
    for load_id in load_ids:
        with connection, connection.cursor() as cursor:
            locks.take(cursor, locks.load_lock(load_id), f"load {load_id}", "erase")
            cursor.execute("select to_regclass(%s) is not null", (f"staging.load_{load_id}_recipient",))
            if cursor.fetchone() == (False,):
                continue
            cursor.execute(
                sql.SQL("update {} set address = '' where recipient_key = any(%s)").format(
                    sql.Identifier("staging", f"load_{load_id}_recipient")
                ),
                (list(wanted.keys),),
            )
            table = sql.Identifier("staging", f"load_{load_id}_rejected")
            cursor.execute(sql.SQL("select record_no, account, raw from {} where raw <> ''").format(table))
            for number, account, raw in cursor.fetchall():
                if wanted.are_in(bytes(raw), None, {account, *wanted.accounts}):
                    cursor.execute(
                        sql.SQL("update {} set raw = '', sha256 = %s where record_no = %s").format(table),
                        (hash_of(wanted.keyring, account, bytes(raw)), number),
                    )


def clear_rejected(connection: Connection, wanted: Wanted, is_dry_run: bool = False) -> int:
    """Remove the bytes of rejected records that contain one of these people; return how many. Reason and place of the
    records stay."""
    found = []
    with connection, connection.cursor("rejected") as cursor:
        cursor.itersize = BLOCK
        cursor.execute(sql_of("ledger/erasures", "rejected"))
        for number, account, raw in cursor:
            if wanted.are_in(bytes(raw), None, {account, *wanted.accounts}):
                found.append((number, hash_of(wanted.keyring, account, bytes(raw))))
    if not is_dry_run:
        with connection, connection.cursor() as cursor:
            for number, sha256 in found:
                cursor.execute(sql_of("ledger/erasures", "clear_rejected"), {"rejected_id": number, "sha256": sha256})
    return len(found)


def event_count(connection: Connection, wanted: Wanted) -> int:
    """Return how many events have a text that contains one of these people, because an older release stored it."""
    with connection, connection.cursor("texts") as cursor:
        cursor.itersize = BLOCK
        cursor.execute(sql_of("ledger/erasures", "texts"))
        return sum(wanted.are_in(text.encode(), "", [account]) for account, text in cursor)
