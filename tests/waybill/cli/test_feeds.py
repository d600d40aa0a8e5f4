"""`feeds` prints what one feed reads, `normalise` obeys the names of arguments, `status` shows news of accounts."""

import json
from pathlib import Path

import pytest

from tests.conftest import KEY, Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from waybill.feeds import FEEDS
from waybill.model.vocabulary import NOT_SENT_REASONS

SETTINGS = {"RECIPIENT_HMAC_KEY": KEY}


@pytest.mark.parametrize("slug", sorted(FEEDS))
def test_columns_and_words_of_a_feed_are_printed(slug: str) -> None:
    said = waybill("feeds", slug, settings=SETTINGS)
    assert said.code == 0 and f"docs/feeds/{slug}.md" in said.out
    document = json.loads(waybill("feeds", slug, "--json", settings=SETTINGS).out)
    assert document["columns"] == list(FEEDS[slug].columns) and document["words"]
    for name in (*document["columns"], *document["words"], *document["account_words"]):
        assert name in said.out
    assert document["not_sent_reasons"].keys() == (NOT_SENT_REASONS.keys() if slug == "dispatch_log" else set())


def test_a_feed_that_is_none_is_named() -> None:
    said = waybill("feeds", "pigeons", settings=SETTINGS)
    assert said.code == 2 and "There is no feed 'pigeons'" in said.err


def test_arguments_are_read_by_the_names_of_the_settings() -> None:
    record = {"email": "a@b.example", "event": "open", "timestamp": 1772442851, "sg_message_id": "m", "ref": "d7"}
    names = SETTINGS | {"DISPATCH_ID_ARGUMENT": "message_ref, ref"}
    for settings, expected in ((names, "d7"), (SETTINGS, None)):
        said = waybill("normalise", "sendgrid_events", settings=settings, stdin=json.dumps(record).encode())
        assert json.loads(said.out)["dispatch_id"] == expected


def test_what_a_provider_says_about_an_account_is_shown_by_status(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "posted.json"
    notice = {"event": "account_status_change", "type": "compliance_suspend", "timestamp": 1772359200}
    file.write_text(json.dumps([notice, notice | {"event": "delivered", "email": "a@b.example"}]))
    settings = environment_of(warehouse)
    assert waybill("load", "sendgrid_events", str(file), "--account", "north", settings=settings).code == 0
    said = waybill("status", settings=settings).out
    assert (
        "ACCOUNT      north, sendgrid_events: account_status_change: compliance_suspend, 2026-03-01 10:00 UTC" in said
    )
    (found,) = json.loads(waybill("status", "--json", settings=settings).out)["account_notices"]
    assert (found["account"], found["word"], found["detail"]) == (
        "north",
        "account_status_change",
        "compliance_suspend",
    )
