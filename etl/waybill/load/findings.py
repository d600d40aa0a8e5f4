"""Findings of a load for logs and pages: words of a provider without a mapping, and files with rejected records."""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.load.stage import staging_table
from waybill.warehouse.queries import only_value, sql_of

MOST_NAMED = 5
"""How many words or files are named; the most frequent ones."""


def words_staged(cursor: Cursor, load_id: int) -> list[tuple[str, int]]:
    """Return the provider's words without a mapping among the staged events of a load, each with its number of events.
    Empty if the staging tables no longer exist."""
    table = staging_table(load_id)
    cursor.execute("select to_regclass(%s) is not null", (table.as_string(cursor),))
    if not only_value(cursor, bool):
        return []
    cursor.execute(
        sql.SQL(
            "select coalesce(provider_event, '(none)'), count(distinct event_key) from {} where event_type = 'unknown'"
            " group by 1 order by 2 desc, 1 limit %s"
        ).format(table),
        (MOST_NAMED,),
    )
    return cursor.fetchall()


def words_published(cursor: Cursor, load_id: int) -> list[tuple[str, int]]:
    """Return the provider's words without a mapping among the events of a published load: events of its feed and
    account in the range of its keys."""
    cursor.execute(sql_of("load/findings", "words_published"), {"load_id": load_id, "limit": MOST_NAMED})
    return cursor.fetchall()


def rejected_by_file(cursor: Cursor, load_id: int) -> list[str]:
    """Return one line for each reason and file of the records that this load was the first to reject, with the number
    of the first line in the file."""
    cursor.execute(sql_of("load/findings", "rejected"), {"load_id": load_id, "limit": MOST_NAMED})
    return [
        f"rejected in {path or 'a file that no longer exists'}, line {line}{' and after' if count > 1 else ''}: "
        f"{reason} ({count:,})"
        for reason, path, count, line in cursor.fetchall()
    ]


def in_words(words: list[tuple[str, int]]) -> str:
    """Return words with their counts: `bounce2 (7), paused (2)`."""
    return ", ".join(f"{word} ({count:,})" for word, count in words)
