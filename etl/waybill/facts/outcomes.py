"""Applies the events of a load to legs and messages, and writes only the differences."""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts import join_counts, live_counts
from waybill.warehouse.queries import columns_of, sql_of


def write_legs_and_messages(cursor: Cursor, load_id: int, report_timezone: str) -> None:
    """Apply the new and revised events of a load to legs, messages, changed days, live monitoring and counts of joins.

    Reads the temporary tables inserted_event, revised_event and revised_leg. The caller holds the locks of all
    accounts of the load.

    :param report_timezone: IANA name of the zone of the stored local days
    """
    cursor.execute(sql_of("load/touched_legs"))
    cursor.execute(sql_of("load/fold_legs"), {"report_timezone": report_timezone})
    cursor.execute(sql_of("load/join_legs"))
    cursor.execute(sql_of("load/touched_messages"))
    cursor.execute(sql_of("facts/changes", "note_days_before"))
    live_counts.note_before(cursor)
    join_counts.note_before(cursor)
    _apply_difference(cursor, "leg", "leg_key", "touched_leg", "leg_after")
    cursor.execute(sql_of("facts/changes", "move_legs"))
    cursor.execute(sql_of("load/fold_messages"), {"report_timezone": report_timezone})
    _apply_difference(cursor, "message", "message_key", "touched_message", "message_after")
    live_counts.write_difference(cursor, load_id)
    join_counts.write_difference(cursor)
    cursor.execute(sql_of("facts/changes", "write_changed_days"), {"load_id": load_id})


def _apply_difference(cursor: Cursor, table: str, key: str, touched: str, after: str) -> None:
    """Make the touched rows of fact.<table> equal to those of <after>; write only the rows that differ."""
    names = columns_of(cursor, f"fact.{table}")
    parts = {
        "table": sql.Identifier("fact", table),
        "key": sql.Identifier(key),
        "touched": sql.Identifier(touched),
        "after": sql.Identifier(after),
        "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
        "a_columns": sql.SQL(", ").join(sql.Identifier("a", name) for name in names),
        "t_columns": sql.SQL(", ").join(sql.Identifier("t", name) for name in names),
        "assignments": sql.SQL(", ").join(
            sql.SQL("{name} = a.{name}").format(name=sql.Identifier(name)) for name in names if name != key
        ),
    }
    for statement in (
        "delete from {table} as t using {touched} as w where w.{key} = t.{key}"
        " and not exists (select from {after} as a where a.{key} = t.{key})",
        "update {table} as t set {assignments} from {after} as a where a.{key} = t.{key}"
        " and ({t_columns}) is distinct from ({a_columns})",
        "insert into {table} ({columns}) select {a_columns} from {after} as a"
        " where not exists (select from {table} as t where t.{key} = a.{key}) order by a.{key}",
    ):
        cursor.execute(sql.SQL(statement).format(**parts))
