"""What a task says of loads in its log: the row of the ledger in words, what was rejected where, unmapped words."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from waybill.airflow.surroundings import progress
from waybill.warehouse.connection import Warehouse

QUIET_SECONDS = 30.0
"""How long a task that goes through many files or pages says nothing in between."""


@contextmanager
def logged(warehouse: Warehouse, load_ids: Sequence[int]) -> Iterator[None]:
    """Say at the end what became of these loads, also where one of them has stopped the task."""
    import psycopg2

    from waybill.model.errors import WaybillError

    try:
        yield
    finally:
        try:
            for line in lines(warehouse, load_ids):
                progress(line)
        except (psycopg2.Error, WaybillError) as error:
            progress(f"what became of the loads could not be read: {type(error).__name__}")


def lines(warehouse: Warehouse, load_ids: Sequence[int]) -> list[str]:
    """What became of each of these loads; no line holds a value of a record."""
    from waybill.ledger import loads as ledger
    from waybill.ledger.summary import summary
    from waybill.load import findings

    found: list[str] = []
    with warehouse.connected("log") as connection, connection, connection.cursor() as cursor:
        for load_id in load_ids:
            row = ledger.row(cursor, load_id)
            found += summary(cursor, row).lines
            if row.rejected_count:
                found += [f"load {load_id}: {line}" for line in findings.rejected_by_file(cursor, load_id)]
            if words := findings.words_staged(cursor, load_id) or findings.words_published(cursor, load_id):
                found.append(f"load {load_id}: words without a mapping: {findings.in_words(words)}")
    return found


def records_read(warehouse: Warehouse, load_ids: Sequence[int]) -> int:
    """Records that stage has read for these loads."""
    from waybill.ledger import loads as ledger

    with warehouse.connected("log") as connection, connection, connection.cursor() as cursor:
        staged = [ledger.staged(cursor, load_id) for load_id in load_ids]
    return sum(one.read_count for one in staged if one is not None)


class _Paced(logging.Filter):
    """Lets at most one record through in QUIET_SECONDS, the first after as long, and every warning."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._said_at = clock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            return True
        if self._clock() - self._said_at < QUIET_SECONDS:
            return False
        self._said_at = self._clock()
        return True


@contextmanager
def paced(clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Let a pull say at most one line in QUIET_SECONDS: a short task has one line at its end instead of one for each
    file.

    :param clock: seconds, monotonic
    """
    log, few = logging.getLogger("waybill.pull"), _Paced(clock)
    log.addFilter(few)
    try:
        yield
    finally:
        log.removeFilter(few)
