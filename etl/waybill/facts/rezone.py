"""Computes the local days of facts again after a change of the report zone."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.warehouse.queries import sql_of


def rezone(cursor: Cursor, report_timezone: str) -> None:
    """Compute fact.leg.engaged_days, fact.message.sent_day and fact.message.days in another zone.

    The caller holds the exclusive zone lock, so that no load writes days meanwhile, and commits.

    :param report_timezone: IANA name
    """
    parameters = {"report_timezone": report_timezone}
    cursor.execute(sql_of("load/rezone_legs"), parameters)
    cursor.execute(sql_of("facts/changes", "touch_every_message"))
    cursor.execute(sql_of("load/fold_messages"), parameters)
    cursor.execute(sql_of("facts/changes", "write_days"))
