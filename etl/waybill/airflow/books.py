"""What a task says of loads in its log: the row of the ledger in words, what was rejected where, unmapped words."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from waybill.airflow.surroundings import progress

QUIET_SECONDS = 30.0
"""How long a task that goes through many files or pages says nothing in between."""


@contextmanager
def logged(url: str, load_ids: Sequence[int]) -> Iterator[None]:
    """Say at the end what became of these loads, also where one of them has stopped the task.

    :param url: libpq URL of the warehouse
    """
    import psycopg2

    from waybill.model.errors import WaybillError

    try:
        yield
    finally:
        try:
            for line in lines(url, load_ids):
                progress(line)
        except (psycopg2.Error, WaybillError) as error:
            progress(f"what became of the loads could not be read: {type(error).__name__}")


def lines(url: str, load_ids: Sequence[int]) -> list[str]:
    """What became of each of these loads; no line holds a value of a record."""
    from waybill.ledger import loads as ledger
    from waybill.ledger.summary import summary
    from waybill.load import findings
    from waybill.warehouse.connection import LOADER, connected

    found: list[str] = []
    with connected(url, LOADER, "waybill:log") as connection, connection, connection.cursor() as cursor:
        for load_id in load_ids:
            row = ledger.row(cursor, load_id)
            found += summary(cursor, row).lines
            if row.rejected_count:
                found += [f"load {load_id}: {line}" for line in findings.rejected_by_file(cursor, load_id)]
            if words := findings.words_staged(cursor, load_id) or findings.words_published(cursor, load_id):
                found.append(f"load {load_id}: words without a mapping: {findings.in_words(words)}")
    return found


def records_read(url: str, load_ids: Sequence[int]) -> int:
    """Records that stage has read for these loads."""
    from waybill.ledger import loads as ledger
    from waybill.warehouse.connection import LOADER, connected

    with connected(url, LOADER, "waybill:log") as connection, connection, connection.cursor() as cursor:
        staged = [ledger.staged(cursor, load_id) for load_id in load_ids]
    return sum(one.read_count for one in staged if one is not None)


def paced(clock: Callable[[], float]) -> Callable[[str], None]:
    """Progress that says at most one line in QUIET_SECONDS, the first of them after as long: a short task has one line
    at its end instead of one for each file.

    :param clock: seconds, monotonic
    """
    said_at = clock()

    def say(message: str) -> None:
        nonlocal said_at
        if clock() - said_at >= QUIET_SECONDS:
            progress(message)
            said_at = clock()

    return say
