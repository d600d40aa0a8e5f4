"""Lands the bytes of a load from files and folders, the inbox, or the dispatch log of a database."""

import logging
from collections.abc import Callable, Iterator
from datetime import date

from waybill.feeds.base import Feed
from waybill.landing import inbox
from waybill.landing.dispatch_table import landed_table
from waybill.landing.entries import Entry, OpenFile, UnreadableError, entries_of
from waybill.landing.objects import LandedObject, land
from waybill.model.errors import SourceError
from waybill.settings import DispatchTable, Settings

Landed = LandedObject | SourceError
"""A landed file, or why it could not be read: a bad file must not block the others."""

log = logging.getLogger("waybill.landing")


def landed_paths(settings: Settings, feed: Feed, account: str, paths: list[str]) -> Iterator[Landed]:
    """Land all files of paths. A folder gives all files below it, `table:schema.name` a SQL table of
    DISPATCH_LOG_URL."""
    for path in paths:
        if path.startswith("table:"):
            yield from landed_table(settings, feed, account, DispatchTable.of(path, settings.dispatch_log_watermark))
        else:
            yield from _landed(settings, feed, account, entries_of(path))


def landed_inbox(settings: Settings, feed: Feed, account: str | None) -> Iterator[Landed]:
    """Land all files in INBOX_URL/<account>/<feed>/, of one account or of all. Raises as `inbox.accounts`."""
    for name in inbox.accounts(settings, feed, account):
        yield from _landed(settings, feed, name, inbox.entries(settings, feed, name))


def landed_new(
    settings: Settings, feed: Feed, account: str, since: Callable[[DispatchTable], date | None]
) -> Iterator[Landed]:
    """Land what a pull reads: all files in the inbox of one feed and account, and the last days of the account's
    dispatch log in a database.

    :param since: returns the first day to read of a table; None: all days
    """
    table = settings.dispatch_table(feed, account)
    if table is None or account in inbox.account_folders(settings):
        yield from landed_inbox(settings, feed, account)
    if table is not None:
        yield from landed_table(settings, feed, account, table, since(table), needs_days=True)


def _landed(settings: Settings, feed: Feed, account: str, entries: Iterator[Entry]) -> Iterator[Landed]:
    for entry in entries:
        if isinstance(entry, OpenFile):
            try:
                yield land(entry.stream, account, feed.slug, settings.landing_url, source=entry.shown)
            except UnreadableError as error:
                yield error
        elif entry.may_hold_records:
            yield SourceError(str(entry))
        else:
            log.warning("%s.", entry, extra={"feed": feed.slug, "account": account, "step": "pull"})
