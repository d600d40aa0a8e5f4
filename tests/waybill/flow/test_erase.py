"""Erase: no clear address is left, and facts, keys and counts stay the same, also after a replay."""

import base64
import gzip
import json
import random
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.acceptance.warehouses import facts, load_files
from tests.conftest import KEY, Server
from tests.reference.traffic import File, traffic
from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.load.loading import LANDED_AT, Loads, before_publish, sendgrid, sms
from waybill.feeds import FEEDS
from waybill.flow.erase import Erased, erase
from waybill.flow.ingest import load
from waybill.flow.results import IncompleteError
from waybill.landing.objects import land, landed_objects
from waybill.landing.rewritten import ErasedRecord, records_of
from waybill.settings import Settings
from waybill.warehouse.connection import Warehouse as Target
from waybill.warehouse.connection import connected

ANN, BOB, NUMBER = "ann.leaves@example.com", "bob.stays@example.com", "+15005550006"
MAIL = [
    sendgrid("processed", "2026-03-01 10:00", email=ANN, sg_event_id="e1", category=["spring", f"for {ANN}"]),
    sendgrid("bounce", "2026-03-01 10:01", email=ANN.upper(), reason=f"550 <{ANN}>: unknown", type="bounce"),
    sendgrid("open", "2026-03-01 10:02", "m2", BOB, url=f"https://shop.example/?from={ANN.replace('@', '%40')}"),
    sendgrid("open", "2026-03-01 10:03", f"<7.{ANN}>", BOB, nested={"text": f"line\n{ANN}"}),
    sendgrid("open", "2026-03-01 10:04", "m3", BOB),
    f'{{"event": "open", "email": "{ANN}"'.encode(),
    f'{{"event": "open", "email": 7, "bounce": "bounce+{ANN.replace("@", "=")}@mx.example"}}'.encode(),
    b"rubbish",
    {"event": "group_resubscribe", "email": ANN, "timestamp": 1772361000},
]
LOG = (
    "dispatch_id,occurred_at,channel,status,recipient,campaign_id\n"
    f"d1,2026-03-01T09:00:00Z,email,handed_over, {ANN} ,spring\n"
    "d2,2026-03-01T09:00:00Z,sms,handed_over,+1 500 555 0006,spring\n"
    f"d3,2026-03-01T09:00:00Z,email,handed_over,{BOB},spring\n"
)
TEXTS = [
    sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01"),
    sms("sent", "2026-03-01T10:00", "2026-03-01T10:01", sid="SM2", to="+4915112345678"),
]
REJECTED = "select reason, raw::text, seen_count from private.rejected_record order by position, reason"
REASONS = "select reason, position, seen_count from private.rejected_record order by position"
PROPERTIES = "select account, feed, reason, seen_count from private.rejected_record order by 1, 2, 3, 4"
REPLAYED = ("2026-02-01 00:00", "2026-04-01 00:00")


def load_everything(loads: Loads) -> None:
    loads.load("sendgrid_events", *MAIL)
    loads.load_all("dispatch_log", [land_bytes(loads, "dispatch_log", gzip.compress(LOG.encode(), mtime=0))])
    loads.load("twilio_messages", *TEXTS)


def land_bytes(loads: Loads, feed: str, data: bytes):
    return land(BytesIO(data), "acme", feed, loads.settings.landing_url, LANDED_AT, source=f"export-{ANN}.json.gz")


def without_recipients(url: str) -> dict[str, list[tuple]]:
    return {name: rows for name, rows in facts(url).items() if name != "private.recipient"}


def recipients(loads: Loads) -> list[str]:
    return [address for (address,) in loads.rows("select address from private.recipient order by address")]


def landed_texts(loads: Loads) -> str:
    """Return the bytes of all files of the landing zone, unpacked."""
    files = [path for path in Path(loads.settings.landing_url).rglob("*") if path.is_file()]
    texts = []
    for path in files:
        data = path.read_bytes()
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        texts.append(data.decode())
        for line in data.splitlines():
            if b'"kept"' in line:
                texts.append(base64.b64decode(json.loads(line)["kept"]["raw"]).decode())
    return "\n".join(texts).lower()


def check_nothing_is_left(loads: Loads) -> None:
    """Check that no table and no landed file contains an erased address."""
    everything = landed_texts(loads) + str([row for rows in facts(loads.url).values() for row in rows])
    everything += str(loads.rows("select convert_from(raw, 'UTF8') from private.rejected_record"))
    for form in ("ann.leaves", "5005550006", "500 555 0006"):
        assert form not in everything
    assert recipients(loads) == ["+4915112345678", BOB]


def test_an_erased_person_is_gone_and_everything_else_stays(loads: Loads) -> None:
    load_everything(loads)
    before, reasons = without_recipients(loads.url), loads.rows(REASONS)
    landed = [(one.path, one.sha256) for one in landed_objects(loads.settings.landing_url)]
    assert erase(loads.target, [ANN.upper(), "+1 (500) 555-0006"], is_dry_run=True) == Erased(2, 2, 3, 3)
    assert len(recipients(loads)) == 4

    assert erase(loads.target, [ANN.upper(), "+1 (500) 555-0006"]) == Erased(2, 2, 3, 3)
    check_nothing_is_left(loads)
    assert without_recipients(loads.url) == before
    assert loads.rows(REASONS) == reasons

    stamps = loads.stamps("fact", "private")
    for feed in ("sendgrid_events", "dispatch_log", "twilio_messages"):
        for row in loads.replay(feed, *REPLAYED):
            assert (row.removed_count, row.revised_count, row.inserted_count) == (0, 0, 0)
    assert loads.stamps("fact", "private") == stamps, "a replay of rewritten objects wrote something"
    assert erase(loads.target, [ANN, NUMBER]) == Erased(0, 0, 0, 3)
    assert [(one.path, one.sha256) for one in landed_objects(loads.settings.landing_url)] == landed


def test_old_and_new_files_do_not_bring_the_address_back(loads: Loads) -> None:
    load_everything(loads)
    before = without_recipients(loads.url)
    erase(loads.target, [ANN, NUMBER])
    rejected = loads.rows(REJECTED)
    load_everything_again = [
        loads.land("sendgrid_events", *MAIL),
        land_bytes(loads, "dispatch_log", gzip.compress(LOG.encode(), mtime=0)),
        loads.land("twilio_messages", *TEXTS),
    ]
    for landed in load_everything_again:
        (done,) = load(loads.target, FEEDS[landed.feed], [landed]).checked()
        assert not done.is_new
    check_nothing_is_left(loads)
    loads.load("sendgrid_events", *MAIL, sendgrid("open", "2026-03-02 10:00", "m9", BOB))
    assert recipients(loads) == ["+4915112345678", BOB]
    assert loads.rows(REJECTED) == rejected
    assert len(facts(loads.url)["fact.event"]) == len(before["fact.event"]) + 1
    assert erase(loads.target, []).object_count == 1
    check_nothing_is_left(loads)


def test_a_new_warehouse_from_rewritten_objects_has_the_same_facts(loads: Loads, postgres: Server) -> None:
    load_everything(loads)
    expected = without_recipients(loads.url)
    erase(loads.target, [ANN])
    url = postgres.database()
    try:
        for landed in landed_objects(loads.settings.landing_url):
            load(Target(loads.settings, url), FEEDS[landed.feed], [landed]).checked()
        assert without_recipients(url) == expected
        erase(Target(loads.settings, url), [BOB, NUMBER, "+4915112345678"])
        assert facts(url)["private.recipient"] == []
        assert BOB.split("@")[0] not in landed_texts(loads)
    finally:
        postgres.drop(url)


def test_a_load_that_was_staged_before_stores_nothing(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    landed = loads.land("sendgrid_events", *MAIL)

    def while_it_waits(load_id: int) -> None:
        staged = f"select recipient_key, account from staging.load_{load_id}_recipient"
        loads.rows(f"insert into private.erased_recipient {staged} returning 1")

    before_publish(monkeypatch, while_it_waits)
    loads.load_all("sendgrid_events", [landed])
    assert recipients(loads) == []


def test_the_command_takes_a_file_or_standard_input_and_never_prints_an_address(loads: Loads, tmp_path: Path) -> None:
    load_everything(loads)
    environment = environment_of(loads.warehouse)
    answers = [
        waybill("erase", "--dry-run", settings=environment, stdin=f"{ANN}\n".encode()),
        waybill("erase", "--json", "--account", "acme", settings=environment, stdin=f"\n{ANN}\n".encode()),
        waybill("erase", NUMBER, "--account", "other", settings=environment),
    ]
    file = tmp_path / "people.txt"
    file.write_text(f"{ANN}\r\n{NUMBER}\n\n")
    answers.append(waybill("erase", "--file", str(file), settings=environment))
    answers.append(waybill("erase", "--again", settings=environment))
    assert [answer.code for answer in answers] == [0] * 5
    assert json.loads(answers[1].out)["object_count"] == 2
    assert answers[3].out.startswith("removed: 1 clear address, the bytes of 0 rejected records; 2 of 3 landed files")
    check_nothing_is_left(loads)
    for wrong in ((ANN, "--again"), (f"{ANN}, {BOB}",)):
        answers.append(waybill("erase", *wrong, settings=environment))
        assert answers[-1].code == 2
    for answer in answers:
        assert "leaves" not in answer.out + answer.err and "5550006" not in answer.out + answer.err


@given(files=traffic(min_files=6, max_files=12, max_records=8), seed=st.integers(0, 1_000))
@settings(max_examples=2, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_random_traffic_loads_the_same_after_an_erase(postgres: Server, files: list[File], seed: int) -> None:
    url, other_url = postgres.database(), postgres.database()
    try:
        with TemporaryDirectory() as folder:
            mine = Settings.from_environment(
                {"WAREHOUSE_URL": url, "WAYBILL_VAR": folder, "RECIPIENT_HMAC_KEY": KEY, "REJECTED_CEILING": "1"}
            )
            load_files(mine, url, [(f.account, f.feed, f.data, f.landed_at) for f in files])
            people = [address for _, _, address in rows_of(url, "select * from private.recipient order by 1")]
            people = random.Random(seed).sample(people, k=(len(people) + 1) // 2)
            before, reasons = without_recipients(url), rows_of(url, PROPERTIES)
            assert erase(Target(mine, url), people).object_count > 0
            assert without_recipients(url) == before
            assert rows_of(url, PROPERTIES) == reasons
            assert not erase(Target(mine, url), people, is_dry_run=True).object_count
            landed = list(landed_objects(mine.landing_url))
            for feed in sorted({one.feed for one in landed}):
                for account in sorted({one.account for one in landed}):
                    of_both = [one for one in landed if (one.feed, one.account) == (feed, account)]
                    with suppress(IncompleteError):
                        load(Target(mine, other_url), FEEDS[feed], of_both).checked()
            assert without_recipients(other_url) == before
            assert rows_of(other_url, PROPERTIES) == reasons
    finally:
        postgres.drop(url)
        postgres.drop(other_url)


def rows_of(url: str, query: str) -> list[tuple]:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_an_object_in_a_store_is_rewritten(loads: Loads) -> None:
    loads.use(landing_url=f"memory://erase-{uuid4().hex}")
    row = loads.load("sendgrid_events", *MAIL)
    before = without_recipients(loads.url)
    assert erase(loads.target, [ANN]).object_count == 1
    (landed,) = landed_objects(loads.settings.landing_url)
    found = list(records_of(loads.settings.landing_url, landed, FEEDS["sendgrid_events"]))
    assert len(found) == row.read_count
    assert sum(isinstance(record, ErasedRecord) for record in found) == 7
    loads.land("sendgrid_events", *MAIL)
    loads.replay("sendgrid_events", *REPLAYED)
    assert without_recipients(loads.url) == before
    assert recipients(loads) == [BOB]


def test_texts_of_an_older_release_are_counted(loads: Loads) -> None:
    loads.load("sendgrid_events", *MAIL)
    text = f"see {ANN.replace('@', '%40')}"
    loads.rows("update fact.event set provider_reason = %s where event_type = 'processed' returning 1", (text,))
    assert erase(loads.target, [BOB]).event_count == 0
    assert erase(loads.target, [ANN]).event_count == 1


def test_an_object_that_cannot_be_searched_is_named(loads: Loads) -> None:
    load_everything(loads)
    (path,) = loads.one("select path from ops.object where feed = 'twilio_messages'")
    Path(loads.settings.landing_url, path).write_bytes(b"damaged")
    answer = waybill("erase", ANN, settings=environment_of(loads.warehouse))
    assert answer.code == 4 and path in answer.err and "ann.leaves" not in answer.err
    assert ANN not in recipients(loads)
