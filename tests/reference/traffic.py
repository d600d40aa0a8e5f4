"""Random files of four feeds (SendGrid, Twilio, dispatch log), with all difficult cases of their writers.

Duplicates and retries, changed event ids, snapshots of rows whose status, price and error code come later, late
dispatch rows and campaigns, differing flags, bounces after deliveries, opens after bounces, events without ids, poison
lines, hours around midnights and clock changes.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st

from tests.reference.world import (
    ACCOUNTS,
    DISPATCH_COLUMNS,
    SEASONS,
    Choices,
    compact,
    dispatch_poison,
    dispatch_record,
    landing,
    sendgrid_poison,
    sendgrid_record,
    twilio_poison,
    twilio_record,
)

ZONES = ("Europe/Berlin", "America/New_York", "UTC")
FEEDS = ("sendgrid_events", "dispatch_log", "twilio_messages", "twilio_calls", "sendgrid_events")
NO_OBJECT = (b"42", b"null", b'"text"', b"[]")
NO_JSON = (b"{broken", b"not json", b'{"event":"open","timestamp":NaN}', b'{"a":1} {"b":2}', b"\xff\xfe")


@dataclass(frozen=True)
class File:
    """One landed file, as bytes."""

    account: str
    feed: str
    data: bytes = field(repr=False)
    landed_at: datetime


def record_bytes(choose: Choices, season: Sequence[datetime], feed: str) -> bytes:
    """Return one JSON record of a feed; about one in twenty is poison."""
    poison = choose.below(20)
    if poison == 18:
        return choose.one(NO_OBJECT)
    is_poison = poison == 19
    if feed == "sendgrid_events":
        return compact((sendgrid_poison if is_poison else sendgrid_record)(choose, season))
    if feed == "dispatch_log":
        return compact((dispatch_poison if is_poison else dispatch_record)(choose, season, in_text=False))
    return compact((twilio_poison if is_poison else twilio_record)(choose, season, feed))


def sendgrid_file(choose: Choices, records: list[bytes]) -> bytes:
    """Return lines of objects, lines of arrays, or one array on many lines."""
    shape = choose.below(3)
    if shape == 1:
        return b"[" + b",\n ".join(records) + b"\n]\n"
    if shape == 2:
        cut = len(records) // 2
        lines = [b"[" + b",".join(part) + b"]" for part in (records[:cut], records[cut:])]
        return b"\n".join(lines) + b"\n"
    return in_lines(choose, records)


def in_lines(choose: Choices, lines: list[bytes]) -> bytes:
    """Return lines, sometimes with a line that is not JSON or a blank one; the first line is always good."""
    for _ in range(choose.of(0, 0, 0, 1)):
        lines = [*lines, choose.one(NO_JSON)]
    return choose.of(b"\n", b"\n\n", b"\n").join(lines) + choose.of(b"\n", b"")


def twilio_file(choose: Choices, feed: str, records: list[bytes]) -> bytes:
    """Return one body, or one body on each line; sometimes one is no valid body."""
    key = b"messages" if feed == "twilio_messages" else b"calls"

    def body(rows: list[bytes]) -> bytes:
        return b'{"page":0,"next_page_uri":null,"' + key + b'":[' + b",".join(rows) + b'],"start":0}'

    if choose.rarely(2):
        cut = len(records) // 2
        lines = [body(records[:cut]), body(records[cut:])]
        if choose.rarely(6):
            lines.append(choose.of(b'{"code":20429,"message":"Too Many Requests"}', b"not json"))
        return b"\n".join(lines) + b"\n"
    return b'{"code":20429,"message":"Too Many Requests"}' if choose.rarely(24) else body(records)


def dispatch_csv(choose: Choices, season: Sequence[datetime], numbers: list[int]) -> bytes:
    columns = list(DISPATCH_COLUMNS)
    if choose.rarely(2):
        columns = [*reversed(columns), "note"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator=choose.of("\n", "\r\n"))
    writer.writeheader()
    for number in numbers:
        choices = Choices(number)
        make = dispatch_poison if choices.rarely(20) else dispatch_record
        writer.writerow(make(choices, season, in_text=True))
    return out.getvalue().encode()


def make_file(season: Sequence[datetime], minute: int, shape: int, numbers: list[int]) -> File:
    """Return one file, from one number for its shape and one for each record."""
    choose = Choices(shape)
    feed, account = choose.one(FEEDS), choose.one((ACCOUNTS[0], *ACCOUNTS))
    is_gzip = choose.rarely(5)
    if feed == "dispatch_log" and choose.rarely(2):
        data = dispatch_csv(choose, season, numbers)
    else:
        records = [record_bytes(Choices(number), season, feed) for number in numbers]
        if feed == "sendgrid_events":
            data = sendgrid_file(choose, records)
        elif feed == "dispatch_log":
            if not records[0].startswith(b"{"):
                records.insert(0, compact(dispatch_record(Choices(numbers[0]), season, in_text=False)))
            data = in_lines(choose, records)
        else:
            data = twilio_file(choose, feed, records)
    return File(account, feed, gzip.compress(data, mtime=0) if is_gzip else data, landing(season, minute))


def numbers(size: int) -> st.SearchStrategy[int]:
    """Return uniformly distributed numbers of so many bytes, which shrink towards zero."""
    return st.binary(min_size=size, max_size=size).map(lambda drawn: int.from_bytes(drawn, "big"))


@st.composite
def traffic(draw: st.DrawFn, min_files: int = 10, max_files: int = 40, max_records: int = 12) -> list[File]:
    """Return files of a few days in the order of their landing; sometimes one of them lands twice."""
    season = draw(st.sampled_from(SEASONS))
    drawn = draw(
        st.lists(
            st.tuples(numbers(4), st.lists(numbers(18), min_size=1, max_size=max_records)),
            min_size=min_files,
            max_size=max_files,
        )
    )
    files = []
    for minute, (shape, records) in enumerate(drawn):
        repeated = drawn[minute - 2][1][:2] if minute > 1 else []
        files.append(make_file(season, minute, shape, records + repeated))
    again = draw(st.lists(st.sampled_from(files), max_size=2))
    return files + again
