"""Ingest: pull, stage, validate, publish; each step by itself, for whoever takes them one by one, or all at once.

What passes from step to step is the number of the pull and those of its loads; everything else lies in the warehouse.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from psycopg2.extensions import connection as Connection  # noqa: N812
from upath import UPath

from etl.feeds.api import ApiFeed, Window
from etl.feeds.base import Feed
from etl.load.landing import LandedObject, RecordedObject
from etl.load.run import IncompleteError, Loaded, batches, fresh_of, prepare
from etl.load.stage import BrokenObjectError
from etl.load.steps import publish_load, stage_load, validate_load
from etl.load.watermark import commit_pull
from etl.model.errors import UsageError, WaybillError
from etl.pull.client import Client
from etl.pull.run import Pulled, pull_inbox, pull_window
from etl.pull.windows import given_window, next_window
from etl.settings import Access, Settings
from etl.warehouse.connection import LOADER, connected

Progress = Callable[[str], None]
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
    :raises UsageError: a window for files, or one that lies in the future or is empty
    :raises ConfigurationError: no account is known
    """
    if not isinstance(feed, ApiFeed):
        if window is not None:
            raise UsageError(f"{feed.slug} is taken from files: all that are there, whatever their time.")
        return [Slice(name) for name in ([account] if account else _inbox_accounts(settings, feed))]
    accounts = (account,) if account else settings.accounts
    if not accounts:
        raise UsageError("Which organisation? Name it with --account, or all of them in ACCOUNTS.")
    if window is not None and not window.from_at < window.until_at <= now:
        raise UsageError(
            f"{window.from_at.isoformat()} to {window.until_at.isoformat()} is no window: it must end after its start, "
            f"and not in the future (it is {now.isoformat()})."
        )
    found = []
    with connected(url, LOADER, "waybill:slices") as connection, connection, connection.cursor() as cursor:
        for name in accounts:
            asked = given_window(window, is_dated_only) if window else next_window(cursor, feed, name, now)
            found.append(Slice(name, *asked.window, asked.swept_from))
    return found


def pull(
    settings: Settings,
    url: str,
    feed: Feed,
    slice_: Slice,
    progress: Progress = lambda message: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Pulled:
    """Land and note what a slice asks for. Raises as `pull_window` does."""
    with connected(url, LOADER, f"waybill:pull:{feed.slug}") as connection:
        prepare(connection, settings, [feed])
    if not isinstance(feed, ApiFeed):
        return pull_inbox(settings, url, feed, slice_.account, progress)

    def client(access: Access) -> Client:
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

    window = Window(slice_.from_at, slice_.until_at)
    return pull_window(settings, url, feed, slice_.account, window, slice_.swept_from, client, now, progress)


def stage_pull(
    settings: Settings,
    url: str,
    feed: Feed,
    pull_id: int,
    progress: Progress = lambda message: None,
    kept_for: timedelta | None = KEPT_FOR,
) -> list[int]:
    """Stage what a pull landed and is not published yet; returns the loads, in batches of bounded size. With nothing
    to do, the pull counts as complete at once."""
    with connected(url, LOADER, f"waybill:stage:{feed.slug}") as connection:
        prepare(connection, settings, [feed])
        loads = []
        for batch in batches(_fresh_of_pull(connection, feed, pull_id)):
            while batch:
                account = batch[0].landed.account
                try:
                    loads.append(
                        stage_load(connection, settings, feed, account, batch, "load", progress, pull_id, kept_for)
                    )
                    break
                except BrokenObjectError as error:
                    progress(f"left out: {error}")
                    _note_broken(connection, pull_id, str(error))
                    batch.remove(error.broken)
        if not loads:
            with connection, connection.cursor() as cursor:
                commit_pull(cursor, pull_id)
        return loads


def validate_loads(
    settings: Settings, url: str, load_ids: Sequence[int], progress: Progress = lambda message: None
) -> None:
    """Look at each of these loads. One that fails is stopped, the others are looked at all the same; then the first
    failure is raised."""
    failed: list[WaybillError] = []
    with connected(url, LOADER, "waybill:validate") as connection:
        for load_id in load_ids:
            try:
                validate_load(connection, settings, url, load_id, progress)
            except WaybillError as error:
                failed.append(error)
    _raise_first(failed)


def publish_loads(
    settings: Settings, url: str, pull_id: int, load_ids: Sequence[int], progress: Progress = lambda message: None
) -> list[Loaded]:
    """Publish each of these loads that passed; then raise the first failure, or name what could not be read."""
    failed: list[WaybillError] = []
    done: list[Loaded] = []
    with connected(url, LOADER, "waybill:publish") as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("select broken from ops.pull where pull_id = %s", (pull_id,))
            broken = list(cursor.fetchone()[0])
        for load_id in load_ids:
            try:
                published = publish_load(connection, settings, load_id, progress)
            except WaybillError as error:
                failed.append(error)
                continue
            broken.extend(published.incomplete)
            done.append(Loaded(published.row, is_new=published.row.load_id == load_id))
    _raise_first(failed)
    if broken:
        raise IncompleteError(broken, done)
    return done


def _raise_first(failed: Sequence[WaybillError]) -> None:
    if not failed:
        return
    for other in failed[1:]:
        failed[0].add_note(str(other))
    raise failed[0]


def _inbox_accounts(settings: Settings, feed: Feed) -> list[str]:
    """The accounts that have a folder of this feed in the inbox."""
    inbox = UPath(settings.inbox_url)
    if not inbox.is_dir():
        return []
    return sorted(child.name for child in inbox.iterdir() if (child / feed.slug).is_dir())


def _fresh_of_pull(connection: Connection, feed: Feed, pull_id: int) -> list[RecordedObject]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select distinct o.object_id, o.account, o.feed, o.sha256, o.path, o.byte_count, o.landed_at"
            " from ops.pull_page as p inner join ops.object as o on o.object_id = p.object_id"
            " where p.pull_id = %s order by o.object_id",
            (pull_id,),
        )
        objects = [RecordedObject(number, LandedObject(*rest)) for number, *rest in cursor.fetchall()]
        return fresh_of(cursor, objects, feed)[0]


def _note_broken(connection: Connection, pull_id: int, reason: str) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute("update ops.pull set broken = broken || %s where pull_id = %s", ([reason], pull_id))
