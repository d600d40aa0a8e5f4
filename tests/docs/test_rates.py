"""docs/rates.md defines every rate, and the reports agree."""

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.acceptance.warehouses import build, load_files
from tests.conftest import Warehouse
from waybill.reports.catalogue import all_reports, find
from waybill.simulator.world import World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rates.md"
ROW = re.compile(r"^\| `(\w+_rate)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
DEFINED = {
    rate: (re.findall(r"`(\w+)`", numerator), re.findall(r"`(\w+)`", denominator))
    for rate, numerator, denominator in ROW.findall(PAGE.read_text())
}
TOTALS = ("account_daily", "campaign_summary")


def test_every_rate_of_every_report_is_defined() -> None:
    there = {(report.name, column) for report in all_reports() for column in report.columns if column.endswith("_rate")}
    expected = {("email_campaign", rate) for rate in DEFINED if rate != "sent_rate"}
    expected |= {(total, rate) for total in TOTALS for rate in DEFINED if rate != "unsubscribe_rate"}
    assert there == expected and len(DEFINED) == 8


def test_rates_follow_the_definitions_of_the_page(warehouse: Warehouse) -> None:
    world = World(3, days=3, accounts=("north",), messages_per_day=150)
    load_files(warehouse.settings, warehouse.url, [(f.account, f.feed, f.data, f.landed_after) for f in world.files()])
    build(warehouse.url)
    for name in ("email_campaign", *TOTALS):
        columns = find(name).columns
        rows = [
            dict(zip(columns, row, strict=True))
            for row in warehouse.rows(f"select {', '.join(columns)} from report.{name}")
        ]
        assert len(rows) > 5
        for rate, (numerator, denominator) in DEFINED.items():
            if rate not in columns:
                continue
            values = set()
            for row in rows:
                of = sum(row[name] for name in denominator)
                part = Decimal(sum(row[name] for name in numerator))
                assert row[rate] == ((part / of).quantize(Decimal("1e-6"), ROUND_HALF_UP) if of else None), rate
                values.add(row[rate])
            assert len(values - {None, 0}) > 0, f"{rate} is never more than 0 here"


def test_the_example_is_consistent() -> None:
    example = PAGE.read_text().split("Example.")[1]
    opened = 200 + 50 + 5
    assert f"`opened` {opened}" in example and f"{Decimal(opened) / 950:.6f}" in example
    assert f"`opened_human` {opened - 60}" in example and f"{Decimal(200) / 950:.2%}"[:5] in example.replace(" %", "%")


def test_the_four_providers_are_compared() -> None:
    header = re.search(r"^\| \| Waybill \|(.+)\|$", PAGE.read_text(), re.MULTILINE)
    assert [name.split()[0] for name in header[1].split(" | ") if name.strip()] == [
        "SendGrid",
        "SparkPost",
        "Mailgun",
        "SES",
    ]
