"""Landed objects in ops.object, which numbers them."""

from typing import NamedTuple

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.landing.objects import LandedObject, source_of
from waybill.warehouse.queries import only_value


class RecordedObject(NamedTuple):
    """A landed object and its object_id."""

    object_id: int
    landed: LandedObject


def record(cursor: Cursor, landed: LandedObject) -> RecordedObject:
    """Store a landed object in ops.object; the same object keeps its object_id."""
    cursor.execute(
        "insert into ops.object as o (account, feed, sha256, path, byte_count, landed_at, source)"
        " values (%s, %s, %s, %s, %s, %s, %s) on conflict (account, feed, sha256)"
        " do update set source = excluded.source where o.source is null and excluded.source is not null",
        (*msgspec.structs.astuple(landed)[:6], source_of(landed)),
    )
    cursor.execute(
        "select object_id from ops.object where account = %s and feed = %s and sha256 = %s",
        (landed.account, landed.feed, landed.sha256),
    )
    return RecordedObject(only_value(cursor, int), landed)


def objects_of_pull(cursor: Cursor, pull_id: int) -> list[RecordedObject]:
    """Return the objects that a pull landed, each once, in order of object_id."""
    cursor.execute(
        "select distinct o.object_id, o.account, o.feed, o.sha256, o.path, o.byte_count, o.landed_at, o.source"
        " from ops.pull_page as p inner join ops.object as o on o.object_id = p.object_id"
        " where p.pull_id = %s order by o.object_id",
        (pull_id,),
    )
    return [RecordedObject(number, LandedObject(*rest)) for number, *rest in cursor.fetchall()]
