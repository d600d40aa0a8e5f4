"""What the contract must be told of a feed: one `Case` for each. Everything else it finds in the feed and its golden
files.

`python -m tests.waybill.feeds.cases` writes the events that the golden files give beside them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.waybill.feeds.outcomes import normalise, readable
from waybill.feeds import FEEDS

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = ".expected.json"

Record = dict[str, object]
File = Callable[[Sequence[Record]], bytes]
"""Records as a file holds them."""


def lines(records: Sequence[Record]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


def array(indent: int | None = None) -> File:
    return lambda records: json.dumps(records, indent=indent).encode()


def body(name: str, indent: int | None = None) -> File:
    """A response body with the records in its list `name`."""
    return lambda records: json.dumps({name: records}, indent=indent).encode()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A good record and which of its fields are what. Fields inside others are named `outer.inner`.

    :ivar record: tells an event of the provider's word at each of `times`
    :ivar word: the field of the provider's event word
    :ivar times: fields without which the record is rejected, as it is with a time in them that has no zone or sense
    :ivar message_id: the field whose value makes it another message's record
    :ivar recipient: the field of the address
    :ivar files: every way in which files may hold the feed's records
    """

    record: Record
    word: str
    times: tuple[str, ...]
    message_id: str
    recipient: str
    files: tuple[File, ...] = (lines,)

    @property
    def address(self) -> str:
        """The recipient of the good record."""
        return _value(self.record, self.recipient)

    def record_with(self, values: Record) -> Record:
        """The good record with other values in some fields."""
        return with_values(self.record, values)

    def file(self, *records: Record) -> bytes:
        return self.files[0](records)


CASES: dict[str, Case] = {
    "dispatch_log": Case(
        record={
            "dispatch_id": "d-1",
            "occurred_at": "2026-03-02T09:14:40Z",
            "channel": "email",
            "status": "not_sent",
            "recipient": "ana@inbox.example",
        },
        word="status",
        times=("occurred_at",),
        message_id="dispatch_id",
        recipient="recipient",
    ),
    "sendgrid_events": Case(
        record={
            "email": "ana@inbox.example",
            "timestamp": 1772442911,
            "event": "click",
            "sg_message_id": "m1.filter",
        },
        word="event",
        times=("timestamp",),
        message_id="sg_message_id",
        recipient="email",
        files=(lines, array(), array(indent=2)),
    ),
    "twilio_calls": Case(
        record={
            "sid": "CA01",
            "status": "completed",
            "to": "+12025550123",
            "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
            "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
            "direction": "outbound-api",
        },
        word="status",
        times=("date_created", "date_updated"),
        message_id="sid",
        recipient="to",
        files=(body("calls"), body("calls", indent=2)),
    ),
    "twilio_messages": Case(
        record={
            "sid": "SM01",
            "status": "undelivered",
            "to": "+12025550123",
            "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
            "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
            "direction": "outbound-api",
        },
        word="status",
        times=("date_created", "date_updated"),
        message_id="sid",
        recipient="to",
        files=(body("messages"), body("messages", indent=2)),
    ),
}


def case_of(slug: str) -> Case:
    """Raises LookupError, which says what to write."""
    if slug not in CASES:
        raise LookupError(
            f"The feed {slug} has no Case. Write CASES[{slug!r}] in {Path(__file__).name}: a good record, and which of "
            "its fields are the event word, the times, the message id and the recipient."
        )
    return CASES[slug]


def golden_files(slug: str) -> list[Path]:
    """The invented logs of a feed; their expected events lie beside them. Raises LookupError, which says what to
    write."""
    files = sorted(path for path in (GOLDEN / slug).glob("*") if not path.name.endswith(EXPECTED))
    if not files:
        raise LookupError(
            f"The feed {slug} has no golden files. Write records in the provider's shapes, every mapped word among "
            f"them, to a file in {GOLDEN.name}/{slug}/."
        )
    return files


def expected_of(file: Path) -> Path:
    """Where the events lie that a golden file gives."""
    return file.with_name(file.name + EXPECTED)


def with_values(record: Record, values: Record) -> Record:
    """The record with other values in some fields, fields inside others among them."""
    for path, value in values.items():
        name, _, inner = path.partition(".")
        record = record | {name: with_values(record.get(name) or {}, {inner: value}) if inner else value}
    return record


def _value(record: Record, path: str) -> object:
    name, _, inner = path.partition(".")
    return _value(record[name], inner) if inner else record[name]


def write_expected() -> None:
    """Write the expected files anew; then read the difference."""
    for slug in FEEDS:
        for file in golden_files(slug):
            expected = readable(normalise(slug, file.read_bytes()))
            expected_of(file).write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    write_expected()
