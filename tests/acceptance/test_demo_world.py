"""The simulator's world, loaded from files and built: all cells of all reports equal the simulator's truth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.coverage import COVERAGE
from tests.acceptance.detail_rows import check_detail_views
from tests.acceptance.warehouses import build, load_files, report_cells
from tests.conftest import KEY, Server, Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.pages.report_page import Page, check_numbers
from waybill.model.errors import UsageError
from waybill.model.vocabulary import NOT_SENT_REASONS
from waybill.reports import read
from waybill.settings import Settings
from waybill.simulator.truth.reports import report_rows
from waybill.simulator.world import EMAIL_PROVIDERS, World
from waybill.warehouse.connection import connected

ZONE = "Europe/Berlin"
NOTEBOOKS = Path(__file__).resolve().parents[2] / "docs" / "notebooks.md"


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, email_providers=EMAIL_PROVIDERS)


@pytest.fixture(scope="module")
def demo(postgres: Server, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with the whole world and its reports."""
    url = postgres.database(ZONE)
    var = str(tmp_path_factory.mktemp("var"))
    settings = Settings.from_environment(
        {"WAREHOUSE_URL": url, "WAYBILL_VAR": var, "RECIPIENT_HMAC_KEY": KEY, "REJECTED_CEILING": "1"}
    )
    load_files(settings, url, [(f.account, f.feed, f.data, f.landed_after) for f in world.files()])
    build(url)
    yield Warehouse(url, settings, postgres)
    postgres.drop(url)


@pytest.fixture(scope="module")
def answers(demo: Warehouse) -> dict[str, int]:
    """Return the answers to a login that may only read reports."""
    found = {}
    with connected(demo.url, "waybill_bi_reader") as connection, connection.cursor() as cursor:
        for name, statement in COVERAGE.items():
            cursor.execute(statement)
            (found[name],) = cursor.fetchone()
    return found


def test_every_cell_equals_the_simulators_truth(demo: Warehouse, world: World) -> None:
    expected = report_rows(world.happenings(), ZONE)
    assert all(expected.values()), "a report of the truth is empty"
    found = report_cells(demo.url)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert {provider for _, _, provider, *_ in found["email_campaign"]} >= {"sendgrid", *EMAIL_PROVIDERS}
    shown = check_detail_views(demo.url, world.happenings(), ZONE)
    assert all(shown.values()), "a detail view is empty"
    rejected = {
        (account, feed): count
        for account, feed, count in demo.rows(
            "select account, feed, count(*) from private.rejected_record group by account, feed"
        )
    }
    assert rejected == {key: count for key, count in world.poison().items() if count}
    ignored = {
        (account, feed): int(count)
        for account, feed, count in demo.rows(
            "select account, feed, sum(ignored_count) from ops.load group by account, feed"
        )
    }
    assert {k: v for k, v in ignored.items() if v} == {k: v for k, v in world.ignored().items() if v}


def test_all_figures_are_covered() -> None:
    assert len(COVERAGE) == 9 + 10 + 2 + 3 + 13 + len(NOT_SENT_REASONS) + sum(map(len, NOT_SENT_REASONS.values()))


@pytest.mark.parametrize("name", COVERAGE)
def test_every_figure_is_there(answers: dict[str, int], name: str) -> None:
    assert answers[name] is not None and answers[name] > 0, COVERAGE[name]


def test_the_example_of_the_notebook_page_runs(demo: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads a report with exact types, and what each column is."""
    for name, value in environment_of(demo).items():
        monkeypatch.setenv(name, value)
    code = "\n".join(line[4:] for line in NOTEBOOKS.read_text().splitlines() if line.startswith("    "))
    found: dict = {}
    exec(code, found)
    emails, by_mailbox = found["emails"], found["by_mailbox"]
    rates = by_mailbox["open_rate_human"].dropna()  # the mailbox provider of some addresses is unknown: no delivery
    assert len(rates) > 3 and rates.between(0, 1).all() and len(found["lost"]) == 3
    assert (emails["account"] == "north").all()
    kinds = {name: str(kind) for name, kind in emails.dtypes.items()}
    assert (kinds["sent_day"], kinds["sent"]) == ("date32[day][pyarrow]", "int64[pyarrow]")
    assert kinds["open_rate"] == "decimal128(7, 6)[pyarrow]"
    ((sent, delivered),) = demo.rows(
        "select sum(sent), sum(delivered) from report.email_campaign"
        " where account = 'north' and sent_day between '2026-03-01' and '2026-03-31'"
    )
    assert (int(emails["sent"].sum()), int(emails["delivered"].sum())) == (sent, delivered)
    assert set(emails.attrs["columns"]) == set(emails.columns) and emails.attrs["comment"]
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        read("email_campaign", from_day="March")
    with pytest.raises(UsageError, match="has no days"):
        read("campaign_summary", from_day="2026-03-01")


@pytest.mark.parametrize("scope", [[], ["--account", "south", "--from-day", "2026-03-28", "--until-day", "2026-03-30"]])
def test_every_number_of_the_report_page_equals_the_reports(demo: Warehouse, tmp_path: Path, scope: list[str]) -> None:
    file = tmp_path / "page.html"
    answer = waybill("report", "page", "--output", str(file), *scope, settings=environment_of(demo))
    assert answer.code == 0, answer.err
    page = Page(file.read_text())
    assert check_numbers(page, demo) > 300
    assert len(page.attributes("h2")) >= 7 and len(page.attributes("svg")) == 10
    assert {number.report for number in page.numbers} == {
        "account_daily",
        "campaign_daily",
        "email_deliverability_daily",
        "email_failure_reason_daily",
        "sms_activity_daily",
        "sms_failure_reason_daily",
        "ivr_activity_daily",
        "live_monitoring",
        "live_monitoring_reason",
        "freshness",
    }
