"""The page of each feed: its example has the described events, and it names every word and reason of the code."""

import re
from pathlib import Path

import pytest

from tests.waybill.feeds.outcomes import normalise
from waybill.feeds import FEEDS
from waybill.feeds.sendgrid.record import DROP_REASONS, FIELDS_OF_WORD
from waybill.model.vocabulary import CHANNELS, NOT_SENT_REASONS

PAGES = Path(__file__).resolve().parents[2] / "docs" / "feeds"
every_feed = pytest.mark.parametrize("slug", sorted(FEEDS))


def page(slug: str) -> str:
    return (PAGES / f"{slug}.md").read_text()


def rows(slug: str) -> dict[str, list[str]]:
    """Returns the rows of the tables of a page: the words in code quotes, by the first of them."""
    found = [re.findall(r"`([^`]+)`", line) for line in page(slug).splitlines() if line.startswith("| `")]
    return {names[0]: names[1:] for names in found}


def results(slug: str, data: bytes) -> list[str]:
    """Returns the result of each record, in words."""
    lines = []
    for number, outcome in enumerate(normalise(slug, data), start=1):
        if isinstance(outcome, str):
            lines.append(f"{number}: rejected ({outcome})")
            continue
        events = []
        for event in outcome:
            why = (event.failure_class, event.failure_reason, event.not_sent_category)
            reason = event.not_sent_reason if event.not_sent_category else None
            detail = ", ".join(filter(None, (*why, reason)))
            events.append(f"{event.event_type} ({detail})" if detail else event.event_type)
        lines.append(f"{number}: {', '.join(events) or 'ignored'}")
    return lines


def test_there_is_a_page_for_each_feed() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")}
    for slug in FEEDS:
        assert slug in pages, f"The feed {slug} has no page. Write docs/feeds/{slug}.md."
    assert pages == FEEDS.keys() | {"README"}


@every_feed
def test_the_example_of_a_page_has_the_described_results(slug: str) -> None:
    example, expected = re.findall(r"^```\w+\n(.*?)^```", page(slug), re.DOTALL | re.MULTILINE)
    lines = expected.splitlines()
    assert len(lines) == 10
    assert results(slug, example.encode()) == lines


@every_feed
def test_a_page_names_every_word_of_its_feed_with_its_event(slug: str) -> None:
    found = rows(slug)
    words = {word: event_type for word, event_type in FEEDS[slug].event_types.items() if word is not None}
    assert words
    for word, event_type in words.items():
        assert found[word][0] == event_type, word


@every_feed
def test_a_page_names_every_word_that_gives_no_event(slug: str) -> None:
    text = page(slug)
    assert [word for word in (*FEEDS[slug].ignored_words, *FEEDS[slug].account_words) if f"`{word}`" not in text] == []


@every_feed
def test_a_page_names_every_field_that_its_feed_reads(slug: str) -> None:
    columns = FEEDS[slug].columns
    assert len(columns) > 8
    assert [name for name in columns if f"`{name}`" not in page(slug)] == []


def test_the_page_of_sendgrid_names_the_fields_of_each_word() -> None:
    found = rows("sendgrid_events")
    for word in FEEDS["sendgrid_events"].event_types:
        assert found[word][1:] == list(FIELDS_OF_WORD[word]), word
    text = " ".join(page("sendgrid_events").lower().split())
    assert DROP_REASONS and [reason for reason in DROP_REASONS if reason not in text] == []


def test_the_page_of_the_dispatch_log_names_channels_reasons_and_categories() -> None:
    found = rows("dispatch_log")
    assert all(f"`{channel}`" in page("dispatch_log") for channel in CHANNELS)
    for category, reasons in NOT_SENT_REASONS.items():
        assert found[category] == list(reasons), category
