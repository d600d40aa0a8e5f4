"""The pages of validation results and of reports never change the result of a task."""

from pathlib import Path

import pytest

from tests.conftest import Warehouse
from waybill.airflow import validation_page
from waybill.model.errors import QualityGateError
from waybill.quality import gate
from waybill.warehouse.connection import LOADER, connected

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "waybill_validations.html"
    monkeypatch.setattr(validation_page, "page_file", lambda name=file.name: tmp_path / name)
    return file


def test_the_page_is_written_also_when_a_rule_stops_the_task(warehouse: Warehouse, page: Path) -> None:
    with connected(warehouse.url, LOADER) as connection, connection, connection.cursor() as cursor:
        gate.record(cursor, [gate.Outcome("event_staging", "staging.x", ())], "load 7")
    with pytest.raises(QualityGateError, match="stopped"), validation_page.refreshed(warehouse.url):
        raise QualityGateError("stopped")
    assert "load 7" in page.read_text()
    validation_page.write_reports(warehouse.url)
    assert "<h1>Message reports</h1>" in page.with_name("waybill_reports.html").read_text()


def test_an_unreachable_warehouse_neither_hides_nor_causes_an_error(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(validation_page, "progress", logged.append)
    with pytest.raises(QualityGateError, match="stopped"), validation_page.refreshed(NOBODY_LISTENS):
        raise QualityGateError("stopped")
    with validation_page.refreshed(NOBODY_LISTENS):
        pass
    validation_page.write_reports(NOBODY_LISTENS)
    assert len(logged) == 3 and all("could not be written" in line for line in logged) and not page.exists()
