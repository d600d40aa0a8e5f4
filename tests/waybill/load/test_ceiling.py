"""Objects with too many rejected records are held back and named, while the others are loaded."""

from io import BytesIO

import psycopg2
import pytest

from tests.waybill.load.loading import LANDED_AT, Loads, counts, sendgrid, sms
from waybill.feeds.sendgrid.events import SendgridEvents
from waybill.flow import batches
from waybill.flow.results import HeldBackError, IncompleteError
from waybill.landing.objects import LandedObject, land
from waybill.load import ceiling, stage
from waybill.model.errors import RejectRecord
from waybill.warehouse import connection

FEED = "sendgrid_events"
GOOD = [sendgrid("processed", f"2026-03-01 10:{minute:02}", f"m{minute}") for minute in range(60)]
WAITING = "select count(*) from private.rejected_record where resolved_load_id is null"


@pytest.fixture
def strict(loads: Loads) -> Loads:
    loads.use(rejected_ceiling=0.05)
    return loads


def land_file(loads: Loads, name: str, data: bytes, feed: str = FEED) -> LandedObject:
    return land(BytesIO(data), "acme", feed, loads.settings.landing_url, LANDED_AT, source=f"spool/{name}")


def held_back(loads: Loads, *landed: LandedObject, feed: str = FEED) -> HeldBackError:
    with pytest.raises(HeldBackError) as caught:
        loads.load_all(feed, list(landed))
    assert caught.value.exit_code == 6
    return caught.value


@pytest.mark.parametrize(
    "rubbish", [b"rubbish\n", b"rubbish\n" * 20, b"one\ntwo\nthree\n", b'{"a": 1}\n', b"\x00\xff\xfe"]
)
def test_an_unreadable_file_is_named_and_the_others_are_loaded(strict: Loads, rubbish: bytes) -> None:
    bad = land_file(strict, "bad.bin", rubbish)
    error = held_back(strict, strict.land(FEED, GOOD[0]), bad, strict.land(FEED, GOOD[1]))
    assert "spool/bad.bin" in str(error) and bad.path in str(error)
    assert [counts(item.row) for item in error.done] == [{"read": 2, "loaded": 2, "mapped": 2, "inserted": 2}]
    stopped, published = strict.rows(
        "select status, stop_reason, read_count = rejected_count, loaded_count from ops.load order by status desc"
    )
    assert stopped[0] == "stopped" and "spool/bad.bin" in stopped[1] and stopped[2:] == (True, None)
    assert published[0] == "published" and published[3] == 2
    assert strict.one(f"{WAITING} and object_id = (select object_id from ops.object where path = '{bad.path}')")[0] > 0
    assert strict.staging_tables() == []


def test_an_unreadable_file_is_an_error_until_it_is_removed_or_accepted(strict: Loads) -> None:
    bad, good = land_file(strict, "bad.bin", b"rubbish\n"), strict.land(FEED, GOOD[0])
    held_back(strict, bad, good)
    again = held_back(strict, bad, good)
    assert again.done == []
    assert strict.one(WAITING) == (1,)
    strict.use(rejected_ceiling=1.0)
    (done,) = strict.load_all(FEED, [bad, good])
    assert counts(done.row) == {"read": 1, "rejected": 1}


def test_the_error_has_a_line_of_what_happened_and_a_line_of_what_to_do(strict: Loads) -> None:
    error = held_back(strict, land_file(strict, "bad.bin", b"rubbish\n"))
    what, what_to_do = str(error).splitlines()
    assert what.startswith("Too many records were rejected: ") and what.endswith("not JSON (1).")
    assert what_to_do.startswith("Nothing of these files was loaded") and "waybill rejected list" in what_to_do
    unread = str(HeldBackError(["load 1: a.json: x"], broken=["b.gz: truncated."])).splitlines()[1]
    assert unread == "Some files could not be read: b.gz: truncated."
    what, what_to_do = str(IncompleteError(["b.gz: truncated."], [])).splitlines()
    assert what.endswith("b.gz: truncated.") and what_to_do.startswith("Everything else was loaded")


def test_batches_after_an_unreadable_one_are_loaded(strict: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_OBJECTS", 1)
    landed = [strict.land(FEED, GOOD[0]), land_file(strict, "bad.bin", b"rubbish\n"), strict.land(FEED, GOOD[1])]
    error = held_back(strict, *landed)
    assert [item.row.loaded_count for item in error.done] == [1, 1]


def test_above_the_ceiling_only_files_that_exceed_it_alone_are_held_back(strict: Loads) -> None:
    half = land_file(strict, "half.json", b"rubbish\n" * 30)
    mixed = strict.land(FEED, *GOOD[:30], *(b"rubbish %d" % number for number in range(30)))
    error = held_back(strict, strict.land(FEED, *GOOD[30:]), mixed, half)
    assert [item.row.loaded_count for item in error.done] == [30]
    assert f"{mixed.path}: 30 of 60 records were rejected, more than REJECTED_CEILING=0.05 allows" in str(error)
    assert "spool/half.json" in str(error) and "30 of 30" in str(error)


def test_recipients_of_a_held_back_file_are_not_stored(strict: Loads) -> None:
    mixed = strict.land(FEED, sendgrid("open", "2026-03-01 10:00", email="zoe@example.com"), *[b"rubbish"] * 30)
    held_back(strict, strict.land(FEED, GOOD[0]), mixed)
    assert strict.rows("select address from private.recipient") == [("ann@example.com",)]
    assert strict.one("select count(*) from fact.event") == (1,)


def test_an_empty_file_is_named_and_is_no_error(strict: Loads) -> None:
    empty = land_file(strict, "empty.json", b"")
    (done,) = strict.load_all(FEED, [empty])
    assert counts(done.row) == {}
    (remark,) = done.summary.remarks
    assert "spool/empty.json" in remark and "holds no record" in remark


def test_a_file_without_outbound_messages_is_no_error(strict: Loads) -> None:
    inbound = sms("received", "2026-03-01T10:00", direction="inbound")
    (done,) = strict.load_all("twilio_messages", [strict.land("twilio_messages", inbound)])
    assert counts(done.row) == {"read": 1, "ignored": 1}


def test_an_empty_page_is_not_named(strict: Loads) -> None:
    (done,) = strict.load_all("twilio_messages", [strict.land("twilio_messages")])
    assert done.summary.remarks == ()


def test_reading_stops_early_in_a_file_with_only_rejected_records(
    strict: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling, "MOST_REJECTED", 100)
    lines = b"".join(b'{"a": %d}\n' % number for number in range(5_000))
    error = held_back(strict, land_file(strict, "wrong.ndjson", lines), strict.land(FEED, GOOD[0]))
    assert "100 of its first 100 records were rejected, so reading stopped" in str(error)
    assert strict.one(WAITING) == (100,)
    assert [item.row.loaded_count for item in error.done] == [1]


def test_reading_stops_early_after_too_many_rejected_bytes(strict: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceiling, "MOST_REJECTED_BYTES", 50_000)
    held_back(strict, land_file(strict, "wrong.ndjson", b"".join(b"%04d%s\n" % (n, b"x" * 1_000) for n in range(500))))
    assert strict.one(WAITING) == (50,)


def test_equal_rejected_bytes_are_stored_once_and_counted(loads: Loads) -> None:
    loads.load(FEED, GOOD[0], *[b"rubbish"] * 7, b"other")
    seen = "select convert_from(raw, 'UTF8'), seen_count from private.rejected_record order by 1"
    assert loads.rows(seen) == [("other", 1), ("rubbish", 7)]
    loads.load(FEED, GOOD[1], b"rubbish")
    assert loads.rows(seen) == [("other", 1), ("rubbish", 7)]


def test_a_replay_loads_held_back_objects_when_they_become_readable(
    strict: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, later = strict.land(FEED, GOOD[0]), strict.land(FEED, GOOD[1], GOOD[2])
    with monkeypatch.context() as older:
        sightings = SendgridEvents.sightings

        def refuse(self, record):
            if record.sg_message_id.startswith(("m1", "m2")):
                raise RejectRecord("not understood yet")
            return sightings(self, record)

        older.setattr(SendgridEvents, "sightings", refuse)
        held_back(strict, good, later)
        (row,) = strict.replay(FEED, "2026-03-01 00:00", "2026-03-02 00:00")  # nothing changes, and it is no error
        assert row.read_count == 1
        assert strict.one(WAITING) == (2,)
    (row,) = strict.replay(FEED, "2026-03-01 00:00", "2026-03-02 00:00")
    assert (row.read_count, row.inserted_count, row.removed_count) == (3, 2, 0)
    assert strict.one(WAITING) == (0,)


def test_a_replay_stops_at_an_object_with_events_that_became_unreadable(
    strict: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict.load(FEED, GOOD[0])
    monkeypatch.setattr(SendgridEvents, "sightings", _refuse)
    with pytest.raises(HeldBackError, match="not understood"):
        strict.replay(FEED, "2026-03-01 00:00", "2026-03-02 00:00")
    assert strict.one("select count(*) from fact.event") == (1,)


def test_a_load_looks_up_unresolved_rejected_records_by_key(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file contains a record that was rejected before. It is found among ten thousand unresolved records
    without reading them all."""
    with monkeypatch.context() as older:
        older.setattr(SendgridEvents, "sightings", _refuse)
        loads.load(FEED, GOOD[0])
    loads.rows(
        "insert into private.rejected_record (account, feed, sha256, reason, raw, object_id, position, load_id)"
        " select account, feed, md5(n::text), 'x', raw, object_id, n, load_id"
        " from private.rejected_record cross join generate_series(1, 10000) as n; select 1"
    )
    monkeypatch.setattr(stage, "LOOKED_UP_AT_ONCE", 8)
    fetched = []
    fetch = psycopg2.extensions.cursor.fetchall

    class Watched(psycopg2.extensions.cursor):
        def fetchall(self):
            rows = fetch(self)
            fetched.append(len(rows))
            return rows

    connect = connection.connect

    def connect_watched(*arguments, **named):
        opened = connect(*arguments, **named)
        opened.cursor_factory = Watched
        return opened

    monkeypatch.setattr(connection, "connect", connect_watched)
    loads.load(FEED, *GOOD[:30])
    assert max(fetched) < 1_000
    assert loads.one(WAITING) == (10_000,)


def _refuse(self, record):
    raise RejectRecord("not understood")
