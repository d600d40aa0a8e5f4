"""Records of JSON in response bodies: the elements of one list of the body."""

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from etl.framing import limits
from etl.framing.arrays import TOKEN, Array
from etl.framing.raw_record import (
    NO_LIST,
    NOT_JSON,
    UNDECODABLE,
    Element,
    RawRecord,
    elements_of,
    problem_of,
    too_long,
)
from etl.framing.source import Source
from etl.framing.streams import BOM, open_bytes

_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def list_body(stream: BinaryIO, key: str) -> Iterator[RawRecord]:
    """The elements of the list `key` of response bodies: one body over the whole file, or one on each line."""
    position = 0
    for body in _bodies(Source(open_bytes(stream)), key):
        for element, problem in _elements_of_body(body, key):
            position += 1
            yield RawRecord(position, element, problem)


def _bodies(source: Source, key: str) -> Iterator[bytes]:
    """Response bodies, whole; one that is not closed goes to the end of the file, or to the next body's line."""
    mark = f'"{key}"'.encode()
    pending: list[bytes] = []
    size = depth = 0
    is_skipping = False  # behind a body that is too long, to the next line that is a body
    while line := source.line(limits.LONGEST_BODY):
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
        is_skipping = size > limits.LONGEST_BODY
        if depth <= 0 or is_skipping:
            yield b"".join(pending)
            pending, size, depth = [], 0, 0
    if pending:
        yield b"".join(pending)


def _is_object(line: bytes) -> bool:
    try:
        _raw_fields(line.removeprefix(BOM))
    except UNDECODABLE:
        return False
    return True


def _depth_of(line: bytes) -> int:
    """How many more brackets a line opens than it closes."""
    return sum((match[0] in (b"{", b"[")) - (match[0] in (b"}", b"]")) for match in TOKEN.finditer(line))


def _elements_of_body(body: bytes, key: str) -> Iterator[Element]:
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
        problem = problem_of(body)
        begin = _list_begin(body, key) if problem is None else None
        if begin is None:
            yield body, problem or NOT_JSON
        else:
            yield from Array(Source(io.BytesIO()), body[begin:], may_break_off=False).elements()
        return
    try:
        elements = elements_of(fields.get(key, b"null"))
    except msgspec.DecodeError:
        yield body, f"{NO_LIST} `{key}` in the body"
        return
    yield from elements


def _list_begin(body: bytes, key: str) -> int | None:
    """Where the list `key` of an object that is not JSON as a whole begins, behind its bracket."""
    depth, name = 0, re.compile(rf'"{re.escape(key)}"\s*:\s*\['.encode())
    for match in TOKEN.finditer(body):
        token = match[0]
        if depth == 1 and (begin := name.match(body, match.start())):
            return begin.end()
        depth += (token in (b"{", b"[")) - (token in (b"}", b"]"))
    return None
