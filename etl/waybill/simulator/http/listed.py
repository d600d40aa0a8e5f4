"""Lists of events as an API shows them at a moment: filtered by time, in order, in pages. No sockets, no clock.

An event is listed later than it happens, so it can appear on a page that was sent before.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import NamedTuple

from waybill.simulator.http.page import Page
from waybill.simulator.records import WrittenRecord

Position = tuple[datetime, int]
"""Time and number of an entry: the order of the list."""


class InvalidQueryError(ValueError):
    """A parameter that the API refuses; the text is the message of the response."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One event of a list.

    :ivar at: the time that the list filters by and is ordered by
    :ivar number: orders events of the same time
    :ivar since: the first moment at which the list has it
    """

    at: datetime
    number: int
    since: datetime
    record: WrittenRecord

    @property
    def position(self) -> Position:
        """Its place in the order of the list."""
        return self.at, self.number


class Query(NamedTuple):
    """One request for a page.

    :ivar since: the first time of the window; None: no bound
    :ivar before: the first time after the window; None: no bound
    :ivar newest_first: the order
    :ivar size: at most so many rows
    :ivar after: the position of the last row of the page before; None: the page begins at `offset`
    :ivar offset: the number of rows before the page
    """

    since: datetime | None
    before: datetime | None
    newest_first: bool
    size: int
    after: Position | None = None
    offset: int = 0

    def admits(self, at: datetime) -> bool:
        """Returns whether a time is in the window."""
        return (self.since is None or self.since <= at) and (self.before is None or at < self.before)

    def is_behind(self, position: Position) -> bool:
        """Returns whether a position comes after the one at which the page begins."""
        if self.after is None:
            return True
        return position < self.after if self.newest_first else position > self.after


class Style(NamedTuple):
    """How an API writes a list.

    :ivar rows_name: the field of the body that has the rows
    :ivar target: returns path and query of a page
    :ivar write: returns the body of a page; the second parameter is the number of all rows
    :ivar by_offset: whether a page begins at a number of rows, else after a row
    :ivar ends_empty: whether an empty page is the end, and each page has a link to the next one
    """

    rows_name: str
    target: Callable[[Query], str]
    write: Callable[[Page, int], object]
    by_offset: bool = False
    ends_empty: bool = False


class EntryList:
    """The events of one list.

    :param records: with the time that each has in the list
    :param lag: returns the first moment at which the list has an event of a time
    """

    def __init__(
        self, records: Iterable[tuple[datetime, WrittenRecord]], lag: Callable[[datetime, Random], datetime]
    ) -> None:
        self._entries = [
            Entry(at, number, lag(at, Random(f"{number}/lag")), record)
            for number, (at, record) in enumerate(sorted(records, key=lambda pair: pair[0]))
        ]

    def page(self, query: Query, moment: datetime, style: Style) -> Page:
        """Returns the page of a query, as it is at that moment."""
        there = list(self._there(query, moment))
        ahead = [entry for entry in there if query.is_behind(entry.position)][query.offset :]
        start = len(there) - len(ahead)
        found = ahead[: query.size]
        following = None
        if len(ahead) > len(found) or style.ends_empty:
            following = self._at(query, start + len(found), there, style)
        preceding = self._at(query, max(0, start - query.size), there, style) if start else None
        return Page(
            rows=tuple(entry.record.fields for entry in found),
            shows=tuple(found),
            own=style.target(query),
            first=style.target(query._replace(after=None, offset=0)),
            preceding=preceding and style.target(preceding),
            following=following and style.target(following),
            rows_name=style.rows_name,
            write=lambda page: style.write(page, len(there)),
        )

    def _there(self, query: Query, moment: datetime) -> Iterator[Entry]:
        entries = reversed(self._entries) if query.newest_first else iter(self._entries)
        return (entry for entry in entries if entry.since <= moment and query.admits(entry.at))

    def _at(self, query: Query, start: int, there: list[Entry], style: Style) -> Query:
        """Returns the query of the page that begins at a row."""
        if style.by_offset:
            return query._replace(offset=start)
        return query._replace(after=there[start - 1].position if start else None)
