"""Lines of objects, lines of arrays, arrays on several lines: one bad record affects no other."""

import gzip
import io
from collections.abc import Callable

import pytest

from waybill.framing import limits
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import NOT_AN_OBJECT, NOT_CLOSED, NOT_JSON, RawRecord
from waybill.framing.streams import open_bytes

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
def test_lines_and_arrays_give_the_same_records(data: bytes, pack: Callable[[bytes], bytes]):
    assert seen(split(pack(data))) == [A, B, C]


def test_the_position_is_the_line_or_the_number_of_the_element():
    assert [r.position for r in split(A + b"\n\n" + B + b"\n" + C)] == [1, 3, 4]
    assert [r.position for r in split(b"[" + A + b",\n" + B + b"]")] == [1, 2]
    assert [r.position for r in split(b"[" + A + b"," + B + b"]\n[" + C + b"]\n" + A)] == [1, 2, 3, 4]


@pytest.mark.parametrize("bad", [b'{"a":NaN}', b"{'a':1}", b'{"a" 1}', b"\xff", b'{"a":"\x01"}', b"1e999"])
def test_a_bad_element_of_a_line_affects_no_other(bad: bytes):
    found = split(b"[" + A + b"," + bad + b"," + C + b"]\n" + B)
    assert [record.raw for record in found] == [A, bad, C, B]


@pytest.mark.parametrize("bad", [b"{", b'{"a":"x}', b'{"a":[}', b'{"a":1]'])
def test_an_unclosed_element_ends_with_its_line(bad: bytes):
    found = split(b"[" + A + b"," + bad + b"," + C + b"]\n[" + B + b"]\n" + C)
    raws = [record.raw for record in found]
    assert raws[0] == A and raws[-2:] == [B, C]
    assert b"".join(raws).count(C) == 2


@pytest.mark.parametrize("bad", [b'{"a":NaN}', b'{"a":"x}', b'{"a":"x\ny"}', b'{"a":tru}', b'{"a":[1}', b'"x"', b"1"])
def test_a_bad_element_on_its_own_line_affects_no_other(bad: bytes):
    found = split(b"[\n" + A + b",\n" + bad + b",\n" + C + b"\n]\n")
    raws = [record.raw for record in found]
    assert raws[0] == A
    assert [raw.rstrip(b",") for raw in raws] == [A, bad, C]


@pytest.mark.parametrize("cut", [b"[" + A + b',{"b"', b"[" + A + b',{"b":"x', b"[" + A + b",{", b"[" + A])
def test_a_truncated_array_ends_at_the_next_array(cut: bytes):
    raws = [record.raw for record in split(cut + b"\n[" + B + b"]\n" + C)]
    assert raws[0] == A and raws[-2:] == [B, C]


def test_a_file_that_ends_inside_an_array_is_reported():
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
def test_a_line_without_an_object_is_one_record_with_its_problem(line: bytes, problem: str):
    assert seen(split(A + b"\n" + line + b"\n" + B)) == [A, problem, B]
    if line not in (b"}",):
        assert seen(split(b"[" + A + b"," + line + b"," + B + b"]")) == [A, problem, B]


def test_half_a_line_at_the_end_is_a_record():
    assert [r.raw for r in split(A + b'\n{"b":')] == [A, b'{"b":']


def test_a_record_that_is_too_long_is_one_record_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "LONGEST_RECORD", 1000)
    monkeypatch.setattr(limits, "KEPT_OF_LONG", 50)
    monkeypatch.setattr(limits, "BLOCK", 64)
    for inside in (b"x" * 5000, b'\\"' * 3000, b"}],[{" * 900, b"x" * 2000 + b"\\\\"):
        long = b'{"a":"' + inside + b'"}'
        for data in (A + b"\n" + long + b"\n" + B, b"[" + A + b"," + long + b"," + B + b"]"):
            good, bad, after = split(data)
            assert (good.raw, after.raw) == (A, B)
            assert bad.raw == long[:50] and "longer than 1000 bytes" in bad.problem
    exact = b'{"a":"' + b"x" * 991 + b'"}'
    assert [r.raw for r in split(exact + b"\n" + B)] == [exact[:50] if len(exact) >= 1000 else exact, B]


def test_streams_that_cannot_seek_are_read():
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
    assert open_bytes(OneWay(b"")).read() == b""
