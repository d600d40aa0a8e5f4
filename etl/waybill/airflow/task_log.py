"""What a task logs about its loads: the row of the ledger in words, rejected records by file, unmapped words."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from waybill.airflow.environment import progress
from waybill.warehouse.connection import Warehouse

QUIET_SECONDS = 30.0
"""The shortest time between two lines of progress."""


@contextmanager
def logged(warehouse: Warehouse, load_ids: Sequence[int]) -> Iterator[None]:
    """Log at the end the result of these loads, also when one of them has stopped the task."""
    import psycopg2

    from waybill.model.errors import WaybillError

    try:
        yield
    finally:
        try:
            for line in lines(warehouse, load_ids):
                progress(line)
        except (psycopg2.Error, WaybillError) as error:
            progress(f"the result of the loads could not be read: {type(error).__name__}")


def lines(warehouse: Warehouse, load_ids: Sequence[int]) -> list[str]:
    """Returns the result of each of these loads in words; no line contains a value of a record."""
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
    """Returns how many records `stage` has read for these loads."""
    from waybill.ledger import loads as ledger

    with warehouse.connected("log") as connection, connection, connection.cursor() as cursor:
        staged = [ledger.staged(cursor, load_id) for load_id in load_ids]
    return sum(one.read_count for one in staged if one is not None)


class _Paced(logging.Filter):
    """Passes one record per QUIET_SECONDS, the first one after that time, and every warning."""

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
    """Limit the log of a pull to one line per QUIET_SECONDS: a short task logs no line for each file.

    :param clock: seconds, monotonic
    """
    log, few = logging.getLogger("waybill.pull"), _Paced(clock)
    log.addFilter(few)
    try:
        yield
    finally:
        log.removeFilter(few)
