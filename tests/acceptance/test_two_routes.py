"""One life by two routes of a provider gives the same reports as by one route."""

import json
from dataclasses import replace
from pathlib import Path

from tests.acceptance.warehouses import build, check_equal, report_cells
from tests.conftest import Warehouse
from tests.waybill.feeds.cases import golden_files
from waybill.feeds import FEEDS
from waybill.flow.ingest import load_paths
from waybill.warehouse.connection import Warehouse as Target

ROUTES = {
    "brevo_webhooks": "brevo_events",
    "mailgun_webhooks": "mailgun_events",
    "sparkpost_webhooks": "sparkpost_events",
}
"""The feed that is posted, and the feed that is pulled. The golden file `only_this_route` has other events."""


def load(warehouse: Warehouse, slug: str) -> list[int]:
    """Load the golden files of a feed; return the numbers of events that were new and that were mapped."""
    settings = replace(warehouse.settings, rejected_ceiling=1.0)
    paths = [str(file) for file in golden_files(slug) if file.stem != "only_this_route"]
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


TWILIO_LISTS = {
    "twilio_messages": [
        {"sid": "SM01", "status": "delivered", "date_sent": "2026-03-02T09:00:02Z", "num_segments": "2", "price": "-1"},
        {"sid": "SM02", "status": "undelivered", "error_code": 30003},
        {"sid": "SM03", "status": "failed", "error_code": 21610},
        {"sid": "SM04", "status": "read"},
    ],
    "twilio_calls": [
        {"sid": "CA01", "status": "completed", "duration": "27", "answered_by": "human"},
        {"sid": "CA02", "status": "failed"},
        {"sid": "CA03", "status": "no-answer"},
    ],
}
TWILIO_POSTS = [
    {"MessageSid": "SM01", "MessageStatus": "sent"},
    {"MessageSid": "SM01", "MessageStatus": "delivered"},
    {"MessageSid": "SM02", "MessageStatus": "sent"},
    {"MessageSid": "SM02", "MessageStatus": "undelivered", "ErrorCode": "30003"},
    {"MessageSid": "SM03", "MessageStatus": "failed", "ErrorCode": "21610"},
    {"MessageSid": "SM04", "MessageStatus": "read"},
    {"CallSid": "CA01", "CallStatus": "initiated"},
    {"CallSid": "CA01", "CallStatus": "completed", "CallDuration": "27", "AnsweredBy": "human"},
    {"CallSid": "CA02", "CallStatus": "failed"},
    {"CallSid": "CA03", "CallStatus": "no-answer"},
]
ROW = {"to": "+12025550123", "date_created": "2026-03-02T09:00:00Z", "date_updated": "2026-03-02T09:01:00Z"}
POST = {"To": "+12025550123", "received_at": "2026-03-02T09:01:03Z"}


def test_callbacks_beside_the_lists_of_twilio_change_no_report(warehouse: Warehouse, tmp_path: Path) -> None:
    """A callback does not contain the creation, which is in the keys of the lists: its events are others, its legs are
    not."""

    def load_rows(slug: str, rows: list[dict[str, object]]) -> int:
        path = tmp_path / f"{slug}.ndjson"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        done = load_paths(Target(warehouse.settings, warehouse.url), FEEDS[slug], "north", [str(path)]).checked()
        return sum(item.row.inserted_count for item in done)

    for slug, rows in TWILIO_LISTS.items():
        assert load_rows(slug, [ROW | row for row in rows]) == 2 * len(rows)
    build(warehouse.url)
    reports, legs = report_cells(warehouse.url), warehouse.rows("select leg_key from fact.leg order by 1")
    assert load_rows("twilio_status_callbacks", [POST | post for post in TWILIO_POSTS]) == len(TWILIO_POSTS)
    build(warehouse.url)
    assert warehouse.rows("select leg_key from fact.leg order by 1") == legs and len(legs) == 7
    check_equal(report_cells(warehouse.url), reports)
