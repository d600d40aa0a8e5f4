"""Sightings of one event merge; their order does not matter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from waybill.model.event import COLUMNS, STORED_COLUMNS, EventDraft, in_bytes, merge, merge_all, rank
from waybill.model.vocabulary import SOURCES

START = datetime(2026, 3, 2, tzinfo=UTC)
RECIPIENTS = [
    {},
    {"recipient": "ana@gmail.com", "recipient_key": b"\1", "mailbox_provider": "gmail"},
    {"recipient": "bo@x.example", "recipient_key": b"\2", "mailbox_provider": "other"},
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, -0.0, 1.0, 1.5])
    | st.sampled_from(["1", "true", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
texts = st.none() | st.sampled_from(["", "a", "b", "é", "\uffff", "\U0001f600"])


def sourced(column: str) -> st.SearchStrategy[dict[str, str]]:
    pairs = st.tuples(st.sampled_from("abé"), st.sampled_from(SOURCES))
    return st.just({}) | pairs.map(lambda pair: {f"{column}_id": pair[0], f"{column}_source": pair[1]})


@st.composite
def sightings(draw: st.DrawFn) -> EventDraft:
    """Draw a sighting of one event."""
    return EventDraft(
        account="acme",
        provider="sendgrid",
        channel="email",
        event_at=START + timedelta(seconds=draw(st.integers(0, 2))),
        price=draw(st.none() | st.sampled_from([Decimal("0.1"), Decimal("0.25"), Decimal("-1")])),
        segments=draw(st.none() | st.integers(0, 2)),
        duration_seconds=draw(st.none() | st.integers(0, 2)),
        is_machine=draw(st.none() | st.booleans()),
        dispatch_id=draw(texts),
        provider_reason=draw(texts),
        url=draw(texts),
        tags=draw(st.none() | st.lists(st.sampled_from("ab"), min_size=1, max_size=2)),
        extra=draw(st.none() | st.dictionaries(st.sampled_from("xyz"), json_values, min_size=1, max_size=3)),
        **draw(st.sampled_from(RECIPIENTS)),
        **draw(sourced("campaign")),
        **draw(sourced("template")),
    )


def written(event: EventDraft) -> bytes:
    """All columns as bytes, which differ for 1 and True, and for 0.0 and -0.0."""
    return msgspec.json.encode(msgspec.structs.asdict(event), order="sorted")


@given(sightings(), sightings())
def test_merging_commutes(one: EventDraft, other: EventDraft):
    assert written(merge(one, other)) == written(merge(other, one))


@given(sightings(), sightings(), sightings())
def test_merging_is_associative(one: EventDraft, two: EventDraft, three: EventDraft):
    assert written(merge(merge(one, two), three)) == written(merge(one, merge(two, three)))


@given(sightings())
def test_merging_a_sighting_with_itself_changes_nothing(one: EventDraft):
    assert written(merge(one, one)) == written(one)


@given(st.lists(sightings(), min_size=1, max_size=5), st.randoms())
def test_order_and_repetition_do_not_change_the_event(sighted: list[EventDraft], random: object):
    shuffled = [*sighted, *sighted[:2]]
    random.shuffle(shuffled)
    assert written(merge_all(shuffled)) == written(merge_all(sighted))


@given(sightings(), sightings())
def test_merging_does_not_change_the_sightings(one: EventDraft, other: EventDraft):
    before = written(one), written(other)
    merge(one, other)
    assert (written(one), written(other)) == before


def test_each_column_merges_by_its_rule():
    one = EventDraft(
        event_at=START,
        price=Decimal("0.1"),
        is_machine=False,
        dispatch_id="b",
        campaign_id="a",
        campaign_source="category",
        provider_reason="x",
        extra={"k": 1, "l": "z"},
        url=None,
    )
    other = EventDraft(
        event_at=START + timedelta(1),
        is_machine=True,
        dispatch_id="a",
        campaign_id="z",
        campaign_source="provider",
        provider_reason="y",
        extra={"k": "1"},
        url="u",
    )
    merged = merge(one, other)
    assert (merged.event_at, merged.price, merged.is_machine, merged.dispatch_id) == (START, Decimal("0.1"), True, "a")
    assert (merged.campaign_id, merged.campaign_source) == ("z", "provider")
    assert (merged.provider_reason, merged.url, merged.extra) == ("y", "u", {"k": "1", "l": "z"})


def test_facts_have_all_columns_except_the_clear_address():
    assert "recipient" not in STORED_COLUMNS and len(STORED_COLUMNS) == len(EventDraft.__struct_fields__) - 1
    assert set(STORED_COLUMNS) < COLUMNS.keys()


@given(json_values, json_values)
def test_different_values_have_different_ranks(one: object, other: object):
    if rank(one) == rank(other):
        assert msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


def test_the_order_of_bytes_is_total():
    assert in_bytes("1") == in_bytes(1)
    one, other = EventDraft(extra={"a": "1"}, event_at=START), EventDraft(extra={"a": 1}, event_at=START)
    assert merge(one, other) == merge(other, one)
