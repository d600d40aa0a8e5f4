"""Landed files, and counts of their records."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from waybill.simulator.records import WrittenRecord


class SpoolFile(NamedTuple):
    """One landed file: nothing in it happened after `landed_after`.

    :ivar records: its records, without those that an earlier file contains
    """

    account: str
    feed: str
    name: str
    data: bytes
    landed_after: datetime
    records: tuple[WrittenRecord, ...]


@dataclass
class Tally:
    """Counts of the files of each (account, feed).

    :ivar read: records, including poison and ignored ones
    :ivar ignored: records without an event, each time that they are in a file
    :ivar poison: the text of every record that must be rejected; the same text is one rejected record
    :ivar rejected: how often such records are in a file
    """

    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    poison: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def reject(self, account: str, feed: str, text: str) -> None:
        """Count a record that must be rejected."""
        self.read[account, feed] += 1
        self.rejected[account, feed] += 1
        self.poison.setdefault((account, feed), set()).add(text)
