"""Framing: where one record of JSON begins and ends in a landed object. Streaming, flat in memory.

A record is an element: an object on a line of its own, an element of an array (of a line, of many lines, or of the
whole file), an element of the list in a response body. Whether it is good is for the feed to say; here it is only
found, so that a bad one spoils neither its array nor its file.
"""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from etl.feeds.base import RawRecord
from etl.feeds.streams import BLOCK, BOM, open_bytes

LONGEST_RECORD = 16 * 1024 * 1024
LONGEST_BODY = 64 * 1024 * 1024
KEPT_OF_LONG = 64 * 1024
NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not an object"
NO_LIST = "no list"
NOT_CLOSED = "the array is not closed: the file may be truncated"

# A whole string, or a byte that matters to the structure. A raw line break is never inside a string of JSON: where
# one stands there, the string is broken and ends.
_TOKEN = re.compile(rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"|["{}\[\],\n]')
_STRING_REST = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
_NOT_BLANK = re.compile(rb"\S")
_BAD_BYTE = re.compile(r"\(byte (\d+)\)\Z")  # in the parser's message
_COMMA_NEXT = re.compile(rb"\s*,")
_OPENER = {ord("}"): ord("{"), ord("]"): ord("[")}
_FAST_UP_TO = 4 * BLOCK
_CUTS_TO_TRY = 8

_raw_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def lines_or_arrays(stream: BinaryIO, *, may_be_arrays: bool = True) -> Iterator[RawRecord]:
    """The records of lines of objects, lines of arrays, or one array over any number of lines; plain or gzip.

    A record's position is its line's number; in arrays a number that runs on over all arrays of the file.

    :param may_be_arrays: False: an array is no record, and one that is rejected
    """
    source = Source(open_bytes(stream))
    position = line_number = 0
    while line := source.line(LONGEST_RECORD):
        line_number += 1
        record = line.strip()
        if record.startswith(BOM):
            record = record[len(BOM) :].lstrip()
        if record.startswith(b"{") and len(line) <= LONGEST_RECORD:
            position = position + 1 if position >= line_number else line_number
            yield RawRecord(position, record)
        elif may_be_arrays and record.startswith(b"["):
            for element, problem in _elements_of_line(source, line, record):
                position += 1
                yield RawRecord(position, element, problem)
        elif record:
            position = position + 1 if position >= line_number else line_number
            if len(line) > LONGEST_RECORD:
                if not line.endswith(b"\n"):
                    source.skip_line()
                yield RawRecord(position, record[:KEPT_OF_LONG], _too_long())
            else:
                yield RawRecord(position, record, _problem_of(record))


def list_body(stream: BinaryIO, key: str) -> Iterator[RawRecord]:
    """The elements of the list `key` of response bodies: one body over the whole file, or one on each line."""
    position = 0
    for body in _bodies(Source(open_bytes(stream)), key):
        for element, problem in _elements_of_body(body, key):
            position += 1
            yield RawRecord(position, element, problem)


class Source:
    """Lines and blocks of a stream, into which bytes read too far can be put back."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._put_back: io.BytesIO | None = None

    def line(self, limit: int) -> bytes:
        """A line with its end; at most one byte more than `limit`, then without; empty at the end."""
        if self._put_back is None:
            return self._stream.readline(limit + 1)
        line = self._put_back.readline(limit + 1)
        if line.endswith(b"\n") or len(line) > limit:
            return line
        self._put_back = None
        return line + self._stream.readline(limit + 1 - len(line))

    def block(self) -> bytes:
        """The next bytes; empty at the end."""
        if self._put_back is not None:
            block = self._put_back.read()
            self._put_back = None
            if block:
                return block
        return self._stream.read(BLOCK)

    def put_back(self, data: bytes) -> None:
        """Bytes to read first."""
        if data:
            before = self._put_back.read() if self._put_back is not None else b""
            self._put_back = io.BytesIO(data + before)

    def skip_line(self) -> None:
        """Read on to the next line."""
        while (piece := self.line(BLOCK)) and not piece.endswith(b"\n"):
            pass


def _problem_of(element: bytes) -> str | None:
    """Why the bytes are no object; None where they may be one."""
    if element.startswith(b"{"):
        return None
    try:
        msgspec.json.decode(element)
    except _UNDECODABLE:
        return NOT_JSON
    return NOT_AN_OBJECT


def _too_long() -> str:
    return f"longer than {LONGEST_RECORD} bytes: only its first {KEPT_OF_LONG} are kept"


def _elements_of_line(source: Source, line: bytes, record: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Elements of the array that begins on this line."""
    if len(line) <= LONGEST_RECORD:
        try:
            elements = _raw_elements(record)
        except _UNDECODABLE:
            pass
        else:
            for element in elements:
                yield bytes(element), _problem_of(bytes(element))
            return
    yield from _Array(source, line[line.index(b"[") + 1 :]).elements()


class _Array:
    """Splits an array whose opening bracket has been read; puts back what follows its end.

    Long stretches of good elements are cut out by the JSON parser; around a bad one a small scanner looks for the
    structure alone. A line that begins a new array or object where none can stand ends a broken array.
    """

    def __init__(self, source: Source, head: bytes, *, may_break_off: bool = True) -> None:
        self._source = source
        self._may_break_off = may_break_off
        self._buffer = head
        self._start = 0  # of the element
        self._at = 0  # what has been looked at
        self._open = bytearray()  # brackets open inside the element
        self._in_string = False
        self._is_broken = False  # a line break stood in a string: the next line may begin the next element
        self._kept: bytes | None = None  # the beginning of an element that is too long
        self._is_at_end = False  # of the source
        self._bad_at = -1  # where the parser met what is no JSON; -1: nowhere

    def elements(self) -> Iterator[tuple[bytes, str | None]]:
        """(bytes of the element, why it is no object or None)."""
        may_be_fast = True
        while True:
            if may_be_fast:
                stretch = self._stretch()
                for element in stretch:
                    yield bytes(element), _problem_of(bytes(element))
                if stretch:
                    continue
                may_be_fast = False
            token, ended = self._token()
            if token is None:
                if self._is_at_end:
                    yield from self._finish_unclosed()
                    return
                may_be_fast = self._refill()
            elif ended:
                yield from self._finish(token)
                self._start = self._at
                if ended == "array":
                    self._source.put_back(self._buffer[self._at :])
                    return
                may_be_fast = 0 <= self._bad_at < self._at  # the bad element is behind us

    def _stretch(self) -> list[msgspec.Raw]:
        """Good elements from the current one on, as many as a block holds wholly; moves behind them."""
        buffer, end = self._buffer, min(len(self._buffer), self._start + BLOCK)
        self._bad_at = -1
        for _ in range(_CUTS_TO_TRY):
            end = buffer.rfind(b"}", self._start, end)
            if end < 0:
                return []
            if comma := _COMMA_NEXT.match(buffer, end + 1):
                try:
                    elements = _raw_elements(b"[" + buffer[self._start : end + 1] + b"]")
                except _UNDECODABLE as error:
                    if bad := _BAD_BYTE.search(str(error)):
                        end = self._bad_at = min(end, self._start + int(bad[1]) - 1)
                    continue
                self._start = self._at = comma.end()
                self._open.clear()
                self._in_string = self._is_broken = False
                return elements
        return []

    def _refill(self) -> bool:
        """Read on; True where the parser may be tried on the whole buffer."""
        block = self._source.block()
        self._is_at_end = not block
        if self._kept is None and self._at - self._start > LONGEST_RECORD:
            self._kept = self._buffer[self._start : self._start + KEPT_OF_LONG]
        if self._kept is not None:
            self._start = self._at
        self._buffer = self._buffer[self._start :] + block
        self._at -= self._start
        self._start = 0
        self._bad_at = -1
        return self._kept is None and bool(block) and len(self._buffer) < _FAST_UP_TO

    def _token(self) -> tuple[int | None, str | None]:
        """Look on. (None, None): more bytes are needed; (place, what ended there: element, array or None)."""
        buffer = self._buffer
        if self._in_string:
            at = _STRING_REST.match(buffer, self._at).end()
            if buffer[at : at + 1] == b"\\" and at + 1 < len(buffer):
                at += 1  # a backslash before a line break: broken, and ends there
            self._at = at
            if at == len(buffer) or buffer[at : at + 1] == b"\\":
                return None, None
            self._in_string = False
            self._is_broken = buffer[at : at + 1] != b'"'
            self._at += not self._is_broken
            return at, None
        match = _TOKEN.search(buffer, self._at)
        if match is None:
            self._at = len(buffer)
            return None, None
        place, token = match.start(), buffer[match.start()]
        if token == ord("\n"):
            following = _NOT_BLANK.search(buffer, match.end())
            if following is None and not self._is_at_end:
                self._at = place
                return None, None
            self._at = match.end()
            next_byte = 0 if following is None else buffer[following.start()]
            if self._breaks_off(place, next_byte):
                return place, "array"
            return place, "element" if self._is_broken and next_byte in b"[{" else None
        self._at = match.end()
        if token == ord('"'):
            self._in_string = match.end() - place == 1
        elif token in b"{[":
            self._open.append(token)
        elif token == ord(","):
            return place, None if self._open else "element"
        elif not self._open:
            return place, "array" if token == ord("]") else None
        else:
            opener = self._open.rfind(_OPENER[token])
            if opener < 0 and token == ord("]"):
                return place, "array"  # an element was not closed
            if opener >= 0:
                del self._open[opener:]
        return place, None

    def _breaks_off(self, line_end: int, next_byte: int) -> bool:
        if not self._may_break_off or next_byte not in b"[{":
            return False
        before = self._buffer[max(self._start, line_end - 64) : line_end].rstrip()
        return bool(before) and before[-1] not in b",:["

    def _finish_unclosed(self) -> Iterator[tuple[bytes, str | None]]:
        """At the end of the source: exactly one record says that something may be missing behind it."""
        is_whole = not self._open and not self._in_string and self._kept is None
        if is_whole:
            yield from self._finish(len(self._buffer))
            yield self._buffer.strip()[-200:] or b"[", NOT_CLOSED
        else:
            for raw, _ in self._finish(len(self._buffer)):
                yield raw, NOT_CLOSED

    def _finish(self, end: int) -> Iterator[tuple[bytes, str | None]]:
        element = self._buffer[self._start : end].strip()
        if self._kept is not None:
            yield self._kept, _too_long()
        elif element:
            yield element, _problem_of(element)
        self._kept = None
        self._is_broken = False
        self._open.clear()


def _bodies(source: Source, key: str) -> Iterator[bytes]:
    """Response bodies, whole; one that is not closed goes to the end of the file, or to the next body's line."""
    mark = f'"{key}"'.encode()
    pending: list[bytes] = []
    size = depth = 0
    is_skipping = False  # behind a body that is too long, to the next line that is a body
    while line := source.line(LONGEST_BODY):
        if not pending and not line.strip():
            continue
        if (not pending or mark in line) and line.lstrip(BOM + b" \t\r\n").startswith(b"{") and _is_object(line):
            if pending:
                yield b"".join(pending)
                pending, size, depth = [], 0, 0
            yield line
            is_skipping = False
            continue
        if is_skipping:
            continue
        pending.append(line)
        size += len(line)
        depth += _depth_of(line)
        is_skipping = size > LONGEST_BODY
        if depth <= 0 or is_skipping:
            yield b"".join(pending)
            pending, size, depth = [], 0, 0
    if pending:
        yield b"".join(pending)


def _is_object(line: bytes) -> bool:
    try:
        _raw_fields(line.removeprefix(BOM))
    except _UNDECODABLE:
        return False
    return True


def _depth_of(line: bytes) -> int:
    """How many more brackets a line opens than it closes."""
    return sum((match[0] in (b"{", b"[")) - (match[0] in (b"}", b"]")) for match in _TOKEN.finditer(line))


def _elements_of_body(body: bytes, key: str) -> Iterator[tuple[bytes, str | None]]:
    is_too_long = len(body) > LONGEST_BODY
    body = body.strip().removeprefix(BOM).strip()
    missing = f"{NO_LIST} `{key}` in the body"
    if not body:
        return
    if is_too_long:
        yield body[:KEPT_OF_LONG], f"longer than {LONGEST_BODY} bytes: only its first {KEPT_OF_LONG} are kept"
        return
    try:
        fields = _raw_fields(body)
    except _UNDECODABLE:
        problem = _problem_of(body)
        begin = _list_begin(body, key) if problem is None else None
        if begin is None:
            yield body, problem or NOT_JSON
        else:
            yield from _Array(Source(io.BytesIO()), body[begin:], may_break_off=False).elements()
        return
    except msgspec.ValidationError:
        yield body, NOT_AN_OBJECT
        return
    try:
        elements = _raw_elements(fields.get(key, b"null"))
    except msgspec.DecodeError:
        yield body, missing
        return
    for element in elements:
        yield bytes(element), _problem_of(bytes(element))


def _list_begin(body: bytes, key: str) -> int | None:
    """Where the list `key` of an object that is not JSON as a whole begins, behind its bracket."""
    depth, name = 0, re.compile(rf'"{re.escape(key)}"\s*:\s*\['.encode())
    for match in _TOKEN.finditer(body):
        token = match[0]
        if depth == 1 and (begin := name.match(body, match.start())):
            return begin.end()
        depth += (token in (b"{", b"[")) - (token in (b"}", b"]"))
    return None
