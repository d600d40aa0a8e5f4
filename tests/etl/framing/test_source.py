"""Lines and blocks of a stream, and what is put back before them."""

import io

from etl.framing import limits
from etl.framing.source import Source

DATA = b"one\ntwo\n\nand the last"


def lines_of(source: Source, limit: int = 100) -> list[bytes]:
    found = []
    while line := source.line(limit):
        found.append(line)
    return found


def test_a_line_comes_with_its_end_and_the_last_one_as_it_is():
    assert lines_of(Source(io.BytesIO(DATA))) == [b"one\n", b"two\n", b"\n", b"and the last"]


def test_a_line_that_is_too_long_comes_with_one_byte_more_and_can_be_left_behind():
    source = Source(io.BytesIO(b"a" * limits.BLOCK * 2 + b"\nnext\n"))
    assert source.line(4) == b"aaaaa"
    source.skip_line()
    assert source.line(4) == b"next\n"


def test_what_is_put_back_comes_first_and_runs_on_into_the_stream():
    source = Source(io.BytesIO(DATA))
    assert source.block() == DATA
    source.put_back(b"two\n")
    source.put_back(b"one\n")
    source.put_back(b"")
    assert source.line(100) == b"one\n"
    source.put_back(b"again ")
    assert source.block() == b"again two\n"
    assert source.block() == source.line(100) == b""


def test_a_line_may_begin_in_what_was_put_back_and_end_in_the_stream():
    for limit in (100, 12):
        source = Source(io.BytesIO(DATA))
        source.put_back(b"line ")
        assert source.line(limit) == b"line one\n"
        assert source.line(limit) == b"two\n"
