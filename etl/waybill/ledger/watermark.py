"""The watermark: how far each API feed is complete. It moves in the transaction that publishes the last objects of a
window, and never into the future."""

from datetime import datetime

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import only_row, sql_of


def commit_pull_of(cursor: Cursor, load_id: int) -> None:
    """Run `commit_pull` for the pull of a load, if it has one."""
    cursor.execute("select pull_id from ops.load where load_id = %s", (load_id,))
    (pull_id,) = only_row(cursor)
    if pull_id is not None:
        commit_pull(cursor, pull_id)


def commit_pull(cursor: Cursor, pull_id: int) -> bool:
    """Mark the window of a pull as complete if everything it landed is published; return whether it is.

    The watermark is the stretch without a gap. It may grow by more than this window: by earlier complete windows that
    a gap had separated.
    """
    cursor.execute(sql_of("ledger/watermark", "commit_pull"), {"pull_id": pull_id})
    committed = cursor.fetchone()
    if committed is None:
        return False
    account, feed, from_at, until_at = committed
    if from_at is not None:
        _advance(cursor, account, feed, from_at, until_at)
    return True


def _advance(cursor: Cursor, account: str, feed: str, from_at: datetime, until_at: datetime) -> None:
    window = {"account": account, "feed": feed, "from_at": from_at, "until_at": until_at}
    cursor.execute(sql_of("ledger/watermark", "begin"), window)
    cursor.execute(sql_of("ledger/watermark", "lock"), window)
    cursor.execute(sql_of("ledger/watermark", "advance"), window)
