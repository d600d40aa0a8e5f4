"""Where one record begins and ends, in every shape that files have."""

import gzip
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.feeds import records, streams
from etl.feeds.base import RawRecord
from etl.feeds.records import NOT_AN_OBJECT, NOT_CLOSED, NOT_JSON, lines_or_arrays, list_body

A, B, C = b'{"a":1}', b'{"b":[1,"]},{",{"c":null}]}', b'{"c":"\\"},"}'


def split(data: bytes) -> list[RawRecord]:
    return list(lines_or_arrays(io.BytesIO(data)))


def seen(found: list[RawRecord]) -> list[bytes | str]:
    return [record.problem or record.raw for record in found]


@pytest.mark.parametrize(
    "data",
    [
        b"\n".join((A, B, C)),
        b"\r\n".join((A, B, C)) + b"\r\n",
        b"\n\n  \n".join((A, B, C)) + b"\n",
        b"\xef\xbb\xbf" + b"\n".join((A, B, C)),
        b"[" + b",".join((A, B, C)) + b"]",
        b"\xef\xbb\xbf [" + b" , ".join((A, B, C)) + b" ]\r\n",
        b"[\n" + b",\n".join((A, B, C)) + b"\n]\n",
        b"[\n" + b"\n,".join((A, B, C)) + b"]",
        b"[" + A + b"," + B + b"]\n[" + C + b"]\n",
        b"[" + A + b"][" + B + b"," + C + b"]",
        b"[\n" + A + b",\n" + B + b"]\n" + C + b"\n[]\n",
        b"[" + b",".join((A, B, C)) + b",]",
        b"[" + b",,".join((A, B, C)) + b"]",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])])
def test_lines_and_arrays_hold_the_same_records(data: bytes, pack: Callable[[bytes], bytes]):
    assert seen(split(pack(data))) == [A, B, C]


def test_the_position_is_the_line_or_the_running_number_of_the_element():
    assert [r.position for r in split(A + b"\n\n" + B + b"\n" + C)] == [1, 3, 4]
    assert [r.position for r in split(b"[" + A + b",\n" + B + b"]")] == [1, 2]
    assert [r.position for r in split(b"[" + A + b"," + B + b"]\n[" + C + b"]\n" + A)] == [1, 2, 3, 4]


@pytest.mark.parametrize("bad", [b'{"a":NaN}', b"{'a':1}", b'{"a" 1}', b"\xff", b'{"a":"\x01"}', b"1e999"])
def test_a_bad_element_of_a_line_leaves_its_neighbours(bad: bytes):
    found = split(b"[" + A + b"," + bad + b"," + C + b"]\n" + B)
    assert [record.raw for record in found] == [A, bad, C, B]


@pytest.mark.parametrize("bad", [b"{", b'{"a":"x}', b'{"a":[}', b'{"a":1]'])
def test_what_is_not_closed_takes_the_rest_of_its_line_along_and_no_more(bad: bytes):
    found = split(b"[" + A + b"," + bad + b"," + C + b"]\n[" + B + b"]\n" + C)
    raws = [record.raw for record in found]
    assert raws[0] == A and raws[-2:] == [B, C]
    assert b"".join(raws).count(C) == 2


@pytest.mark.parametrize("bad", [b'{"a":NaN}', b'{"a":"x}', b'{"a":"x\ny"}', b'{"a":tru}', b'{"a":[1}', b'"x"', b"1"])
def test_a_bad_element_on_its_own_line_leaves_its_neighbours(bad: bytes):
    found = split(b"[\n" + A + b",\n" + bad + b",\n" + C + b"\n]\n")
    raws = [record.raw for record in found]
    assert raws[0] == A
    assert [raw.rstrip(b",") for raw in raws] == [A, bad, C]


@pytest.mark.parametrize("cut", [b"[" + A + b',{"b"', b"[" + A + b',{"b":"x', b"[" + A + b",{", b"[" + A])
def test_an_array_that_breaks_off_ends_at_the_next_array(cut: bytes):
    raws = [record.raw for record in split(cut + b"\n[" + B + b"]\n" + C)]
    assert raws[0] == A and raws[-2:] == [B, C]


def test_a_file_that_ends_inside_an_array_says_so():
    assert seen(split(b"[" + A + b"," + B)) == [A, B, NOT_CLOSED]
    assert seen(split(b"[" + A + b",")) == [A, NOT_CLOSED]
    assert seen(split(b"[")) == [NOT_CLOSED]
    assert seen(split(b"[" + A + b',{"b":')) == [A, NOT_CLOSED]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"1", NOT_AN_OBJECT),
        (b'"x"', NOT_AN_OBJECT),
        (b"null", NOT_AN_OBJECT),
        (b"nonsense", NOT_JSON),
        (b"\xff\xfe", NOT_JSON),
        (b"NaN", NOT_JSON),
        (b"}", NOT_JSON),
    ],
)
def test_what_is_no_object_is_one_record_with_its_problem(line: bytes, problem: str):
    assert seen(split(A + b"\n" + line + b"\n" + B)) == [A, problem, B]
    if line not in (b"}",):
        assert seen(split(b"[" + A + b"," + line + b"," + B + b"]")) == [A, problem, B]


def test_half_a_line_at_the_end_is_a_record():
    assert [r.raw for r in split(A + b'\n{"b":')] == [A, b'{"b":']


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(list('[]{}",:\\ ')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), json_values, max_size=3), max_size=8),
    st.sampled_from([None, 0, 1, 3]),
    st.booleans(),
    st.integers(1, 64),
)
def test_the_splitter_finds_what_the_json_library_finds(
    values: list[dict], indent: int | None, ascii_only: bool, block: int
):
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", block)
        assert [json.loads(record.raw) for record in split(data)] == values
        source = records.Source(io.BytesIO(data[1:]))
        elements = [element for element, _ in records._Array(source, b"", may_break_off=False).elements()]
        assert [json.loads(element) for element in elements] == values
        patch.setattr(records, "_CUTS_TO_TRY", 0)
        source = records.Source(io.BytesIO(data[1:]))
        elements = [element for element, _ in records._Array(source, b"").elements()]
        assert [json.loads(element) for element in elements] == values


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\n", b",", b"\\", b"1", A])).map(b"".join)
)
def test_any_bytes_are_records_in_order_and_none_is_blank(data: bytes):
    for found in (split(data), list(list_body(io.BytesIO(data), "messages"))):
        positions = [record.position for record in found]
        assert positions == sorted(set(positions))
        assert all(record.raw for record in found)


def test_a_record_that_is_too_long_is_one_record_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "LONGEST_RECORD", 1000)
    monkeypatch.setattr(records, "KEPT_OF_LONG", 50)
    monkeypatch.setattr(records, "BLOCK", 64)
    for inside in (b"x" * 5000, b'\\"' * 3000, b"}],[{" * 900, b"x" * 2000 + b"\\\\"):
        long = b'{"a":"' + inside + b'"}'
        for data in (A + b"\n" + long + b"\n" + B, b"[" + A + b"," + long + b"," + B + b"]"):
            good, bad, after = split(data)
            assert (good.raw, after.raw) == (A, B)
            assert bad.raw == long[:50] and "longer than 1000 bytes" in bad.problem
    exact = b'{"a":"' + b"x" * 991 + b'"}'
    assert [r.raw for r in split(exact + b"\n" + B)] == [exact[:50] if len(exact) >= 1000 else exact, B]


def test_memory_stays_flat_over_one_long_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "LONGEST_RECORD", 100_000)
    monkeypatch.setattr(records, "BLOCK", 10_000)

    class Endless(io.RawIOBase):
        left = 2_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            if self.left == 0:
                return 0
            head = b"[" if self.left == 2_000 else b","
            self.left -= 1
            element = head + b'{"a":"' + b"x" * 900 + b'"}'
            buffer[: len(element)] = element
            return len(element)

    count = sum(1 for record in lines_or_arrays(io.BufferedReader(Endless())) if record.problem is None)
    assert count == 2_000


# --- response bodies --------------------------------------------------------------------------------------------------


def body(data: bytes) -> list[bytes | str]:
    return seen(list(list_body(io.BytesIO(data), "messages")))


ENVELOPE = {"page": 0, "note": '"messages": [', "inner": {"messages": 1}, "messages": [json.loads(A), json.loads(B)]}


@pytest.mark.parametrize("indent", [None, 0, 1, 2])
def test_a_body_may_be_pretty_or_not_and_bodies_may_follow_each_other(indent: int | None):
    one = json.dumps(ENVELOPE, indent=indent).encode()
    for data in (one, one + b"\n", b"\xef\xbb\xbf" + one, gzip.compress(one)):
        assert [json.loads(raw) for raw in body(data)] == ENVELOPE["messages"]
    assert len(body(one + b"\n" + one + b"\n\n" + one)) == 6


def test_a_body_without_its_list_is_one_record_that_names_what_is_missing():
    error = b'{"code":20003,"message":"Authenticate","status":401}'
    missing = "no list `messages` in the body"
    assert body(error) == body(b'{"messages":null}') == body(b'{"messages":{}}') == [missing]
    good = json.dumps(ENVELOPE).encode()
    assert [*map(type, body(good + b"\n" + error + b"\n" + good))] == [bytes, bytes, str, bytes, bytes]
    assert body(b"[]") == body(b"42") == [NOT_AN_OBJECT]
    assert body(b"oops") == [NOT_JSON]
    assert body(b'{"messages":[]}') == []


def test_a_bad_element_spoils_neither_its_body_nor_its_neighbours():
    bad = b'{"page":0,"inner":{"messages":[9]},"messages":[' + A + b',{"x":NaN},' + B + b'],"end":1}'
    assert body(bad) == [A, b'{"x":NaN}', B]
    pretty = b'{\n"messages": [\n' + A + b',\n{"x": NaN},\n' + B + b"\n]\n}\n"
    assert body(pretty) == [A, b'{"x": NaN}', B]
    assert body(b'{"page":NaN}') == [NOT_JSON]


def test_a_body_that_breaks_off_keeps_what_it_had_and_the_next_body_is_read():
    good = json.dumps(ENVELOPE).encode()
    found = body(b'{"messages":[' + A + b',{"b"\n' + good)
    assert found[0] == A and len(found) == 4
    assert body(b'{"messages":[' + A) == [A, NOT_CLOSED]


def test_a_body_that_is_too_long_is_one_record(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(records, "LONGEST_BODY", 1000)
    good = json.dumps(ENVELOPE).encode()
    for long in (b'{"messages":["' + b"x" * 2000 + b'"]}', b'{"messages":[\n' + b"1,\n" * 800 + b"2]}"):
        assert "longer than 1000" in body(long)[0] and len(body(long)) == 1
        assert len(body(long + b"\n" + good)) == 3


def test_streams_that_cannot_go_back_are_read_too():
    class OneWay(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._data = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            piece = self._data.read(min(3, len(buffer)))
            buffer[: len(piece)] = piece
            return len(piece)

    data = b"\n".join((A, B, C))
    for packed in (data, gzip.compress(data)):
        assert seen(list(lines_or_arrays(OneWay(packed)))) == [A, B, C]
        assert seen(list(lines_or_arrays(io.BufferedReader(OneWay(packed))))) == [A, B, C]
    assert streams.open_bytes(OneWay(b"")).read() == b""
