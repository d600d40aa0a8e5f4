"""One module names all locks, and locks are always taken in the same order."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.waybill.load.loading import Loads, dispatched, sendgrid
from waybill.flow.rebuild import rebuild
from waybill.warehouse import locks
from waybill.warehouse.connection import REPORTER, connect
from waybill.warehouse.migrations import migrate

ROOT = Path(__file__).resolve().parents[3]
MODULES = [file for folder in ("etl/waybill", "deploy", "bench") for file in (ROOT / folder).rglob("*.py")]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[locks.Lock]]:
    """Return the locks that each session asked for, in order, by the process id of its backend."""
    found: dict[int, list[locks.Lock]] = {}
    call = locks._call

    def noted(cursor, function, lock, *rest, **named) -> bool:
        found.setdefault(cursor.connection.info.backend_pid, []).append(lock)
        return call(cursor, function, lock, *rest, **named)

    monkeypatch.setattr(locks, "_call", noted)
    return found


def test_no_other_module_asks_postgres_for_an_advisory_lock() -> None:
    having = [file.name for file in MODULES if re.search("pg_(try_)?advisory", file.read_text())]
    assert having == ["locks.py"]


def test_a_load_a_build_and_a_migration_take_their_locks_in_the_declared_order(
    loads: Loads, taken: dict[int, list[locks.Lock]]
) -> None:
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-02 10:00"))
    loads.load(
        "dispatch_log",
        dispatched("queued", "2026-03-02T10:00", account="zoe"),
        dispatched("queued", "2026-03-02T10:00", dispatch_id="d2", account="anna"),
    )
    rebuild(lambda: connect(loads.url, REPORTER), None, True, "Europe/Berlin")
    migrate(loads.url)
    kinds = {tuple(lock.kind for lock in session) for session in taken.values()}
    assert ("load", "zone", "account", "account") in kinds
    assert ("build", "zone") in kinds
    assert ("migrate",) in kinds
    for session in taken.values():
        for earlier, later in pairwise(session):
            assert (earlier.place, str(earlier.name)) <= (later.place, str(later.name)), session


def test_a_migration_takes_its_own_lock_before_the_zone_lock(loads: Loads, taken: dict[int, list[locks.Lock]]) -> None:
    url = loads.warehouse.server.copy("template1")
    migrate(url)
    (session,) = [session for session in taken.values() if session]
    assert session[0] == locks.MIGRATE
    assert set(session[1:]) == {locks.ZONE}
    assert locks.MIGRATE.place < locks.ZONE.place
