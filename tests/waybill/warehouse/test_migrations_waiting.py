"""A migration that waits for other sessions logs that, lets readers continue, and gives up after a while."""

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Warehouse
from waybill.model.errors import UnavailableError
from waybill.warehouse import locks, migrations
from waybill.warehouse.connection import connected
from waybill.warehouse.migrations import is_migrated, migrate

NEW = "9999_another_column.sql"


@pytest.fixture
def new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add a file to the release that locks a table which BI tools read."""
    shutil.copytree(migrations.SQL, tmp_path / "sql")
    (tmp_path / "sql" / "schema" / NEW).write_text("alter table report.email_campaign add column another integer;")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    monkeypatch.setattr(migrations, "TABLE_PATIENCE_SECONDS", 1)


def test_readers_wait_for_at_most_one_try_of_a_migration_that_waits(
    warehouse: Warehouse, new_file: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "waybill")
    migration = threading.Thread(target=migrate, args=(warehouse.url,))
    with connected(warehouse.url) as slow, slow.cursor() as cursor:
        cursor.execute("select count(*) from report.email_campaign")
        migration.start()
        while not caplog.messages:
            time.sleep(0.05)
        started = time.monotonic()
        with connected(warehouse.url) as reader, reader.cursor() as second:
            second.execute("set lock_timeout = '10s'; select count(*) from report.email_campaign")
        assert time.monotonic() - started < 10
        assert not is_migrated(warehouse.url)
    migration.join(timeout=60)
    assert is_migrated(warehouse.url)
    assert [NEW in message for message in caplog.messages] == [True], "one message, however many tries"


def test_a_migration_that_never_gets_its_table_gives_up_without_changes(
    warehouse: Warehouse, new_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PATIENCE_SECONDS", 1)
    with connected(warehouse.url) as slow, slow.cursor() as cursor:
        cursor.execute("select count(*) from report.email_campaign")
        with pytest.raises(UnavailableError, match="run the same command again"):
            migrate(warehouse.url)
    assert not is_migrated(warehouse.url)
    assert migrate(warehouse.url) == [NEW]


def test_a_second_migration_logs_what_it_waits_for(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(locks.BOUNDS, "lock_timeout", "1s")
    caplog.set_level(logging.INFO, "waybill")
    with connected(warehouse.url, application_name="the_first") as first, first.cursor() as cursor:
        locks.hold(cursor, locks.MIGRATE)
        with pytest.raises(UnavailableError, match="another migration, which is held by the_first"):
            migrate(warehouse.url)
    assert [message.split(",")[0] for message in caplog.messages] == ["migrate: waiting for another migration"]
