"""Which accounts there are. Nobody registers them, so a misspelt one can only be told from those that were seen."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.landing import inbox
from waybill.model.errors import UsageError, WaybillError
from waybill.settings import Settings


def check_known(cursor: Cursor, settings: Settings, account: str) -> None:
    """Raise UsageError, which names the known accounts, unless this is one of them: in ACCOUNTS, with a folder in the
    inbox, with a landed object, or named by rows of a dispatch log."""
    cursor.execute("select account from ops.object union select account from fact.live_count")
    known = {*settings.accounts, *_in_inbox(settings), *(name for (name,) in cursor.fetchall())}
    if account not in known:
        raise UsageError(f"There is no account {account!r}; there are: {', '.join(sorted(known)) or 'none yet'}.")


def _in_inbox(settings: Settings) -> list[str]:
    if inbox.is_yet_to_be_made(settings):
        return []
    try:
        return inbox.account_folders(settings)
    except WaybillError:
        return []  # an inbox that is away is for those to report who need it
