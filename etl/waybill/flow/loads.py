"""One load from landed objects to committed facts: stage → validate → publish; and replay, which is the same again."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.flow.accounts import check_known
from waybill.landing.objects import LandedObject
from waybill.ledger import loads as ledger
from waybill.ledger.loads import LedgerRow
from waybill.ledger.objects import RecordedObject, record
from waybill.ledger.summary import Summary, summary
from waybill.load.publish import KeyRange, OvertakenError, objects_of_range
from waybill.load.stage import BrokenObjectError, drop_orphans
from waybill.load.steps import HeldBackError, Progress, Published, publish_load, stage_load, validate_load
from waybill.model.errors import SourceError, UsageError
from waybill.model.identity import key_floor
from waybill.model.vocabulary import DISPATCH
from waybill.settings import Settings
from waybill.warehouse.clock import check_clock
from waybill.warehouse.connection import LOADER, connected

BATCH_BYTES = 256 << 20
BATCH_OBJECTS = 2_000
ATTEMPTS = 5
"""How often a replay begins again because loads of its range came in between: each time with what they brought."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


Batched = TypeVar("Batched", LandedObject, RecordedObject)


class IncompleteError(SourceError):
    """Something could not be read; `done` is what was loaded all the same."""

    def __init__(self, broken: Sequence[str], done: "list[Loaded]") -> None:
        super().__init__(
            f"Not everything could be read: {'; '.join(broken)}. Everything else was loaded. Land it again whole, and "
            "run the same command again; see also `waybill rejected list`."
        )
        self.done = done


class Loaded(NamedTuple):
    """What a load came to: its ledger row, the same in words, and whether there was anything to do."""

    row: LedgerRow
    summary: Summary
    is_new: bool = True


def loaded(connection: Connection, load_id: int, published: Published) -> Loaded:
    """What a load came to that published its objects, or found that another had."""
    with connection, connection.cursor() as cursor:
        told = summary(cursor, published.row, published.empty)
    return Loaded(published.row, told, published.row.load_id == load_id)


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
    :raises HeldBackError: too much of some objects was rejected; everything else was loaded
    :raises QualityGateError: a critical rule failed, or the books did not balance
    :raises IncompleteError: something could not be read; everything else was loaded
    """
    done: list[Loaded] = []
    broken: list[str] = []
    held: list[str] = []
    with connected(url, LOADER, f"waybill:load:{feed.slug}") as connection:
        prepare(connection, settings, [feed])
        for batch in batches(_landed(landed, broken)):
            item = _load_batch(connection, settings, url, feed, batch, broken, held, progress)
            if item is not None:
                done.append(item)
    raise_unfinished(held, broken, done)
    return done


def raise_unfinished(held_back: Sequence[str], broken: Sequence[str], done: list[Loaded]) -> None:
    """Raise what makes a run red of which everything else was loaded."""
    if held_back:
        raise HeldBackError(held_back, done, broken)
    if broken:
        raise IncompleteError(broken, done)


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

    :raises UsageError: an unknown account, or no range
    """
    if from_at.tzinfo is None or until_at.tzinfo is None:
        raise UsageError("--from and --until need a zone: add Z or +02:00.")
    if until_at <= from_at:
        raise UsageError(f"--until {until_at.isoformat()} must be later than --from {from_at.isoformat()}.")
    first, until = (key_floor((at - EPOCH) // timedelta(milliseconds=1)) for at in (from_at, until_at))
    slugs = [other.slug for other in FEEDS.values() if other.provider == feed.provider]
    done = []
    with connected(url, LOADER, f"waybill:replay:{feed.slug}") as connection:
        prepare(connection, settings, [FEEDS[slug] for slug in slugs])
        whose = None if feed.provider == DISPATCH else account
        with connection, connection.cursor() as cursor:
            if account is not None:
                check_known(cursor, settings, account)
            objects = objects_of_range(cursor, KeyRange(whose, feed.provider, first, until))
        for owner in _owners(objects, feed.provider):
            replaced = KeyRange(owner, feed.provider, first, until)
            done.append(_replay_range(connection, settings, url, feed, replaced, progress))
    return done


def _replay_range(
    connection: Connection, settings: Settings, url: str, feed: Feed, replaced: KeyRange, progress: Progress
) -> Loaded:
    """Replay one range, from the beginning again where loads of it came in between. Raises OvertakenError at last."""
    for attempt in range(1, ATTEMPTS + 1):
        with connection, connection.cursor() as cursor:
            objects = objects_of_range(cursor, replaced)
        progress(f"replay {feed.slug} {replaced.account or 'all accounts'}: {len(objects)} objects")
        whose_ledger = replaced.account or objects[0].landed.account
        load_id = stage_load(connection, settings, feed, whose_ledger, objects, "replay", progress)
        validate_load(connection, settings, url, load_id, progress)
        try:
            published = publish_load(connection, settings, load_id, progress, replaced)
            for complaint in published.held_back:
                progress(f"left out, as before: {complaint}")
            return loaded(connection, load_id, published)
        except OvertakenError as error:
            if attempt == ATTEMPTS:
                raise
            progress(str(error))
    raise AssertionError("the last attempt returns or raises")


def _owners(objects: Sequence[RecordedObject], provider: str) -> list[str | None]:
    """Whose objects are replayed together: a gateway's hold one account each, the dispatch log's may hold any."""
    if provider == DISPATCH:
        return [None] if objects else []
    return sorted({o.landed.account for o in objects})


def prepare(connection: Connection, settings: Settings, feeds: Sequence[Feed]) -> None:
    """Before anything is landed or staged: clock, key and rules are right, the feeds are known, what died is swept
    out.

    :raises ConfigurationError: another clock or key than the warehouse's, or older rules
    """
    with connection, connection.cursor() as cursor:
        check_clock(cursor)
        ledger.check_key(cursor, settings.keyring)
        ledger.check_rules(cursor, feeds)
        ledger.note_feeds(cursor, feeds)
    drop_orphans(connection)


def _landed(landed: Iterable[LandedObject | SourceError], broken: list[str]) -> Iterator[LandedObject]:
    """What could be landed; the rest is named in `broken`."""
    for item in landed:
        if isinstance(item, SourceError):
            broken.append(str(item))
        else:
            yield item


def batches(items: Iterable[Batched]) -> Iterator[list[Batched]]:
    """Batches of one account and of bounded size: landed objects, recorded or not."""
    batch: list[Batched] = []
    byte_count = 0
    for item in items:
        landed = _landed_of(item)
        is_full = byte_count + landed.byte_count > BATCH_BYTES or len(batch) >= BATCH_OBJECTS
        if batch and (is_full or landed.account != _landed_of(batch[0]).account):
            yield batch
            batch, byte_count = [], 0
        batch.append(item)
        byte_count += landed.byte_count
    if batch:
        yield batch


def _landed_of(item: Batched) -> LandedObject:
    return item.landed if isinstance(item, RecordedObject) else item


def fresh_of(cursor: Cursor, objects: Sequence[RecordedObject], feed: Feed) -> tuple[list[RecordedObject], int | None]:
    """The objects that are not published under these rules yet, and the last load that published one of the others."""
    published = ledger.published_with(cursor, (o.object_id for o in objects), feed.rules_version)
    return [o for o in objects if o.object_id not in published], max(published.values(), default=None)


def _load_batch(
    connection: Connection,
    settings: Settings,
    url: str,
    feed: Feed,
    batch: list[LandedObject],
    broken: list[str],
    held: list[str],
    progress: Progress,
) -> Loaded | None:
    """Load what is fresh of a batch. An object that cannot be read is named in `broken`, one of which too much was
    rejected in `held`, and both are left out: they must not keep the others away. None: nothing was left."""
    with connection, connection.cursor() as cursor:
        in_order = sorted(
            batch, key=lambda landed: landed.sha256
        )  # so that two loads of the same files cannot deadlock
        objects = list({o.object_id: o for o in (record(cursor, landed) for landed in in_order)}.values())
        fresh, published_by = fresh_of(cursor, objects, feed)
        if not fresh:
            row = ledger.row(cursor, published_by)
            return Loaded(row, summary(cursor, row), is_new=False)
    while fresh:
        try:
            account = fresh[0].landed.account
            load_id = stage_load(connection, settings, feed, account, fresh, "load", progress)
            validate_load(connection, settings, url, load_id, progress)
            published = publish_load(connection, settings, load_id, progress)
            broken.extend(published.incomplete)
            held.extend(published.held_back)
            return loaded(connection, load_id, published)
        except BrokenObjectError as error:
            progress(f"left out: {error}")
            broken.append(str(error))
            fresh.remove(error.broken)
        except HeldBackError as error:
            held.extend(error.complaints)
            return None
    return None
