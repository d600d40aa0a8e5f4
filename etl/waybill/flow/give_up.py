"""Give up: landed objects that cannot be loaded no longer keep a feed from being complete."""

from waybill.landing.objects import LandedObject, open_object
from waybill.ledger.objects import leave_out
from waybill.ledger.watermark import commit_pull
from waybill.model.errors import SourceError, UsageError
from waybill.model.redaction import mask_everyone
from waybill.warehouse.connection import Warehouse
from waybill.warehouse.queries import sql_of


def give_up(warehouse: Warehouse, path: str, by: str, because: str) -> bool:
    """Leave a landed object out; returns False if it was left out before.

    Its rejected records are dismissed, and pulls that waited only for it are complete. A later load of the same bytes
    takes the object in again.

    :param path: of the object, relative to LANDING_URL
    :raises UsageError: there is no such object, it is published, or it can be loaded
    """
    why = {"by": mask_everyone(by), "because": mask_everyone(because)}
    with warehouse.connected("give-up") as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/objects", "by_path"), {"path": path})
        found = cursor.fetchone()
        if found is None:
            raise UsageError(f"There is no landed object {path}.")
        object_id, *of_object, left_out, is_published, has_rejects = found
        if left_out is not None:
            return False
        if is_published:
            raise UsageError(f"{path} is loaded: its events count. `waybill unload` takes its load back.")
        if not has_rejects and _is_readable(warehouse, LandedObject(*of_object)):
            raise UsageError(f"{path} can be read: load it again instead, and see why that fails.")
        leave_out(cursor, [object_id], "given_up", **why)
        cursor.execute(sql_of("ledger/objects", "dismiss_rejects"), {"object_id": object_id, **why})
        cursor.execute(sql_of("ledger/objects", "forget_broken"), {"object_id": object_id, "path": path})
        for (pull_id,) in cursor.fetchall():
            commit_pull(cursor, pull_id)
    return True


def _is_readable(warehouse: Warehouse, landed: LandedObject) -> bool:
    try:
        open_object(warehouse.settings.landing_url, landed).close()
    except SourceError:
        return False
    return True
