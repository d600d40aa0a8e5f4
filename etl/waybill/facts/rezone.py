"""Another report zone: the local days that facts keep, computed anew."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.installed_files import SQL


def rezone(cursor: Cursor, report_timezone: str) -> None:
    """Compute fact.leg.engaged_days, fact.message.sent_day and fact.message.days in another zone.

    The caller holds the exclusive side of the zone lock, so that no load writes days meanwhile, and commits.

    :param report_timezone: IANA name
    """
    parameters = {"report_timezone": report_timezone}
    cursor.execute((SQL / "load" / "rezone_legs.sql").read_text(), parameters)
    cursor.execute("create temporary table touched_message on commit drop as select message_key from fact.message")
    cursor.execute((SQL / "load" / "fold_messages.sql").read_text(), parameters)
    # the zone changes no message but in its days, which is all that a builder may write
    cursor.execute(
        "update fact.message as m set sent_day = a.sent_day, days = a.days from message_after as a"
        " where a.message_key = m.message_key and (m.sent_day, m.days) is distinct from (a.sent_day, a.days)"
    )
