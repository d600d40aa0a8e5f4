"""The input of the feed contract: one `Case` for each feed. The rest is in the feed and its golden files.

`python -m tests.waybill.feeds.cases` writes the events of the golden files beside them.
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
"""Returns a file with these records."""


def lines(records: Sequence[Record]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


def array(indent: int | None = None) -> File:
    return lambda records: json.dumps(records, indent=indent).encode()


def body(name: str, indent: int | None = None) -> File:
    """Return a writer of response bodies with the records in the list `name`."""
    return lambda records: json.dumps({name: records}, indent=indent).encode()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A good record and the meaning of its fields. A nested field is named `outer.inner`.

    :ivar record: gives an event
    :ivar word: the field of the provider's event word
    :ivar times: required fields of times; without a valid time with a zone the record is rejected
    :ivar message_id: the field of the message's id
    :ivar recipient: the field of the address
    :ivar files: the formats of files with the feed's records
    """

    record: Record
    word: str
    times: tuple[str, ...]
    message_id: str
    recipient: str
    files: tuple[File, ...] = (lines,)

    @property
    def address(self) -> str:
        """The recipient in the good record."""
        return _value(self.record, self.recipient)

    def record_with(self, values: Record) -> Record:
        """Return the good record with other values in some fields."""
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
    """Return the case of a feed. Raises LookupError with what to write."""
    if slug not in CASES:
        raise LookupError(
            f"The feed {slug} has no Case. Write CASES[{slug!r}] in {Path(__file__).name}: a good record, and which of "
            "its fields are the event word, the times, the message id and the recipient."
        )
    return CASES[slug]


def golden_files(slug: str) -> list[Path]:
    """Return the invented logs of a feed; their expected events are beside them. Raises LookupError with what to
    write."""
    files = sorted(path for path in (GOLDEN / slug).glob("*") if not path.name.endswith(EXPECTED))
    if not files:
        raise LookupError(
            f"The feed {slug} has no golden files. Write records in the provider's shapes, every mapped word among "
            f"them, to a file in {GOLDEN.name}/{slug}/."
        )
    return files


def expected_of(file: Path) -> Path:
    """Return the path of the expected events of a golden file."""
    return file.with_name(file.name + EXPECTED)


def with_values(record: Record, values: Record) -> Record:
    """Return the record with other values in some fields, also in nested ones."""
    for path, value in values.items():
        name, _, inner = path.partition(".")
        record = record | {name: with_values(record.get(name) or {}, {inner: value}) if inner else value}
    return record


def _value(record: Record, path: str) -> object:
    name, _, inner = path.partition(".")
    return _value(record[name], inner) if inner else record[name]


def write_expected() -> None:
    """Write the expected files again; then read the difference."""
    for slug in FEEDS:
        for file in golden_files(slug):
            expected = readable(normalise(slug, file.read_bytes()))
            expected_of(file).write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    write_expected()
