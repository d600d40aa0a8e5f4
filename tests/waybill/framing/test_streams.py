"""Gzip is recognised by its bytes; truncated or damaged files and bombs are refused."""

import gzip
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.framing import limits
from waybill.framing.streams import open_bytes, peek
from waybill.model.errors import SourceError

DATA = b"".join(b"line %d\n" % number for number in range(50_000))


def read(data: bytes) -> bytes:
    return open_bytes(io.BytesIO(data)).read()


def test_plain_bytes_and_gzip_members_give_the_same():
    packed = gzip.compress(DATA)
    assert read(DATA) == read(packed) == DATA
    assert read(packed + gzip.compress(b"") + packed) == DATA + DATA
    assert read(packed + b"\0" * 1000) == DATA
    assert read(packed + b"\0" * 600_000 + packed) == DATA + DATA
    assert read(b"") == b"" and read(b"\x1f") == b"\x1f"


def test_a_truncated_file_is_reported_at_every_cut():
    packed = gzip.compress(DATA[:3000])
    for cut in range(2, len(packed)):
        with pytest.raises(SourceError, match="truncated"):
            read(packed[:cut])
        with pytest.raises(SourceError, match=r"truncated|damaged"):
            read(packed + packed[:cut])


@pytest.mark.parametrize("place", [3, 12, 40, -1, -6])
def test_a_damaged_file_is_refused(place: int):
    packed = bytearray(gzip.compress(DATA[:3000]))
    packed[place] ^= 0xFF
    with pytest.raises(SourceError):
        read(bytes(packed))


def test_bytes_after_the_end_are_not_ignored():
    with pytest.raises(SourceError, match="damaged"):
        read(gzip.compress(DATA) + b"more")


def test_a_bomb_is_stopped_early(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 1_000_000)
    bomb = gzip.compress(b"\0" * 20_000_000)
    opened = open_bytes(io.BytesIO(bomb))
    count = 0
    with pytest.raises(SourceError, match="250 times"):
        while piece := opened.read(65_536):
            count += len(piece)
    assert count < 6_000_000


def test_an_object_that_is_too_large_is_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MOST_BYTES", 100_000)
    with pytest.raises(SourceError, match="more than 100000 bytes"):
        read(gzip.compress(DATA))


@given(st.binary(max_size=300), st.integers(1, 64))
def test_any_bytes_are_unchanged_in_pieces_of_any_size(data: bytes, size: int):
    data = b"text" + data
    compressor = zlib.compressobj(wbits=31)
    packed = compressor.compress(data) + compressor.flush()
    opened = open_bytes(io.BytesIO(packed))
    pieces = []
    while piece := opened.read(size):
        pieces.append(piece)
    assert b"".join(pieces) == data


def test_peek_loses_no_bytes():
    head, rest = peek(open_bytes(io.BytesIO(gzip.compress(DATA))), 100)
    assert head == DATA[:100] and rest.read() == DATA
