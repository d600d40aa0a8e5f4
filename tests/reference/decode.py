"""Splits the bytes of landed files into raw records, simply and slowly.

A record is an object with its bytes as received, or a problem: not JSON, or not an object.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

BODY_KEY = {"twilio_messages": "messages", "twilio_calls": "calls"}
BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Raw:
    """One record.

    :ivar position: number of the line in a file of lines, else of the element, from 1
    :ivar value: the object; None with a `problem`
    """

    position: int
    raw: bytes
    value: dict | None
    problem: str | None = None


def no_constant(word: str) -> None:
    """Raise ValueError: NaN and Infinity are not JSON, although Python's parser accepts them."""
    raise ValueError(f"{word} is not JSON")


DECODER = json.JSONDecoder(parse_constant=no_constant)


def parse(text: str) -> object:
    """Parse strict JSON; the last of duplicate names counts. Raises ValueError."""
    value, end = DECODER.raw_decode(text, skip_blanks(text, 0))
    if skip_blanks(text, end) != len(text):
        raise ValueError("more than one value")
    json.dumps(value, ensure_ascii=False).encode()  # raises for half of a surrogate pair
    return value


def skip_blanks(text: str, index: int) -> int:
    while index < len(text) and text[index] in BLANKS:
        index += 1
    return index


def array_slices(text: str, index: int = 0) -> list[str]:
    """Return the elements of the (valid) JSON array that begins at `index`, as written."""
    slices = []
    index = skip_blanks(text, skip_blanks(text, index) + 1)
    while text[index] != "]":
        _, end = DECODER.raw_decode(text, index)
        slices.append(text[index:end])
        index = skip_blanks(text, end)
        if text[index] == ",":
            index = skip_blanks(text, index + 1)
    return slices


def member_slice(text: str, name: str) -> str:
    """Return the (last) value of a name in a (valid) JSON object, as written."""
    found = ""
    index = skip_blanks(text, skip_blanks(text, 0) + 1)
    while text[index] != "}":
        key, end = DECODER.raw_decode(text, index)
        index = skip_blanks(text, skip_blanks(text, end) + 1)
        _, end = DECODER.raw_decode(text, index)
        if key == name:
            found = text[index:end]
        index = skip_blanks(text, end)
        if text[index] == ",":
            index = skip_blanks(text, index + 1)
    return found


def try_parse(raw: bytes) -> tuple[object, bool]:
    """Return the value, and whether there is one."""
    try:
        return parse(raw.decode()), True
    except (ValueError, RecursionError):
        return None, False


def as_record(position: int, raw: bytes) -> Raw:
    value, is_json = try_parse(raw)
    if not is_json:
        return Raw(position, raw, None, "not_json")
    return Raw(position, raw, value) if isinstance(value, dict) else Raw(position, raw, None, "not_an_object")


def lines_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, line.strip()


def sendgrid_events(data: bytes) -> Iterator[Raw]:
    """Yield the records of one array on many lines, or of lines with an object or an array each."""
    value, is_json = try_parse(data)
    if is_json and isinstance(value, list):
        for number, element in enumerate(array_slices(data.decode()), start=1):
            yield as_record(number, element.encode())
        return
    yield from records_of_lines(data)


def records_of_lines(data: bytes) -> Iterator[Raw]:
    """Yield the records of lines with an object, several objects, or an array of objects each."""
    for number, line in lines_of(data):
        value, is_json = try_parse(line)
        if is_json and isinstance(value, list):
            for element in array_slices(line.decode()):
                yield as_record(number, element.encode())
        else:
            for written in objects_in_a_row(line):
                yield as_record(number, written)


def objects_in_a_row(line: bytes) -> list[bytes]:
    """Return the objects of a line of objects; for any other line, the line itself."""
    found: list[bytes] = []
    try:
        text = line.decode()
        index = 0
        while index < len(text):
            value, end = DECODER.raw_decode(text, index)
            if not isinstance(value, dict):
                return [line]
            found.append(text[index:end].encode())
            index = skip_blanks(text, end)
    except (ValueError, RecursionError):
        return [line]
    return found


def twilio_bodies(data: bytes, key: str) -> Iterator[Raw]:
    """Yield the records of one body, or of one body on each line. A body without its list is one bad record."""
    _, is_json = try_parse(data)
    bodies = [(1, data.strip())] if is_json else list(lines_of(data))
    for number, body in bodies:
        value, is_json = try_parse(body)
        if not is_json:
            yield Raw(number, body, None, "not_json")
        elif not isinstance(value, dict) or not isinstance(value.get(key), list):
            yield Raw(number, body, None, "body")
        else:
            for element_number, element in enumerate(array_slices(member_slice(body.decode(), key)), start=1):
                yield as_record(element_number, element.encode())


def dispatch_log(data: bytes) -> Iterator[Raw]:
    """Yield the records of NDJSON if the first line begins with a brace, else of CSV with a header."""
    if data.lstrip().startswith(b"{"):
        yield from records_of_lines(data)
        return
    text = data.decode("utf-8-sig")
    physical = text.split("\n")
    rows = csv.reader(io.StringIO(text, newline=""))
    header = None
    before = 0
    for cells in rows:
        number, before = before + 1, rows.line_num
        if not cells:
            continue
        if header is None:
            header = [name.strip() for name in cells]
            continue
        raw = "\n".join(physical[number - 1 : before]).strip()
        yield Raw(number, raw.encode(), dict(zip(header, cells, strict=False)))


def records(feed: str, data: bytes) -> list[Raw]:
    """Return the records of one landed file."""
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    if not data.strip():
        return []
    if feed == "sendgrid_events":
        return list(sendgrid_events(data))
    if feed == "dispatch_log":
        return list(dispatch_log(data))
    return list(twilio_bodies(data, BODY_KEY[feed]))
