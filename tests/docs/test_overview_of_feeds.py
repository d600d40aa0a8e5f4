"""docs/feeds.md agrees with what the feeds declare."""

from pathlib import Path

from tests.waybill.cli.commands import waybill

PAGE = Path(__file__).resolve().parents[2] / "docs" / "feeds.md"


def test_the_page_is_up_to_date() -> None:
    answer = waybill("feeds", "--markdown", settings={})
    assert answer.code == 0
    assert answer.out == PAGE.read_text(), "a feed changed: run `make docs` and commit the page"


def test_the_page_shows_what_a_route_never_reports() -> None:
    lines = PAGE.read_text().splitlines()
    (head,) = [line for line in lines if line.startswith("| feed | processed | deferred")]
    (row,) = [line for line in lines[lines.index(head) :] if line.startswith("| `mailjet_webhooks` |")][:1]
    seen = dict(zip(head.split("|"), row.split("|"), strict=True))
    assert (seen[" delivered "], seen[" processed "], seen[" resubscribed "]) == (" x ", "  ", "  ")
