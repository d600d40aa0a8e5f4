"""`feeds` prints the columns of a feed, `normalise` uses the names of arguments, `status` shows account notices."""

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
    answer = waybill("feeds", slug, settings=SETTINGS)
    assert answer.code == 0 and f"docs/feeds/{slug}.md" in answer.out
    document = json.loads(waybill("feeds", slug, "--json", settings=SETTINGS).out)
    assert document["columns"] == list(FEEDS[slug].columns) and document["words"]
    for name in (*document["columns"], *document["words"], *document["account_words"]):
        assert name in answer.out
    assert document["not_sent_reasons"].keys() == (NOT_SENT_REASONS.keys() if slug == "dispatch_log" else set())


def test_an_unknown_feed_is_refused() -> None:
    answer = waybill("feeds", "pigeons", settings=SETTINGS)
    assert answer.code == 2 and "There is no feed 'pigeons'" in answer.err


def test_the_dispatch_id_comes_from_the_argument_that_a_setting_names() -> None:
    record = {"email": "a@b.example", "event": "open", "timestamp": 1772442851, "sg_message_id": "m", "ref": "d7"}
    names = SETTINGS | {"DISPATCH_ID_ARGUMENT": "message_ref, ref"}
    for settings, expected in ((names, "d7"), (SETTINGS, None)):
        answer = waybill("normalise", "sendgrid_events", settings=settings, stdin=json.dumps(record).encode())
        assert json.loads(answer.out)["dispatch_id"] == expected


def test_status_shows_account_notices(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "posted.json"
    notice = {"event": "account_status_change", "type": "compliance_suspend", "timestamp": 1772359200}
    file.write_text(json.dumps([notice, notice | {"event": "delivered", "email": "a@b.example"}]))
    settings = environment_of(warehouse)
    assert waybill("load", "sendgrid_events", str(file), "--account", "north", settings=settings).code == 0
    answer = waybill("status", settings=settings).out
    assert (
        "ACCOUNT      north, sendgrid_events: account_status_change: compliance_suspend, 2026-03-01 10:00 UTC" in answer
    )
    (found,) = json.loads(waybill("status", "--json", settings=settings).out)["account_notices"]
    assert (found["account"], found["word"], found["detail"]) == (
        "north",
        "account_status_change",
        "compliance_suspend",
    )
