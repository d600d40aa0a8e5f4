"""Runs the SELECT of a report, and writes facts that several reports count."""

from datetime import date

from tests.conftest import Warehouse
from tests.waybill.reports.facts import ZONE, Facts, at
from waybill.reports.catalogue import CONTROL, find, statement

D3 = date(2026, 3, 4)


def rows(warehouse: Warehouse, name: str, days: list[date] | None = None, zone: str = ZONE) -> list[dict]:
    """Return the rows of a report's SELECT in the order of its grain, without measures that are 0."""
    connection = warehouse.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        cursor.execute(statement(name), {"days": days, "report_timezone": zone})
        names = [column.name for column in cursor.description]
        found = cursor.fetchall()
    connection.close()
    grain = ("measure", "day") if name == CONTROL else find(name).grain
    if name != CONTROL:
        assert tuple(names) == find(name).columns
    dicts = [dict(zip(names, row, strict=True)) for row in found]
    dicts.sort(key=lambda row: [str(row[column]) for column in grain])
    return [{k: v for k, v in row.items() if k in grain or v != 0} for row in dicts]


def without(row: dict, *names: str) -> dict:
    return {name: value for name, value in row.items() if name not in names}


def engagement(facts: Facts) -> None:
    """Write an email with opens on three days (two by a machine), clicks and an unsubscribe; and one with an open."""
    facts.message(
        "a", "email", ["2026-03-02", "2026-03-03", "2026-03-04"], campaign_id="spring", mailbox_provider="gmail"
    )
    facts.leg(
        "a",
        "email",
        first_opened_at=at("2026-03-02 10:00"),
        first_human_opened_at=at("2026-03-03 10:00"),
        first_clicked_at=at("2026-03-03 11:00"),
        first_human_clicked_at=at("2026-03-03 11:00"),
    )
    facts.event("a", "opened", at("2026-03-02 10:00"), is_machine=True, machine_rule="mozilla_alone")
    facts.event("a", "opened", at("2026-03-03 10:00"), is_machine=False, machine_rule="google_image_prefetch")
    facts.event("a", "opened", at("2026-03-03 10:30"), is_machine=True)
    facts.event("a", "clicked", at("2026-03-03 11:00"), machine_rule="security_scanner")
    facts.event("a", "clicked", at("2026-03-04 11:00"), is_machine=True)
    facts.event("a", "unsubscribed", at("2026-03-04 12:00"))
    facts.message("b", "email", ["2026-03-03"])
    facts.leg("b", "email", first_opened_at=at("2026-03-03 09:00"), first_human_opened_at=at("2026-03-03 09:00"))
    facts.event("b", "opened", at("2026-03-03 09:00"))
    # not counted: no leg, no email, another kind of event
    facts.event(None, "opened", at("2026-03-03 09:00"))
    facts.message("s", "sms", ["2026-03-03"])
    facts.leg("s", "sms", first_opened_at=at("2026-03-03 09:00"))
    facts.event("s", "opened", at("2026-03-03 09:00"), channel="sms")
    facts.event("b", "delivered", at("2026-03-03 08:00"))
