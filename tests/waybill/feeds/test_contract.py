"""The contract of all feeds, tested for each feed with its case in golden/<slug>/case.py."""

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, timedelta
from itertools import cycle, product

import msgspec
import pytest

from tests.waybill.feeds.case import Case, Record, value_at, with_values
from tests.waybill.feeds.cases import CASES, case_of, expected_of, golden_files, named_words_of
from tests.waybill.feeds.outcomes import (
    ACCOUNT,
    KEYRING,
    events_of,
    keys_of,
    normalise,
    normalise_with,
    readable,
    reasons_of,
)
from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.feeds.providers import MESSAGE_IDS
from waybill.model.event import STORED_COLUMNS, Event, merge
from waybill.model.redaction import MASK
from waybill.model.vocabulary import (
    CHANNELS,
    DISPATCH,
    EVENT_TYPES,
    FAILURE_CLASSES,
    FAILURE_EVENTS,
    FAILURE_REASONS,
    SOURCES,
)

CANARY = "Canary.Bird@Aviary.example"
CANARY_NUMBER = "+1 202-555-0199"
FORMS = (
    "canary.bird@aviary.example",
    "CANARY.BIRD@AVIARY.EXAMPLE",
    "Canary.Bird%40Aviary.example",
    "canary%2Ebird%2540aviary.example",
    "%63%61nary.bird@aviary.example",
    "canary.bird @ aviary.example",
    "canary.bird(a comment)@aviary.example",
    "canary.bird\u200b@\u200baviary.example",
    "canary.bird\\u0040aviary.example",
    "canary.bird&#64;aviary.example",
    "canary.bird&commat;aviary.example",
    "canary.bird\uff20aviary.example",
    "+12025550199",
    "%2B12025550199",
)
TRACES = ("bird", "aviary", "2025550199")
"""Not "canary": ids are cut at their first dot, and the rest identifies nobody."""

WITH_CASE = sorted(FEEDS.keys() & CASES)
every_feed = pytest.mark.parametrize("slug", WITH_CASE)
every_gateway = pytest.mark.parametrize("slug", [slug for slug in WITH_CASE if FEEDS[slug].provider != DISPATCH])


def golden_events(slug: str) -> list[Event]:
    """Return the events of all golden files; never empty."""
    events = [event for file in golden_files(slug) for event in events_of(slug, file.read_bytes())]
    assert events, f"no golden file of {slug} gives an event"
    return events


def golden_records(slug: str) -> Iterator[Record]:
    """Yield the fields of all golden records that have fields."""
    for file in golden_files(slug):
        for raw in FEEDS[slug].records(io.BytesIO(file.read_bytes())):
            if raw.problem is None:
                yield raw.value or json.loads(raw.raw)


def one_record_of_each_word(slug: str) -> list[Record]:
    """Return the first golden record of each event word."""
    word, found = case_of(slug).word, {}
    for record in golden_records(slug):
        with suppress(LookupError):
            found.setdefault(str(value_at(record, word)), record)
    assert found, f"no golden record of {slug} has a word"
    return list(found.values())


def another_message(case: Case) -> Record:
    return case.record_with({case.message_id: "another"})


def test_every_feed_is_registered_by_its_slug():
    assert len(FEEDS) >= 4
    assert all(feed.slug == slug for slug, feed in FEEDS.items())


@pytest.mark.parametrize("slug", sorted(FEEDS.keys() | CASES))
def test_every_feed_has_a_case_and_golden_files(slug: str):
    assert slug in FEEDS, f"golden/{slug}/case.py is of no feed"
    assert case_of(slug) and golden_files(slug)


def test_the_error_of_a_missing_case_or_golden_file_says_what_to_write():
    with pytest.raises(LookupError, match=r"no Case. Write CASE in golden/carrier_pigeons/case.py"):
        case_of("carrier_pigeons")
    with pytest.raises(LookupError, match=r"no golden files. Write records .* golden/carrier_pigeons/"):
        golden_files("carrier_pigeons")


@every_feed
def test_the_attributes_of_a_feed_are_words_of_the_vocabulary(slug: str):
    feed = FEEDS[slug]
    assert feed.kind in ("api", "files") and feed.lateness > timedelta(0) and feed.rules_version > 0
    assert feed.channel in (*CHANNELS, "all")
    assert feed.provider in (DISPATCH, *MESSAGE_IDS), f"PROVIDER of {feed.provider}/provider.py has no message_ids"
    assert set(feed.event_types.values()) <= set(EVENT_TYPES)
    assert bool(feed.credentials) == (feed.kind == "api")


def test_a_feed_without_its_attributes_is_refused():
    with pytest.raises(TypeError, match=r"Nameless must set .*slug"):

        class Nameless(Feed):
            pass


@every_feed
def test_golden_files_give_their_expected_events(slug: str):
    for file in golden_files(slug):
        expected = expected_of(file)
        assert expected.exists(), "python -m tests.waybill.feeds.cases writes it; read it before you keep it"
        assert readable(normalise(slug, file.read_bytes())) == json.loads(expected.read_text()), file.name


@every_feed
def test_golden_files_contain_every_mapped_word(slug: str):
    assert set(FEEDS[slug].event_types) <= {event.provider_event for event in golden_events(slug)}


@every_feed
def test_every_word_of_the_documentation_is_mapped_or_ignored_by_name(slug: str):
    feed, words = FEEDS[slug], named_words_of(slug)
    assert words - {*feed.event_types, *feed.ignored_words, *feed.account_words} == set()
    assert feed.event_types.keys().isdisjoint((*feed.ignored_words, *feed.account_words))
    assert len(words & feed.event_types.keys()) >= 4


@every_feed
def test_a_word_that_is_ignored_by_name_gives_no_event(slug: str):
    case = case_of(slug)
    for word in FEEDS[slug].ignored_words:
        if "/" not in word:  # the words with one come from two fields
            assert normalise(slug, case.file(case.record_with({case.word: word}))) == [[]], word


@every_feed
def test_events_contain_only_words_of_the_vocabulary(slug: str):
    for event in golden_events(slug):
        assert event.channel in EVENT_TYPES[event.event_type]
        assert (event.failure_class in FAILURE_CLASSES) == (event.event_type in FAILURE_EVENTS)
        assert (event.failure_reason in FAILURE_REASONS) == (event.event_type in FAILURE_EVENTS)
        assert event.campaign_source in (None, *SOURCES) and event.template_source in (None, *SOURCES)
        assert event.event_key.version == 8 and event.event_at.tzinfo is UTC


@every_feed
def test_the_good_record_of_a_case_has_a_message_and_a_recipient(slug: str):
    case = case_of(slug)
    events = events_of(slug, case.file(case.record))
    assert events and all(event.leg_key and event.recipient for event in events)
    assert case.address and events[-1].event_type != "unknown"


@every_gateway
def test_an_unknown_word_is_kept_as_unknown(slug: str):
    case = case_of(slug)
    event = events_of(slug, case.file(case.record_with({case.word: "levitated"})))[-1]
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
def test_an_invalid_time_is_rejected(slug: str, time: object):
    case = case_of(slug)
    assert case.times
    for name in case.times:
        (reason,) = reasons_of(slug, case.file(case.record_with({name: time})))
        assert "time" in reason or "missing" in reason or name in reason


@every_feed
def test_only_a_time_more_than_a_day_after_the_landing_is_rejected(slug: str):
    data = case_of(slug).file(case_of(slug).record)
    newest = max(event.event_at for event in events_of(slug, data))
    feed = FEEDS[slug]
    assert isinstance(normalise_with(feed, data, newest - timedelta(days=1))[0], list)
    late = normalise_with(feed, data, newest - timedelta(days=1, seconds=1))
    assert late == ["time more than a day after its landing"]


@every_feed
def test_replay_gives_the_same_events(slug: str):
    for file in golden_files(slug):
        assert normalise(slug, file.read_bytes()) == normalise(slug, file.read_bytes())


@every_feed
def test_keys_do_not_depend_on_the_order_of_records_or_fields(slug: str):
    case = case_of(slug)
    records = [case.record, another_message(case)]
    turned = [dict(reversed(record.items())) for record in reversed(records)]
    there, back = events_of(slug, case.file(*records)), events_of(slug, case.file(*turned))
    assert keys_of(there) == keys_of(back)
    assert len(set(keys_of(there))) == len(there)


@every_feed
def test_the_events_of_a_record_do_not_depend_on_its_neighbours_or_file(slug: str):
    case = case_of(slug)
    (alone,), (other,) = (normalise(slug, case.file(record)) for record in (case.record, another_message(case)))
    for file in case.files:
        assert normalise(slug, file([another_message(case), case.record])) == [other, alone]
        assert normalise(slug, file([case.record])) == [alone]


@every_feed
def test_spaces_and_case_of_the_recipient_do_not_change_keys(slug: str):
    case = case_of(slug)
    address = case.address
    otherwise = address.upper() if "@" in address else f"{address[:2]} ({address[2:5]}) {address[5:8]}-{address[8:]}"
    one = events_of(slug, case.file(case.record))
    other = events_of(slug, case.file(case.record_with({case.recipient: f" {otherwise}"})))
    assert [event.event_key for event in one] == [event.event_key for event in other]
    assert [event.leg_key for event in one] == [event.leg_key for event in other]
    assert one[0].recipient == other[0].recipient


@every_feed
def test_no_stored_column_contains_an_address(slug: str):
    """The address may be in any field of a record, or in all; it may be the own recipient's or another's. Each form of
    it is tried on a third of the event words."""
    case, records = case_of(slug), one_record_of_each_word(slug)
    own, other = (CANARY, "someone@else.example") if "@" in case.address else (CANARY_NUMBER, "+12025550100")
    recipient_name, word_name = (path.partition(".")[0] for path in (case.recipient, case.word))
    for (number, form), recipient in product(enumerate(FORMS), (own, other)):
        text = f"550 <{form}>: user {form} unknown"
        masked_count = 0
        others = {*FEEDS[slug]._known_fields, "new_field"}
        for golden in records[number % 3 :: 3] or records:
            record = with_values(golden, {case.recipient: recipient})
            names = {*golden, *others} - {recipient_name}
            others = set()
            fields = list(product(sorted(names), (text, [text, {form: [form]}])))
            outcomes = [one for name, value in fields for one in normalise(slug, case.file(record | {name: value}))]
            assert_untraceable(outcomes)
            kept = {}
            for (name, value), outcome in zip(fields, outcomes, strict=True):
                if isinstance(outcome, list) and outcome:
                    kept.setdefault(name, value)
                    masked_count += name == "new_field" and MASK in repr(outcome)
            kept.pop(word_name, None)
            assert_untraceable(normalise(slug, case.file(record | kept)))
        assert masked_count > 0


def leaves_of(value: object, path: str = "") -> Iterator[str]:
    """Yield the paths of all fields, also in nested objects and lists, that contain neither."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves_of(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path


@every_feed
def test_no_stored_column_contains_an_address_that_is_in_a_nested_field(slug: str):
    case, forms = case_of(slug), cycle(FORMS)
    own, tried_count = CANARY if "@" in case.address else CANARY_NUMBER, 0
    for golden in one_record_of_each_word(slug):
        for path in leaves_of(golden):
            if f"{path}.".startswith(f"{case.recipient}."):
                continue
            with suppress(LookupError):  # a name that contains a dot
                form, record = next(forms), with_values(golden, {case.recipient: own})
                outcomes = normalise(slug, case.file(with_values(record, {path: f"550 <{form}>: user {form} unknown"})))
                assert_untraceable(outcomes)
                tried_count += len(outcomes)
    assert tried_count > 10


def assert_untraceable(outcomes: list[list[Event] | str]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, str):
            assert not [trace for trace in TRACES if trace in outcome.lower()], outcome
            continue
        for event in outcome:
            stored = [getattr(event, name) for name in STORED_COLUMNS if name != "recipient_key"]
            column_bytes = msgspec.json.encode(stored).decode().lower()
            assert not [trace for trace in TRACES if trace in column_bytes], column_bytes
            assert f"<{MASK}" not in column_bytes and f"{MASK}>" not in column_bytes


@every_feed
def test_a_reject_reason_contains_no_value(slug: str):
    case, fields = case_of(slug), FEEDS[slug]._known_fields
    assert fields
    rejected = 0
    for name in fields:
        for bad in (CANARY, [CANARY], {CANARY: CANARY}, 4711.25, True):
            for outcome in normalise(slug, case.file(case.record | {name: bad})):
                if isinstance(outcome, str):
                    rejected += 1
                    assert not [trace for trace in (*TRACES, "4711") if trace in outcome.lower()], outcome
    assert rejected


@every_feed
def test_derived_columns_follow_only_from_merged_columns(slug: str):
    feed = FEEDS[slug]
    for event in golden_events(slug):
        again = feed.derive(msgspec.structs.replace(event), KEYRING)
        assert again == event
        merged = feed.derive(merge(event, msgspec.structs.replace(event)), KEYRING)
        assert merged == event
        assert feed.derive(merge(merged, event), KEYRING) == merged


@every_feed
def test_unknown_fields_are_kept(slug: str):
    case = case_of(slug)
    data = case.file(case.record | {"brand_new": {"b": [1, None, "x"]}, "other": "o"})
    extra = events_of(slug, data)[-1].extra
    assert extra["brand_new"] == {"b": [1, None, "x"]} and extra["other"] == "o"


@every_feed
def test_a_record_that_is_nested_too_deeply_is_rejected_alone(slug: str):
    case = case_of(slug)
    deep = "[" * 100_000 + "]" * 100_000
    less_deep = "[" * 200 + "]" * 200
    for nested in (deep, less_deep):
        data = case.file(case.record | {"nested": "HERE"}, case.record)
        bad, good = normalise(slug, data.replace(b'"HERE"', nested.encode()))
        assert "nested" in bad and isinstance(good, list)


@every_feed
def test_events_have_the_feed_and_its_account(slug: str):
    event = events_of(slug, case_of(slug).file(case_of(slug).record))[0]
    assert event.account == ACCOUNT and event.feed == slug and event.provider == FEEDS[slug].provider


def test_an_empty_object_has_no_records():
    for feed in FEEDS.values():
        assert normalise_with(feed, b"") == [] and normalise_with(feed, b"\n \r\n") == []
