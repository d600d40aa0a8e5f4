"""The simulated world: the same for a seed, complete, and with a truth that agrees with its files."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import phonenumbers
import pyarrow.parquet
import pytest

from tests.reference.model import Model
from tests.waybill.simulator.conftest import parquet_rows, text_of
from waybill.model.identity import Keyring
from waybill.model.vocabulary import EVENT_TYPES, FAILURE_CLASSES, NOT_SENT_CATEGORY, NOT_SENT_REASONS
from waybill.reports.catalogue import counted_reports
from waybill.simulator.dispatch_log import rows as dispatch_log
from waybill.simulator.dispatch_log.rows import COLUMNS
from waybill.simulator.people import NUMBERS
from waybill.simulator.sendgrid.fates import DROPS
from waybill.simulator.sendgrid.fates import FATES as EMAIL_FATES
from waybill.simulator.sendgrid.records import FEED as SENDGRID
from waybill.simulator.spool import SpoolFile
from waybill.simulator.truth.reports import report_rows
from waybill.simulator.twilio import calls, text_messages
from waybill.simulator.twilio.rows import CALLS, ERRORS, MESSAGES
from waybill.simulator.world import FATES, FILE_FEEDS, World, write

ADDRESS = re.compile(r"[\w.+-]+(?:@|%40)[\w.-]+", re.ASCII)
INVENTED = re.compile(r"sim\.\d{6}(@|%40)[a-z.]+", re.IGNORECASE)
SMTP_ID = re.compile(r"<(?:[\w-]+@geopod-ismtpd-\d+|\d+\.\d+@mail\.\w+\.example)>", re.ASCII)


def words(text: str) -> set[str]:
    return set(text.split())


SENDGRID_FIELDS = words(
    "email timestamp event smtp-id sg_event_id sg_message_id category asm_group_id attempt bounce_classification "
    "domain ip pool reason response sg_content_type sg_machine_open sg_template_id singlesend_id singlesend_name "
    "mc_stats status tls type url url_offset useragent"
)
CUSTOM_ARGUMENTS = {"campaign_id", "dispatch_id", "template_id", "order_id"}
MESSAGE_FIELDS = words(
    "account_sid api_version body date_created date_sent date_updated direction error_code error_message from "
    "messaging_service_sid num_media num_segments price price_unit sid status subresource_uris to uri"
)
CALL_FIELDS = words(
    "account_sid annotation answered_by api_version caller_name date_created date_updated direction duration end_time "
    "forwarded_from from from_formatted group_sid parent_call_sid phone_number_sid price price_unit queue_time sid "
    "start_time status subresource_uris to to_formatted trunk_sid uri"
)
ENVELOPE = words("end first_page_uri next_page_uri page page_size previous_page_uri start uri")
TWILIO = (("twilio_messages", "messages", MESSAGE_FIELDS), ("twilio_calls", "calls", CALL_FIELDS))
NEVER_TOLD = {("sms", "unsubscribed"), ("sms", "resubscribed"), ("sms", "unknown"), ("ivr", "unknown")}
"""Event types that only the tests of single feeds cover."""


@pytest.fixture(scope="module")
def world() -> World:
    return World(1)


@pytest.fixture(scope="module")
def happenings(world):
    return world.happenings()


def of_feed(world: World, feed: str) -> list[SpoolFile]:
    return [file for file in world.files() if file.feed == feed]


def webhook_events(file: SpoolFile) -> list[dict]:
    """Returns the good events of one spool file."""
    text = text_of(file)
    try:
        values = json.loads(text)
    except ValueError:
        values = []
        for line in text.splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            values += value if isinstance(value, list) else [value]
    values = values if isinstance(values, list) else [values]
    return [one for one in values if isinstance(one, dict) and "poison" not in str(one.get("sg_event_id"))]


def digest(world: World) -> str:
    whole = hashlib.sha256()
    for file in world.files():
        whole.update(f"{file.account}/{file.feed}/{file.name} {file.landed_after}\n".encode() + file.data)
    whole.update(repr(world.happenings()).encode())
    return whole.hexdigest()


SMALL = {"seed": 5, "days": 2, "messages_per_day": 60}


def test_the_same_seed_gives_the_same_bytes_under_another_hash_seed():
    program = (
        "from waybill.simulator.world import World; from tests.waybill.simulator.test_world import SMALL, digest;"
        "print(digest(World(**SMALL)))"
    )
    root = Path(__file__).parents[3]
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "4711")
    }
    assert answers == {digest(World(**SMALL))}
    assert digest(World(**{**SMALL, "seed": 6})) not in answers


def test_the_order_and_number_of_calls_change_nothing():
    one, other = World(**SMALL), World(**SMALL)
    asked_first = (one.poison(), one.happenings(), list(one.files()), one.records(), one.ignored())
    asked_last = (list(other.files()), other.records(), other.ignored(), other.happenings(), other.poison())
    assert asked_first[2] == asked_last[0]
    assert asked_first[1] == asked_last[3] == one.happenings()
    assert (asked_first[0], asked_first[3], asked_first[4]) == (asked_last[4], asked_last[1], asked_last[2])


def test_every_fate_occurs(world):
    fates = world.fates()
    assert sum(len(named) for named in FATES.values()) > 150
    assert [(channel, name) for channel in FATES for name in FATES[channel] if not fates[channel, name]] == []


def test_the_fates_of_the_log_and_of_gateways_have_different_names():
    for channel, own in (("email", EMAIL_FATES), ("sms", text_messages.FATES), ("ivr", calls.FATES)):
        assert len(FATES[channel]) == len(own) + len(dispatch_log.fates(channel))


def test_every_event_type_class_and_reason_occurs(world, happenings):
    seen = {(h.channel, h.event_type) for h in happenings}
    expected = {(channel, event_type) for event_type, channels in EVENT_TYPES.items() for channel in channels}
    assert seen == expected - NEVER_TOLD
    assert {h.failure_class for h in happenings} == {*FAILURE_CLASSES, None}
    assert {(h.not_sent_category, h.not_sent_reason) for h in happenings if h.event_type == "suppressed"} == {
        (category, reason) for reason, category in NOT_SENT_CATEGORY.items()
    }
    assert {h.not_sent_category for h in happenings} == {*NOT_SENT_REASONS, None}


def test_every_drop_reason_and_error_code_is_written(world):
    reasons = {one.get("reason") for file in of_feed(world, "sendgrid_events") for one in webhook_events(file)}
    assert set(DROPS) <= reasons
    rows = [row for file in of_feed(world, "twilio_messages") for row in json.loads(file.data)["messages"]]
    assert {row["error_code"] for row in rows} == set(ERRORS)


def test_every_feed_of_every_account_has_files_in_order_of_landing(world):
    files = list(world.files())
    feeds = {SENDGRID, MESSAGES, CALLS, dispatch_log.FEED}
    assert {(file.account, file.feed) for file in files} == {(a, f) for a in world.accounts for f in feeds}
    assert all(file.data.strip() for file in files)
    assert [file.landed_after for file in files] == sorted(file.landed_after for file in files)
    names = [(file.account, file.feed, file.name) for file in files]
    assert len(set(names)) == len(names) > 300
    suffixes = {name.partition(".")[2] for _, _, name in names}
    assert suffixes == {"json", "ndjson", "ndjson.gz", "csv", "parquet"}
    assert {len(text_of(f).splitlines()) > 1 for f in files if f.feed == "sendgrid_events"} == {True, False}


def test_no_event_is_later_than_its_landing(world, happenings):
    checked = 0
    for file in world.files():
        times = []
        if file.feed == "sendgrid_events":
            stamps = [one["timestamp"] for one in webhook_events(file)]
            times = [datetime.fromtimestamp(s / 1000 if s > 10**11 else s, UTC) for s in stamps]
        elif file.feed == "dispatch_log":
            if file.name.endswith("parquet"):
                rows = parquet_rows(file)
            elif file.name.endswith("csv"):
                rows = list(csv.DictReader(io.StringIO(file.data.decode())))
            else:
                rows = [json.loads(line) for line in text_of(file).splitlines() if line.startswith('{"dispatch_id')]
            good = [row["occurred_at"] for row in rows if not row["dispatch_id"].startswith("poison")]
            times = [at if isinstance(at, datetime) else datetime.fromisoformat(at) for at in good]
        else:
            rows = json.loads(file.data)[file.feed.removeprefix("twilio_")]
            assert len(rows) <= 50
            named = ("date_created", "date_sent", "date_updated", "start_time", "end_time")
            times = [parsedate_to_datetime(row[name]) for row in rows for name in named if row.get(name)]
        assert all(at <= file.landed_after for at in times), file.name
        checked += len(times)
    assert checked > 10_000
    assert max(h.at for h in happenings) <= world.ends
    assert min(h.at for h in happenings) >= world.starts


def test_all_addresses_and_numbers_are_invented(world):
    addresses = set()
    for file in world.files():
        addresses |= set(ADDRESS.findall(SMTP_ID.sub("", text_of(file))))
    assert len(addresses) > 500
    assert [address for address in addresses if not INVENTED.fullmatch(address)] == []
    for pattern, least, greatest, country, _ in NUMBERS:
        for number in range(least, greatest + 1):
            parsed = phonenumbers.parse(pattern.format(number))
            assert phonenumbers.is_valid_number(parsed)
            assert phonenumbers.region_code_for_number(parsed) == country


def test_records_have_the_fields_of_the_providers(world):
    events = [one for file in of_feed(world, "sendgrid_events") for one in webhook_events(file)]
    fields = set().union(*events)
    assert fields == SENDGRID_FIELDS | CUSTOM_ARGUMENTS
    assert {type(one.get("category")) for one in events} == {str, list, type(None)}
    assert any(one.get("category") == [] for one in events)
    assert any(one["timestamp"] > 10**11 for one in events)
    assert any("sg_message_id" not in one and "smtp-id" not in one for one in events)
    assert any("sg_message_id" not in one and "smtp-id" in one for one in events)
    assert any("sg_event_id" not in one for one in events)
    for feed, key, expected in (
        ("twilio_messages", "messages", MESSAGE_FIELDS),
        ("twilio_calls", "calls", CALL_FIELDS),
    ):
        pages = [json.loads(file.data) for file in of_feed(world, feed)]
        assert all(set(page) == ENVELOPE | {key} for page in pages)
        rows = [row for page in pages for row in page[key]]
        assert len(rows) > 1000
        assert all(set(row) == expected for row in rows)
        assert any(page["next_page_uri"] for page in pages)
    for file in of_feed(world, "dispatch_log"):
        if file.name.endswith("parquet"):
            assert pyarrow.parquet.read_schema(io.BytesIO(file.data)).names == list(COLUMNS)


def test_the_world_has_its_difficult_cases(world, happenings):
    """The files contain every difficult case."""
    events = [one for file in of_feed(world, "sendgrid_events") for one in webhook_events(file)]
    by_event: dict[tuple, list[dict]] = defaultdict(list)
    for one in events:
        by_event[one.get("sg_message_id"), one["email"].lower(), one["event"], str(one["timestamp"])[:10]].append(one)
    twice = [sightings for sightings in by_event.values() if len(sightings) > 1]
    assert len(twice) > 30
    assert any(len({one.get("sg_event_id") for one in sightings}) > 1 for sightings in twice)
    assert any(len({one.get("sg_machine_open") for one in sightings}) > 1 for sightings in twice)
    recipients = defaultdict(set)
    for one in events:
        recipients[one.get("sg_message_id")].add(one["email"].lower())
    assert any(len(found) > 1 for message, found in recipients.items() if message)

    words = defaultdict(list)
    for h in happenings:
        if h.leg:
            words[h.account, h.provider, h.leg].append(h.event_type)
    orders = {tuple(found) for found in words.values()}
    assert any("delivered" in found and "bounced" in found[found.index("delivered") :] for found in orders)
    assert any("bounced" in found and "opened" in found[found.index("bounced") :] for found in orders)
    assert any(h.leg is None for h in happenings)

    named = defaultdict(set)
    for h in happenings:
        if h.names_leg:
            named[h.account, h.channel, h.dispatch_id].add(h.names_leg)
    assert any(len(legs) > 1 for (_, channel, _), legs in named.items() if channel == "email")
    assert any(h.gateway == "homing_pigeon" and h.names_leg is None for h in happenings)
    assert any(h.price is not None and h.price < 0 for h in happenings)
    assert {h.currency for h in happenings} == {"USD", "EUR", None}
    channels = defaultdict(set)
    for h in happenings:
        if h.dispatch_id:
            channels[h.account, h.dispatch_id].add(h.channel)
    assert {"email", "sms"} in channels.values()

    statuses: dict[str, list[dict]] = defaultdict(list)
    for file in of_feed(world, "twilio_messages"):
        for row in json.loads(file.data)["messages"]:
            statuses[row["sid"]].append(row)
    for name, is_later in (("price", True), ("error_code", True), ("date_sent", True), ("status", False)):
        values = [[row[name] for row in rows] for rows in statuses.values()]
        assert any((found[0] is None or not is_later) and found[-1] != found[0] for found in values), name


def test_no_two_events_of_a_leg_or_dispatch_have_the_same_second(happenings):
    times = Counter()
    for h in happenings:
        if h.leg:
            times[h.account, h.provider, h.leg, h.at] += 1
        if h.dispatch_id:
            times[h.account, h.channel, h.dispatch_id, h.at] += 1
    assert len(times) > 8000
    assert max(times.values()) == 1
    assert [h.key for h in happenings] == sorted(h.key for h in happenings)


def test_poison_is_rare_and_counted(world):
    poison, ignored, records = world.poison(), world.ignored(), world.records()
    for account in world.accounts:
        for feed in ("sendgrid_events", "dispatch_log"):
            assert 0 < poison[account, feed] < 0.04 * records[account, feed]
        for feed in ("twilio_messages", "twilio_calls"):
            assert (account, feed) not in poison
            assert 0 < ignored[account, feed] < records[account, feed]
    assert 8_000 < sum(records.values()) < 16_000


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_truth_has_rows_for_every_report(happenings, zone):
    rows = report_rows(happenings, zone)
    assert rows.keys() == {report.name for report in counted_reports()}
    assert all(rows.values())


def test_machines_open_and_click_with_and_without_a_flag(happenings):
    rows = report_rows(happenings, "UTC")["email_engagement_daily"].values()
    for measure in ("open_count", "click_count"):
        total, suspected = (sum(row[name] for row in rows) for name in (measure, f"suspected_machine_{measure}"))
        assert 0 < suspected < total / 2, measure
    assert sum(row["machine_open_count"] for row in rows) > 0


def test_the_reference_model_finds_the_happenings_in_the_files():
    """The reference model, which shares no code with the simulator, finds the same events, rejects and reports."""
    world = World(3, first_day=date(2026, 3, 27), days=3, messages_per_day=240)
    model = Model(Keyring(b"a secret of the tests"), "Europe/Berlin")
    ignored, records = Counter(), Counter()
    for file in world.files():
        data = text_of(file).encode() if file.name.endswith(".parquet") else file.data
        books = model.load(file.account, file.feed, data, file.landed_after)
        records[file.account, file.feed] += books.read
        ignored[file.account, file.feed] += books.ignored
    assert dict(records) == world.records()
    assert {name: count for name, count in ignored.items() if count} == world.ignored()
    assert dict(Counter((account, feed) for account, feed, _ in model.rejected())) == world.poison()
    own, read = world.happenings(), model.happenings()
    assert len(own) > 1500
    assert Counter(map(without_names, own)) == Counter(map(without_names, read))
    assert report_rows(own, "Europe/Berlin") == model.report_rows()


def test_happenings_up_to_a_moment_follow_from_the_files_landed_by_then():
    world = World(3, days=2, messages_per_day=120)
    until = world.starts + timedelta(hours=30)
    model = Model(Keyring(b"a secret of the tests"), "UTC")
    for file in world.files(FILE_FEEDS, until):
        data = text_of(file).encode() if file.name.endswith(".parquet") else file.data
        model.load(file.account, file.feed, data, file.landed_after)
    own = world.happenings(FILE_FEEDS, until)
    assert Counter(map(without_names, own)) == Counter(map(without_names, model.happenings()))
    assert 100 < len(own) < len(world.happenings(FILE_FEEDS)) < len(world.happenings())
    assert {h.provider for h in own} == {"sendgrid", "dispatch"}


def without_names(happening) -> tuple:
    """Returns a happening without keys and legs, which differ between the two models."""
    named = ("leg", "own_leg_key", "recipient", "names_leg")
    left_out = ("key", "leg_key", "not_sent_reason", *named)
    values = tuple(value for name, value in vars(happening).items() if name not in left_out)
    return (*values, *(getattr(happening, name) is None for name in named))


def test_write_makes_the_layout_of_the_inbox(tmp_path):
    world = World(**SMALL)
    count = write(world, tmp_path)
    paths = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(paths) == count == len(list(world.files())) > 50
    for file in world.files():
        assert (tmp_path / file.account / file.feed / file.name).read_bytes() == file.data


def test_write_can_leave_out_feeds_and_add_files_day_by_day(tmp_path):
    world = World(**SMALL)
    day = timedelta(days=1)
    counts = [write(world, tmp_path, FILE_FEEDS, world.starts + number * day) for number in (1, 2, 2, 3)]
    assert min(counts[0], counts[1], counts[3]) > 0
    assert counts[2] == 0
    paths = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert paths == {f"{file.account}/{file.feed}/{file.name}" for file in world.files(FILE_FEEDS)}
    assert len(paths) == sum(counts)
    assert {path.split("/")[1] for path in paths} == {"sendgrid_events", "dispatch_log"}
    untouched = tmp_path / sorted(paths)[0]
    untouched.write_text("read by somebody")
    assert write(world, tmp_path) > 0
    assert untouched.read_text() == "read by somebody"


def test_the_demo_contains_the_change_of_clocks(world):
    assert world.starts == datetime(2026, 3, 26, tzinfo=UTC)
    assert world.ends - world.starts == timedelta(days=7)
    assert world.starts <= datetime(2026, 3, 29, 1, tzinfo=UTC) < world.ends
