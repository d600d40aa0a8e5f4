"""The ledger: ops.load has one row for each load, from its start to its end."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill import __version__
from waybill.feeds.base import Feed
from waybill.feeds.typed_feed import AHEAD_OF_CLOCK
from waybill.ledger.counts import Staged
from waybill.ledger.objects import RecordedObject
from waybill.model.errors import ConfigurationError, UsageError
from waybill.model.identity import Keyring
from waybill.warehouse import locks
from waybill.warehouse.queries import only_value, sql_of

UNFINISHED = ("staging", "staged", "validated")
DIED = "its process died"
"""The stop_reason of a load that no step stopped."""


class LedgerRow(msgspec.Struct, kw_only=True):
    """One row of ops.load, as commands print it. First the counts of records, then those of events; a count is None if
    the load did not get that far."""

    load_id: int
    account: str
    feed: str
    kind: str
    digest: str
    rules_version: int
    code_version: str
    status: str
    stop_reason: str | None
    started_at: datetime
    ended_at: datetime | None
    read_count: int | None
    loaded_count: int | None
    duplicate_count: int | None
    rejected_count: int | None
    ignored_count: int | None
    mapped_count: int | None
    inserted_count: int | None
    revised_count: int | None
    unchanged_count: int | None
    removed_count: int | None
    unknown_count: int | None
    rejected_reasons: dict[str, int] | None


COLUMNS = sql.SQL(", ").join(map(sql.Identifier, LedgerRow.__struct_fields__))


def check_key(cursor: Cursor, keyring: Keyring) -> None:
    """Raise ConfigurationError if the secret is not the one that made the keys of this warehouse."""
    cursor.execute(
        "insert into ops.setting (name, value) values ('key_fingerprint', %s) on conflict do nothing",
        (keyring.fingerprint,),
    )
    cursor.execute("select value from ops.setting where name = 'key_fingerprint'")
    stored = only_value(cursor, str)
    if stored != keyring.fingerprint:
        raise ConfigurationError(
            f"RECIPIENT_HMAC_KEY is not the key of this warehouse (fingerprint {keyring.fingerprint}, "
            f"expected {stored}). With another key every event would be loaded a second time. Set the old one."
        )


def check_rules(cursor: Cursor, feeds: Sequence[Feed]) -> None:
    """Raise ConfigurationError if newer rules derived the events of a feed; store the version if this code's is newer.

    Nothing is written if the version is unchanged: a written row would block all other loads of the feed until this
    one commits.
    """
    for feed in feeds:
        version = _rules_version(cursor, feed)
        if version < feed.rules_version:
            cursor.execute(
                "insert into ops.rules as r (feed, version) values (%s, %s)"
                " on conflict (feed) do update set version = excluded.version where r.version < excluded.version",
                (feed.slug, feed.rules_version),
            )
            version = _rules_version(cursor, feed)
        if version > feed.rules_version:
            raise ConfigurationError(
                f"This release derives {feed.slug} by rules {feed.rules_version}, and the warehouse was loaded by "
                f"rules {version}: older rules never overwrite newer ones. Deploy the newer release here too."
            )


def note_feeds(cursor: Cursor, feeds: Iterable[Feed]) -> None:
    """Store the attributes of these feeds; unchanged rows are not written."""
    for feed in feeds:
        cursor.execute(
            sql_of("ledger/loads", "note_feed"),
            {
                "feed": feed.slug,
                "kind": feed.kind,
                "provider": feed.provider,
                "channel": feed.channel,
                "lateness": feed.lateness,
            },
        )


def _rules_version(cursor: Cursor, feed: Feed) -> int:
    """Return the newest rules version that derived events of a feed; 0 before the first load."""
    cursor.execute("select coalesce(max(version), 0) from ops.rules where feed = %s", (feed.slug,))
    return only_value(cursor, int)


def digest_of(objects: Sequence[RecordedObject]) -> str:
    """Return one digest for the bytes of several objects, in any order."""
    return _digest(o.landed.sha256 for o in objects)


def _digest(digests: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for sha256 in sorted(digests):
        digest.update(bytes.fromhex(sha256))
    return digest.hexdigest()


def begin(
    connection: Connection, account: str, feed: Feed, kind: str, objects: Sequence[RecordedObject], pull_id: int | None
) -> int:
    """Insert the ledger row of a new load, and hold its lock until this connection closes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, pull_id)"
            " values (%s, %s, %s, %s, %s, %s, 'staging', %s) returning load_id",
            (account, feed.slug, kind, digest_of(objects), feed.rules_version, __version__, pull_id),
        )
        load_id = only_value(cursor, int)
        locks.hold(cursor, locks.load_lock(load_id))
    connection.commit()
    return load_id


def keep_staged(cursor: Cursor, load_id: int, staged: Staged, kept_until: datetime | None) -> None:
    """Mark a load as staged and store its counts.

    :param kept_until: aware time until which it waits for the next step; None for the life of its process
    """
    cursor.execute(
        "update ops.load set status = 'staged', staged = %s, kept_until = %s where load_id = %s",
        (msgspec.json.encode(staged).decode(), kept_until, load_id),
    )


def keep_counts(cursor: Cursor, load_id: int, staged: Staged) -> None:
    """Store the counts of a staged load again."""
    cursor.execute(
        "update ops.load set staged = %s where load_id = %s", (msgspec.json.encode(staged).decode(), load_id)
    )


def split_off(cursor: Cursor, load_id: int, taken: Collection[int], left: Collection[int]) -> int:
    """Move the objects `taken` (object_ids) out of a load into a new one; return its load_id. `left` are the others."""
    digests = []
    for object_ids in (taken, left):
        cursor.execute("select sha256 from ops.object where object_id = any(%s)", (list(object_ids),))
        digests.append(_digest(sha256 for (sha256,) in cursor.fetchall()))
    cursor.execute(sql_of("ledger/loads", "split_off"), {"load_id": load_id, "digest": digests[0]})
    number = only_value(cursor, int)
    cursor.execute("update ops.load set digest = %s where load_id = %s", (digests[1], load_id))
    return number


def objects_with_keys(cursor: Cursor, object_ids: Iterable[int]) -> set[int]:
    """Return those of these objects that gave an event in a published load."""
    cursor.execute(sql_of("ledger/loads", "objects_with_keys"), {"object_ids": list(object_ids)})
    return {object_id for (object_id,) in cursor.fetchall()}


def staged(cursor: Cursor, load_id: int) -> Staged | None:
    """Return what stage counted for a load that is staged or validated; None for any other load."""
    cursor.execute(
        "select staged::text from ops.load where load_id = %s and status in ('staged', 'validated')", (load_id,)
    )
    found = cursor.fetchone()
    return None if found is None else msgspec.json.decode(found[0], type=Staged)


def mark_validated(cursor: Cursor, load_id: int) -> None:
    """Mark that a staged load passed its suite."""
    cursor.execute("update ops.load set status = 'validated' where load_id = %s and status = 'staged'", (load_id,))


def end(
    cursor: Cursor,
    load_id: int,
    status: str,
    stop_reason: str | None = None,
    rejected_reasons: Mapping[str, int] | None = None,
    **counts: int,
) -> None:
    """Write how a load ended.

    :param rejected_reasons: count of rejected records by reason
    :param counts: by column of ops.load
    """
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(n)) for name, n in counts.items()]
    if rejected_reasons is not None:
        reasons = msgspec.json.encode(rejected_reasons).decode()
        assignments.append(sql.SQL("rejected_reasons = {}").format(sql.Literal(reasons)))
    cursor.execute(
        sql.SQL("update ops.load set {} where load_id = %s").format(
            sql.SQL(", ").join(
                [*assignments, sql.SQL("status = %s, stop_reason = %s, ended_at = clock_timestamp(), staged = null")]
            )
        ),
        (status, stop_reason, load_id),
    )


def row(cursor: Cursor, load_id: int) -> LedgerRow:
    """Return the ledger row of a load. Raises UsageError if there is no such load."""
    cursor.execute(sql.SQL("select {} from ops.load where load_id = %s").format(COLUMNS), (load_id,))
    found = cursor.fetchone()
    if found is None:
        raise UsageError(f"There is no load {load_id}.")
    return LedgerRow(**dict(zip(LedgerRow.__struct_fields__, found, strict=True)))


def published_with(cursor: Cursor, object_ids: Iterable[int], rules_version: int) -> dict[int, int]:
    """Return which of these objects are already published under these rules: object_id to the last such load_id.

    A replay reads objects of every feed of its provider but has the rules version of one feed, so it counts for that
    feed alone. An object with a record that was ahead of the clock, and no longer is, must be loaded again.
    """
    cursor.execute(
        sql_of("ledger/loads", "published_with"),
        {"rules_version": rules_version, "objects": list(object_ids), "ahead": AHEAD_OF_CLOCK},
    )
    return dict(cursor.fetchall())
