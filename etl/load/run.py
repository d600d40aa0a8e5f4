"""One load from landed objects to committed facts: stage → validate → publish; and replay, which is the same again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812

from etl import quality
from etl.feeds import FEEDS
from etl.feeds.base import Feed
from etl.feeds.records import NO_LIST, NOT_CLOSED
from etl.load import landing, ledger
from etl.load.landing import LandedObject, RecordedObject
from etl.load.ledger import LedgerRow
from etl.load.publish import KeyRange, OvertakenError, keep_rejects, objects_of_range, publish
from etl.load.stage import BrokenObjectError, Staged, drop_orphans, drop_tables, stage
from etl.model.errors import CeilingError, QualityGateError, SourceError, UsageError, WaybillError
from etl.model.identity import key_floor
from etl.model.vocabulary import DISPATCH
from etl.quality import Subject
from etl.settings import Settings
from etl.warehouse.connection import LOADER, connect, connected
from etl.warehouse.migrations import ensure_partitions

BATCH_BYTES = 256 << 20
BATCH_OBJECTS = 2_000
REJECTED_AT_LEAST = 20
INCOMPLETE = (NOT_CLOSED, NO_LIST)
"""Reasons that say a source is incomplete: what it held is loaded, and the run ends red all the same."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Progress = Callable[[str], None]


class IncompleteError(SourceError):
    """Something could not be read; `done` is what was loaded all the same."""

    def __init__(self, broken: Sequence[str], done: "list[Loaded]") -> None:
        super().__init__(
            f"Not everything could be read: {'; '.join(broken)}. Everything else was loaded. Land it again whole, and "
            "run the same command again; see also `waybill rejected list`."
        )
        self.done = done


class Loaded(NamedTuple):
    """What a load came to: its ledger row, and whether there was anything to do."""

    row: LedgerRow
    is_new: bool


def load(
    settings: Settings,
    url: str,
    feed: Feed,
    landed: Iterable[LandedObject | SourceError],
    progress: Progress = lambda message: None,
) -> list[Loaded]:
    """Load landed objects of one feed, in batches of bounded size; those published already under the same rules are
    left alone.

    :param landed: objects, and in their place what could not be landed
    :raises ConfigurationError: another key than the warehouse's, or older rules
    :raises CeilingError: too many records were rejected
    :raises QualityGateError: a critical rule failed, or the books did not balance
    :raises IncompleteError: something could not be read; everything else was loaded
    """
    done: list[Loaded] = []
    broken: list[str] = []
    with connected(url, LOADER, f"waybill:load:{feed.slug}") as connection:
        _prepare(connection, settings, [feed])
        for batch in _batches(landed, broken):
            item = _load_batch(connection, settings, url, feed, batch, broken, progress)
            if item is not None:
                done.append(item)
    if broken:
        raise IncompleteError(broken, done)
    return done


def replay(
    settings: Settings,
    url: str,
    feed: Feed,
    from_at: datetime,
    until_at: datetime,
    account: str | None = None,
    progress: Progress = lambda message: None,
) -> list[Loaded]:
    """Take the events of the feed's provider with from_at <= time in the key < until_at anew from landing.

    Every landed object that holds keys of the range is read again; an event that none of them tells any more is taken
    back. All feeds of the provider are replayed, because they tell the same events.
    """
    if from_at.tzinfo is None or until_at.tzinfo is None:
        raise UsageError("--from and --until need a zone: add Z or +02:00.")
    if until_at <= from_at:
        raise UsageError(f"--until {until_at.isoformat()} must be later than --from {from_at.isoformat()}.")
    first, until = (key_floor((at - EPOCH) // timedelta(milliseconds=1)) for at in (from_at, until_at))
    slugs = [other.slug for other in FEEDS.values() if other.provider == feed.provider]
    done = []
    with connected(url, LOADER, f"waybill:replay:{feed.slug}") as connection:
        _prepare(connection, settings, [FEEDS[slug] for slug in slugs])
        whose = None if feed.provider == DISPATCH else account
        with connection, connection.cursor() as cursor:
            objects = objects_of_range(cursor, KeyRange(whose, feed.provider, first, until))
        for owner in _owners(objects, feed.provider):
            replaced = KeyRange(owner, feed.provider, first, until)
            row = None
            while row is None:
                try:
                    with connection, connection.cursor() as cursor:
                        objects = objects_of_range(cursor, replaced)
                    progress(f"replay {feed.slug} {owner or 'all accounts'}: {len(objects)} objects")
                    whose_ledger = owner or objects[0].landed.account
                    row, _ = _stage_to_publish(
                        connection, settings, url, feed, whose_ledger, objects, "replay", replaced, progress
                    )
                except OvertakenError as error:
                    progress(str(error))
            done.append(Loaded(row, is_new=True))
    return done


def _owners(objects: Sequence[RecordedObject], provider: str) -> list[str | None]:
    """Whose objects are replayed together: a gateway's hold one account each, the dispatch log's may hold any."""
    if provider == DISPATCH:
        return [None] if objects else []
    return sorted({o.landed.account for o in objects})


def _prepare(connection: Connection, settings: Settings, feeds: Sequence[Feed]) -> None:
    with connection, connection.cursor() as cursor:
        ledger.check_key(cursor, settings.keyring)
        ledger.check_rules(cursor, feeds)
        for feed in feeds:
            cursor.execute(
                "insert into ops.feed (feed, kind) values (%s, %s) on conflict do nothing", (feed.slug, feed.kind)
            )
    drop_orphans(connection)


def _batches(landed: Iterable[LandedObject | SourceError], broken: list[str]) -> Iterator[list[LandedObject]]:
    """Batches of one account and of bounded size; what could not be landed is named in `broken`."""
    batch: list[LandedObject] = []
    byte_count = 0
    for item in landed:
        if isinstance(item, SourceError):
            broken.append(str(item))
            continue
        is_full = byte_count + item.byte_count > BATCH_BYTES or len(batch) >= BATCH_OBJECTS
        if batch and (is_full or item.account != batch[0].account):
            yield batch
            batch, byte_count = [], 0
        batch.append(item)
        byte_count += item.byte_count
    if batch:
        yield batch


def _load_batch(
    connection: Connection,
    settings: Settings,
    url: str,
    feed: Feed,
    batch: list[LandedObject],
    broken: list[str],
    progress: Progress,
) -> Loaded | None:
    """Load what is fresh of a batch. An object that cannot be read is named in `broken` and left out: it must not keep
    the others away. None: nothing was left."""
    with connection, connection.cursor() as cursor:
        in_order = sorted(
            batch, key=lambda landed: landed.sha256
        )  # so that two loads of the same files cannot deadlock
        objects = list({o.object_id: o for o in (landing.record(cursor, landed) for landed in in_order)}.values())
        published = ledger.published_with(cursor, objects, feed.rules_version)
        fresh = [o for o in objects if o.object_id not in published]
        if not fresh:
            return Loaded(ledger.row(cursor, max(published.values())), is_new=False)
    while fresh:
        try:
            account = fresh[0].landed.account
            row, staged = _stage_to_publish(connection, settings, url, feed, account, fresh, "load", None, progress)
            broken.extend(
                f"load {row.load_id}: {count} times: {reason}"
                for reason, count in staged.reasons.items()
                if reason.startswith(INCOMPLETE)
            )
            return Loaded(row, is_new=True)
        except BrokenObjectError as error:
            progress(f"left out: {error}")
            broken.append(str(error))
            fresh.remove(error.broken)
    return None


def _stage_to_publish(
    connection: Connection,
    settings: Settings,
    url: str,
    feed: Feed,
    account: str,
    objects: Sequence[RecordedObject],
    kind: str,
    replaced: KeyRange | None,
    progress: Progress,
) -> tuple[LedgerRow, Staged]:
    load_id = ledger.begin(connection, account, feed, kind, objects)
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
    _check_ceiling(connection, load_id, staged, settings.rejected_ceiling)
    if staged.sighting_count:
        progress(f"load {load_id}: validating {staged.sighting_count:,} staged events")
        _validate(connection, url, load_id, staged)
    progress(f"load {load_id}: publishing")
    with connection, connection.cursor() as cursor:
        ensure_partitions(cursor, datetime.now(UTC))
    try:
        publish(connection, load_id, staged, settings.keyring, replaced)
    except WaybillError as error:
        with connection, connection.cursor() as cursor:
            ledger.end(cursor, load_id, "stopped", str(error))
            drop_tables(cursor, load_id)
        raise
    with connection, connection.cursor() as cursor:
        return ledger.row(cursor, load_id), staged


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


def _validate(connection: Connection, url: str, load_id: int, staged: Staged) -> None:
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
