"""How far each API feed is complete. It moves in the transaction that publishes the last objects of a window, and
never into the future."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812


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
    cursor.execute(
        "update ops.pull as p set committed_at = clock_timestamp()"
        " where p.pull_id = %s and p.pulled_at is not null and p.committed_at is null and p.broken = '{}'"
        " and not exists ("
        "  select from ops.pull_page as g where g.pull_id = p.pull_id and not exists ("
        "   select from ops.load_object as o inner join ops.load as l on l.load_id = o.load_id"
        "   where o.object_id = g.object_id and l.status = 'published'))"
        " returning p.account, p.feed, p.from_at, p.until_at",
        (pull_id,),
    )
    committed = cursor.fetchone()
    if committed is None:
        return False
    account, feed, from_at, until_at = committed
    if from_at is not None:
        _advance(cursor, account, feed, from_at, until_at)
    return True


def _advance(cursor: Cursor, account: str, feed: str, from_at: object, until_at: object) -> None:
    cursor.execute(
        "insert into ops.watermark (account, feed, complete_from, complete_until) values (%s, %s, %s, %s)"
        " on conflict (account, feed) do nothing",
        (account, feed, from_at, until_at),
    )
    cursor.execute(  # the row is locked first, so that two windows that end at once cannot forget each other
        "select from ops.watermark where account = %s and feed = %s for update", (account, feed)
    )
    cursor.execute(
        "update ops.watermark as w set complete_from = lower(stretch), complete_until = upper(stretch)"
        " from (select unnest(range_agg(tstzrange(from_at, until_at))) as stretch from ("
        "  select complete_from as from_at, complete_until as until_at from ops.watermark"
        "   where account = %(account)s and feed = %(feed)s"
        "  union all select p.from_at, p.until_at from ops.pull as p inner join ops.watermark as m"
        "   on m.account = p.account and m.feed = p.feed"
        "   and (p.until_at > m.complete_until or p.from_at < m.complete_from)"
        "   where p.account = %(account)s and p.feed = %(feed)s and p.committed_at is not null"
        "  ) as windows) as stretches"
        " where w.account = %(account)s and w.feed = %(feed)s and stretch @> w.complete_from"
        " and stretch <> tstzrange(w.complete_from, w.complete_until)",
        {"account": account, "feed": feed},
    )
