"""Rewritten objects of every feed: without the bytes of erased people, and with the same events and rejections."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from tests.conftest import KEY
from tests.waybill.feeds.cases import CASES, golden_files
from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.flow.erase import Search
from waybill.landing.objects import land, open_object
from waybill.landing.rewritten import ErasedRecord, Record, events_of, records_of, rewrite
from waybill.model.errors import RejectRecord, SourceError
from waybill.model.event import STORED_COLUMNS, Event
from waybill.model.identity import Keyring
from waybill.model.mentions import Wanted

READ_AT = datetime(2026, 12, 1, tzinfo=UTC)
KEYRING = Keyring(KEY.encode())


def events(record: Record, feed: Feed) -> list[Event]:
    try:
        return events_of(record, feed, "acme", READ_AT, KEYRING)
    except RejectRecord:
        return []


def outcome(record: Record, feed: Feed) -> object:
    """Return the stored columns of a record's events, or the reason of its rejection."""
    try:
        found = events_of(record, feed, "acme", READ_AT, KEYRING)
    except RejectRecord as rejection:
        return rejection.reason
    return [tuple(getattr(event, name) for name in STORED_COLUMNS) for event in found]


@pytest.mark.parametrize("slug", sorted(CASES))
def test_erased_golden_records_keep_their_events_and_lose_their_bytes(slug: str, tmp_path: Path) -> None:
    feed = FEEDS[slug]
    erased_count = 0
    for file in golden_files(slug):
        landed = land(BytesIO(file.read_bytes()), "acme", slug, str(tmp_path), READ_AT)
        before = list(records_of(str(tmp_path), landed, feed))
        named = [event for record in before for event in events(record, feed) if event.recipient_key is not None]
        search = Search(feed, landed, KEYRING, Wanted(KEYRING, {event.recipient_key: "acme" for event in named}))
        expected = [outcome(record, feed) for record in before]
        rewrite(str(tmp_path), landed, map(search.erased, before))
        after = list(records_of(str(tmp_path), landed, feed))
        assert [outcome(record, feed) for record in after] == expected
        assert [record.position for record in after] == [record.position for record in before]
        kept = b"\n".join(record.raw for record in after).decode(errors="replace").lower()
        addresses = {event.recipient.lower().lstrip("+") for event in named if len(event.recipient or "") > 4}
        assert [address for address in addresses if address in kept] == []
        erased_count += sum(isinstance(record, ErasedRecord) for record in after)
    assert erased_count > 0


def test_a_rewritten_object_is_no_original_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    feed = FEEDS["sendgrid_events"]
    data = b'{"event": "open", "email": "ann@example.com", "timestamp": 1772361000}\n'
    landed = land(BytesIO(data), "acme", feed.slug, str(tmp_path), READ_AT)
    rewrite(str(tmp_path), landed, list(records_of(str(tmp_path), landed, feed)))
    with pytest.raises(SourceError, match="was rewritten"):
        open_object(str(tmp_path), landed)
    assert land(BytesIO(data), "acme", feed.slug, str(tmp_path), READ_AT) == landed
    (record,) = records_of(str(tmp_path), landed, feed)
    assert record.raw == data.rstrip()
    path = tmp_path / landed.path
    rewritten = path.read_bytes()
    path.write_bytes(rewritten[:-9])
    with pytest.raises(SourceError, match="damaged"):
        list(records_of(str(tmp_path), landed, feed))
    # a file in the form of a rewritten object is an original like any other
    smuggled = land(BytesIO(rewritten), "acme", feed.slug, str(tmp_path), READ_AT)
    assert not any(isinstance(one, ErasedRecord) for one in records_of(str(tmp_path), smuggled, feed))
