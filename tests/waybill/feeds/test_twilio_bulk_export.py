"""Twilio's bulk export: its rows give the events of the lists."""

import json

import pytest

from tests.waybill.feeds.cases import golden_files
from tests.waybill.feeds.outcomes import normalise, readable


@pytest.mark.parametrize(("key", "slug"), [("messages", "twilio_messages"), ("calls", "twilio_calls")])
def test_a_row_gives_the_events_of_the_same_row_in_the_list(key: str, slug: str) -> None:
    (file,) = [file for file in golden_files("twilio_bulk_export") if file.stem == key]
    rows = [row for row in map(json.loads, file.read_text().splitlines()) if row.get("sid", "CF")[:2] != "CF"]
    lines = [json.dumps(row).encode() for row in rows]
    exported = readable(normalise("twilio_bulk_export", b"\n".join(lines)))
    listed = readable(normalise(slug, json.dumps({key: rows}).encode()))
    assert len(exported) > 8
    for outcome in (*exported, *listed):
        for event in outcome if isinstance(outcome, list) else ():
            del event["feed"]
    assert exported == listed
