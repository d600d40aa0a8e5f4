"""The page of validation results."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

from msgspec.structs import replace

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.load.loading import Loads, sendgrid
from waybill.pages.validations import SUBJECTS, Validation, recent, render
from waybill.quality import gate
from waybill.warehouse.connection import LOADER, REPORTER, connected

AT = datetime(2026, 3, 2, 1, 0, 5, tzinfo=UTC)
GOOD = gate.RuleResult(
    rule="grain_unique",
    severity="critical",
    success=True,
    is_broken=False,
    unexpected_count=0,
    description="One row per grain.",
    message=None,
)
WARNED = replace(GOOD, rule="words_known", severity="warning", success=False, unexpected_count=1234)
FAILED = replace(GOOD, rule="clicked_within_opened", success=False, unexpected_count=2)
BROKEN = replace(FAILED, rule="sums", severity="warning", is_broken=True, unexpected_count=None, message="<b>")


class Elements(HTMLParser):
    """Collects every element with its attributes, and checks that each one is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def validation(subject: str, *rules: gate.RuleResult, suite: str = "email_campaign", at: datetime = AT) -> Validation:
    return Validation(subject, suite, all(rule.success for rule in rules), at, rules)


def test_failed_rules_come_first_and_are_open() -> None:
    page = render(
        [validation("build 3", GOOD, WARNED, FAILED, BROKEN), validation("load 7", GOOD, suite="event_staging")]
    )
    details = [attributes for tag, attributes in Elements(page).found if tag == "details"]
    assert ["open" in attributes for attributes in details] == [True, True, False, True]
    assert "2 failed, 1 warning, 1 passed · 2026-03-02 01:00:05 UTC" in page
    assert page.index("clicked_within_opened") < page.index("words_known") < page.index("grain_unique")
    assert "1,234" in page and "could not be evaluated: &lt;b&gt;" in page
    assert "Nothing was validated yet" not in page and "Nothing was validated yet" in render([])


def test_the_page_has_no_script_and_loads_nothing() -> None:
    hostile = replace(FAILED, rule="<script>alert(1)</script>", description='<img src="https://x.example/y">')
    page = render([validation('"><script>', hostile, suite="<i>")])
    tags = {tag for tag, _ in Elements(page).found}
    assert not tags & {"script", "img", "link", "a", "iframe", "i"}
    assert not [name for _, attributes in Elements(page).found for name in attributes if name in ("src", "href")]
    assert "url(" not in page and "@import" not in page and "default-src 'none'" in page
    assert not re.search(r"<[^>]*https?:", page)


def test_of_each_suite_the_last_run_of_the_newest_loads_and_builds(warehouse: Warehouse) -> None:
    outcome = gate.Outcome("email_campaign", "staging.x", (FAILED,))
    again = gate.Outcome("email_campaign", "staging.x", (GOOD,))
    with connected(warehouse.url, LOADER) as connection, connection, connection.cursor() as cursor:
        for number in range(SUBJECTS + 5):
            gate.record(cursor, [outcome], f"load {number}")
        gate.record(cursor, [again], "load 20")
        found = recent(cursor)
    assert [row.subject for row in found[:3]] == ["load 20", f"load {SUBJECTS + 4}", f"load {SUBJECTS + 3}"]
    assert len(found) == SUBJECTS and found[0].success and not found[1].success
    assert found[0].checked_at - found[1].checked_at >= timedelta(0)


def test_status_writes_the_page(warehouse: Warehouse, tmp_path: Path) -> None:
    with connected(warehouse.url, REPORTER) as connection, connection, connection.cursor() as cursor:
        gate.record(cursor, [gate.Outcome("email_campaign", "staging.x", (FAILED,))], "build 1")
    file = tmp_path / "page.html"
    answer = waybill("status", "--page", str(file), settings=environment_of(warehouse))
    assert answer.code == 0 and str(file) in answer.err
    assert "build 1" in file.read_text() and "clicked_within_opened" in file.read_text()
    refused = waybill("status", "--page", str(tmp_path / "nowhere" / "page.html"), settings=environment_of(warehouse))
    assert refused.code == 3 and "nowhere" in refused.err


def test_an_entry_names_the_feed_the_account_and_the_unmapped_words(warehouse: Warehouse) -> None:
    loads = Loads(warehouse)
    loads.load(
        "sendgrid_events",
        sendgrid("paused", "2026-03-01 10:00", "m1"),
        sendgrid("paused", "2026-03-01 10:00", "m2"),
        sendgrid("delivered", "2026-03-01 10:00", "m3"),
        account="south",
    )
    with connected(warehouse.url, REPORTER) as connection, connection, connection.cursor() as cursor:
        gate.record(cursor, [gate.Outcome("email_campaign", "staging.x", (GOOD,))], "build 99")
        page = render(recent(cursor))
    assert "<strong>load 1, sendgrid_events of south, 3 events</strong>" in page
    assert "without a mapping: paused (2)" in page
    assert "<strong>build 99</strong>" in page
