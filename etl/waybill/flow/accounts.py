"""The known accounts. Accounts are not registered, so an unknown account is one that was never seen."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.landing import inbox
from waybill.model.errors import UsageError, WaybillError
from waybill.settings import Settings


def check_known(cursor: Cursor, settings: Settings, account: str) -> None:
    """Raise UsageError, which lists the known accounts, if the account is unknown. An account is known if it is in
    ACCOUNTS, has a folder in the inbox or a landed object, or is named in a dispatch log."""
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
        return []  # commands that need the inbox report this error
