"""Computes all legs and messages again from all events, beside the stored ones."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import sql_of


def refold(cursor: Cursor, report_timezone: str) -> None:
    """Create the temporary tables leg_after and message_after: the rows that fact.leg and fact.message should have.

    Runs the SQL of loads over all events; the time grows with the history. The tables last until the transaction ends.

    :param report_timezone: IANA name of the zone of the stored local days
    """
    cursor.execute(sql_of("facts/changes", "touch_every_leg"))
    cursor.execute(sql_of("load/fold_legs"), {"report_timezone": report_timezone})
    cursor.execute(sql_of("load/join_legs"))
    cursor.execute(sql_of("load/touched_messages"))
    cursor.execute(sql_of("load/fold_messages"), {"report_timezone": report_timezone})
