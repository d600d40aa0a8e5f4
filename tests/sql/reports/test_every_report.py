"""Tests of the SELECTs of all reports, and of the control counts."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Warehouse
from tests.sql.reports.selected import D3, engagement, rows
from tests.sql.reports.suite import D1, D2
from tests.waybill.reports.facts import Facts, at
from waybill.reports.catalogue import CONTROL, built_reports, find, statement


def test_control_counts_the_facts(warehouse: Warehouse, facts: Facts) -> None:
    engagement(facts)
    facts.event("b", "delivered", at("2026-03-04 08:00"))
    facts.event("b", "dropped", at("2026-03-02 08:00"))
    facts.event("b", "bounced", at("2026-03-04 09:00"))
    facts.event("s", "delivered", at("2026-03-04 08:00"), channel="sms")
    facts.message("t", "sms", ["2026-03-04"], state="bounced")
    facts.message("u", "email", ["2026-03-04"], state="bounced")
    facts.event("s", "sent", at("2026-03-03 08:00"), channel="sms", price=Decimal("0.1"))
    cheap = {
        ("clicked", D2): 1,
        ("clicked", D3): 1,
        ("email_sent", D1): 1,
        ("email_sent", D2): 1,
        ("email_sent", D3): 1,
        ("opened", D1): 1,
        ("opened", D2): 3,
        ("sms_bounced", D3): 1,
        ("sms_sent", D2): 1,
        ("sms_sent", D3): 1,
        ("unsubscribed", D3): 1,
    }
    dear = {
        ("delivered_email_leg", D2): 1,
        ("failed_email_leg", D3): 1,
        ("clicked_of_message", D1): 2,
        ("delivered_of_sent", D2): 2,
        ("email_delivered", D2): 1,
        ("sms_delivered", D3): 1,
        ("priced_leg", D2): 1,
        ("email_targeted", None): 3,
        ("sms_targeted", None): 2,
        ("recounted", None): 1,
    }

    def found(days: list[date] | None) -> dict:
        return {(row["measure"], row["day"]): row["expected"] for row in rows(warehouse, CONTROL, days)}

    assert found(None) == cheap | dear
    assert found([D1, D3]) == {name: count for name, count in cheap.items() if name[1] in (D1, D3)}


CLOCK_CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29), 23),
    ("Europe/Berlin", date(2026, 10, 25), 25),
    # The clock is set back from 01:00 to midnight, so the first hour of the day occurs twice.
    ("America/Havana", date(2026, 11, 1), 25),
    # Midnight does not exist.
    ("Africa/Cairo", date(2026, 4, 24), 23),
    ("UTC", date(2026, 3, 29), 24),
]
"""Zone, a day on which its clock changes, and the hours of that day."""


def midnight(day: date, zone: str) -> datetime:
    """Return the first instant of a local day."""
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(("zone", "day", "hours"), CLOCK_CHANGES)
def test_events_count_on_their_local_day_when_the_clock_changes(
    warehouse: Warehouse, facts: Facts, zone: str, day: date, hours: int
) -> None:
    """Opens in every half hour around a change of the clock count on the day that Python computes."""
    first = midnight(day, zone) - timedelta(hours=3)
    opens = [first + timedelta(minutes=30 * number) for number in range(2 * (hours + 6))]
    facts.message("a", "email", [day.isoformat()])
    facts.leg("a", "email", first_opened_at=opens[0])
    for opened_at in opens:
        facts.event("a", "opened", opened_at)
    expected = [opened_at for opened_at in opens if opened_at.astimezone(ZoneInfo(zone)).date() == day]
    assert len(expected) == 2 * hours
    found = rows(warehouse, "email_engagement_daily", [day], zone)
    assert [(row["event_day"], row["open_count"]) for row in found] == [(day, 2 * hours)]
    by_day = {row["event_day"]: row["open_count"] for row in rows(warehouse, "email_engagement_daily", None, zone)}
    assert by_day[day] == 2 * hours
    assert sum(by_day.values()) == len(opens)
    control = rows(warehouse, CONTROL, [day], zone)
    assert [row["expected"] for row in control if row["measure"] == "opened"] == [2 * hours]


@pytest.mark.parametrize(("zone", "day", "hours"), CLOCK_CHANGES)
def test_a_click_counts_once_when_the_clock_changes(
    warehouse: Warehouse, facts: Facts, zone: str, day: date, hours: int
) -> None:
    """Clicks are read by ranges around local days: none is read twice, and none is missed."""
    first = midnight(day, zone) - timedelta(hours=24)
    clicks = [first + timedelta(minutes=30 * number) for number in range(2 * (hours + 48))]
    days = sorted({clicked_at.astimezone(ZoneInfo(zone)).date() for clicked_at in clicks})
    assert len(days) == 3
    facts.message("a", "email", ["2026-03-02"], is_clicked=True)
    facts.leg("a", "email", first_clicked_at=clicks[0], engaged_days=days)
    for clicked_at in clicks:
        facts.event("a", "clicked", clicked_at)
    for built in ([D1], None):
        (found,) = rows(warehouse, "email_link", built, zone)
        assert found["click_count"] == len(clicks)


@pytest.mark.parametrize("name", [*(report.name for report in built_reports())])
@pytest.mark.parametrize("days", [None, [], [D1]])
def test_without_facts_there_are_no_rows(warehouse: Warehouse, name: str, days: list[date] | None) -> None:
    assert rows(warehouse, name, days) == []


_FORBIDDEN: dict[str, Callable[[str], bool]] = {
    "now()": lambda text: re.search(r"\bnow\s*\(|current_(date|timestamp|time)\b", text) is not None,
    "select *": lambda text: re.search(r"select\s+(\w+\.)?\*", text) is not None,
    "distinct": lambda text: re.search(r"\bdistinct\b", text.replace("is distinct from", "")) is not None,
    "::date at time zone": lambda text: re.search(r"::date\s+at\s+time\s+zone", text) is not None,
    "templating": lambda text: "{" in text,
    "right join": lambda text: "right join" in text,
    "upper case keywords": lambda text: re.search(r"\b(SELECT|FROM|WHERE|GROUP|JOIN)\b", text) is not None,
}


@pytest.mark.parametrize("name", [*(report.name for report in built_reports()), CONTROL])
def test_the_sql_of_a_report_follows_the_conventions(name: str) -> None:
    text = statement(name)
    body = "\n".join(line.split("--")[0] for line in text.splitlines())
    assert [rule for rule, is_broken in _FORBIDDEN.items() if is_broken(body)] == []
    assert len(text.splitlines()) <= 120
    assert body.count(";") == 0
    header = [line.removeprefix("-- ").split(":")[0] for line in text.splitlines() if line.startswith("-- ")]
    assert header[0] in ("report", "control")
    assert {"grain", "reads", "params", "why"} <= set(header)
    grain = re.search(r"^-- grain: (.*)$", text, re.MULTILINE)[1]
    assert tuple(grain.split(", ")) == (("measure", "day") if name == CONTROL else find(name).grain)
    tables = set(re.findall(r"\b(?:from|join) (fact\.\w+)", body))
    assert tables
    assert set(re.search(r"^-- reads: (.*)$", text, re.MULTILINE)[1].split(", ")) == tables
