"""The steps of a load: stage, validate, publish. Each can run in a separate process. They pass on only the number of
the load; the counts of stage are in its ledger row."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.flow.results import HeldBackError, Published
from waybill.framing.raw_record import BROKEN_OFF, NO_LIST, NOT_CLOSED
from waybill.ledger import loads as ledger
from waybill.ledger import watermark
from waybill.ledger.counts import ObjectCounts, Staged
from waybill.ledger.loads import LedgerRow
from waybill.ledger.objects import RecordedObject
from waybill.load.ceiling import held_back, is_above, is_unreadable, reasons_held_back
from waybill.load.publish import AlreadyPublishedError, KeyRange, keep_rejects, publish
from waybill.load.stage import (
    BrokenObjectError,
    drop_orphans,
    drop_tables,
    recipient_table,
    rejected_table,
    stage,
    staging_table,
)
from waybill.model.counted import counted
from waybill.model.errors import QualityGateError, UnavailableError, UsageError, WaybillError
from waybill.quality import gate
from waybill.quality.gate import Subject
from waybill.settings import Settings
from waybill.warehouse.clock import check_clock
from waybill.warehouse.connection import Warehouse
from waybill.warehouse.migrations import ensure_partitions

INCOMPLETE = (NOT_CLOSED, BROKEN_OFF, NO_LIST)
"""Reasons of rejection that mean that a source is incomplete: its records are loaded, but the run ends with an error.
"""

log = logging.getLogger("waybill.flow")


def prepare(connection: Connection, settings: Settings, feeds: Sequence[Feed]) -> None:
    """Check clock, key and rules, register the feeds, and drop the staging tables of dead loads. Call it before
    landing or staging.

    :raises ConfigurationError: clock or key differ from the warehouse's, or the warehouse has newer rules
    """
    with connection, connection.cursor() as cursor:
        check_clock(cursor)
        ledger.check_key(cursor, settings.keyring)
        ledger.check_rules(cursor, feeds)
        ledger.note_feeds(cursor, feeds)
    drop_orphans(connection)


def stage_load(
    connection: Connection,
    warehouse: Warehouse,
    feed: Feed,
    objects: Sequence[RecordedObject],
    kind: str,
    pull_id: int | None = None,
    kept_for: timedelta | None = None,
    account: str | None = None,
) -> int:
    """Begin a load and stage its objects; returns its number.

    :param kind: `load`, `replay` or `unload`
    :param pull_id: the pull that landed the objects
    :param account: the account in the ledger row; None: that of the first object
    :param kept_for: how long its staging tables wait for the next step after this connection has ended; None: the next
        step uses this connection
    :raises BrokenObjectError: an object cannot be read; the load is stopped
    """
    account = account or objects[0].landed.account
    load_id = ledger.begin(connection, account, feed, kind, objects, pull_id)
    about = f"{counted(len(objects), 'object', 'objects')} of {feed.slug}, account {account}"
    try:
        with _step(load_id, "stage", "staging", about, feed=feed.slug, account=account, object_count=len(objects)):
            staged = stage(connection, load_id, objects, warehouse.settings, kind)
    except BrokenObjectError as error:
        connection.rollback()
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "stopped", str(error))
        raise
    with connection, connection.cursor() as cursor:
        ledger.keep_staged(cursor, load_id, staged, None if kept_for is None else datetime.now(UTC) + kept_for)
    return load_id


def validate_load(connection: Connection, warehouse: Warehouse, load_id: int) -> LedgerRow | None:
    """Validate a staged load, if it is not validated yet. Objects with too many rejected records are removed from the
    load; `publish_load` names them.

    :returns: None, or the ledger row of a load that is published already
    :raises HeldBackError: all its objects have too many rejected records; the load is stopped
    :raises QualityGateError: a critical rule failed; the load is stopped
    """
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
        if row.status == "published":
            return row
        if row.status == "validated":
            return None
        staged = _staged(cursor, row)
    _check_ceiling(connection, row, staged, warehouse.settings.rejected_ceiling)
    if staged.sighting_count:
        about = counted(staged.sighting_count, "staged event", "staged events")
        with _step(load_id, "validate", "validating", about, **_whose(row), event_count=staged.sighting_count):
            _pass_the_gate(connection, warehouse, load_id, staged)
    with connection, connection.cursor() as cursor:
        ledger.mark_validated(cursor, load_id)
    return None


def publish_load(
    connection: Connection, warehouse: Warehouse, load_id: int, replaced: KeyRange | None = None
) -> Published:
    """Commit a validated load, if it is not published yet. If another load published the same objects meanwhile, the
    result has its ledger row.

    :param replaced: for a replay, the range of events that it replaces
    :raises WaybillError: like `publish`; the load is stopped
    """
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
        if row.status == "published":
            return Published(row)
        if row.status != "validated":
            raise UsageError(f"Load {load_id} is {row.status}: {row.stop_reason or 'validate it first'}.")
        staged = _staged(cursor, row)
    with connection, connection.cursor() as cursor:
        ensure_partitions(cursor, max(filter(None, (datetime.now(UTC), staged.latest))))
    about = counted(staged.read_count, "record", "records")
    try:
        with _step(load_id, "publish", "publishing", about, **_whose(row), record_count=staged.read_count):
            publish(connection, load_id, staged, warehouse.settings.keyring, replaced)
    except AlreadyPublishedError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "superseded", str(error))
            drop_tables(cursor, load_id)
            watermark.commit_pull_of(cursor, load_id)
            return Published(ledger.row(cursor, error.load_id), held_back=_held_back(staged))
    except UnavailableError:
        raise  # the load stays validated, so the step can be repeated
    except WaybillError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "stopped", str(error))
            drop_tables(cursor, load_id)
        raise
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
    incomplete = tuple(
        f"{counts.name}: {reason}"
        for counts in staged.objects.values()
        for reason in counts.reasons
        if reason.startswith(INCOMPLETE)
    )
    is_of_files = any(FEEDS[slug].kind == "files" for slug in staged.feeds)
    empty = tuple(counts.name for counts in staged.objects.values() if is_of_files and not counts.record_count)
    return Published(row, incomplete, _held_back(staged), empty)


def _held_back(staged: Staged) -> tuple[str, ...]:
    return () if staged.complaint is None else (staged.complaint,)


@contextmanager
def _step(load_id: int, step: str, doing: str, about: str, **fields: object) -> Iterator[None]:
    """Log the beginning and the end of a step, with its duration. Errors of the database get a note with load and
    step."""
    fields = {"load_id": load_id, "step": step, **fields}
    log.info("load %d: %s %s", load_id, doing, about, extra=fields)
    began = time.monotonic()
    try:
        yield
    except psycopg2.Error as error:
        error.add_note(f"load {load_id} was {doing}")
        raise
    seconds = round(time.monotonic() - began, 3)
    log.info("load %d: %s took %.1f s", load_id, doing, seconds, extra={**fields, "seconds": seconds})


def _whose(row: LedgerRow) -> dict[str, str]:
    return {"feed": row.feed, "account": row.account}


def _staged(cursor: Cursor, row: LedgerRow) -> Staged:
    """Return the counts of stage. Raises UsageError if the load cannot continue."""
    staged = ledger.staged(cursor, row.load_id)
    if staged is None:
        raise UsageError(
            f"Load {row.load_id} is {row.status}: {row.stop_reason or 'its staging did not end'}. Stage its objects "
            "again in a new load."
        )
    return staged


def _check_ceiling(connection: Connection, row: LedgerRow, staged: Staged, ceiling: float) -> None:
    """Remove objects with too many rejected records from a load. Stop it if nothing else is left, or if a replay would
    remove events for this reason."""
    if row.kind != "load":
        _check_replay(connection, row, staged, ceiling)
        return
    found = held_back(staged.objects, ceiling)
    if not found:
        return
    reason = reasons_held_back(_by_name(staged.objects[number] for number in found), ceiling)
    if found == staged.objects.keys():
        _stop(connection, row.load_id, staged, reason)
        raise HeldBackError([f"load {row.load_id}: {reason}"])
    _hold_back(connection, row, staged, found, reason)


def _check_replay(connection: Connection, row: LedgerRow, staged: Staged, ceiling: float) -> None:
    """Remove objects that never reported an event and are still rejected from a replay. Stop it if an object that did
    report events is rejected now, because the replay would remove these events."""
    with connection, connection.cursor() as cursor:
        known = ledger.objects_with_keys(cursor, staged.objects)
    lost = [counts for number, counts in staged.objects.items() if number in known and is_unreadable(counts, ceiling)]
    kept = {number: counts for number, counts in staged.objects.items() if number in known}
    if lost or is_above(kept.values(), ceiling):
        above = held_back(kept, ceiling)
        reason = reasons_held_back(_by_name(kept[number] for number in above), ceiling)
        _stop(connection, row.load_id, staged, reason)
        raise HeldBackError([f"load {row.load_id}: {reason}"])
    found = held_back({n: counts for n, counts in staged.objects.items() if n not in known}, ceiling)
    if found:
        reason = reasons_held_back(_by_name(staged.objects[number] for number in found), ceiling)
        _hold_back(connection, row, staged, found, reason)


def _by_name(objects: Iterable[ObjectCounts]) -> list[ObjectCounts]:
    """Sort objects for messages, so that the order of landing does not matter."""
    return sorted(objects, key=lambda counts: counts.name)


def _hold_back(connection: Connection, row: LedgerRow, staged: Staged, found: set[int], reason: str) -> None:
    """Move objects and their rejected records from a staged load to a new, stopped row of the ledger."""
    counts = staged.of(found)
    tables = {"events": staging_table(row.load_id), "rejects": rejected_table(row.load_id)}
    tables["recipients"] = recipient_table(row.load_id)
    with connection, connection.cursor() as cursor:
        stopped = ledger.split_off(cursor, row.load_id, found, staged.objects.keys() - found)
        ledger.end(cursor, stopped, "stopped", reason, counts.reasons, **_record_counts(counts))
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


def _pass_the_gate(connection: Connection, warehouse: Warehouse, load_id: int, staged: Staged) -> None:
    subject = f"load {load_id}"
    table = Subject("event_staging", f"staging.load_{load_id}", staged.sighting_count)
    outcomes = gate.validate(lambda: warehouse.connect("validate"), [table])
    with connection, connection.cursor() as cursor:
        gate.record(cursor, outcomes, subject)
    try:
        gate.gate(outcomes, subject)
    except QualityGateError as error:
        _stop(connection, load_id, staged, str(error))
        raise


def _stop(connection: Connection, load_id: int, staged: Staged, reason: str) -> None:
    """Stop a load: commit its ledger row and its rejected records, but no facts."""
    with connection, connection.cursor() as cursor:
        keep_rejects(cursor, load_id)
        ledger.end(cursor, load_id, "stopped", reason, staged.reasons, **_record_counts(staged))
        drop_tables(cursor, load_id)
