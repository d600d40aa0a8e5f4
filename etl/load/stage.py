"""Stage: landed bytes → canonical events in tables of this load alone.

A record is mapped whole or rejected whole. The tables are real and unlogged: Great Expectations reads them through
its own connection, and what a crash empties is noticed by their row counts.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from etl.feeds import FEEDS
from etl.feeds.base import Feed
from etl.framing.raw_record import RawRecord
from etl.load.copying import CopyInto
from etl.load.landing import RecordedObject, open_object
from etl.model.errors import RejectRecord, SourceError
from etl.model.event import STORED_COLUMNS, Event
from etl.model.identity import Keyring
from etl.model.redaction import Redactor

SCHEMA = "staging"
UNFINISHED = ("staging", "staged", "validated")
RECIPIENTS_REMEMBERED = 200_000
PROGRESS_EVERY = 20_000
DIED = "its process died"
"""Why a load was stopped that nobody stopped."""

Progress = Callable[[int], None]


def staging_table(load_id: int) -> sql.Identifier:
    """The staged events of a load: the columns of fact.event, and which record of which object told them."""
    return sql.Identifier(SCHEMA, f"load_{load_id}")


def rejected_table(load_id: int) -> sql.Identifier:
    """The rejected records of a load."""
    return sql.Identifier(SCHEMA, f"load_{load_id}_rejected")


def recipient_table(load_id: int) -> sql.Identifier:
    """The clear addresses that a load met; for private.recipient alone."""
    return sql.Identifier(SCHEMA, f"load_{load_id}_recipient")


class BrokenObjectError(SourceError):
    """One object could not be read to its end; the others of its load can."""

    def __init__(self, broken: RecordedObject, error: SourceError) -> None:
        name = broken.landed.source
        from_file = f" (from {Redactor(None, None, None, None, None).text(name)})" if name else ""
        super().__init__(f"{broken.landed.path}{from_file}: {error}")
        self.broken = broken


@dataclass
class ObjectRange:
    """What one object held: its records, and the least and greatest event key."""

    record_count: int = 0
    first_key: UUID | None = None
    last_key: UUID | None = None

    def add(self, key: UUID) -> None:
        if self.first_key is None or key < self.first_key:
            self.first_key = key
        if self.last_key is None or key > self.last_key:
            self.last_key = key


@dataclass
class Staged:
    """What stage counted; publish counts again in the tables and compares.

    `resolved` are records that were rejected once and could be mapped now: account, feed, SHA-256.
    """

    read_count: int = 0
    ignored_count: int = 0
    rejected_count: int = 0
    sighting_count: int = 0
    recipient_count: int = 0
    objects: dict[int, ObjectRange] = field(default_factory=dict)
    feeds: set[str] = field(default_factory=set)
    resolved: set[tuple[str, str, str]] = field(default_factory=set)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def first_key(self) -> UUID | None:
        return min((o.first_key for o in self.objects.values() if o.first_key), default=None)

    @property
    def last_key(self) -> UUID | None:
        return max((o.last_key for o in self.objects.values() if o.last_key), default=None)


def stage(
    connection: Connection,
    load_id: int,
    objects: Sequence[RecordedObject],
    landing_url: str,
    keyring: Keyring,
    progress: Progress = lambda read_count: None,
) -> Staged:
    """Decode, normalise and copy every record of the objects; commits.

    :raises BrokenObjectError: an object is gone, or its bytes end in the middle (a truncated gzip)
    """
    staged = Staged()
    with connection.cursor() as cursor:
        _create_tables(cursor, load_id)
        unresolved = _unresolved(cursor, objects)
        writers = _Writers(cursor, load_id)
        for recorded in objects:
            feed = FEEDS[recorded.landed.feed]
            found = staged.objects[recorded.object_id] = ObjectRange()
            staged.feeds.add(feed.slug)
            try:
                with open_object(landing_url, recorded.landed) as stream:
                    for raw in feed.records(stream):
                        _stage_record(raw, feed, recorded, keyring, staged, found, writers, unresolved)
                        if staged.read_count % PROGRESS_EVERY == 0:
                            progress(staged.read_count)
            except SourceError as error:
                raise BrokenObjectError(recorded, error) from error
        writers.flush()
        staged.recipient_count = writers.recipients.row_count
        cursor.execute(sql.SQL("analyze {} (event_key, record_no)").format(staging_table(load_id)))
    connection.commit()
    progress(staged.read_count)
    return staged


def _stage_record(
    raw: RawRecord,
    feed: Feed,
    recorded: RecordedObject,
    keyring: Keyring,
    staged: Staged,
    found: ObjectRange,
    writers: "_Writers",
    unresolved: set[tuple[str, str, str]],
) -> None:
    staged.read_count += 1
    found.record_count += 1
    try:
        events = feed.normalise(raw, recorded.landed.account, recorded.landed.landed_at, keyring)
    except RejectRecord as rejection:
        staged.rejected_count += 1
        staged.reasons[rejection.reason] = staged.reasons.get(rejection.reason, 0) + 1
        writers.reject(raw, rejection.reason, recorded, staged.read_count)
        return
    if not events:
        staged.ignored_count += 1
    for event in events:
        found.add(event.event_key)
        writers.event(event, recorded.object_id, staged.read_count)
        staged.sighting_count += 1
    if unresolved:
        record = (recorded.landed.account, recorded.landed.feed, hashlib.sha256(raw.raw).hexdigest())
        if record in unresolved:
            staged.resolved.add(record)


class _Writers:
    """The three tables of a load, filled side by side."""

    def __init__(self, cursor: Cursor, load_id: int) -> None:
        self.events = CopyInto(cursor, SCHEMA, f"load_{load_id}", (*STORED_COLUMNS, "object_no", "record_no"))
        self.rejects = CopyInto(
            cursor,
            SCHEMA,
            f"load_{load_id}_rejected",
            ("account", "feed", "sha256", "reason", "raw", "object_id", "position", "record_no"),
        )
        self.recipients = CopyInto(cursor, SCHEMA, f"load_{load_id}_recipient", ("recipient_key", "account", "address"))
        self._values = attrgetter(*STORED_COLUMNS)
        self._seen: set[bytes] = set()

    def event(self, event: Event, object_id: int, record_no: int) -> None:
        self.events.add((*self._values(event), object_id, record_no))
        if event.recipient_key is not None and event.recipient_key not in self._seen:
            if len(self._seen) >= RECIPIENTS_REMEMBERED:
                self._seen.clear()  # told twice is harmless; memory stays flat
            self._seen.add(event.recipient_key)
            self.recipients.add((event.recipient_key, event.account, event.recipient))

    def reject(self, raw: RawRecord, reason: str, recorded: RecordedObject, record_no: int) -> None:
        self.rejects.add(
            (
                recorded.landed.account,
                recorded.landed.feed,
                hashlib.sha256(raw.raw).hexdigest(),
                reason,
                raw.raw,
                recorded.object_id,
                raw.position,
                record_no,
            )
        )

    def flush(self) -> None:
        for writer in (self.events, self.rejects, self.recipients):
            writer.flush()


def _create_tables(cursor: Cursor, load_id: int) -> None:
    cursor.execute(
        sql.SQL(
            "create unlogged table {} (like fact.event, object_no bigint not null, record_no bigint not null)"
        ).format(staging_table(load_id))
    )
    cursor.execute(
        sql.SQL(
            "create unlogged table {} (account text, feed text, sha256 text, reason text, raw bytea, object_id bigint,"
            " position bigint, record_no bigint)"
        ).format(rejected_table(load_id))
    )
    cursor.execute(
        sql.SQL("create unlogged table {} (recipient_key bytea, account text, address text)").format(
            recipient_table(load_id)
        )
    )
    # as in schema private: no statistics of what belongs to people
    for table, column in ((rejected_table(load_id), "raw"), (recipient_table(load_id), "address")):
        cursor.execute(sql.SQL("alter table {} alter column {} set statistics 0").format(table, sql.Identifier(column)))


def drop_tables(cursor: Cursor, load_id: int) -> None:
    """Drop the staging tables of a load."""
    for table in (staging_table(load_id), rejected_table(load_id), recipient_table(load_id)):
        cursor.execute(sql.SQL("drop table if exists {}").format(table))


def drop_orphans(connection: Connection) -> int:
    """Drop the staging tables of loads that died: those whose lock nobody holds, and which wait for no next step.
    Returns how many loads."""
    dropped = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "select substring(tablename from '^load_(\\d+)')::bigint from pg_tables"
            " where schemaname = %s and tablename ~ '^load_\\d+(_|$)'"
            " union select load_id from ops.load where status = any(%s)"
            " except select load_id from ops.load where status = any(%s) and kept_until > clock_timestamp()",
            (SCHEMA, list(UNFINISHED), list(UNFINISHED)),
        )
        for (load_id,) in cursor.fetchall():
            cursor.execute("select pg_try_advisory_xact_lock(hashtext('waybill-load'), %s)", (load_id,))
            if cursor.fetchone()[0] and not _is_kept(cursor, load_id):
                drop_tables(cursor, load_id)
                cursor.execute(
                    "update ops.load set status = 'stopped', stop_reason = %s, staged = null,"
                    " ended_at = clock_timestamp() where load_id = %s and status = any(%s)",
                    (DIED, load_id, list(UNFINISHED)),
                )
                dropped += 1
            connection.commit()
    return dropped


def _is_kept(cursor: Cursor, load_id: int) -> bool:
    """Whether a load waits for its next step. To be asked once its lock is held: it may have ended its staging, and
    let go of the lock, since it was found unfinished."""
    cursor.execute(
        "select from ops.load where load_id = %s and status = any(%s) and kept_until > clock_timestamp()",
        (load_id, list(UNFINISHED)),
    )
    return cursor.rowcount > 0


def _unresolved(cursor: Cursor, objects: Sequence[RecordedObject]) -> set[tuple[str, str, str]]:
    cursor.execute(
        "select account, feed, sha256 from private.rejected_record"
        " where resolved_load_id is null and account = any(%s) and feed = any(%s)",
        ([o.landed.account for o in objects], [o.landed.feed for o in objects]),
    )
    return set(cursor.fetchall())
