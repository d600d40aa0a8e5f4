"""Legs and messages computed again, from all events, beside those that are stored."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.installed_files import SQL

_EVERY_LEG = """
create temporary table inserted_event (like fact.event) on commit drop;
create temporary table touched_leg on commit drop as
with
named as (
    select leg_key from fact.event where leg_key is not null
    union all
    select named_leg_key from fact.event where named_leg_key is not null
    union all
    select leg_key from fact.leg
)
select leg_key, true as is_recomputed from named group by leg_key;
create unique index on touched_leg (leg_key);
analyze touched_leg;
"""


def refold(cursor: Cursor, report_timezone: str) -> None:
    """Leave the temporary tables leg_after and message_after behind, until the end of the transaction: what fact.leg
    and fact.message should be. The same SQL that loads run, over everything; the time it takes follows the history.

    :param report_timezone: IANA name, that of the stored local days
    """
    cursor.execute(_EVERY_LEG)
    for name in ("fold_legs", "join_legs", "touched_messages", "fold_messages"):
        cursor.execute((SQL / "load" / f"{name}.sql").read_text(), {"report_timezone": report_timezone})
