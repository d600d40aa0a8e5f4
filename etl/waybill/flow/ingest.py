"""Ingest: pull, stage, validate, publish; each step by itself, for whoever takes them one by one, or all at once.

What passes from step to step is the number of the pull and those of its loads; everything else lies in the warehouse.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.feeds.api import ApiFeed, Window
from waybill.feeds.base import Feed
from waybill.flow.loads import (
    IncompleteError,
    Loaded,
    batches,
    fresh_of,
    loaded,
    prepare,
    raise_unfinished,
)
from waybill.landing import inbox
from waybill.landing.objects import LandedObject
from waybill.ledger import pulls as journal
from waybill.ledger.objects import RecordedObject
from waybill.ledger.pulls import Progress, Pulled
from waybill.ledger.watermark import commit_pull
from waybill.load.stage import BrokenObjectError
from waybill.load.steps import HeldBackError, publish_load, stage_load, validate_load
from waybill.model.errors import UsageError, WaybillError
from waybill.pull.client import Client
from waybill.pull.run import Connect, pull_inbox, pull_window
from waybill.pull.windows import given_window, next_window
from waybill.settings import Access, Settings
from waybill.warehouse.connection import LOADER, connected

KEPT_FOR = timedelta(hours=36)
"""How long staged loads wait for their next step: a night and a morning."""


class Slice(msgspec.Struct, frozen=True):
    """What one pull is to do: an account, and, of an API feed, a window (aware times)."""

    account: str
    from_at: datetime | None = None
    until_at: datetime | None = None
    swept_from: datetime | None = None

    @property
    def label(self) -> str:
        """The slice in words."""
        if self.from_at is None:
            return self.account
        return f"{self.account} {self.from_at:%Y-%m-%d %H:%M} to {self.until_at:%Y-%m-%d %H:%M} UTC"


def slices(
    settings: Settings,
    url: str,
    feed: Feed,
    now: datetime,
    window: Window | None = None,
    account: str | None = None,
    is_dated_only: bool = False,
) -> list[Slice]:
    """What is to be pulled: one slice per account.

    :param now: aware; where no window is given it ends here
    :param window: of an API feed; None: from its watermark, less its lateness
    :param account: None: every account of ACCOUNTS, or of the inbox
    :param is_dated_only: of a given window, leave out what only a list from the newest on shows
    :raises UsageError: a window for files, or one that lies in the future or is empty; no account, or an unknown one
    :raises ConfigurationError: there is no inbox
    """
    if not isinstance(feed, ApiFeed):
        if window is not None:
            raise UsageError(f"{feed.slug} is taken from files: all that are there, whatever their time.")
        return [Slice(name) for name in _inbox_accounts(settings, feed, account)]
    if account and settings.accounts and account not in settings.accounts:
        raise UsageError(f"There is no account {account!r} in ACCOUNTS: {', '.join(settings.accounts)}.")
    accounts = (account,) if account else settings.accounts
    if not accounts:
        raise UsageError("Which organisation? Name it with --account, or all of them in ACCOUNTS.")
    found = []
    with connected(url, LOADER, "waybill:slices") as connection, connection, connection.cursor() as cursor:
        cursor.execute("select least(%s, clock_timestamp())", (now,))  # the watermark is bound by both clocks
        (passed,) = cursor.fetchone()
        if window is not None:
            window = _past_of(window, now, passed)
        for name in accounts:
            asked = given_window(window, is_dated_only) if window else next_window(cursor, feed, name, passed)
            found.append(Slice(name, *asked.window, asked.swept_from))
    return found


def pull(
    settings: Settings,
    url: str,
    feed: Feed,
    slice_: Slice,
    progress: Progress = lambda message: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    connect_to: Connect | None = None,
    warn: Progress = lambda message: None,
) -> Pulled:
    """Land and note what a slice asks for. Raises as `pull_window` does.

    :param now: the time, aware
    :param connect_to: opens a client to the provider; None: one that keeps real time
    :param warn: takes what was passed over in the inbox
    """
    with connected(url, LOADER, f"waybill:pull:{feed.slug}") as connection:
        prepare(connection, settings, [feed])
    if not isinstance(feed, ApiFeed):
        return pull_inbox(settings, url, feed, slice_.account, progress, warn)
    window = Window(slice_.from_at, slice_.until_at)
    connect_to = connect_to or partial(_client, settings, progress)
    return pull_window(settings, url, feed, slice_.account, window, slice_.swept_from, connect_to, now, progress)


def load_pull(
    settings: Settings, url: str, feed: Feed, pull_id: int, progress: Progress = lambda message: None
) -> tuple[list[Loaded], list[WaybillError]]:
    """Stage, validate and publish what a pull landed, in this process.

    :returns: what was published, and why the rest was not
    """
    with connected(url, LOADER, f"waybill:load:{feed.slug}") as connection:  # holds the locks of what it has staged
        load_ids = _stage(connection, settings, feed, pull_id, progress, kept_for=None)
        passed, failed = _validate(connection, settings, url, load_ids, progress)
        done, not_published = _publish(connection, settings, pull_id, passed, progress)
    return done, failed + not_published


def stage_pull(
    settings: Settings, url: str, feed: Feed, pull_id: int, progress: Progress = lambda message: None
) -> list[int]:
    """Stage what a pull landed and is not published yet, and what earlier ones of its account left behind when they
    died; returns the loads, in batches of bounded size. With nothing new, the pull counts as complete at once."""
    with connected(url, LOADER, f"waybill:stage:{feed.slug}") as connection:
        return _stage(connection, settings, feed, pull_id, progress, KEPT_FOR)


def validate_loads(
    settings: Settings, url: str, load_ids: Sequence[int], progress: Progress = lambda message: None
) -> None:
    """Look at each of these loads. One that fails is stopped, the others are looked at all the same; then the first
    failure is raised."""
    with connected(url, LOADER, "waybill:validate") as connection:
        _, failed = _validate(connection, settings, url, load_ids, progress)
    _raise_first(failed)


def publish_loads(
    settings: Settings, url: str, pull_id: int, load_ids: Sequence[int], progress: Progress = lambda message: None
) -> list[Loaded]:
    """Publish each of these loads that passed; then raise the first failure, or name what could not be read."""
    with connected(url, LOADER, "waybill:publish") as connection:
        done, failed = _publish(connection, settings, pull_id, load_ids, progress)
    _raise_first(failed)
    return done


def _stage(
    connection: Connection,
    settings: Settings,
    feed: Feed,
    pull_id: int,
    progress: Progress,
    kept_for: timedelta | None,
) -> list[int]:
    prepare(connection, settings, [feed])
    with connection, connection.cursor() as cursor:
        others = journal.left_behind(cursor, pull_id)
    loads: list[int] = []
    staged: set[int] = set()
    for number in (pull_id, *others):
        fresh = [found for found in _fresh_of_pull(connection, feed, number) if found.object_id not in staged]
        staged.update(found.object_id for found in fresh)
        for batch in batches(fresh):
            while batch:
                account = batch[0].landed.account
                try:
                    loads.append(
                        stage_load(connection, settings, feed, account, batch, "load", progress, number, kept_for)
                    )
                    break
                except BrokenObjectError as error:
                    progress(f"left out: {error}")
                    journal.note_broken(connection, pull_id, str(error))
                    batch.remove(error.broken)
    with connection, connection.cursor() as cursor:
        commit_pull(cursor, pull_id)  # where all it showed is published already; else the last publish does it
    return loads


def _validate(
    connection: Connection, settings: Settings, url: str, load_ids: Sequence[int], progress: Progress
) -> tuple[list[int], list[WaybillError]]:
    """The loads that passed, and why the others did not."""
    passed: list[int] = []
    failed: list[WaybillError] = []
    for load_id in load_ids:
        try:
            validate_load(connection, settings, url, load_id, progress)
            passed.append(load_id)
        except WaybillError as error:
            failed.append(error)
    return passed, failed


def _publish(
    connection: Connection, settings: Settings, pull_id: int, load_ids: Sequence[int], progress: Progress
) -> tuple[list[Loaded], list[WaybillError]]:
    """What was published, and why the rest was not."""
    done: list[Loaded] = []
    failed: list[WaybillError] = []
    held: list[str] = []
    with connection, connection.cursor() as cursor:
        broken = journal.broken(cursor, pull_id)
    for load_id in load_ids:
        try:
            published = publish_load(connection, settings, load_id, progress)
        except WaybillError as error:
            failed.append(error)
            continue
        broken.extend(published.incomplete)
        held.extend(published.held_back)
        done.append(loaded(connection, load_id, published))
    try:
        raise_unfinished(held, broken, done)
    except (HeldBackError, IncompleteError) as error:
        failed.append(error)
    return done, failed


def _raise_first(failed: Sequence[WaybillError]) -> None:
    if not failed:
        return
    for other in failed[1:]:
        failed[0].add_note(str(other))
    raise failed[0]


def _past_of(window: Window, now: datetime, passed: datetime) -> Window:
    """What of a window has passed, by the clock here and by the warehouse's. Raises UsageError."""
    past = Window(window.from_at, min(window.until_at, passed))
    if window.until_at > now or past.from_at >= past.until_at:
        raise UsageError(
            f"{window.from_at.isoformat()} to {window.until_at.isoformat()} is no window: it must end after its start, "
            f"and not in the future (it is {now.isoformat()})."
        )
    return past


def _client(settings: Settings, progress: Progress, access: Access) -> Client:
    return Client(
        access.base_url,
        (access.user, access.secret),
        clock=time.monotonic,
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
        random=random.random,
        say=progress,
        allow_plain_http=settings.allows_plain_http,
    )


def _inbox_accounts(settings: Settings, feed: Feed, account: str | None) -> list[str]:
    """The accounts that have a folder of this feed in the inbox, or the one that is named. Raises UsageError."""
    found = inbox.accounts(settings, feed, account)
    if account is not None and not found:
        raise UsageError(f"There is no folder {account}/{feed.slug} in the inbox: {account} has no files of this feed.")
    return found


def _fresh_of_pull(connection: Connection, feed: Feed, pull_id: int) -> list[RecordedObject]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select distinct o.object_id, o.account, o.feed, o.sha256, o.path, o.byte_count, o.landed_at, o.source"
            " from ops.pull_page as p inner join ops.object as o on o.object_id = p.object_id"
            " where p.pull_id = %s order by o.object_id",
            (pull_id,),
        )
        objects = [RecordedObject(number, LandedObject(*rest)) for number, *rest in cursor.fetchall()]
        return fresh_of(cursor, objects, feed)[0]
