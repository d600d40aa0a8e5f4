"""Splits JSON text into its values: objects one after another, and the elements of arrays, good ones and bad ones."""

import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from waybill.framing import limits
from waybill.framing.raw_record import BROKEN_OFF, NOT_CLOSED, UNDECODABLE, RawRecord, problem_of, too_long
from waybill.model.errors import SourceError

# A whole string, a run of opening brackets, or another byte of the structure. JSON strings never contain a raw line
# break: a string with one is broken and ends there.
TOKEN = re.compile(rb'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"|[{\[]++|["}\],\r\n]')
_STRING_REST = re.compile(rb'[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+')
_SEPARATORS = re.compile(rb"(?:[\s,\x1e]|\xef\xbb\xbf)*+")  # also those of RFC 7464, and byte order marks
_NOT_BLANK = re.compile(rb"\S")
_COMMA_NEXT = re.compile(rb"\s*,")
TRAILING = re.compile(r"trailing characters \(byte (\d+)\)\Z")  # in the parser's message
_BAD_BYTE = re.compile(r"\(byte (\d+)\)\Z")
_TRUNCATED = "Input data was truncated"
_OPENER = {ord("}"): ord("{"), ord("]"): ord("[")}
_BRACE, _OPEN, _CLOSE = ord("{"), ord("["), ord("]")
_SHORTEST_STRETCH = 2048
_CUTS_TO_TRY = 4
_LONGEST_PAUSE = 256

_decode_object = msgspec.json.Decoder(dict[str, object]).decode
_raw_value = msgspec.json.Decoder(msgspec.Raw).decode
_raw_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Values:
    """The values of a stream of JSON text.

    The JSON parser finds the end of a value; after a bad value a small scanner reads only the structure. Time is linear
    in the bytes, and memory is bounded by the longest allowed record.

    :param stream: the bytes after the head; None if there are none
    :ivar position: of the last value: its first line, or in arrays a running number
    :ivar place: end of the last value in the head, if there is no stream
    """

    def __init__(self, stream: BinaryIO | None, head: bytes = b"", position: int = 0) -> None:
        self.position = position
        self._stream = stream
        self._buffer = head
        self.place = 0
        self._line = position + 1
        self._is_at_end = stream is None
        self._bad_at = -1  # where the parser found an error
        self._read_count = len(head)
        self._wasted_count = 0  # bytes that the parser read in vain

    def values(self) -> Iterator[RawRecord]:
        """Yield objects one after another, with anything between them, and the elements of arrays."""
        line_end = -1  # of a line that is not exactly one object
        while True:
            buffer, at = self._buffer, self.place
            while at > line_end and buffer.startswith(b"{", at):
                line_end = buffer.find(b"\n", at)
                if line_end < 0:
                    line_end = len(buffer)
                    break
                raw = buffer[at:line_end]
                try:
                    fields = _decode_object(raw)
                except UNDECODABLE:
                    break
                self.place = at = line_end + 1
                position = self._line if self._line > self.position else self.position + 1
                self.position = position
                self._line += 1
                yield RawRecord(position, raw.rstrip(), None, fields)
            if self._separators() is None:
                return
            first = self._buffer[self.place]
            if first == _OPEN:
                self.place += 1
                yield from self.elements()
            elif first == _BRACE and self._buffer is buffer and self.place > line_end:
                continue
            else:
                self.position = max(self.position + 1, self._line)
                yield (self._value() if first == _BRACE else None) or self._bad_value()[0]
            if self._buffer is not buffer:
                line_end = -1

    def elements(self) -> Iterator[RawRecord]:
        """Yield the elements of an array up to its end. Its opening bracket was read."""
        size, waiting, pause = _SHORTEST_STRETCH, 0, 1  # elements to read one by one before the next stretch
        last, has_comma = b"[", True
        while (separators := self._separators()) is not None:
            first = self._buffer[self.place]
            has_comma = has_comma or b"," in separators
            if first == _CLOSE:
                self.place += 1
                return
            if first == _OPEN and not has_comma and b"\n" in separators:
                break  # another array begins on a new line, without a comma
            if first == _BRACE and not waiting:
                start = self.place
                if found := self._stretch(size):
                    is_whole = self.place - start > size // 2
                    size, pause = min(2 * size, limits.BLOCK) if is_whole else _SHORTEST_STRETCH, 1
                    has_comma = True
                    for element in found:
                        self.position += 1
                        last = bytes(element)
                        try:
                            yield RawRecord(self.position, last, None, _decode_object(last))
                        except UNDECODABLE:
                            yield RawRecord(self.position, last, problem_of(last))
                    continue
                size, waiting, pause = _SHORTEST_STRETCH, pause, min(2 * pause, _LONGEST_PAUSE)
            waiting = max(0, waiting - 1)
            self.position += 1
            record, is_array_ended = self._value(), False
            if record is None:
                record, is_array_ended = self._bad_value(is_element=True)
            yield record
            if is_array_ended or record.problem == NOT_CLOSED:
                return
            last, has_comma = record.raw, False
        self.position += 1
        yield RawRecord(self.position, last[-200:], NOT_CLOSED)

    def _separators(self) -> bytes | None:
        """Move to the next value; return the blanks and commas before it, or None at the end."""
        passed = b""
        while True:
            begin = self.place
            if match := _SEPARATORS.match(self._buffer, begin):
                self.place = match.end()
            if begin < self.place:
                self._line += self._buffer.count(b"\n", begin, self.place)
                passed = (passed + self._buffer[begin : self.place])[-limits.BLOCK :]
            if self.place < len(self._buffer):
                return passed
            if not self._refill(self.place):
                return None

    def _stretch(self, size: int) -> list[msgspec.Raw] | None:
        """Return the good elements of the next `size` bytes, without a last partial one, and move behind them."""
        buffer, start = self._buffer, self.place
        end = min(len(buffer), start + size)
        for _ in range(_CUTS_TO_TRY):
            end = buffer.rfind(b"}", start, end)
            if end < 0:
                return None
            if comma := _COMMA_NEXT.match(buffer, end + 1):
                try:
                    elements = _raw_elements(b"[" + buffer[start : end + 1] + b"]")
                except UNDECODABLE as error:
                    bad = _BAD_BYTE.search(str(error))
                    stop = min(end, start + int(bad[1]) - 1) if bad else end
                    self._waste(stop - start)
                    end = stop
                    continue
                self.place = comma.end()
                return elements
        return None

    def _value(self) -> RawRecord | None:
        """Return the value that begins here and move behind it; None if it is not JSON, or too long."""
        while True:
            start = self.place
            try:
                _raw_value(memoryview(self._buffer)[start:])
                end = len(self._buffer)
                if not self._is_at_end and self._buffer[-1] not in b'}]" \t\r\n':
                    self._refill(start)  # a number may continue
                    continue
            except UNDECODABLE as error:
                message = str(error)
                if trailing := TRAILING.search(message):
                    end = start + int(trailing[1]) - 1  # the message counts from 1
                else:
                    bad = _BAD_BYTE.search(message)
                    waiting_count = len(self._buffer) - start
                    looked_at = int(bad[1]) if bad else waiting_count if message == _TRUNCATED else limits.DEEP
                    self._waste(min(looked_at, waiting_count))
                    # the parser does not report half of a number as truncated
                    is_open = message == _TRUNCATED or (bad and looked_at >= waiting_count - 1)
                    if not is_open or self._is_at_end or waiting_count > limits.LONGEST_RECORD:
                        self._bad_at = start + int(bad[1]) if bad else -1
                        return None
                    self._refill(start)
                    continue
            if end - start > limits.LONGEST_RECORD:
                return None
            raw = self._buffer[start:end].rstrip()
            self.place = start + len(raw)
            self._line += raw.count(b"\n")
            try:
                return RawRecord(self.position, raw, None, _decode_object(raw))
            except UNDECODABLE:
                return RawRecord(self.position, raw, problem_of(raw))

    def _bad_value(self, *, is_element: bool = False) -> tuple[RawRecord, bool]:
        """Move behind a value that is not JSON; return it, and whether its array ended with it."""
        start = at = self.place
        opened, counts = bytearray(), {_BRACE: 0, _OPEN: 0}
        kept: bytes | None = None  # the first bytes of a value that is too long
        in_string = is_broken = is_array_ended = False
        end, self._bad_at = -1 if is_element else self._cut_at(start), -1
        while end < 0:
            buffer = self._buffer
            match = None if in_string else TOKEN.search(buffer, at)
            if in_string:
                if rest := _STRING_REST.match(buffer, at):
                    at = rest.end()
                if buffer[at : at + 1] == b"\\" and at + 1 < len(buffer):
                    at += 1  # a backslash before a line break: the string is broken and ends there
                if at < len(buffer) and buffer[at : at + 1] != b"\\":
                    in_string = False
                    is_broken = buffer[at : at + 1] != b'"'
                    at += not is_broken
                    continue
            elif match is not None:
                place, token, at = match.start(), buffer[match.start()], match.end()
                if token in b"\r\n":
                    following = _NOT_BLANK.search(buffer, at)
                    if following is not None or self._is_at_end:
                        at = following.start() if following else len(buffer)
                        if (not opened and not is_element) or self._ends_line(start, place, at, is_element, is_broken):
                            end = place
                        continue
                    at = place
                elif token in b"{[":
                    opened += match[0]
                    counts[_BRACE] += (braces := match[0].count(b"{"))
                    counts[_OPEN] += at - place - braces
                    if len(opened) > limits.DEEPEST:
                        raise SourceError(
                            f"The file nests brackets more than {limits.DEEPEST} deep. This is no event log. "
                            "Nothing of it was loaded; look at the file."
                        )
                    continue
                elif token == ord('"'):
                    in_string = at - place == 1
                    continue
                elif token == ord(","):
                    if is_element and not opened:
                        end = place
                    continue
                elif counts[_OPENER[token]]:
                    opener = opened.rfind(_OPENER[token])
                    counts[_BRACE] -= (braces := opened.count(b"{", opener))
                    counts[_OPEN] -= len(opened) - opener - braces
                    del opened[opener:]
                    if not opened and not is_element:
                        end = at
                    continue
                else:
                    if is_element and token == _CLOSE:
                        end, is_array_ended = place, True
                    continue
            else:
                at = len(buffer)
            if at - start > limits.LONGEST_RECORD and kept is None:
                kept = buffer[start : start + limits.KEPT_OF_LONG]
            if kept is not None:
                self._line += buffer.count(b"\n", start, at)
                start = at
            if self._is_at_end:
                end = len(buffer)
                is_cut = bool(opened) or in_string or kept is not None
                problem = None if not is_cut else NOT_CLOSED if is_element else BROKEN_OFF
                break
            before = start
            self._refill(start)
            start, at = 0, at - before
        else:
            problem = None
        raw = self._buffer[start:end].strip() if kept is None else kept
        self._line += self._buffer.count(b"\n", start, end)
        self.place = end + is_array_ended
        if kept is not None and problem is None:
            problem = too_long(limits.LONGEST_RECORD)
        return RawRecord(self.position, raw, problem or problem_of(raw)), is_array_ended

    def _cut_at(self, start: int) -> int:
        """Return the end of the line at which a value is cut off, if the parser failed in the next line; else -1."""
        line_end = self._buffer.rfind(b"\n", start, self._bad_at + 1) if self._bad_at > start else -1
        is_there = line_end >= self._bad_at - 1 and not self._buffer[line_end + 1 : line_end + 2].isspace()
        return line_end if is_there else -1

    def _ends_line(self, start: int, place: int, following: int, is_element: bool, is_broken: bool) -> bool:
        """Whether a bad value with open brackets ends with its line, because the next line begins like a value."""
        next_byte = self._buffer[following : following + 1]
        if not next_byte:
            return not is_element and b"\n" not in self._buffer[start:place]  # a bad line, not a truncated one
        if next_byte not in (b"{", b"["):
            return False
        if is_broken or (not is_element and self._buffer[following - 1] in b"\r\n"):
            return True
        before = self._buffer[max(start, place - 64) : place].rstrip()
        return bool(before) and before[-1] not in b",:["

    def _refill(self, keep_from: int) -> bool:
        """Read twice the bytes that wait, and drop those before `keep_from`; False at the end."""
        if self._is_at_end or self._stream is None:
            return False
        waiting = self._buffer[keep_from:]
        blocks = [waiting]
        wanted = max(limits.BLOCK, len(waiting))
        while wanted > 0:
            block = self._stream.read(min(limits.BLOCK, wanted))
            if not block:
                self._is_at_end = True
                break
            self._read_count += len(block)
            wanted -= len(block)
            blocks.append(block)
        self._buffer = b"".join(blocks)
        self.place -= keep_from
        return len(blocks) > 1

    def _waste(self, count: int) -> None:
        self._wasted_count += count
        if self._wasted_count > limits.WASTED_FROM + limits.MOST_WASTED * self._read_count:
            raise SourceError(
                "The file is broken JSON in so many places that it cannot be read in time. Nothing of it was loaded; "
                "look at the file."
            )
