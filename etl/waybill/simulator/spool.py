"""Files as they land, and the count of what is in them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from waybill.simulator.telling import Told


class SpoolFile(NamedTuple):
    """One landed file: nothing in it happened after `landed_after`.

    :ivar told: what it is the first to tell (records that it repeats tell nothing new)
    """

    account: str
    feed: str
    name: str
    data: bytes
    landed_after: datetime
    told: tuple[Told, ...]


@dataclass
class Tally:
    """What the files of each (account, feed) hold.

    :ivar read: records, the poisonous and the ignored ones too
    :ivar ignored: records that tell of no event, each time they are told
    :ivar poison: the text of every record that must be rejected; the same text is one rejected record
    :ivar rejected: how often such a record stands in a file
    """

    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    poison: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def reject(self, account: str, feed: str, text: str) -> None:
        """Count a record that nobody can use."""
        self.read[account, feed] += 1
        self.rejected[account, feed] += 1
        self.poison.setdefault((account, feed), set()).add(text)
