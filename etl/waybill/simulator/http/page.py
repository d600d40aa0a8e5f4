"""One page of a list, before it is written as a body."""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from waybill.simulator.records import WrittenRecord


class Sighting(Hashable, Protocol):
    """A row as a client sees it."""

    @property
    def record(self) -> WrittenRecord:
        """The record with its events."""


@dataclass(frozen=True)
class Page:
    """One page of a list.

    :ivar rows: as in the body
    :ivar shows: what a client sees in each row
    :ivar own: path and query of the page
    :ivar first: path and query of the first page
    :ivar preceding: of the page before; None: this is the first
    :ivar following: of the page after, even if the API has no links; None: this is the last
    :ivar rows_name: the field of the body that has the rows; None: the body is the array itself
    :ivar write: returns the body of a page
    """

    rows: tuple[Mapping[str, object], ...]
    shows: tuple[Sighting, ...]
    own: str
    first: str
    preceding: str | None
    following: str | None
    rows_name: str | None
    write: "Callable[[Page], object]"

    @property
    def body(self) -> bytes:
        """The page as JSON."""
        return json.dumps(self.write(self)).encode()

    def with_rows_of(self, other: "Page") -> "Page":
        """Returns this page, its number and its links, with the rows of another one."""
        return replace(self, rows=other.rows, shows=other.shows)

    def with_first_rows(self, count: int) -> "Page":
        """Returns this page with only its first rows."""
        return replace(self, rows=self.rows[:count], shows=self.shows[:count])
