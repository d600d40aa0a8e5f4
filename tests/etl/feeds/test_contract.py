"""What every feed promises, asked of every feed."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from etl.feeds import FEEDS
from etl.feeds.base import Feed
from etl.model.event import STORED_COLUMNS, Event, in_bytes, merge, merge_all
from etl.model.vocabulary import EVENT_TYPES, FAILURE_CLASSES, FAILURE_EVENTS, FAILURE_REASONS, SOURCES
from tests.etl.feeds.cases import (
    ACCOUNT,
    KEYRING,
    LANDED_AT,
    events_of,
    golden_files,
    keys_of,
    normalise,
    normalise_with,
    only_event,
    readable,
    reasons_of,
)

CANARY = "Canary.Bird@Aviary.example"
CANARY_NUMBER = "+1 202-555-0199"
FORMS = (
    "canary.bird@aviary.example",
    "CANARY.BIRD@AVIARY.EXAMPLE",
    "Canary.Bird%40Aviary.example",
    "canary%2Ebird%2540aviary.example",
    "%63%61nary.bird@aviary.example",
    "+12025550199",
    "%2B12025550199",
)
TRACES = ("canary", "aviary", "2025550199")


def record_of(slug: str, **values: object) -> dict[str, object]:
    """A good record of the feed."""
    good: dict[str, dict[str, object]] = {
        "sendgrid_events": {
            "email": "ana@inbox.example",
            "timestamp": 1772442911,
            "event": "click",
            "sg_message_id": "m1.filter",
        },
        "twilio_messages": {
            "sid": "SM01",
            "status": "undelivered",
            "to": "+12025550123",
            "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
            "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
            "direction": "outbound-api",
        },
        "twilio_calls": {
            "sid": "CA01",
            "status": "completed",
            "to": "+12025550123",
            "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
            "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
            "direction": "outbound-api",
        },
        "dispatch_log": {
            "dispatch_id": "d-1",
            "occurred_at": "2026-03-02T09:14:40Z",
            "channel": "email",
            "status": "not_sent",
            "recipient": "ana@inbox.example",
        },
    }
    return good[slug] | values


def bytes_of(slug: str, *records: dict[str, object]) -> bytes:
    """Records as the feed's files hold them."""
    if FEEDS[slug].provider == "twilio":
        return json.dumps({"messages" if slug == "twilio_messages" else "calls": records}).encode()
    return b"\n".join(json.dumps(record).encode() for record in records)


WORD_FIELD = {
    "sendgrid_events": "event",
    "twilio_messages": "status",
    "twilio_calls": "status",
}
TIME_FIELDS = {
    "sendgrid_events": ("timestamp",),
    "twilio_messages": ("date_created", "date_updated"),
    "twilio_calls": ("date_created", "date_updated"),
    "dispatch_log": ("occurred_at",),
}

every_feed = pytest.mark.parametrize("slug", sorted(FEEDS))


def test_there_are_feeds_and_each_is_known_by_its_slug():
    assert len(FEEDS) >= 4
    assert all(feed.slug == slug for slug, feed in FEEDS.items())


@every_feed
def test_a_feed_declares_itself_with_words_of_the_vocabulary(slug: str):
    feed = FEEDS[slug]
    assert feed.kind in ("api", "files") and feed.lateness > timedelta(0) and feed.rules_version > 0
    assert set(feed.event_types.values()) <= set(EVENT_TYPES)
    assert bool(feed.credentials) == (feed.kind == "api")


def test_a_feed_that_does_not_declare_itself_is_refused_by_name():
    with pytest.raises(TypeError, match=r"Nameless must set .*slug"):

        class Nameless(Feed):
            pass


@every_feed
def test_golden_files_come_out_as_written_next_to_them(slug: str):
    files = golden_files(slug)
    assert files
    for path in files:
        expected = json.loads(path.with_name(path.name + ".expected.json").read_text())
        assert readable(normalise(slug, path.read_bytes())) == expected, path.name


@every_feed
def test_every_mapped_word_is_reached_by_golden_data(slug: str):
    events = [event for path in golden_files(slug) for event in events_of(slug, path.read_bytes())]
    assert set(FEEDS[slug].event_types) <= {event.provider_event for event in events}


@every_feed
def test_events_hold_words_of_the_vocabulary_alone(slug: str):
    events = [event for path in golden_files(slug) for event in events_of(slug, path.read_bytes())]
    assert events
    for event in events:
        assert event.channel in EVENT_TYPES[event.event_type]
        assert (event.failure_class in FAILURE_CLASSES) == (event.event_type in FAILURE_EVENTS)
        assert (event.failure_reason in FAILURE_REASONS) == (event.event_type in FAILURE_EVENTS)
        assert event.campaign_source in (None, *SOURCES) and event.template_source in (None, *SOURCES)
        assert event.event_key.version == 8 and event.event_at.tzinfo is UTC


@pytest.mark.parametrize("slug", sorted(WORD_FIELD))
def test_an_unknown_word_is_kept_as_unknown(slug: str):
    event = events_of(slug, bytes_of(slug, record_of(slug, **{WORD_FIELD[slug]: "levitated"})))[-1]
    assert (event.event_type, event.provider_event) == ("unknown", "levitated")
    assert event.leg_key is not None


@every_feed
@pytest.mark.parametrize(
    "time",
    [
        "2026-03-02T09:14:40",
        "Mon, 02 Mar 2026 09:14:40",
        "2004-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "Mon, 31 Feb 2026 09:14:40 +0000",
        "Mon, 02 Foo 2026 09:14:40 +0000",
        "Mon, 02 Mar 2026 09:14:40 +2560",
        "yesterday",
        "",
        " ",
        None,
        True,
        1.5,
        -1,
        0,
        10**30,
        2**63,
        1772442911000000,
        [1772442911],
    ],
)
def test_a_time_without_zone_or_sense_is_rejected(slug: str, time: object):
    for name in TIME_FIELDS[slug]:
        (reason,) = reasons_of(slug, bytes_of(slug, record_of(slug, **{name: time})))
        assert "time" in reason or "missing" in reason or name in reason


@every_feed
def test_a_time_a_day_ahead_of_the_landing_is_rejected_and_one_just_before_is_not(slug: str):
    data = bytes_of(slug, record_of(slug))
    newest = max(event.event_at for event in events_of(slug, data))
    feed = FEEDS[slug]
    assert isinstance(normalise_with(feed, data, newest - timedelta(days=1))[0], list)
    late = normalise_with(feed, data, newest - timedelta(days=1, seconds=1))
    assert late == ["time more than a day after its landing"]


@every_feed
def test_replay_gives_the_same_events(slug: str):
    for path in golden_files(slug):
        assert normalise(slug, path.read_bytes()) == normalise(slug, path.read_bytes())


@every_feed
def test_keys_do_not_depend_on_the_order_of_records_or_fields(slug: str):
    records = [record_of(slug), record_of(slug, **_another(slug))]
    turned = [dict(reversed(record.items())) for record in reversed(records)]
    there, back = events_of(slug, bytes_of(slug, *records)), events_of(slug, bytes_of(slug, *turned))
    assert keys_of(there) == keys_of(back)
    assert len(set(keys_of(there))) == len(there)


def _another(slug: str) -> dict[str, object]:
    name = {"sendgrid_events": "sg_message_id", "dispatch_log": "dispatch_id"}.get(slug, "sid")
    return {name: "another"}


@every_feed
def test_a_record_has_the_same_events_whatever_its_neighbours_and_its_file_are(slug: str):
    record = record_of(slug)
    alone = events_of(slug, bytes_of(slug, record))
    among = normalise(
        slug, bytes_of(slug, record_of(slug, **_another(slug)), record, record_of(slug, **_another(slug)))
    )
    assert among[1] == alone
    pretty = json.dumps(json.loads(bytes_of(slug, record)), indent=2)
    if slug == "sendgrid_events":
        pretty = f"[{pretty},\n{pretty}]"
    if slug != "dispatch_log":
        assert normalise(slug, pretty.encode())[0] == alone


@every_feed
def test_spaces_and_case_of_the_recipient_make_no_other_event(slug: str):
    name = {"sendgrid_events": "email", "dispatch_log": "recipient"}.get(slug, "to")
    written = {"sendgrid_events": " ANA@Inbox.example", "dispatch_log": " ANA@Inbox.example"}.get(
        slug, " +1 (202) 555-0123"
    )
    one = events_of(slug, bytes_of(slug, record_of(slug)))
    other = events_of(slug, bytes_of(slug, record_of(slug, **{name: written})))
    assert [event.event_key for event in one] == [event.event_key for event in other]
    assert [event.leg_key for event in one] == [event.leg_key for event in other]
    assert one[0].recipient == other[0].recipient


@every_feed
def test_no_address_is_in_any_stored_column(slug: str):
    recipient = {"sendgrid_events": "email", "dispatch_log": "recipient"}.get(slug, "to")
    is_email = recipient != "to"
    own = CANARY if is_email else CANARY_NUMBER
    texts = {
        "sendgrid_events": "useragent url ip reason response status type bounce_classification sg_event_id",
        "twilio_messages": "error_message error_code price_unit account_sid messaging_service_sid new_field",
        "twilio_calls": "answered_by price_unit account_sid group_sid queue_time new_field",
        "dispatch_log": "reason campaign_id template_id provider provider_message_id new_column dispatch_id",
    }[slug].split()
    ids = {"sendgrid_events": ["campaign_id", "dispatch_id", "template_id", "asm_group_id", "singlesend_id"]}
    for form in FORMS:
        for written in (own, "someone@else.example" if is_email else "+12025550100"):
            text = f"550 <{form}>: user {form} unknown"
            values: dict[str, object] = dict.fromkeys((*texts, *ids.get(slug, ())), text)
            values[recipient] = written
            if slug == "sendgrid_events":
                values |= {"category": [text, form], "order": {text: [text, {"deep": form}]}, form: 1}
                values |= {"event": "group_unsubscribe", "url_offset": {"index": form}}
            if slug.startswith("twilio"):
                values["new_list"] = [text, {form: form}]
            events = events_of(slug, bytes_of(slug, record_of(slug, **values)))
            assert events
            for event in events:
                stored = [getattr(event, name) for name in STORED_COLUMNS if name != "recipient_key"]
                column_bytes = msgspec.json.encode(stored).decode().lower()
                assert not [trace for trace in TRACES if trace in column_bytes], column_bytes
                assert "<<recipient>" not in column_bytes and "<recipient>>" not in column_bytes


@every_feed
def test_a_reason_of_rejection_holds_no_value(slug: str):
    fields = FEEDS[slug]._known_fields
    assert fields
    rejected = 0
    for name in fields:
        for bad in (CANARY, [CANARY], {CANARY: CANARY}, 4711.25, True):
            for outcome in normalise(slug, bytes_of(slug, record_of(slug, **{name: bad}))):
                if isinstance(outcome, str):
                    rejected += 1
                    assert not [trace for trace in (*TRACES, "4711") if trace in outcome.lower()], outcome
    assert rejected


@every_feed
def test_derived_columns_follow_from_merged_ones_and_from_nothing_else(slug: str):
    feed = FEEDS[slug]
    events = [event for path in golden_files(slug) for event in events_of(slug, path.read_bytes())]
    assert events
    for event in events:
        again = feed.derive(msgspec.structs.replace(event), KEYRING)
        assert again == event
        merged = feed.derive(merge(event, msgspec.structs.replace(event)), KEYRING)
        assert merged == event
        assert feed.derive(merge(merged, event), KEYRING) == merged


@pytest.mark.parametrize("slug", ["twilio_messages", "twilio_calls"])
def test_snapshots_of_a_row_merge_to_the_same_events_in_any_order(slug: str):
    rows = [
        record_of(slug, status="queued", date_updated=None, price=None, num_segments="0"),
        record_of(slug, status="failed", price=None, date_updated="Mon, 02 Mar 2026 09:16:00 +0000"),
        record_of(slug, status="failed", error_code=30007, price="-0.5", duration="7"),
    ]
    one, other = _merged(slug, rows), _merged(slug, rows[::-1])
    assert one == other and len(one) == 2
    failed = next(event for event in one.values() if event.provider_event == "failed")
    assert failed.event_at == datetime(2026, 3, 2, 9, 14, 58, tzinfo=UTC)
    assert str(failed.price) == "0.5"


def _merged(slug: str, rows: list[dict[str, object]]) -> dict[object, Event]:
    by_key: dict[object, list[Event]] = {}
    for row in rows:
        for event in events_of(slug, bytes_of(slug, row)):
            by_key.setdefault(event.event_key, []).append(event)
    return {key: FEEDS[slug].derive(merge_all(sightings), KEYRING) for key, sightings in by_key.items()}


@every_feed
def test_what_the_type_does_not_name_is_kept(slug: str):
    data = bytes_of(slug, record_of(slug, brand_new={"b": [1, None, "x"]}, other="o"))
    extra = events_of(slug, data)[-1].extra
    assert extra["brand_new"] == {"b": [1, None, "x"]} and extra["other"] == "o"


@every_feed
def test_what_is_nested_too_deeply_is_rejected_and_its_neighbour_is_not(slug: str):
    deep = "[" * 100_000 + "]" * 100_000
    less_deep = "[" * 200 + "]" * 200
    for nested in (deep, less_deep):
        data = bytes_of(slug, record_of(slug, nested="HERE"), record_of(slug))
        bad, good = normalise(slug, data.replace(b'"HERE"', nested.encode()))
        assert "nested" in bad and isinstance(good, list)


@every_feed
def test_events_are_of_their_feed_and_its_account(slug: str):
    event = events_of(slug, bytes_of(slug, record_of(slug)))[0]
    assert event.account == ACCOUNT and event.feed == slug and event.provider == FEEDS[slug].provider


def test_an_empty_object_has_no_records():
    for feed in FEEDS.values():
        assert normalise_with(feed, b"") == [] and normalise_with(feed, b"\n \r\n") == []


def test_the_own_recipient_is_the_only_thing_replaced_in_an_identity():
    """Frozen: these keys must come out for ever."""
    click = record_of(
        "sendgrid_events",
        ip="192.0.2.1",
        useragent="U bo@other.example",
        url="https://x.example/?e=ANA%2540inbox%2Eexample&f=bo%40other.example",
        url_offset={"type": "html", "index": 0},
    )
    event = only_event("sendgrid_events", bytes_of("sendgrid_events", click))
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    identity = (
        "m1",
        key,
        "click",
        "1772442911",
        "192.0.2.1",
        "U bo@other.example",
        f"https://x.example/?e={key}&f=bo%40other.example",
        '{"index":0,"type":"html"}',
    )
    assert event.event_key == KEYRING.event_key(1772442911000, ACCOUNT, "sendgrid", identity)
    assert event.leg_key == KEYRING.leg_key(ACCOUNT, "sendgrid", ("m1", key))
    assert event.url == "https://x.example/?e=<recipient>&f=<recipient>"
    assert event.user_agent == "U <recipient>"


def test_the_order_of_bytes_is_total():
    assert in_bytes("1") == in_bytes(1)
    one = Event(extra={"a": "1"}, event_at=LANDED_AT)
    other = Event(extra={"a": 1}, event_at=LANDED_AT)
    assert merge(one, other) == merge(other, one)
