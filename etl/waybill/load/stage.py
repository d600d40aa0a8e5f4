"""Stage: landed bytes → canonical events in tables of this load alone.

A record is mapped whole or rejected whole. The tables are real and unlogged: Great Expectations reads them through
its own connection, and what a crash empties is noticed by their row counts.
"""

import hashlib
import logging
from collections.abc import Sequence
from operator import attrgetter

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.framing.raw_record import RawRecord
from waybill.landing.objects import LandedObject, name_of, open_object
from waybill.ledger.counts import ObjectCounts, Staged
from waybill.ledger.loads import DIED, UNFINISHED
from waybill.ledger.objects import RecordedObject
from waybill.load.ceiling import is_hopeless
from waybill.load.copying import CopyInto
from waybill.model.errors import RejectRecord, SourceError
from waybill.model.event import STORED_COLUMNS, Event
from waybill.settings import Settings
from waybill.warehouse import locks
from waybill.warehouse.clock import server_time

SCHEMA = "staging"
RECIPIENTS_REMEMBERED = 200_000
PROGRESS_EVERY = 20_000
ASKED_AT_ONCE = 2_000

log = logging.getLogger("waybill.load")


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
        super().__init__(f"{name_of(broken.landed)}: {error}")
        self.broken = broken


def stage(
    connection: Connection,
    load_id: int,
    objects: Sequence[RecordedObject],
    settings: Settings,
) -> Staged:
    """Decode, normalise and copy every record of the objects; commits. An object that is nothing but rejected records
    is read no further.

    :raises BrokenObjectError: an object is gone, or its bytes end in the middle (a truncated gzip)
    """
    staged = Staged()
    read_count = 0
    with connection.cursor() as cursor:
        _create_tables(cursor, load_id)
        now = server_time(cursor)
        rejected_once = _RejectedOnce(cursor, objects, staged.resolved)
        writers = _Writers(cursor, load_id)
        for recorded in objects:
            feed = FEEDS[recorded.landed.feed].with_options(settings.feed_options)
            counts = staged.objects[recorded.object_id] = ObjectCounts(name_of(recorded.landed))
            staged.feeds.add(feed.slug)
            read_at = max(recorded.landed.landed_at, now)
            try:
                with open_object(settings.landing_url, recorded.landed) as stream:
                    for raw in feed.records(stream):
                        read_count += 1
                        counts.record_count += 1
                        try:
                            events = feed.normalise(raw, recorded.landed.account, read_at, settings.keyring)
                        except RejectRecord as rejection:
                            counts.reject(rejection.reason, len(raw.raw))
                            writers.reject(raw, rejection, recorded, read_count)
                            if is_hopeless(counts, settings.rejected_ceiling):
                                counts.is_cut_short = True
                                break
                        else:
                            if not events:
                                counts.ignore(feed.account_notice(feed.decode(raw)))
                            for event in events:
                                counts.add(event.event_key)
                                writers.event(event, recorded.object_id, read_count)
                            rejected_once.look_for(recorded.landed, raw)
                        if read_count % PROGRESS_EVERY == 0:
                            _log_progress(load_id, read_count)
            except SourceError as error:
                raise BrokenObjectError(recorded, error) from error
        writers.flush()
        rejected_once.ask()
        staged.recipient_count = writers.recipients.row_count
        cursor.execute(sql.SQL("analyze {} (event_key, record_no)").format(staging_table(load_id)))
    connection.commit()
    _log_progress(load_id, read_count)
    return staged


def _log_progress(load_id: int, read_count: int) -> None:
    fields = {"load_id": load_id, "step": "stage", "record_count": read_count}
    log.info("load %d: %s records read", load_id, f"{read_count:,}", extra=fields)


class _RejectedOnce:
    """Finds the mapped records that were rejected once and wait. It asks by key, a block at a time, and only where
    something waits: memory and time follow the load, not what waits."""

    def __init__(self, cursor: Cursor, objects: Sequence[RecordedObject], found: set[tuple[str, str, str]]) -> None:
        self._cursor = cursor
        self._found = found
        self._asked: dict[tuple[str, str], set[str]] = {}
        for owner in sorted({(o.landed.account, o.landed.feed) for o in objects}):
            cursor.execute(
                "select exists (select from private.rejected_record"
                " where account = %s and feed = %s and resolved_load_id is null)",
                owner,
            )
            if cursor.fetchone()[0]:
                self._asked[owner] = set()

    def look_for(self, landed: LandedObject, raw: RawRecord) -> None:
        """Note a mapped record."""
        digests = self._asked.get((landed.account, landed.feed))
        if digests is not None:
            digests.add(hashlib.sha256(raw.raw).hexdigest())
            if len(digests) >= ASKED_AT_ONCE:
                self.ask()

    def ask(self) -> None:
        """Look for what was noted."""
        for owner, digests in self._asked.items():
            if digests:
                self._cursor.execute(
                    "select sha256 from private.rejected_record"
                    " where account = %s and feed = %s and sha256 = any(%s) and resolved_load_id is null",
                    (*owner, list(digests)),
                )
                self._found.update((*owner, sha256) for (sha256,) in self._cursor.fetchall())
                digests.clear()


class _Writers:
    """The three tables of a load, filled side by side."""

    def __init__(self, cursor: Cursor, load_id: int) -> None:
        self.events = CopyInto(cursor, SCHEMA, f"load_{load_id}", (*STORED_COLUMNS, "object_no", "record_no"))
        self.rejects = CopyInto(
            cursor,
            SCHEMA,
            f"load_{load_id}_rejected",
            ("account", "feed", "sha256", "reason", "raw", "object_id", "position", "record_no", "acceptable_at"),
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

    def reject(self, raw: RawRecord, rejection: RejectRecord, recorded: RecordedObject, record_no: int) -> None:
        self.rejects.add(
            (
                recorded.landed.account,
                recorded.landed.feed,
                hashlib.sha256(raw.raw).hexdigest(),
                rejection.reason,
                raw.raw,
                recorded.object_id,
                raw.position,
                record_no,
                rejection.acceptable_at,
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
            " position bigint, record_no bigint, acceptable_at timestamptz)"
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
            if locks.take_if_free(cursor, locks.load_lock(load_id)) and not _is_kept(cursor, load_id):
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
