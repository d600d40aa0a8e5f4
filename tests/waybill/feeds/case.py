"""The parts of golden/<slug>/case.py: a feed's `Case`, and the `Paging` of a feed of an API."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from waybill.feeds.api import Listing

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
    """A good record and the meaning of its fields. A nested field is named `outer.inner`, an element of a list
    `outer.0`.

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
        return value_at(self.record, self.recipient)

    def record_with(self, values: Record) -> Record:
        """Return the good record with other values in some fields."""
        return with_values(self.record, values)

    def file(self, *records: Record) -> bytes:
        return self.files[0](records)


@dataclass(frozen=True)
class Paging:
    """The pages and links of a provider.

    :ivar body: returns a page from its records, the number of records before them, and the next link (None: last page)
    :ivar link: returns the link of a page of a list, by its number; by the number of records before it if `by_offset`
    :ivar ends_empty: the last page of a list is always empty
    :ivar by_offset: pages have no links: the feed writes the request of the next one, until a page is empty
    :ivar record_id: field of the id of a record; empty: that of its message
    """

    body: Callable[[Sequence[Record], int, str | None], bytes]
    link: Callable[[Listing, int], str]
    ends_empty: bool = False
    by_offset: bool = False
    record_id: str = ""


def with_values(record: Record, values: Record) -> Record:
    """Return the record with other values in some fields, also in nested ones."""
    for path, value in values.items():
        record = _with_value(record, path, value)
    return record


def _with_value(outer: object, path: str, value: object) -> object:
    name, _, inner = path.partition(".")
    changed = list(outer) if isinstance(outer, list) else dict(outer or {})
    key = int(name) if isinstance(changed, list) else name
    changed[key] = _with_value(value_at(changed, name) if name in changed else None, inner, value) if inner else value
    return changed


def value_at(record: Record, path: str) -> object:
    """Return the value of a field, also of a nested one.

    :raises LookupError: there is no such field
    """
    name, _, inner = path.partition(".")
    value = record[int(name)] if isinstance(record, list) else record[name]
    return value_at(value, inner) if inner else value
