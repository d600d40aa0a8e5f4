"""What an ingest is to pull: an account, and of an API feed a window."""

from datetime import datetime

import msgspec

from waybill.feeds.api import ApiFeed, Window
from waybill.feeds.base import Feed
from waybill.landing import inbox
from waybill.model.errors import UsageError
from waybill.pull.windows import given_window, next_window
from waybill.settings import Settings
from waybill.warehouse.connection import Warehouse


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
    warehouse: Warehouse,
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
    settings = warehouse.settings
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
    with warehouse.connected("slices") as connection, connection, connection.cursor() as cursor:
        cursor.execute("select least(%s, clock_timestamp())", (now,))  # the watermark is bound by both clocks
        (passed,) = cursor.fetchone()
        if window is not None:
            window = _past_of(window, now, passed)
        for name in accounts:
            asked = given_window(window, is_dated_only) if window else next_window(cursor, feed, name, passed)
            found.append(Slice(name, *asked.window, asked.swept_from))
    return found


def _past_of(window: Window, now: datetime, passed: datetime) -> Window:
    """What of a window has passed, by the clock here and by the warehouse's. Raises UsageError."""
    past = Window(window.from_at, min(window.until_at, passed))
    if window.until_at > now or past.from_at >= past.until_at:
        raise UsageError(
            f"{window.from_at.isoformat()} to {window.until_at.isoformat()} is no window: it must end after its start, "
            f"and not in the future (it is {now.isoformat()})."
        )
    return past


def _inbox_accounts(settings: Settings, feed: Feed, account: str | None) -> list[str]:
    """The accounts that have a folder of this feed in the inbox, or the one that is named. Raises UsageError."""
    found = inbox.accounts(settings, feed, account)
    if account is not None and not found:
        raise UsageError(f"There is no folder {account}/{feed.slug} in the inbox: {account} has no files of this feed.")
    return found
