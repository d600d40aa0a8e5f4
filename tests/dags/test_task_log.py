"""The log of a task: the ledger rows of its loads, and few lines for many files."""

import logging
from itertools import count

import pytest

from tests.conftest import Warehouse
from tests.waybill.load.loading import as_file, sendgrid
from waybill.airflow import task_log
from waybill.feeds import FEEDS
from waybill.feeds.sendgrid.events import SendgridEvents
from waybill.flow import ingest
from waybill.flow.slices import Slice
from waybill.model.errors import WaybillError
from waybill.settings import Settings
from waybill.warehouse.connection import Warehouse as Target

FEED: SendgridEvents = FEEDS["sendgrid_events"]
EVENTS = (
    sendgrid("delivered", "2026-03-01 10:00", "m1"),
    sendgrid("delivered", "2026-03-01 10:00", "m1"),
    sendgrid("paused", "2026-03-01 10:02", "m2"),
    b"no JSON of ann@example.com",
)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(task_log, "progress", said.append)
    return said


def spool(settings: Settings, *files: bytes) -> None:
    folder = settings.var / "inbox" / "south" / FEED.slug
    folder.mkdir(parents=True)
    for number, data in enumerate(files):
        (folder / f"spool-{number}.ndjson").write_bytes(data)


def test_each_step_logs_the_ledger_row_and_the_rejected_records(warehouse: Warehouse, log: list[str]) -> None:
    settings, url = warehouse.settings, warehouse.url
    spool(settings, as_file(FEED.slug, EVENTS), as_file(FEED.slug, EVENTS[:1]))
    pulled = ingest.pull(Target(settings, url), FEED, Slice("south"))
    load_ids = ingest.stage_pull(Target(settings, url), FEED, pulled.pull_id)
    assert len(load_ids) == 1 and task_log.records_read(Target(settings, url), load_ids) == 5
    with task_log.logged(Target(settings, url), load_ids):
        ingest.validate_loads(Target(settings, url), load_ids)
    assert log[0] == "load 1, sendgrid_events of south: validated"
    assert any("warning: event_staging.event_type_mapped" in line for line in log)
    assert log[-1] == "load 1: words without a mapping: paused (1)"
    log.clear()
    with task_log.logged(Target(settings, url), load_ids):
        ingest.publish_loads(Target(settings, url), pulled.pull_id, load_ids)
    assert log[0].startswith(
        "load 1, sendgrid_events of south: published; 5 records read: 2 loaded, 2 duplicate, 1 rejected; events: "
    )
    assert "load 1: rejected: not JSON (1)" in log
    (where,) = [line for line in log if "rejected in" in line]
    assert where.endswith(", line 4: not JSON (1)") and "sendgrid_events" in where
    assert log[-1] == "load 1: words without a mapping: paused (1)"
    assert not any("example.com" in line for line in log)


def test_the_loads_are_logged_also_when_one_stops_the_task(warehouse: Warehouse, log: list[str]) -> None:
    settings, url = warehouse.settings, warehouse.url
    spool(settings, b"nothing\n" * 3)
    pulled = ingest.pull(Target(settings, url), FEED, Slice("south"))
    load_ids = ingest.stage_pull(Target(settings, url), FEED, pulled.pull_id)
    with pytest.raises(WaybillError), task_log.logged(Target(settings, url), load_ids):
        raise WaybillError("stopped")
    assert log and all(line.startswith("load 1") for line in log)


def test_an_unreachable_warehouse_does_not_hide_the_error_of_the_task(log: list[str]) -> None:
    gone = Target(Settings.from_environment({}), "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(WaybillError, match="stopped"), task_log.logged(gone, [1]):
        raise WaybillError("stopped")
    assert len(log) == 1 and "could not be read" in log[0]


def test_many_files_give_at_most_one_line_per_interval(caplog: pytest.LogCaptureFixture) -> None:
    seconds = count()
    logger = logging.getLogger("waybill.pull")
    caplog.set_level(logging.INFO, "waybill.pull")
    with task_log.paced(lambda: next(seconds)):
        for number in range(1, 67):
            logger.info("%d files", number)
        logger.warning("look at this")
    assert caplog.messages == ["30 files", "60 files", "look at this"]
    logger.info("67 files")
    assert caplog.messages[-1] == "67 files"
