"""Ingest: pull, stage, validate, publish. The one conductor of these four verbs: the command line takes them all at
once, Airflow takes them one by one, and `waybill load` is an ingest whose pull is the files that it was given.

One policy for what fails: a bad object, load or account keeps no other one away. What passes from step to step is the
number of the pull and those of its loads; everything else lies in the warehouse.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.feeds.api import ApiFeed, Window
from waybill.feeds.base import Feed
from waybill.flow.batches import batches
from waybill.flow.results import HeldBackError, IncompleteError, Loaded, Outcome, loaded
from waybill.flow.slices import Slice
from waybill.flow.steps import prepare, publish_load, stage_load, validate_load
from waybill.landing.objects import LandedObject
from waybill.landing.sources import landed_inbox, landed_paths
from waybill.ledger import loads as ledger
from waybill.ledger import pulls as journal
from waybill.ledger.objects import RecordedObject, objects_of_pull, record
from waybill.ledger.pulls import Pulled
from waybill.ledger.summary import summary
from waybill.ledger.watermark import commit_pull
from waybill.load.stage import BrokenObjectError
from waybill.model.errors import SourceError, WaybillError
from waybill.pull.client import Client
from waybill.pull.run import Connect, pull_inbox, pull_window
from waybill.settings import Access, Settings
from waybill.warehouse.connection import Warehouse

KEPT_FOR = timedelta(hours=36)
"""How long staged loads wait for their next step: a night and a morning."""

log = logging.getLogger("waybill.flow")


def load(warehouse: Warehouse, feed: Feed, landed: Iterable[LandedObject | SourceError]) -> Outcome:
    """Load landed objects of one feed, in batches of bounded size; those published already under the same rules are
    left alone.

    :param landed: objects, and in their place what could not be landed
    :raises ConfigurationError: another key than the warehouse's, or older rules
    """
    with warehouse.connected(f"load:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [feed])
        ingest = _Ingest(connection, warehouse)
        for batch in batches(ingest.landed(landed)):
            if fresh := ingest.fresh(feed, batch):
                ingest.take(feed, fresh)
    return ingest.outcome()


def load_paths(warehouse: Warehouse, feed: Feed, account: str, paths: list[str]) -> Outcome:
    """Land and load files and folders. Raises as `load` and `landed_paths` do."""
    return load(warehouse, feed, landed_paths(warehouse.settings, feed, account, paths))


def load_inbox(warehouse: Warehouse, feed: Feed, account: str) -> Outcome:
    """Land and load what the inbox holds of one feed and account. Raises as `load` and `landed_inbox` do."""
    return load(warehouse, feed, landed_inbox(warehouse.settings, feed, account))


def pull(
    warehouse: Warehouse,
    feed: Feed,
    slice_: Slice,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    connect_to: Connect | None = None,
) -> Pulled:
    """Land and note what a slice asks for. Raises as `pull_window` does.

    :param now: the time, aware
    :param connect_to: opens a client to the provider; None: one that keeps real time
    """
    with warehouse.connected(f"pull:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [feed])
    if not isinstance(feed, ApiFeed):
        return pull_inbox(warehouse, feed, slice_.account)
    window = Window(slice_.from_at, slice_.until_at)
    connect_to = connect_to or partial(_client, warehouse.settings)
    return pull_window(warehouse, feed, slice_.account, window, slice_.swept_from, connect_to, now)


def load_pull(warehouse: Warehouse, feed: Feed, pull_id: int) -> Outcome:
    """Stage, validate and publish what a pull landed and is not published yet, and what earlier ones of its account
    left behind when they died, in this process. With nothing new, the pull counts as complete at once."""
    with warehouse.connected(f"load:{feed.slug}") as connection:  # holds the locks of what it has staged
        prepare(connection, warehouse.settings, [feed])
        ingest = _Ingest(connection, warehouse, pull_id)
        for number, batch in _batches_of_pull(connection, feed, pull_id):
            ingest.take(feed, batch, number)
        _commit(connection, pull_id)
    return ingest.outcome()


def stage_pull(warehouse: Warehouse, feed: Feed, pull_id: int) -> list[int]:
    """The first step of `load_pull` alone; returns the loads, in batches of bounded size."""
    with warehouse.connected(f"stage:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [feed])
        ingest = _Ingest(connection, warehouse, pull_id)
        staged = [
            ingest.stage(feed, batch, number, KEPT_FOR) for number, batch in _batches_of_pull(connection, feed, pull_id)
        ]
        _commit(connection, pull_id)
    return [load_id for load_id in staged if load_id is not None]


def validate_loads(warehouse: Warehouse, load_ids: Sequence[int]) -> None:
    """Look at each of these loads. One that fails is stopped, the others are looked at all the same; then the first
    failure is raised."""
    failed: list[WaybillError] = []
    with warehouse.connected("validate") as connection:
        for load_id in load_ids:
            try:
                validate_load(connection, warehouse, load_id)
            except WaybillError as error:
                failed.append(error)
    Outcome(failed=failed).checked()


def publish_loads(warehouse: Warehouse, pull_id: int, load_ids: Sequence[int]) -> list[Loaded]:
    """Publish each of these loads that passed; then raise the first failure, or name what could not be read."""
    with warehouse.connected("publish") as connection:
        ingest = _Ingest(connection, warehouse, pull_id)
        for load_id in load_ids:
            ingest.publish(load_id)
    return ingest.outcome().checked()


class _Ingest:
    """Loads, one after the other, on one connection; and what of them failed."""

    def __init__(self, connection: Connection, warehouse: Warehouse, pull_id: int | None = None) -> None:
        self._connection = connection
        self._warehouse = warehouse
        self._pull_id = pull_id
        self._held: list[str] = []
        self._broken: list[str] = []
        self._result = Outcome()
        if pull_id is not None:
            with connection, connection.cursor() as cursor:
                self._broken = journal.broken(cursor, pull_id)

    def landed(self, items: Iterable[LandedObject | SourceError]) -> Iterator[LandedObject]:
        """What could be landed; the rest is noted."""
        for item in items:
            if isinstance(item, SourceError):
                self._broken.append(str(item))
                self._result.unread_count += 1
            else:
                yield item

    def fresh(self, feed: Feed, batch: Sequence[LandedObject]) -> list[RecordedObject]:
        """The objects of a batch that are not published under these rules yet. Where none is, the load that published
        the last of them counts as done."""
        with self._connection, self._connection.cursor() as cursor:
            in_order = sorted(batch, key=lambda one: one.sha256)  # two loads of the same files cannot deadlock
            recorded = {landed.sha256: record(cursor, landed) for landed in in_order}
            objects = [recorded[sha256] for sha256 in dict.fromkeys(landed.sha256 for landed in batch)]
            published = ledger.published_with(cursor, (o.object_id for o in objects), feed.rules_version)
            fresh = [o for o in objects if o.object_id not in published]
            self._result.fresh_count += len(fresh)
            if not fresh:
                row = ledger.row(cursor, max(published.values()))
                self._result.done.append(Loaded(row, summary(cursor, row), is_new=False))
        return fresh

    def take(self, feed: Feed, batch: list[RecordedObject], pull_id: int | None = None) -> None:
        """Stage, validate and publish a batch."""
        load_id = self.stage(feed, batch, pull_id)
        if load_id is None:
            return
        try:
            validate_load(self._connection, self._warehouse, load_id)
        except WaybillError as error:
            self._note(error)
        else:
            self.publish(load_id)

    def stage(
        self, feed: Feed, batch: list[RecordedObject], pull_id: int | None = None, kept_for: timedelta | None = None
    ) -> int | None:
        """Stage what can be read of a batch; returns the load. None: nothing could be read."""
        while batch:
            try:
                return stage_load(self._connection, self._warehouse, feed, batch, "load", pull_id, kept_for)
            except BrokenObjectError as error:
                self._leave_out(error)
                batch.remove(error.broken)
        return None

    def publish(self, load_id: int) -> None:
        """Publish a load that was validated."""
        try:
            published = publish_load(self._connection, self._warehouse, load_id)
        except WaybillError as error:
            self._note(error)
            return
        self._broken.extend(published.incomplete)
        self._held.extend(published.held_back)
        self._result.done.append(loaded(self._connection, load_id, published))

    def outcome(self) -> Outcome:
        """What it all came to."""
        result = self._result
        if self._held:
            result.failed.append(HeldBackError(self._held, result.done, self._broken))
        elif self._broken:
            result.failed.append(IncompleteError(self._broken, result.done))
        return result

    def _note(self, error: WaybillError) -> None:
        if isinstance(error, HeldBackError):
            self._held.extend(error.complaints)
        else:
            self._result.failed.append(error)

    def _leave_out(self, error: BrokenObjectError) -> None:
        landed = error.broken.landed
        log.warning("left out: %s", error, extra={"feed": landed.feed, "account": landed.account, "step": "stage"})
        self._broken.append(str(error))
        if self._pull_id is not None:
            journal.note_broken(self._connection, self._pull_id, str(error))


def _batches_of_pull(connection: Connection, feed: Feed, pull_id: int) -> Iterator[tuple[int, list[RecordedObject]]]:
    """What is not published yet of a pull and of earlier ones that died, each batch with the number of its pull."""
    with connection, connection.cursor() as cursor:
        others = journal.left_behind(cursor, pull_id)
    seen: set[int] = set()
    for number in (pull_id, *others):
        with connection, connection.cursor() as cursor:
            objects = [o for o in objects_of_pull(cursor, number) if o.object_id not in seen]
            published = ledger.published_with(cursor, (o.object_id for o in objects), feed.rules_version)
        fresh = [o for o in objects if o.object_id not in published]
        seen.update(o.object_id for o in fresh)
        for batch in batches(fresh):
            yield number, batch


def _commit(connection: Connection, pull_id: int) -> None:
    """Count the pull as complete where everything it landed is published already; else the last publish does it."""
    with connection, connection.cursor() as cursor:
        commit_pull(cursor, pull_id)


def _client(settings: Settings, access: Access) -> Client:
    return Client(
        access.base_url,
        (access.user, access.secret),
        clock=time.monotonic,
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
        random=random.random,
        say=logging.getLogger("waybill.pull").info,
        allow_plain_http=settings.allows_plain_http,
    )
