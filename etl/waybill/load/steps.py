"""The steps of a load, one by one: stage, validate, publish. Each may be taken by a process of its own; what passes
from one to the next is the number of the load, and what stage counted lies in its ledger row."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.framing.raw_record import BROKEN_OFF, NO_LIST, NOT_CLOSED
from waybill.ledger import loads as ledger
from waybill.ledger import watermark
from waybill.ledger.books import Staged
from waybill.ledger.loads import LedgerRow
from waybill.ledger.objects import RecordedObject
from waybill.load.ceiling import held_back, is_above, is_unreadable, told_held_back
from waybill.load.publish import AlreadyPublishedError, KeyRange, keep_rejects, publish
from waybill.load.stage import (
    BrokenObjectError,
    drop_tables,
    recipient_table,
    rejected_table,
    stage,
    staging_table,
)
from waybill.model.errors import CeilingError, QualityGateError, UnavailableError, UsageError, WaybillError
from waybill.quality import gate
from waybill.quality.gate import Subject
from waybill.settings import Settings
from waybill.warehouse.connection import LOADER, connect
from waybill.warehouse.migrations import ensure_partitions

WHAT_TO_DO = (
    "See `waybill rejected list`. Is it a file of this feed? If the records are right to be rejected, run again with a "
    "higher REJECTED_CEILING (1: take everything); if not, take the file away."
)
INCOMPLETE = (NOT_CLOSED, BROKEN_OFF, NO_LIST)
"""Reasons that say a source is incomplete: what it held is loaded, and the run ends red all the same."""

Progress = Callable[[str], None]


class HeldBackError(CeilingError):
    """Objects were held back, because too much of them was rejected.

    :ivar complaints: which and why, in words
    :ivar done: what else was loaded
    """

    def __init__(self, complaints: Sequence[str], done: Sequence[object] = (), broken: Sequence[str] = ()) -> None:
        unread = f" Not everything could be read, either: {'; '.join(broken)}." if broken else ""
        super().__init__(
            f"Too much was rejected: {'; '.join(complaints)}. No fact of that was written, everything else is "
            f"loaded.{unread} {WHAT_TO_DO}"
        )
        self.complaints = tuple(complaints)
        self.done = list(done)


class Published(NamedTuple):
    """What a publish came to.

    :ivar row: of the ledger
    :ivar incomplete: in words, which of the sources were incomplete; what they held is loaded
    :ivar held_back: in words, which objects were held back, because too much of them was rejected
    :ivar empty: files without a record, by name; no error
    """

    row: LedgerRow
    incomplete: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


def stage_load(
    connection: Connection,
    settings: Settings,
    feed: Feed,
    account: str,
    objects: Sequence[RecordedObject],
    kind: str,
    progress: Progress,
    pull_id: int | None = None,
    kept_for: timedelta | None = None,
) -> int:
    """Begin a load and stage its objects; returns its number.

    :param kind: `load` or `replay`
    :param pull_id: the pull that landed the objects
    :param kept_for: how long its staging tables wait for the next step after this connection has ended; None: not at
        all
    :raises BrokenObjectError: an object cannot be read; the load is stopped
    """
    load_id = ledger.begin(connection, account, feed, kind, objects, pull_id)
    progress(f"load {load_id}: staging {len(objects)} objects of {feed.slug}, account {account}")
    try:
        with _named(load_id, "staging"):
            staged = stage(
                connection,
                load_id,
                objects,
                settings.landing_url,
                settings.keyring,
                settings.rejected_ceiling,
                settings.feed_options,
                lambda count: progress(f"load {load_id}: {count:,} records read"),
            )
    except BrokenObjectError as error:
        connection.rollback()
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "stopped", str(error))
        raise
    with connection, connection.cursor() as cursor:
        ledger.keep_staged(cursor, load_id, staged, None if kept_for is None else datetime.now(UTC) + kept_for)
    return load_id


def validate_load(
    connection: Connection, settings: Settings, url: str, load_id: int, progress: Progress
) -> LedgerRow | None:
    """Look at what a load has staged; nothing happens where that was done before. Objects of which too much was
    rejected are taken out, and the others go on; `publish_load` names them.

    :returns: None, or the ledger row of a load that is published already
    :raises HeldBackError: too much of all its objects was rejected; the load is stopped
    :raises QualityGateError: a critical rule failed; the load is stopped
    """
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
        if row.status == "published":
            return row
        if row.status == "validated":
            return None
        staged = _staged(cursor, row)
    _check_ceiling(connection, row, staged, settings.rejected_ceiling)
    if staged.sighting_count:
        progress(f"load {load_id}: validating {staged.sighting_count:,} staged events")
        with _named(load_id, "validating"):
            _pass_the_gate(connection, url, load_id, staged)
    with connection, connection.cursor() as cursor:
        ledger.mark_validated(cursor, load_id)
    return None


def publish_load(
    connection: Connection,
    settings: Settings,
    load_id: int,
    progress: Progress,
    replaced: KeyRange | None = None,
) -> Published:
    """Commit a load that was validated; nothing happens where that was done before. Where another
    load published the same objects meanwhile, the ledger row is that one's.

    :param replaced: for a replay, the range of events that it replaces
    :raises WaybillError: as `publish` does; the load is stopped
    """
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
        if row.status == "published":
            return Published(row)
        if row.status != "validated":
            raise UsageError(f"Load {load_id} is {row.status}: {row.stop_reason or 'validate it first'}.")
        staged = _staged(cursor, row)
    progress(f"load {load_id}: publishing")
    with connection, connection.cursor() as cursor:
        ensure_partitions(cursor, max(filter(None, (datetime.now(UTC), staged.latest))))
    try:
        with _named(load_id, "publishing"):
            publish(connection, load_id, staged, settings.keyring, replaced, progress)
    except AlreadyPublishedError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "superseded", str(error))
            drop_tables(cursor, load_id)
            watermark.commit_pull_of(cursor, load_id)
            return Published(ledger.row(cursor, error.load_id), held_back=_held_back(staged))
    except UnavailableError:
        raise  # the load stays validated: the same step may be taken again
    except WaybillError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "stopped", str(error))
            drop_tables(cursor, load_id)
        raise
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
    incomplete = tuple(
        f"{books.name}: {reason}"
        for books in staged.objects.values()
        for reason in books.reasons
        if reason.startswith(INCOMPLETE)
    )
    is_of_files = any(FEEDS[slug].kind == "files" for slug in staged.feeds)
    empty = tuple(books.name for books in staged.objects.values() if is_of_files and not books.record_count)
    return Published(row, incomplete, _held_back(staged), empty)


def _held_back(staged: Staged) -> tuple[str, ...]:
    return () if staged.complaint is None else (staged.complaint,)


@contextmanager
def _named(load_id: int, step: str) -> Iterator[None]:
    """Where the database fails, its error says which load was at which step."""
    try:
        yield
    except psycopg2.Error as error:
        error.add_note(f"load {load_id} was {step}")
        raise


def _staged(cursor: Cursor, row: LedgerRow) -> Staged:
    """What stage counted of a load that is to go on."""
    staged = ledger.staged(cursor, row.load_id)
    if staged is None:
        raise UsageError(
            f"Load {row.load_id} is {row.status}: {row.stop_reason or 'its staging did not end'}. Stage its objects "
            "again: a new load takes them up."
        )
    return staged


def _check_ceiling(connection: Connection, row: LedgerRow, staged: Staged, ceiling: float) -> None:
    """Take the objects of which too much was rejected out of a load; stop it where nothing else is left, and where a
    replay would take back what is there."""
    if row.kind == "replay":
        _check_replay(connection, row, staged, ceiling)
        return
    found = held_back(staged.objects, ceiling)
    if not found:
        return
    reason = told_held_back([staged.objects[number] for number in sorted(found)], ceiling)
    if found == staged.objects.keys():
        _stop(connection, row.load_id, staged, reason)
        raise HeldBackError([f"load {row.load_id}: {reason}"])
    _hold_back(connection, row, staged, found, reason)


def _check_replay(connection: Connection, row: LedgerRow, staged: Staged, ceiling: float) -> None:
    """A replay leaves out what never told an event and still tells too little. Where an object that did tell events
    is now rejected, it stops: they would be taken back."""
    with connection, connection.cursor() as cursor:
        known = ledger.objects_with_keys(cursor, staged.objects)
    lost = [books for number, books in staged.objects.items() if number in known and is_unreadable(books, ceiling)]
    kept = {number: books for number, books in staged.objects.items() if number in known}
    if lost or is_above(kept.values(), ceiling):
        above = held_back(kept, ceiling)
        reason = told_held_back([kept[number] for number in sorted(above)], ceiling)
        _stop(connection, row.load_id, staged, reason)
        raise HeldBackError([f"load {row.load_id}: {reason}"])
    found = held_back({n: books for n, books in staged.objects.items() if n not in known}, ceiling)
    if found:
        reason = told_held_back([staged.objects[number] for number in sorted(found)], ceiling)
        _hold_back(connection, row, staged, found, reason)


def _hold_back(connection: Connection, row: LedgerRow, staged: Staged, found: set[int], reason: str) -> None:
    """Take objects out of a staged load, and give them a stopped row of the ledger and their rejected records."""
    books = staged.of(found)
    tables = {"events": staging_table(row.load_id), "rejects": rejected_table(row.load_id)}
    tables["recipients"] = recipient_table(row.load_id)
    with connection, connection.cursor() as cursor:
        stopped = ledger.split_off(cursor, row.load_id, found, staged.objects.keys() - found)
        ledger.end(cursor, stopped, "stopped", reason, books.reasons, **_record_counts(books))
        keep_rejects(cursor, stopped, row.load_id, found)
        for statement in (
            "delete from {events} where object_no = any(%(found)s)",
            "delete from {rejects} where object_id = any(%(found)s)",
            "delete from {recipients} as r where not exists ("
            " select from {events} as e where e.recipient_key = r.recipient_key)",
        ):
            cursor.execute(sql.SQL(statement).format(**tables), {"found": list(found)})
        staged.recipient_count -= cursor.rowcount
        staged.hold_back(found, f"load {stopped}: {reason}")
        ledger.keep_counts(cursor, row.load_id, staged)


def _record_counts(staged: Staged) -> dict[str, int]:
    return {name: getattr(staged, name) for name in ("read_count", "rejected_count", "ignored_count")}


def _pass_the_gate(connection: Connection, url: str, load_id: int, staged: Staged) -> None:
    subject = f"load {load_id}"
    table = Subject("event_staging", f"staging.load_{load_id}", staged.sighting_count)
    outcomes = gate.validate(lambda: connect(url, LOADER, "waybill:validate"), [table])
    with connection, connection.cursor() as cursor:
        gate.record(cursor, outcomes, subject)
    try:
        gate.gate(outcomes, subject)
    except QualityGateError as error:
        _stop(connection, load_id, staged, str(error))
        raise


def _stop(connection: Connection, load_id: int, staged: Staged, reason: str) -> None:
    """Commit how far a load came: its ledger row and its rejected records, and no fact."""
    with connection, connection.cursor() as cursor:
        keep_rejects(cursor, load_id)
        ledger.end(
            cursor,
            load_id,
            "stopped",
            reason,
            staged.reasons,
            **_record_counts(staged),
        )
        drop_tables(cursor, load_id)
