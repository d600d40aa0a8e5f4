"""The steps of a load, one by one: stage, validate, publish. Each may be taken by a process of its own; what passes
from one to the next is the number of the load, and what stage counted lies in its ledger row."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from etl import quality
from etl.feeds.base import Feed
from etl.framing.raw_record import NO_LIST, NOT_CLOSED
from etl.load import ledger, watermark
from etl.load.landing import RecordedObject
from etl.load.ledger import LedgerRow
from etl.load.publish import AlreadyPublishedError, KeyRange, keep_rejects, publish
from etl.load.stage import BrokenObjectError, Staged, drop_tables, stage
from etl.model.errors import CeilingError, QualityGateError, UsageError, WaybillError
from etl.quality import Subject
from etl.settings import Settings
from etl.warehouse.connection import LOADER, connect
from etl.warehouse.migrations import ensure_partitions

REJECTED_AT_LEAST = 20
INCOMPLETE = (NOT_CLOSED, NO_LIST)
"""Reasons that say a source is incomplete: what it held is loaded, and the run ends red all the same."""

Progress = Callable[[str], None]


class Published(NamedTuple):
    """What a publish came to: the ledger row, and in words which of the sources were incomplete."""

    row: LedgerRow
    incomplete: tuple[str, ...] = ()


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
        staged = stage(
            connection,
            load_id,
            objects,
            settings.landing_url,
            settings.keyring,
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
    """Look at what a load has staged; nothing happens where that was done before.

    :returns: None, or the ledger row of a load that is published already
    :raises CeilingError: too many of its records were rejected; the load is stopped
    :raises QualityGateError: a critical rule failed; the load is stopped
    """
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
        if row.status == "published":
            return row
        if row.status == "validated":
            return None
        staged = _staged(cursor, row)
    _check_ceiling(connection, load_id, staged, settings.rejected_ceiling)
    if staged.sighting_count:
        progress(f"load {load_id}: validating {staged.sighting_count:,} staged events")
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
        ensure_partitions(cursor, datetime.now(UTC))
    try:
        publish(connection, load_id, staged, settings.keyring, replaced)
    except AlreadyPublishedError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "superseded", str(error))
            drop_tables(cursor, load_id)
            watermark.commit_pull_of(cursor, load_id)
            return Published(ledger.row(cursor, error.load_id))
    except WaybillError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "stopped", str(error))
            drop_tables(cursor, load_id)
        raise
    with connection, connection.cursor() as cursor:
        row = ledger.row(cursor, load_id)
    found = [(reason, count) for reason, count in staged.reasons.items() if reason.startswith(INCOMPLETE)]
    return Published(row, tuple(f"load {load_id}: {count} times: {reason}" for reason, count in found))


def _staged(cursor: Cursor, row: LedgerRow) -> Staged:
    """What stage counted of a load that is to go on."""
    staged = ledger.staged(cursor, row.load_id)
    if staged is None:
        raise UsageError(
            f"Load {row.load_id} is {row.status}: {row.stop_reason or 'its staging did not end'}. Stage its objects "
            "again: a new load takes them up."
        )
    return staged


def _check_ceiling(connection: Connection, load_id: int, staged: Staged, ceiling: float) -> None:
    if staged.rejected_count <= REJECTED_AT_LEAST or staged.rejected_count <= ceiling * staged.read_count:
        return
    reasons = sorted(staged.reasons.items(), key=lambda item: -item[1])[:5]
    reason = (
        f"{staged.rejected_count} of {staged.read_count} records were rejected, more than REJECTED_CEILING={ceiling:g} "
        f"allows: {'; '.join(f'{text} ({count})' for text, count in reasons)}"
    )
    _stop(connection, load_id, staged, reason)
    raise CeilingError(
        f"Load {load_id} stopped before any fact: {reason}. See `waybill rejected list`; if the records are right to "
        "be rejected, run again with a higher REJECTED_CEILING."
    )


def _pass_the_gate(connection: Connection, url: str, load_id: int, staged: Staged) -> None:
    subject = f"load {load_id}"
    table = Subject("event_staging", f"staging.load_{load_id}", staged.sighting_count)
    outcomes = quality.validate(lambda: connect(url, LOADER, "waybill:validate"), [table])
    with connection, connection.cursor() as cursor:
        quality.record(cursor, outcomes, subject)
    try:
        quality.gate(outcomes, subject)
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
            read_count=staged.read_count,
            rejected_count=staged.rejected_count,
            ignored_count=staged.ignored_count,
        )
        drop_tables(cursor, load_id)
