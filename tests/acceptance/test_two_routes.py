"""One life by two routes of a provider gives the same reports as by one route."""

from dataclasses import replace

from tests.acceptance.warehouses import build, check_equal, report_cells
from tests.conftest import Warehouse
from tests.waybill.feeds.cases import golden_files
from waybill.feeds import FEEDS
from waybill.flow.ingest import load_paths
from waybill.warehouse.connection import Warehouse as Target

ROUTES = {"mailgun_webhooks": "mailgun_events", "sparkpost_webhooks": "sparkpost_events"}
"""The feed that is posted, and the feed that is pulled."""


def load(warehouse: Warehouse, slug: str) -> list[int]:
    """Load the golden files of a feed; return the numbers of events that were new and that were mapped."""
    settings = replace(warehouse.settings, rejected_ceiling=1.0)
    paths = [str(file) for file in golden_files(slug)]
    done = load_paths(Target(settings, warehouse.url), FEEDS[slug], "north", paths).checked()
    return [sum(getattr(item.row, name) for item in done) for name in ("inserted_count", "mapped_count")]


def test_a_second_route_changes_no_report(warehouse: Warehouse) -> None:
    first = {slug: load(warehouse, slug) for slug in ROUTES}
    build(warehouse.url)
    reports, events = report_cells(warehouse.url), warehouse.rows("select event_key from fact.event order by 1")
    second = {slug: load(warehouse, slug) for slug in ROUTES.values()}
    build(warehouse.url)
    for posted, pulled in ROUTES.items():
        assert first[posted][0] > 20 and second[pulled] == [0, first[posted][1]], pulled
    assert warehouse.rows("select event_key from fact.event order by 1") == events
    check_equal(report_cells(warehouse.url), reports)
