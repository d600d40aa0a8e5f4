"""Records of JSON in response bodies: the elements of one list of the body.

Files may also contain arrays of bodies, envelopes around bodies, and elements without a body.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from waybill.framing import limits
from waybill.framing.envelopes import content_of
from waybill.framing.raw_record import (
    BROKEN_OFF,
    NO_LIST,
    NOT_AN_OBJECT,
    NOT_JSON,
    UNDECODABLE,
    RawRecord,
    check_bad,
    check_empty,
    problem_of,
    too_long,
)
from waybill.framing.streams import BOM, open_texts
from waybill.framing.values import TOKEN, TRAILING, Values

_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, object]).decode
_raw_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode

Element = tuple[bytes, str | None]
"""The bytes of an element, and why they are not an object (None for an object)."""


def list_body(stream: BinaryIO, key: str, own_field: str | None = None) -> Iterator[RawRecord]:
    """Yield the elements of the list `key` of response bodies. A file is one body, bodies on lines or one after
    another, arrays of bodies, or envelopes around them.

    :param own_field: a field of every element: an object with it and without the list is an element itself
    """
    position = bad_count = 0
    for part in open_texts(stream):
        for lines in _bodies(part, key):
            for body in _one_by_one(lines):
                for element, problem in _elements_of_body(body, key, own_field):
                    position += 1
                    if problem is not None:
                        bad_count += 1
                        check_bad(bad_count, position, problem)
                    yield RawRecord(position, element, problem)


def _bodies(stream: BinaryIO, key: str) -> Iterator[bytes]:
    """Yield whole response bodies. An unclosed body ends at the line of the next body, or with the file."""
    mark = f'"{key}"'.encode()
    pending: list[bytes] = []
    size = depth = 0
    is_array = False  # of bodies, on several lines
    is_skipping = False  # after a body that is too long, up to the next line that is a body
    empty_count = 0
    while line := stream.readline(limits.LONGEST_BODY + 1):
        if not pending and not line.strip():
            empty_count += 1
            check_empty(empty_count)
            continue
        is_free = not pending or (mark in line and not is_array)
        if is_free and line.lstrip(BOM + b" \t\r\n").startswith(b"{") and _is_object(line):
            if pending:
                yield b"".join(pending)
                pending, size, depth = [], 0, 0
            yield line
            is_skipping = False
            continue
        if is_skipping:
            continue
        is_array = is_array if pending else line.lstrip(BOM + b" \t\r\n").startswith(b"[")
        pending.append(line)
        size += len(line)
        depth += _depth_of(line)
        is_skipping = size > limits.LONGEST_BODY
        if depth <= 0 or is_skipping:
            yield b"".join(pending)
            pending, size, depth = [], 0, 0
    if pending:
        yield b"".join(pending)


def _one_by_one(body: bytes) -> Iterator[bytes]:
    """Yield bodies that follow each other without a line break."""
    rest = memoryview(body.lstrip(BOM))
    while len(body) <= limits.LONGEST_BODY:
        try:
            _raw_fields(rest)
        except UNDECODABLE as error:
            if trailing := TRAILING.search(str(error)):
                end = int(trailing[1]) - 1  # the message counts from 1
                yield bytes(rest[:end])
                rest = rest[end:]
                continue
        break
    yield bytes(rest)


def _is_object(line: bytes) -> bool:
    try:
        _raw_fields(line.removeprefix(BOM))
    except UNDECODABLE:
        return False
    return True


def _depth_of(line: bytes) -> int:
    """Return the number of opened brackets minus closed brackets of a line."""
    return sum(map(_step, TOKEN.findall(line)))


def _step(token: bytes) -> int:
    """Return the number of brackets that a token opens; negative if it closes one."""
    return len(token) if token[0] in b"{[" else -(token in (b"}", b"]"))


def _elements_of_body(body: bytes, key: str, own_field: str | None, depth: int = 0) -> Iterator[Element]:
    is_too_long = len(body) > limits.LONGEST_BODY
    body = body.strip().removeprefix(BOM).strip()
    if not body:
        return
    if is_too_long:
        yield body[: limits.KEPT_OF_LONG], too_long(limits.LONGEST_BODY)
        return
    try:
        fields = _raw_fields(body)
    except UNDECODABLE:
        is_array = body.startswith(b"[")
        yield from _elements_of_array(body, key, own_field, depth) if is_array else _elements_of_broken(body, key)
        return
    try:
        elements = _raw_elements(fields.get(key, b"null"))
    except msgspec.DecodeError:
        yield from _elements_of_other(body, key, own_field, depth)
        return
    for element in map(bytes, elements):
        yield element, problem_of(element)


def _elements_of_array(body: bytes, key: str, own_field: str | None, depth: int) -> Iterator[Element]:
    """Yield the elements of all bodies of an array."""
    is_empty = True
    for value in Values(None, body).values():
        is_empty = False
        if value.problem is None:
            yield from _elements_of_body(value.raw, key, own_field, depth)
        else:
            yield value.raw, value.problem
    if is_empty:
        yield body, NOT_AN_OBJECT


def _elements_of_other(body: bytes, key: str, own_field: str | None, depth: int) -> Iterator[Element]:
    """Yield the elements of an object without the list: itself, those of its envelope, or one problem."""
    if own_field in _raw_fields(body):
        yield body, None
        return
    try:
        content = content_of(body, _decode_object(body))
    except UNDECODABLE:  # a number out of range, or brackets nested too deeply
        content = None
    if content is not None and depth < limits.MOST_ENVELOPES:
        yield from _elements_of_body(content, key, own_field, depth + 1)
    else:
        yield body, f"{NO_LIST} `{key}` in the body"


def _elements_of_broken(body: bytes, key: str) -> Iterator[Element]:
    """Yield the elements of a body that is not JSON as a whole, and of the bodies after it."""
    problem = problem_of(body)
    begin = _list_begin(body, key) if problem is None else None
    if begin is None:
        yield body, problem or (BROKEN_OFF if _depth_of(body) > 0 else NOT_JSON)
        return
    values = Values(None, body)
    while begin is not None:
        values.place = begin
        for value in values.elements():
            yield value.raw, value.problem
        begin = _list_begin(body, key, values.place, depth=1)


def _list_begin(body: bytes, key: str, start: int = 0, depth: int = 0) -> int | None:
    """Return the position after the opening bracket of a list `key`, in an object that is not JSON as a whole.

    :param depth: number of open brackets at the start
    """
    name = re.compile(rf'"{re.escape(key)}"\s*:\s*\['.encode())
    for match in TOKEN.finditer(body, start):
        token = match[0]
        if depth == 1 and (begin := name.match(body, match.start())):
            return begin.end()
        depth += _step(token)
    return None
