"""Legs and messages computed again, from all events, beside those that are stored."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import sql_of


def refold(cursor: Cursor, report_timezone: str) -> None:
    """Leave the temporary tables leg_after and message_after behind, until the end of the transaction: what fact.leg
    and fact.message should be. The same SQL that loads run, over everything; the time it takes follows the history.

    :param report_timezone: IANA name, that of the stored local days
    """
    cursor.execute(sql_of("facts/changes", "touch_every_leg"))
    cursor.execute(sql_of("load/fold_legs"), {"report_timezone": report_timezone})
    cursor.execute(sql_of("load/join_legs"))
    cursor.execute(sql_of("load/touched_messages"))
    cursor.execute(sql_of("load/fold_messages"), {"report_timezone": report_timezone})
