"""Landed objects in ops.object, which numbers them."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds.base import Feed
from waybill.landing.objects import LandedObject, source_of
from waybill.warehouse.queries import only_row, only_value, sql_of


class RecordedObject(NamedTuple):
    """A landed object and its object_id."""

    object_id: int
    landed: LandedObject


def record(cursor: Cursor, landed: LandedObject) -> RecordedObject:
    """Store a landed object in ops.object; the same object keeps its object_id."""
    cursor.execute(sql_of("ledger/objects", "record"), {**msgspec.structs.asdict(landed), "source": source_of(landed)})
    cursor.execute(
        "select object_id from ops.object where account = %s and feed = %s and sha256 = %s",
        (landed.account, landed.feed, landed.sha256),
    )
    return RecordedObject(only_value(cursor, int), landed)


def leave_out(cursor: Cursor, object_ids: Iterable[int], left_out: str, by: str, because: str) -> None:
    """Mark objects as left out: no load, replay or pull waits for them.

    :param left_out: `unloaded` or `given_up`
    """
    cursor.execute(
        sql_of("ledger/objects", "leave_out"),
        {"object_ids": list(object_ids), "left_out": left_out, "by": by, "because": because},
    )


def count_again(cursor: Cursor, object_ids: Iterable[int]) -> None:
    """Mark objects that were left out as objects that count, because a load contains them now."""
    cursor.execute(sql_of("ledger/objects", "count_again"), {"object_ids": list(object_ids)})


def unloaded(cursor: Cursor, object_ids: Iterable[int]) -> set[int]:
    """Return those of these objects that were unloaded."""
    cursor.execute(
        "select object_id from ops.object where object_id = any(%s) and left_out = 'unloaded'", (list(object_ids),)
    )
    return {object_id for (object_id,) in cursor.fetchall()}


def unloaded_since(cursor: Cursor, object_ids: Iterable[int], load_id: int) -> bool:
    """Whether one of these objects was unloaded after a load of it began."""
    cursor.execute(sql_of("ledger/objects", "unloaded_since"), {"object_ids": list(object_ids), "load_id": load_id})
    return cursor.rowcount > 0


def objects_of_pull(cursor: Cursor, pull_id: int) -> list[RecordedObject]:
    """Return the objects that a pull landed, each once, in order of object_id."""
    cursor.execute(sql_of("ledger/objects", "of_pull"), {"pull_id": pull_id})
    return [RecordedObject(number, LandedObject(*rest)) for number, *rest in cursor.fetchall()]


def first_day_to_read(cursor: Cursor, feed: Feed, account: str, table: str) -> date | None:
    """Return the first day of a table of the dispatch log that the next pull reads; None: all days.

    :param table: the path, as `table:SCHEMA.NAME`
    """
    days = {"account": account, "feed": feed.slug, "of_table": f"{table} ", "days": feed.lateness.days}
    cursor.execute(sql_of("ledger/objects", "first_day_to_read"), days)
    day: date | None
    (day,) = only_row(cursor)
    return day


def known_sha256(cursor: Cursor, account: str, feed: str) -> set[str]:
    """Return the names of all recorded objects of a feed and account."""
    cursor.execute("select sha256 from ops.object where account = %s and feed = %s", (account, feed))
    return {sha256 for (sha256,) in cursor.fetchall()}
