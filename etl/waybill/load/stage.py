"""Stage: turns landed bytes into canonical events in staging tables of this load.

Either a whole record is mapped, or the whole record is rejected. The tables are not temporary, because Great
Expectations reads them through its own connection. They are unlogged; row counts show if a crash emptied them.
"""

import hashlib
import logging
from collections.abc import Sequence
from contextlib import closing
from operator import attrgetter

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.landing.objects import LandedObject, name_of
from waybill.landing.rewritten import ErasedRecord, Record, events_of, notice_of, records_of
from waybill.ledger import erasures
from waybill.ledger.counts import ObjectCounts, Staged
from waybill.ledger.loads import DIED, UNFINISHED
from waybill.ledger.objects import RecordedObject
from waybill.load.ceiling import is_hopeless
from waybill.load.copying import CopyInto
from waybill.model.counted import counted
from waybill.model.errors import RejectRecord, SourceError
from waybill.model.event import STORED_COLUMNS, Event
from waybill.model.mentions import Wanted
from waybill.settings import Settings
from waybill.warehouse import locks
from waybill.warehouse.clock import server_time
from waybill.warehouse.queries import only_value, sql_of

SCHEMA = "staging"
RECIPIENTS_REMEMBERED = 200_000
PROGRESS_EVERY = 20_000
LOOKED_UP_AT_ONCE = 2_000

log = logging.getLogger("waybill.load")


def staging_table(load_id: int) -> sql.Identifier:
    """Return the table of a load's staged events: the columns of fact.event, and the number of object and record."""
    return sql.Identifier(SCHEMA, f"load_{load_id}")


def rejected_table(load_id: int) -> sql.Identifier:
    """Return the table of a load's rejected records."""
    return sql.Identifier(SCHEMA, f"load_{load_id}_rejected")


def recipient_table(load_id: int) -> sql.Identifier:
    """Return the table of a load's clear addresses, which only private.recipient may receive."""
    return sql.Identifier(SCHEMA, f"load_{load_id}_recipient")


class BrokenObjectError(SourceError):
    """One object cannot be read to its end; the load can continue without it."""

    def __init__(self, broken: RecordedObject, error: SourceError) -> None:
        super().__init__(f"{name_of(broken.landed)}: {error}")
        self.broken = broken


def stage(
    connection: Connection,
    load_id: int,
    objects: Sequence[RecordedObject],
    settings: Settings,
    kind: str = "load",
) -> Staged:
    """Decode, normalise and copy every record of the objects, and commit. Reading of an object stops early if nearly
    all its records are rejected.

    :param kind: as in the ledger
    :raises BrokenObjectError: an object is missing, or its bytes are incomplete (a truncated gzip)
    """
    staged = Staged()
    read_count = 0
    with connection.cursor() as cursor:
        _create_tables(cursor, load_id)
        now = server_time(cursor)
        rejected_before = _RejectedBefore(cursor, objects, staged.resolved, also_resolved=kind == "unload")
        writers = _Writers(cursor, load_id, erasures.everybody(cursor, settings.keyring))
        for recorded in objects:
            feed = FEEDS[recorded.landed.feed].with_options(settings.feed_options)
            counts = staged.objects[recorded.object_id] = ObjectCounts(name_of(recorded.landed))
            staged.feeds.add(feed.slug)
            read_at = max(recorded.landed.landed_at, now)
            try:
                with closing(records_of(settings.landing_url, recorded.landed, feed)) as found:
                    for raw in found:
                        read_count += 1
                        counts.record_count += 1
                        try:
                            events = events_of(raw, feed, recorded.landed.account, read_at, settings.keyring)
                        except RejectRecord as rejection:
                            counts.reject(rejection.reason, len(raw.raw))
                            writers.reject(raw, rejection, recorded, read_count)
                            if is_hopeless(counts, settings.rejected_ceiling):
                                counts.is_cut_short = True
                                break
                        else:
                            if not events:
                                counts.ignore(notice_of(raw, feed))
                            for event in events:
                                counts.add(event.event_key)
                                writers.event(event, recorded.object_id, read_count)
                            rejected_before.add(recorded.landed, raw)
                        if read_count % PROGRESS_EVERY == 0:
                            _log_progress(load_id, read_count)
            except SourceError as error:
                raise BrokenObjectError(recorded, error) from error
        writers.flush()
        rejected_before.look_up()
        staged.recipient_count = writers.recipients.row_count
        cursor.execute(sql.SQL("analyze {} (event_key, record_no)").format(staging_table(load_id)))
    connection.commit()
    _log_progress(load_id, read_count)
    return staged


def _log_progress(load_id: int, read_count: int) -> None:
    fields = {"load_id": load_id, "step": "stage", "record_count": read_count}
    log.info("load %d: %s read", load_id, counted(read_count, "record", "records"), extra=fields)


class _RejectedBefore:
    """Finds mapped records that an earlier load rejected. It looks them up by key, in blocks, and only if the account
    and feed have unresolved rejected records. So memory and time grow with the load, not with the rejected records.

    :param also_resolved: also find resolved records, because the load that resolved them may be taken back
    """

    def __init__(
        self,
        cursor: Cursor,
        objects: Sequence[RecordedObject],
        found: set[tuple[str, str, str]],
        also_resolved: bool = False,
    ) -> None:
        self._also_resolved = also_resolved
        self._cursor = cursor
        self._found = found
        self._mapped: dict[tuple[str, str], set[str]] = {}
        for owner in sorted({(o.landed.account, o.landed.feed) for o in objects}):
            cursor.execute(
                "select exists (select from private.rejected_record"
                " where account = %s and feed = %s and (%s or resolved_load_id is null))",
                (*owner, also_resolved),
            )
            if only_value(cursor, bool):
                self._mapped[owner] = set()

    def add(self, landed: LandedObject, raw: Record) -> None:
        """Add a mapped record."""
        if isinstance(raw, ErasedRecord):
            return
        digests = self._mapped.get((landed.account, landed.feed))
        if digests is not None:
            digests.add(hashlib.sha256(raw.raw).hexdigest())
            if len(digests) >= LOOKED_UP_AT_ONCE:
                self.look_up()

    def look_up(self) -> None:
        """Look up the mapped records that were added since the last call."""
        for owner, digests in self._mapped.items():
            if digests:
                self._cursor.execute(
                    "select sha256 from private.rejected_record"
                    " where account = %s and feed = %s and sha256 = any(%s) and (%s or resolved_load_id is null)",
                    (*owner, list(digests), self._also_resolved),
                )
                self._found.update((*owner, sha256) for (sha256,) in self._cursor.fetchall())
                digests.clear()


class _Writers:
    """Writers for the three staging tables of a load."""

    def __init__(self, cursor: Cursor, load_id: int, erased: Wanted) -> None:
        self._erased = erased
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
        if event.recipient is None or event.recipient_key is None or event.recipient_key in self._erased.keys:
            return
        if event.recipient_key not in self._seen:
            if len(self._seen) >= RECIPIENTS_REMEMBERED:
                self._seen.clear()  # a repeated row is harmless, and memory stays flat
            self._seen.add(event.recipient_key)
            self.recipients.add((event.recipient_key, event.account, event.recipient))

    def reject(self, record: Record, rejection: RejectRecord, recorded: RecordedObject, record_no: int) -> None:
        account, kept = recorded.landed.account, record.raw
        if isinstance(record, ErasedRecord):
            sha256 = record.sha256
        elif self._erased.are_in(record.raw, record.value, {account, *self._erased.accounts}):
            sha256, kept = erasures.hash_of(self._erased.keyring, account, record.raw), b""
        else:
            sha256 = hashlib.sha256(record.raw).hexdigest()
        self.rejects.add(
            (
                account,
                recorded.landed.feed,
                sha256,
                rejection.reason,
                kept,
                recorded.object_id,
                record.position,
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
    # as in schema private: statistics would contain personal data
    for table, column in ((rejected_table(load_id), "raw"), (recipient_table(load_id), "address")):
        cursor.execute(sql.SQL("alter table {} alter column {} set statistics 0").format(table, sql.Identifier(column)))


def drop_tables(cursor: Cursor, load_id: int) -> None:
    """Drop the staging tables of a load."""
    for table in (staging_table(load_id), rejected_table(load_id), recipient_table(load_id)):
        cursor.execute(sql.SQL("drop table if exists {}").format(table))


def drop_orphans(connection: Connection) -> int:
    """Drop the staging tables of loads that died: no session holds their lock, and they do not wait for their next
    step. Returns the number of loads."""
    dropped = 0
    with connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/loads", "unfinished"), {"schema": SCHEMA, "statuses": list(UNFINISHED)})
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
    """Return whether a load waits for its next step. Call it with the load's lock held, because staging may have ended
    and released the lock after the load was found unfinished."""
    cursor.execute(
        "select from ops.load where load_id = %s and status = any(%s) and kept_until > clock_timestamp()",
        (load_id, list(UNFINISHED)),
    )
    return cursor.rowcount > 0
