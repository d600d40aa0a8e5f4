"""Slices: the accounts and windows that an ingest pulls."""

from datetime import datetime

import msgspec

from waybill.feeds.api import ApiFeed, Window
from waybill.feeds.base import Feed
from waybill.landing import inbox
from waybill.model.errors import UsageError
from waybill.pull.windows import given_window, next_window
from waybill.settings import Settings
from waybill.warehouse.connection import Warehouse
from waybill.warehouse.queries import only_value


class Slice(msgspec.Struct, frozen=True):
    """The task of one pull: an account, and for an API feed a window (aware times)."""

    account: str
    from_at: datetime | None = None
    until_at: datetime | None = None
    swept_from: datetime | None = None

    @property
    def window(self) -> Window | None:
        """The window of an API feed."""
        return None if self.from_at is None or self.until_at is None else Window(self.from_at, self.until_at)

    @property
    def label(self) -> str:
        """The slice in words."""
        if self.from_at is None:
            return self.account
        return f"{self.account} {self.from_at:%Y-%m-%d %H:%M} to {self.until_at:%Y-%m-%d %H:%M} UTC"


def slices(
    warehouse: Warehouse,
    feed: Feed,
    now: datetime,
    window: Window | None = None,
    account: str | None = None,
    is_dated_only: bool = False,
) -> list[Slice]:
    """Return the slices to pull, one for each account.

    :param now: the time, aware; the end of a window that is not given
    :param window: for an API feed; None: from its watermark less its lateness
    :param account: None: every account of ACCOUNTS, or of the inbox
    :param is_dated_only: with a given window, leave out the records that no window contains
    :raises UsageError: a window was given for files, is empty or ends in the future; no account is given, or an
        unknown one
    :raises ConfigurationError: the inbox is missing
    """
    settings = warehouse.settings
    if not isinstance(feed, ApiFeed):
        if window is not None:
            raise UsageError(f"{feed.slug} has files, not windows: every file of the inbox is loaded.")
        return [Slice(name) for name in _inbox_accounts(settings, feed, account)]
    if account and settings.accounts and account not in settings.accounts:
        raise UsageError(f"There is no account {account!r} in ACCOUNTS: {', '.join(settings.accounts)}.")
    accounts = (account,) if account else settings.accounts
    if not accounts:
        raise UsageError("No account is given. Name it with --account, or name all accounts in ACCOUNTS.")
    found = []
    with warehouse.connected("slices") as connection, connection, connection.cursor() as cursor:
        cursor.execute("select least(%s, clock_timestamp())", (now,))  # a watermark may be ahead of neither clock
        passed = only_value(cursor, datetime)
        if window is not None:
            window = _past_of(window, now, passed)
        for name in accounts:
            pull = given_window(window, is_dated_only) if window else next_window(cursor, feed, name, passed)
            found.append(Slice(name, *pull.window, pull.swept_from))
    return found


def _past_of(window: Window, now: datetime, passed: datetime) -> Window:
    """Return the part of a window that has passed by both clocks. Raises UsageError if it is empty or in the future."""
    past = Window(window.from_at, min(window.until_at, passed))
    if window.until_at > now or past.from_at >= past.until_at:
        raise UsageError(
            f"{window.from_at.isoformat()} to {window.until_at.isoformat()} is not a valid window: it must end after "
            f"its start, and not in the future (now is {now.isoformat()})."
        )
    return past


def _inbox_accounts(settings: Settings, feed: Feed, account: str | None) -> list[str]:
    """Return the accounts that have a folder of this feed in the inbox, or the dispatch log in a database; or the one
    that is named. Raises UsageError."""
    in_database = [] if settings.dispatch_table(feed) is None else [settings.dispatch_table_account]
    if account is not None and account in in_database:
        return [account]
    found = sorted({*in_database, *inbox.accounts(settings, feed, account)})
    if account is not None and not found:
        raise UsageError(f"There is no folder {account}/{feed.slug} in the inbox: {account} has no files of this feed.")
    return found
