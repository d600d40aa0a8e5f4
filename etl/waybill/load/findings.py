"""What a log or a page says of a load beside its counts: words without a mapping, and which files were rejected."""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.load.stage import staging_table
from waybill.warehouse.queries import sql_of

WORDS = 5
"""Words or files that are named, the most frequent."""


def words_staged(cursor: Cursor, load_id: int) -> list[tuple[str, int]]:
    """Provider words without a mapping among the staged events of a load, and how many events have each; none, if its
    staging tables are gone."""
    table = staging_table(load_id)
    cursor.execute("select to_regclass(%s) is not null", (table.as_string(cursor),))
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(
        sql.SQL(
            "select coalesce(provider_event, '(none)'), count(distinct event_key) from {} where event_type = 'unknown'"
            " group by 1 order by 2 desc, 1 limit %s"
        ).format(table),
        (WORDS,),
    )
    return cursor.fetchall()


def words_published(cursor: Cursor, load_id: int) -> list[tuple[str, int]]:
    """Provider words without a mapping among the events of a published load: those of its feed and account in the
    range of its keys."""
    cursor.execute(sql_of("load/findings", "words_published"), {"load_id": load_id, "limit": WORDS})
    return cursor.fetchall()


def rejected_by_file(cursor: Cursor, load_id: int) -> list[str]:
    """The rejected records that a load was the first to see, by reason and file, with the first line: a line each."""
    cursor.execute(sql_of("load/findings", "rejected"), {"load_id": load_id, "limit": WORDS})
    return [
        f"rejected in {path or 'an object that is gone'}, line {line}{' and after' if count > 1 else ''}: {reason} "
        f"({count:,})"
        for reason, path, count, line in cursor.fetchall()
    ]


def in_words(words: list[tuple[str, int]]) -> str:
    """`bounce2 (7), paused (2)`."""
    return ", ".join(f"{word} ({count:,})" for word, count in words)
