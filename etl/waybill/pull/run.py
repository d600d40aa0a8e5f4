"""Pull: lands the pages of a provider's API for a window, or the files of the inbox, and records each in the ledger.

A page is landed before anything of it is read, and recorded after it was checked, together with the link to the next
page. A pull that died continues at that link, so it fetches at most one page twice.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime

from waybill.feeds.api import ApiFeed, Window
from waybill.feeds.base import Feed
from waybill.landing.sources import landed_new
from waybill.ledger import loads as ledger
from waybill.ledger import pulls as journal
from waybill.ledger.objects import first_day_to_read, record
from waybill.ledger.pulls import Pulled
from waybill.model.counted import counted
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.pull.client import Client
from waybill.pull.pages import ListPages, Task, log_progress
from waybill.settings import Access, DispatchTable
from waybill.warehouse.connection import Warehouse

Connect = Callable[[Access], Client]


def pull_window(
    warehouse: Warehouse,
    feed: ApiFeed,
    account: str,
    window: Window,
    swept_from: datetime | None,
    connect_to: Connect,
    now: Callable[[], datetime],
) -> Pulled:
    """Land every page of a window. If the last pull of this window died, this one continues it.

    :param swept_from: as in `ApiFeed.listings`
    :param connect_to: opens a client to the provider
    :param now: returns the time, aware
    :raises UsageError: the window ends in the future
    :raises ConfigurationError: credentials are missing or refused
    :raises SourceError: the provider could not be read to the end, or contradicts itself
    """
    if window.until_at > now():
        raise UsageError(f"The window ends at {window.until_at.isoformat()}, which is in the future.")
    settings = warehouse.settings
    access = settings.access_of(feed, account)
    with journal.alone(warehouse, feed, account) as connection:
        pull_id = journal.unfinished(connection, feed, account, window)
        if pull_id is None:
            pull_id = journal.begin(connection, feed, account, window)
        with closing(_opened(connect_to, access, feed, account)) as client:
            task = Task(settings, connection, feed, account, access.account_id, pull_id, window, now)
            lists = list(reversed(feed.listings(access.account_id, window, swept_from)))
            while lists:
                lists.extend(reversed(ListPages(task, lists.pop(), client).fetch()))
        if (alarm := journal.emptiness(connection, pull_id, feed)) is not None:
            journal.end(connection, pull_id, [alarm])
            raise SourceError(alarm)
        return journal.end(connection, pull_id)


def pull_inbox(warehouse: Warehouse, feed: Feed, account: str) -> Pulled:
    """Land every file in the inbox of one feed and account, and the last days of its dispatch log in a database; record
    what is not loaded yet. The result names files that cannot be read."""
    with journal.alone(warehouse, feed, account) as connection:
        pull_id = journal.begin(connection, feed, account, None)
        broken: list[str] = []

        def since(table: DispatchTable) -> date | None:
            with connection, connection.cursor() as cursor:
                return first_day_to_read(cursor, feed, account, table.path)

        for number, item in enumerate(landed_new(warehouse.settings, feed, account, since), start=1):
            if isinstance(item, SourceError):
                broken.append(str(item))
                continue
            with connection, connection.cursor() as cursor:
                recorded = record(cursor, item)
                if not ledger.published_with(cursor, [recorded.object_id], feed.rules_version):
                    journal.note_file(cursor, pull_id, number, recorded.object_id)
            log_progress(feed, account, counted(number, "file", "files"), file_count=number)
        return journal.end(connection, pull_id, broken)


def _opened(connect_to: Connect, access: Access, feed: Feed, account: str) -> Client:
    try:
        return connect_to(access)
    except ConfigurationError as error:
        raise ConfigurationError(f"{feed.slug} of account {account}: {error}") from None
