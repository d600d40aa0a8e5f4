"""Ingest: pull, stage, validate, publish. The command line runs all four steps together, Airflow runs them one by one,
and `waybill load` runs the last three with the given files.

A bad object, load or account never stops the others. The steps pass on only the numbers of the pull and its loads;
everything else is in the warehouse.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.feeds.api import ApiFeed
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
from waybill.ledger.objects import unloaded as unloaded_of
from waybill.ledger.pulls import Pulled
from waybill.ledger.summary import summary
from waybill.ledger.watermark import commit_pull
from waybill.load.stage import BrokenObjectError
from waybill.model.counted import counted
from waybill.model.errors import SourceError, UsageError, WaybillError
from waybill.settings import Access, Settings
from waybill.warehouse.connection import Warehouse

if TYPE_CHECKING:
    from waybill.pull.client import Client
    from waybill.pull.run import Connect

KEPT_FOR = timedelta(hours=36)
"""How long staged loads wait for their next step, so that a failure at night can be fixed in the morning."""

log = logging.getLogger("waybill.flow")


def load(
    warehouse: Warehouse, feed: Feed, landed: Iterable[LandedObject | SourceError], again: bool = False
) -> Outcome:
    """Load landed objects of one feed, in batches of bounded size. Objects that are published under the same rules, or
    were unloaded, are skipped.

    :param landed: objects, and errors of those that could not be landed
    :param again: load also objects that were unloaded
    :raises ConfigurationError: the key is not that of the warehouse, or the warehouse has newer rules
    """
    with warehouse.connected(f"load:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [feed])
        ingest = _Ingest(connection, warehouse)
        for batch in batches(ingest.landed(landed)):
            if fresh := ingest.fresh(feed, batch, again):
                ingest.take(feed, fresh)
    return ingest.outcome()


def load_paths(warehouse: Warehouse, feed: Feed, account: str, paths: list[str], again: bool = False) -> Outcome:
    """Land and load files and folders. Raises like `load` and `landed_paths`."""
    return load(warehouse, feed, landed_paths(warehouse.settings, feed, account, paths), again)


def load_inbox(warehouse: Warehouse, feed: Feed, account: str, again: bool = False) -> Outcome:
    """Land and load the files of one feed and account in the inbox. Raises like `load` and `landed_inbox`."""
    return load(warehouse, feed, landed_inbox(warehouse.settings, feed, account), again)


def pull(
    warehouse: Warehouse,
    feed: Feed,
    slice_: Slice,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    connect_to: "Connect | None" = None,
) -> Pulled:
    """Land and record the pages or files of a slice. Raises like `pull_window`.

    :param now: returns the time, aware
    :param connect_to: opens a client to the provider; None: a client with the real clock
    """
    from waybill.pull.run import pull_inbox, pull_window  # the HTTP client is large, and a load does not use it

    with warehouse.connected(f"pull:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [feed])
    if not isinstance(feed, ApiFeed):
        return pull_inbox(warehouse, feed, slice_.account)
    if (window := slice_.window) is None:
        raise UsageError(f"A pull of {feed.slug} needs a window.")
    connect_to = connect_to or partial(_client, warehouse.settings)
    return pull_window(warehouse, feed, slice_.account, window, slice_.swept_from, connect_to, now)


def load_pull(warehouse: Warehouse, feed: Feed, pull_id: int) -> Outcome:
    """Stage, validate and publish the unpublished objects of a pull, and of earlier pulls of its account that died. If
    there are none, the pull is complete at once."""
    with warehouse.connected(f"load:{feed.slug}") as connection:  # holds the locks of its staged loads
        prepare(connection, warehouse.settings, [feed])
        ingest = _Ingest(connection, warehouse, pull_id)
        for number, batch in _batches_of_pull(connection, feed, pull_id):
            ingest.take(feed, batch, number)
        _commit(connection, pull_id)
    return ingest.outcome()


def stage_pull(warehouse: Warehouse, feed: Feed, pull_id: int) -> list[int]:
    """Run only the first step of `load_pull`; returns the loads, one for each batch of bounded size."""
    with warehouse.connected(f"stage:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [feed])
        ingest = _Ingest(connection, warehouse, pull_id)
        staged = [
            ingest.stage(feed, batch, number, KEPT_FOR) for number, batch in _batches_of_pull(connection, feed, pull_id)
        ]
        _commit(connection, pull_id)
    return [load_id for load_id in staged if load_id is not None]


def validate_loads(warehouse: Warehouse, load_ids: Sequence[int]) -> None:
    """Validate each of these loads. A load that fails is stopped; after all loads, the first error is raised."""
    failed: list[WaybillError] = []
    with warehouse.connected("validate") as connection:
        for load_id in load_ids:
            try:
                validate_load(connection, warehouse, load_id)
            except WaybillError as error:
                failed.append(error)
    Outcome(failed=failed).checked()


def publish_loads(warehouse: Warehouse, pull_id: int, load_ids: Sequence[int]) -> list[Loaded]:
    """Publish each of these loads that is validated; then raise the first error, or name unreadable files."""
    with warehouse.connected("publish") as connection:
        ingest = _Ingest(connection, warehouse, pull_id)
        for load_id in load_ids:
            ingest.publish(load_id)
    return ingest.outcome().checked()


class _Ingest:
    """Runs loads one after another on one connection, and collects their results and errors."""

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
        """Yield landed objects, and record the errors of the others."""
        for item in items:
            if isinstance(item, SourceError):
                self._broken.append(str(item))
                self._result.unread_count += 1
            else:
                yield item

    def fresh(self, feed: Feed, batch: Sequence[LandedObject], again: bool = False) -> list[RecordedObject]:
        """Return the objects of a batch that are not published under these rules yet, and were not unloaded (unless
        `again`). If all are published, the last of their loads counts as done."""
        with self._connection, self._connection.cursor() as cursor:
            in_order = sorted(batch, key=lambda one: one.sha256)  # two loads of the same files cannot deadlock
            recorded = {landed.sha256: record(cursor, landed) for landed in in_order}
            objects = [recorded[sha256] for sha256 in dict.fromkeys(landed.sha256 for landed in batch)]
            published = ledger.published_with(cursor, (o.object_id for o in objects), feed.rules_version)
            unloaded = set() if again else unloaded_of(cursor, (o.object_id for o in objects))
            fresh = [o for o in objects if o.object_id not in published and o.object_id not in unloaded]
            self._result.fresh_count += len(fresh)
            if unloaded:
                files = counted(len(unloaded), "file stays", "files stay")
                log.warning("%s out, unloaded before; see `waybill load --again`.", files)
                self._result.unloaded_count += len(unloaded)
            if published and not fresh:
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
        """Stage the readable objects of a batch; returns the load, or None if no object is readable."""
        while batch:
            try:
                return stage_load(self._connection, self._warehouse, feed, batch, "load", pull_id, kept_for)
            except BrokenObjectError as error:
                self._leave_out(error)
                batch.remove(error.broken)
        return None

    def publish(self, load_id: int) -> None:
        """Publish a validated load."""
        try:
            published = publish_load(self._connection, self._warehouse, load_id)
        except WaybillError as error:
            self._note(error)
            return
        self._broken.extend(published.incomplete)
        self._held.extend(published.held_back)
        self._result.done.append(loaded(self._connection, load_id, published))

    def outcome(self) -> Outcome:
        """Return the result of all loads."""
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
    """Yield the unpublished objects of a pull, and of earlier pulls that died, in batches, each with its pull."""
    with connection, connection.cursor() as cursor:
        others = journal.left_behind(cursor, pull_id)
    seen: set[int] = set()
    for number in (pull_id, *others):
        with connection, connection.cursor() as cursor:
            objects = [o for o in objects_of_pull(cursor, number) if o.object_id not in seen]
            published = ledger.published_with(cursor, (o.object_id for o in objects), feed.rules_version)
            unloaded = unloaded_of(cursor, (o.object_id for o in objects))
        fresh = [o for o in objects if o.object_id not in published and o.object_id not in unloaded]
        seen.update(o.object_id for o in fresh)
        for batch in batches(fresh):
            yield number, batch


def _commit(connection: Connection, pull_id: int) -> None:
    """Mark the pull as complete if all its objects are published; otherwise the last publish does that."""
    with connection, connection.cursor() as cursor:
        commit_pull(cursor, pull_id)


def _client(settings: Settings, access: Access) -> "Client":
    from waybill.pull.client import Client

    return Client(
        access.base_url,
        (access.user, access.secret),
        wire=access.wire,
        clock=time.monotonic,
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
        random=random.random,
        say=logging.getLogger("waybill.pull").info,
        allow_plain_http=settings.allows_plain_http,
    )
