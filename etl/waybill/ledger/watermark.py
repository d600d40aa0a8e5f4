"""How far each API feed is complete. It moves in the transaction that publishes the last objects of a window, and
never into the future."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import sql_of


def commit_pull_of(cursor: Cursor, load_id: int) -> None:
    """`commit_pull` for the pull that a load belongs to, if any."""
    cursor.execute("select pull_id from ops.load where load_id = %s", (load_id,))
    (pull_id,) = cursor.fetchone()
    if pull_id is not None:
        commit_pull(cursor, pull_id)


def commit_pull(cursor: Cursor, pull_id: int) -> bool:
    """Count the window of a pull as complete, if all it landed is published; whether it was.

    The stretch without a gap that the watermark tells may grow by more than this window: by all those that were
    complete before, and lay behind a gap.
    """
    cursor.execute(sql_of("ledger/watermark", "commit_pull"), {"pull_id": pull_id})
    committed = cursor.fetchone()
    if committed is None:
        return False
    account, feed, from_at, until_at = committed
    if from_at is not None:
        _advance(cursor, account, feed, from_at, until_at)
    return True


def _advance(cursor: Cursor, account: str, feed: str, from_at: object, until_at: object) -> None:
    window = {"account": account, "feed": feed, "from_at": from_at, "until_at": until_at}
    cursor.execute(sql_of("ledger/watermark", "begin"), window)
    cursor.execute(sql_of("ledger/watermark", "lock"), window)
    cursor.execute(sql_of("ledger/watermark", "advance"), window)
