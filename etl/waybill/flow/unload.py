"""Unload: takes the objects of a load back, as if they had never been loaded.

An unload is a replay without these objects: the other landed objects with keys of the same range are read again, and
the events that none of them contains are removed.
"""

import logging
from typing import NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.flow.replay import ATTEMPTS
from waybill.flow.results import Loaded, loaded
from waybill.flow.steps import prepare, publish_load, stage_load, validate_load
from waybill.landing.objects import LandedObject
from waybill.ledger import loads as ledger
from waybill.ledger.loads import LedgerRow
from waybill.ledger.objects import RecordedObject
from waybill.load.publish import KeyRange, OvertakenError, TakenBack, objects_of_range
from waybill.model.counted import counted
from waybill.model.errors import UsageError
from waybill.model.redaction import mask_everyone
from waybill.model.vocabulary import DISPATCH
from waybill.warehouse.connection import Warehouse
from waybill.warehouse.queries import sql_of

_NO_KEY = UUID(int=0)

log = logging.getLogger("waybill.flow")


class _Plan(NamedTuple):
    """What an unload replaces, and the objects that it reads again."""

    replaced: KeyRange
    objects: list[RecordedObject]


def unload(warehouse: Warehouse, load_id: int, by: str, because: str, is_dry_run: bool = False) -> Loaded | LedgerRow:
    """Take the objects of a published load back, in one transaction.

    Events, legs, messages, live counts and rejected records become those of a history without these objects. The
    landed bytes stay; loads and replays leave them out.

    :param by: name of who does it, for the ledger
    :param because: the reason, for the ledger
    :returns: the unload; or the ledger row of the load, if it was unloaded before
    :raises UsageError: there is no such load, or it is not published
    :raises BrokenObjectError: another object of the range cannot be read
    :raises DryRunError: it was a dry run; with the counts
    """
    with warehouse.connected(f"unload:{load_id}") as connection:
        with connection, connection.cursor() as cursor:
            row = ledger.row(cursor, load_id)
        feed = FEEDS[row.feed]
        prepare(connection, warehouse.settings, [other for other in FEEDS.values() if other.provider == feed.provider])
        for attempt in range(1, ATTEMPTS + 1):
            with connection, connection.cursor() as cursor:
                row = _checked(cursor, load_id)
                if row.status == "unloaded":
                    return row
                plan = _plan(cursor, row, mask_everyone(by), mask_everyone(because), is_dry_run)
            try:
                return _run(connection, warehouse, row, plan)
            except OvertakenError as error:
                if attempt == ATTEMPTS:
                    raise
                log.info("%s", error, extra={"load_id": load_id, "feed": row.feed, "account": row.account})
    raise AssertionError("unreachable: the last attempt returns or raises")


def _checked(cursor: Cursor, load_id: int) -> LedgerRow:
    row = ledger.row(cursor, load_id)
    if row.kind != "load":
        raise UsageError(f"Load {load_id} is of kind {row.kind}: only the load that brought the files can be unloaded.")
    if row.status not in ("published", "unloaded"):
        raise UsageError(f"Load {load_id} is {row.status}: it published nothing that could be unloaded.")
    return row


def _plan(cursor: Cursor, row: LedgerRow, by: str, because: str, is_dry_run: bool) -> _Plan:
    cursor.execute(sql_of("load/unload", "taken_back"), {"load_id": row.load_id})
    taken = cursor.fetchall()
    object_ids = {"object_ids": [object_id for object_id, *_ in taken]}
    cursor.execute(sql_of("load/unload", "loads_of_objects"), object_ids)
    load_ids = {row.load_id, *(load_id for (load_id,) in cursor.fetchall())}
    keys = [key for *_, first, last in taken for key in (first, last) if key is not None]
    provider = FEEDS[row.feed].provider
    replaced = KeyRange(
        None if provider == DISPATCH else row.account,
        provider,
        min(keys, default=_NO_KEY),
        UUID(int=max(keys).int + 1) if keys else _NO_KEY,
        TakenBack(tuple(sorted(load_ids)), tuple(object_ids["object_ids"]), by, because, is_dry_run),
    )
    objects = {o.object_id: o for o in objects_of_range(cursor, replaced)}
    cursor.execute(sql_of("load/unload", "sharing_rejects"), object_ids)
    objects |= {number: RecordedObject(number, LandedObject(*rest)) for number, *rest in cursor.fetchall()}
    return _Plan(replaced, [objects[number] for number in sorted(objects)])


def _run(connection: Connection, warehouse: Warehouse, row: LedgerRow, plan: _Plan) -> Loaded:
    log.info(
        "unload of load %d: %s taken back, %s read again",
        row.load_id,
        counted(len(plan.replaced.without), "object is", "objects are"),
        counted(len(plan.objects), "other object is", "other objects are"),
        extra={"feed": row.feed, "account": row.account},
    )
    load_id = stage_load(connection, warehouse, FEEDS[row.feed], plan.objects, "unload", account=row.account)
    validate_load(connection, warehouse, load_id)
    published = publish_load(connection, warehouse, load_id, plan.replaced)
    for complaint in published.held_back:
        log.info("still held back: %s", complaint, extra={"load_id": load_id})
    return loaded(connection, load_id, published)
