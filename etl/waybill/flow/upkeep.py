"""Upkeep of the warehouse for a scheduler. Loads also do it for themselves."""

from datetime import datetime

from waybill.load import stage
from waybill.warehouse.connection import Warehouse
from waybill.warehouse.migrations import ensure_partitions


def make_partitions(warehouse: Warehouse, until: datetime) -> int:
    """Create the missing monthly partitions, up to the month after `until` (aware); returns how many."""
    with warehouse.connected("upkeep") as connection, connection, connection.cursor() as cursor:
        return ensure_partitions(cursor, until)


def drop_orphans(warehouse: Warehouse) -> int:
    """Drop the staging tables of loads that died or waited too long for their next step; returns how many loads."""
    with warehouse.connected("upkeep") as connection:
        return stage.drop_orphans(connection)
