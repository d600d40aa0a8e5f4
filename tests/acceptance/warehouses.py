"""Common parts of the acceptance tests: loads in separate processes, and comparisons of whole warehouses."""

import multiprocessing
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO

from psycopg2 import sql

from waybill.feeds import FEEDS
from waybill.flow.ingest import load
from waybill.flow.rebuild import rebuild
from waybill.flow.results import IncompleteError
from waybill.landing.objects import land
from waybill.reports import catalogue
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connect, connected
from waybill.warehouse.connection import Warehouse as Target

FACTS = {
    "fact.event": "event_key",
    "fact.leg": "leg_key",
    "fact.message": "message_key",
    "fact.live_count": "account, campaign_id, channel",
    "fact.live_reason": "account, campaign_id, channel, category, reason",
    "private.recipient": "recipient_key",
}
LandedFile = tuple[str, str, bytes, datetime]
"""account, feed, data, landed_at"""


def load_files(settings: Settings, url: str, files: Iterable[LandedFile]) -> list:
    """Land and load files, those of one feed and account together; return the ledger rows."""
    groups: dict[tuple[str, str], list] = {}
    for account, feed, data, landed_at in files:
        landed = land(BytesIO(data), account, feed, settings.landing_url, landed_at)
        groups.setdefault((account, feed), []).append(landed)
    done = []
    for (_, feed), landed in groups.items():
        try:
            done += load(Target(settings, url), FEEDS[feed], landed).checked()
        except IncompleteError as error:  # here a body without its list is poison, and is rejected
            done += error.done
    return done


def build(url: str, full: bool = False, zone: str | None = None) -> dict[str, int]:
    """Rebuild the reports; return the number of changed rows by report."""
    result = rebuild(lambda: connect(url, REPORTER), days=None, full=full, report_timezone=zone)
    return result.rows_changed_by_report


def load_and_build(settings: Settings, url: str, files: list[LandedFile]) -> None:
    """Do the work of one process: load its batch, then rebuild."""
    load_files(settings, url, files)
    build(url)


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Return a pool of processes that have imported the slow libraries."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.acceptance.preloaded"])
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        yield pool


def in_batches(files: Sequence[LandedFile], seed: int, most: int) -> list[list[LandedFile]]:
    """Return the files in random order, split at random into at most `most` batches."""
    shuffled = list(files)
    chooser = random.Random(seed)
    chooser.shuffle(shuffled)
    count = chooser.randint(1, most)
    batches: list[list[LandedFile]] = [[] for _ in range(count)]
    for file in shuffled:
        batches[chooser.randrange(count)].append(file)
    return [batch for batch in batches if batch]


def report_cells(url: str) -> dict[str, dict[tuple, dict[str, object]]]:
    """Return all rows of all reports: name → grain → measures."""
    cells = {}
    with connected(url, REPORTER) as connection, connection.cursor() as cursor:
        for report in catalogue.counted_reports():
            cursor.execute(
                sql.SQL("select {} from {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, report.grain + report.counts)),
                    sql.Identifier("report", report.name),
                )
            )
            width = len(report.grain)
            cells[report.name] = {
                row[:width]: dict(zip(report.counts, row[width:], strict=True)) for row in cursor.fetchall()
            }
    return cells


def differences(found: dict, expected: dict) -> list[str]:
    """Return the first twenty differences between two sets of report cells in words."""
    different = []
    for name in sorted(found.keys() | expected.keys()):
        mine, theirs = found.get(name, {}), expected.get(name, {})
        for grain in sorted(mine.keys() | theirs.keys(), key=str):
            one, other = mine.get(grain), theirs.get(grain)
            if one == other:
                continue
            cells = {
                measure: (one and one.get(measure), other and other.get(measure))
                for measure in (one or other)
                if not (one and other) or one.get(measure) != other.get(measure)
            }
            different.append(f"{name} {[str(part) for part in grain]}: (found, expected) {cells}")
    return different[:20]


def check_equal(found: dict, expected: dict) -> None:
    """Fail with the differences unless two sets of report cells are equal."""
    different = differences(found, expected)
    assert not different, "\n".join(different)


def facts(url: str) -> dict[str, list[tuple]]:
    """Return all rows of the fact tables and of private.recipient, in order of their keys."""
    tables = {}
    with connected(url) as connection, connection.cursor() as cursor:
        for table, key in FACTS.items():
            cursor.execute(f"select t::text from {table} as t order by {key}")
            tables[table] = cursor.fetchall()
    return tables


def writes(url: str) -> dict[str, tuple[int, int, int]]:
    """Return the rows ever inserted, updated and deleted, by table of facts, recipients and reports."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush()")
        connection.commit()
        cursor.execute(
            "select schemaname || '.' || relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables"
            " where schemaname in ('fact', 'report') or relname = 'recipient'"
        )
        return {name: tuple(counts) for name, *counts in cursor.fetchall()}


def forked(work: Callable[[], object], meanwhile: Callable[[int], object] = lambda pid: None) -> int:
    """Run work in a copy of this process, which may be killed; return 0, 1 if it raised, or minus the signal.

    :param meanwhile: called in this process with the copy's process id
    """
    pid = started(work)
    try:
        meanwhile(pid)
    finally:
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return ended


def started(work: Callable[[], object]) -> int:
    """Start work in a copy of this process; return its process id at once."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def at_once(*works: Callable[[], object], longest_seconds: float = 60) -> list[int]:
    """Run all works concurrently in copies of this process; return their exit codes (-9: killed after a timeout)."""
    begin = time.time() + 0.1

    def together(work: Callable[[], object]) -> None:
        time.sleep(max(0, begin - time.time()))
        work()

    pids = [started(lambda work=work: together(work)) for work in works]
    ends = dict.fromkeys(pids)
    while None in ends.values():
        for pid in (pid for pid in pids if ends[pid] is None):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                ends[pid] = os.waitstatus_to_exitcode(status)
            elif time.time() > begin + longest_seconds:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    return list(ends.values())


def until_alone(url: str) -> None:
    """Wait until the server has ended the sessions and locks of killed processes."""
    with connected(url) as connection, connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )
            if cursor.fetchone() == (0,):
                return
            connection.rollback()
            time.sleep(0.02)
    raise AssertionError("a session of a dead process lives on")
