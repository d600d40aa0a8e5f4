"""Response bodies: the elements of their list, in all forms of a body."""

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.framing import limits
from waybill.framing.bodies import list_body
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import NOT_AN_OBJECT, NOT_CLOSED, NOT_JSON

A, B = b'{"a":1}', b'{"b":[1,"]},{",{"c":null}]}'


def body(data: bytes) -> list[bytes | str]:
    return [record.problem or record.raw for record in list_body(io.BytesIO(data), "messages")]


ENVELOPE = {"page": 0, "note": '"messages": [', "inner": {"messages": 1}, "messages": [json.loads(A), json.loads(B)]}


@pytest.mark.parametrize("indent", [None, 0, 1, 2])
def test_bodies_may_be_indented_and_follow_each_other(indent: int | None):
    one = json.dumps(ENVELOPE, indent=indent).encode()
    for data in (one, one + b"\n", b"\xef\xbb\xbf" + one, gzip.compress(one)):
        assert [json.loads(raw) for raw in body(data)] == ENVELOPE["messages"]
    assert len(body(one + b"\n" + one + b"\n\n" + one)) == 6


def test_a_body_without_its_list_is_one_record_with_its_problem():
    error = b'{"code":20003,"message":"Authenticate","status":401}'
    missing = "no list `messages` in the body"
    assert body(error) == body(b'{"messages":null}') == body(b'{"messages":{}}') == [missing]
    good = json.dumps(ENVELOPE).encode()
    assert [*map(type, body(good + b"\n" + error + b"\n" + good))] == [bytes, bytes, str, bytes, bytes]
    assert body(b"[]") == body(b"42") == [NOT_AN_OBJECT]
    assert body(b"oops") == [NOT_JSON]
    assert body(b'{"messages":[]}') == []


def test_a_bad_element_affects_no_other():
    bad = b'{"page":0,"inner":{"messages":[9]},"messages":[' + A + b',{"x":NaN},' + B + b'],"end":1}'
    assert body(bad) == [A, b'{"x":NaN}', B]
    pretty = b'{\n"messages": [\n' + A + b',\n{"x": NaN},\n' + B + b"\n]\n}\n"
    assert body(pretty) == [A, b'{"x": NaN}', B]
    assert body(b'{"page":NaN}') == [NOT_JSON]


def test_a_truncated_body_keeps_its_elements_and_the_next_body_is_read():
    good = json.dumps(ENVELOPE).encode()
    found = body(b'{"messages":[' + A + b',{"b"\n' + good)
    assert found[0] == A and len(found) == 4
    assert body(b'{"messages":[' + A) == [A, NOT_CLOSED]


def test_a_body_that_is_too_long_is_one_record(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "LONGEST_BODY", 1000)
    good = json.dumps(ENVELOPE).encode()
    for long in (b'{"messages":["' + b"x" * 2000 + b'"]}', b'{"messages":[\n' + b"1,\n" * 800 + b"2]}"):
        assert "longer than 1000" in body(long)[0] and len(body(long)) == 1
        assert len(body(long + b"\n" + good)) == 3


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\n", b",", b"\\", b"1", A])).map(b"".join)
)
def test_any_bytes_give_records_in_order_without_blanks(data: bytes):
    for found in (list(lines_or_arrays(io.BytesIO(data))), list(list_body(io.BytesIO(data), "messages"))):
        positions = [record.position for record in found]
        assert positions == sorted(set(positions))
        assert all(record.raw for record in found)


SID = b'{"sid":"SM1"}'


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    "content",
    [
        [{"messages": [{"sid": "SM1"}]}, {"messages": []}, {"messages": [{"sid": "SM2"}]}],
        [{"sid": "SM1"}, {"sid": "SM2"}],
        {"statusCode": 200, "body": '[{"sid":"SM1"},{"messages":[{"sid":"SM2"}]}]'},
        {"Records": [{"body": '{"messages":[{"sid":"SM1"}]}'}, {"body": '{"sid":"SM2"}'}]},
    ],
)
def test_all_forms_of_bodies_give_the_same_elements(content: object, indent: int | None):
    data = json.dumps(content, indent=indent).encode()
    found = [record.raw for record in list_body(io.BytesIO(data), "messages", own_field="sid")]
    assert [json.loads(raw)["sid"] for raw in found] == ["SM1", "SM2"]


def test_an_array_of_bodies_may_have_one_on_each_line():
    one = b'{"messages":[' + SID + b"]}"
    assert body(b"[\n" + one + b",\n" + one + b"\n]\n") == [SID, SID]


def test_a_bad_body_in_an_array_affects_no_other():
    assert body(b'[{"messages":[' + SID + b',{"x":NaN}]},7,{"messages":[' + SID + b"]}]") == [
        SID,
        b'{"x":NaN}',
        NOT_AN_OBJECT,
        SID,
    ]


def test_an_error_body_with_a_message_is_no_envelope():
    error = b'{"code":20003,"message":"Authenticate","status":401}'
    (record,) = list_body(io.BytesIO(error), "messages", own_field="sid")
    assert record.problem == "no list `messages` in the body"


@pytest.mark.parametrize("between", [b"", b" ", b"\r"])
def test_bodies_after_a_byte_order_mark_or_a_broken_body_are_read(between: bytes):
    one = b'{"messages":[' + SID + b"]}"
    assert body(b"\xef\xbb\xbf" + one + between + one) == [SID, SID]
    broken = b'{"messages":[' + SID + b',{"x":NaN}],"end":1}'
    assert body(broken + between + broken + between + one) == [SID, b'{"x":NaN}'] * 2 + [SID]


@pytest.mark.parametrize("value", [b"1e400", b"[" * 3000 + b"]" * 3000])
def test_an_object_without_the_list_may_be_undecodable(value: bytes):
    for data in (b'{"message":' + value + b"}", b'[{"body":' + value + b"}]"):
        (problem,) = body(data)
        assert problem in ("no list `messages` in the body", NOT_JSON)
    (record,) = list_body(io.BytesIO(b'{"sid":"SM1","x":1e400}'), "messages", own_field="sid")
    assert record.problem is None
