"""Landed objects in ops.object, which numbers them."""

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
    (day,) = only_row(cursor)
    return date.fromisoformat(str(day)) if day is not None else None


def known_sha256(cursor: Cursor, account: str, feed: str) -> set[str]:
    """Return the names of all recorded objects of a feed and account."""
    cursor.execute("select sha256 from ops.object where account = %s and feed = %s", (account, feed))
    return {sha256 for (sha256,) in cursor.fetchall()}
