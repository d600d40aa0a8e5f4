"""Splits arrays of JSON into their elements, good ones and bad ones."""

import re
from collections.abc import Iterator

from etl.framing import limits
from etl.framing.raw_record import NOT_CLOSED, UNDECODABLE, Element, elements_of, problem_of, too_long
from etl.framing.source import Source

# A whole string, or a byte that matters to the structure. A raw line break is never inside a string of JSON: where
# one stands there, the string is broken and ends.
TOKEN = re.compile(rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"|["{}\[\],\n]')
_STRING_REST = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
_NOT_BLANK = re.compile(rb"\S")
_BAD_BYTE = re.compile(r"\(byte (\d+)\)\Z")  # in the parser's message
_COMMA_NEXT = re.compile(rb"\s*,")
_OPENER = {ord("}"): ord("{"), ord("]"): ord("[")}
_FAST_UP_TO = 4 * limits.BLOCK
_CUTS_TO_TRY = 8


class Array:
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

    def elements(self) -> Iterator[Element]:
        """The elements, in order."""
        may_be_fast = True
        while True:
            if may_be_fast:
                stretch = self._stretch()
                if stretch is not None:
                    yield from stretch
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

    def _stretch(self) -> Iterator[Element] | None:
        """Good elements from the current one on, as many as a block holds wholly; moves behind them; None
        where there are none."""
        buffer, end = self._buffer, min(len(self._buffer), self._start + limits.BLOCK)
        self._bad_at = -1
        for _ in range(_CUTS_TO_TRY):
            end = buffer.rfind(b"}", self._start, end)
            if end < 0:
                return None
            if comma := _COMMA_NEXT.match(buffer, end + 1):
                try:
                    elements = elements_of(b"[" + buffer[self._start : end + 1] + b"]")
                except UNDECODABLE as error:
                    if bad := _BAD_BYTE.search(str(error)):
                        end = self._bad_at = min(end, self._start + int(bad[1]) - 1)
                    continue
                self._start = self._at = comma.end()
                self._open.clear()
                self._in_string = self._is_broken = False
                return elements
        return None

    def _refill(self) -> bool:
        """Read on; True where the parser may be tried on the whole buffer."""
        block = self._source.block()
        self._is_at_end = not block
        if self._kept is None and self._at - self._start > limits.LONGEST_RECORD:
            self._kept = self._buffer[self._start : self._start + limits.KEPT_OF_LONG]
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
        match = TOKEN.search(buffer, self._at)
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

    def _finish_unclosed(self) -> Iterator[Element]:
        """At the end of the source: exactly one record says that something may be missing behind it."""
        is_whole = not self._open and not self._in_string and self._kept is None
        if is_whole:
            yield from self._finish(len(self._buffer))
            yield self._buffer.strip()[-200:] or b"[", NOT_CLOSED
        else:
            for raw, _ in self._finish(len(self._buffer)):
                yield raw, NOT_CLOSED

    def _finish(self, end: int) -> Iterator[Element]:
        element = self._buffer[self._start : end].strip()
        if self._kept is not None:
            yield self._kept, too_long(limits.LONGEST_RECORD)
        elif element:
            yield element, problem_of(element)
        self._kept = None
        self._is_broken = False
        self._open.clear()
