"""Twilio's lists as its API returns them at a moment: filtered, newest first, in pages. No sockets, no clock."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from waybill.simulator.http.page import Page
from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio.page import RESOURCES, as_written, page_body
from waybill.simulator.twilio.query import OWN_TIME, InvalidQueryError, Query
from waybill.simulator.twilio.rows import Row


class Sighting(NamedTuple):
    """A row in one of its states.

    :ivar account: the account of the list
    :ivar state_index: of the state in `row.states`
    """

    account: str
    row: Row
    state_index: int

    @property
    def state(self) -> dict[str, object]:
        """The fields of the row."""
        return self.row.states[self.state_index][1]

    @property
    def record(self) -> WrittenRecord:
        """The record with its events."""
        since, state = self.row.states[self.state_index]
        return WrittenRecord(self.account, self.row.feed, since, state, self.row.events(state))


class _Place(NamedTuple):
    """The place of a row in the list for a while: it changes when the time that orders the list becomes known.

    :ivar at: date_sent or start_time; date_created until that is known
    """

    at: datetime
    sid: str
    since: datetime
    until: datetime | None
    row: Row


class RowList:
    """The rows of one list, for pages at any moment.

    :param rows: of this account and feed

    One sorted sequence has every place of every row, so the cost of a page depends on its rows alone.
    """

    def __init__(self, account: str, feed: str, rows: Iterable[Row]) -> None:
        self._account = account
        self._places = sorted(
            (place for row in rows for place in _places(row, OWN_TIME[feed])), key=lambda place: (place.at, place.sid)
        )
        self._positions: dict[str, list[int]] = {}
        for position, place in enumerate(self._places):
            self._positions.setdefault(place.sid, []).append(position)

    def page(self, query: Query, moment: datetime) -> Page:
        """Returns the page of a query, as it is at that moment.

        :raises InvalidQueryError: the token belongs to no row
        """
        link, first = query.link, self._first(query, moment)
        size, token = link.page_size, link.token
        if token is not None and token.startswith("PB"):
            ahead = range(self._anchor(token, moment) + 1, first)
            found, is_last = list(islice(self._seen(ahead, query, moment), size))[::-1], False
        else:
            skipped = link.number * size if token is None else 0
            first = first if token is None else min(first, self._anchor(token, moment))
            seen = self._seen(range(first - 1, -1, -1), query, moment)
            found = list(islice(seen, skipped, skipped + size + 1))
            found, is_last = found[:size], len(found) <= size
        following = None if is_last or not found else link.at(link.number + 1, f"PA{found[-1].row.sid}")
        preceding = None
        if link.number:
            preceding = link.at(link.number - 1, f"PB{found[0].row.sid}" if found else None)
        return Page(
            rows=tuple(as_written(sighting.state) for sighting in found),
            shows=tuple(found),
            own=link.uri,
            first=link.at(0, None).uri,
            preceding=preceding and preceding.uri,
            following=following and following.uri,
            rows_name=RESOURCES[link.feed].lower(),
            write=lambda page: page_body(link, page.rows, page.following, page.preceding),
        )

    def _anchor(self, token: str, moment: datetime) -> int:
        """Returns the present position of the row that a token names."""
        if token[:2] in ("PA", "PB"):
            for position in self._positions.get(token[2:], ()):
                if self._sighting(position, moment) is not None:
                    return position
        raise InvalidQueryError("Invalid PageToken: expected one from a link of this list")

    def _first(self, query: Query, moment: datetime) -> int:
        """Returns the position after the newest row of the query."""
        newest = bisect_right(self._places, moment, key=lambda place: place.at)
        before = query.own_span.before
        return newest if before is None else min(newest, bisect_left(self._places, before, key=lambda place: place.at))

    def _seen(self, positions: range, query: Query, moment: datetime) -> Iterator[Sighting]:
        """Yields the rows that the list shows at these positions, in order."""
        since = query.own_span.since
        for position in positions:
            if positions.step < 0 and since is not None and self._places[position].at < since:
                return
            sighting = self._sighting(position, moment)
            if sighting is not None and query.admits(sighting.state):
                yield sighting

    def _sighting(self, position: int, moment: datetime) -> Sighting | None:
        """Returns the row at this position at that moment, if it is there."""
        place = self._places[position]
        if place.since > moment or (place.until is not None and place.until <= moment):
            return None
        index = place.row.state_index_at(moment)
        return None if index is None else Sighting(self._account, place.row, index)


def _places(row: Row, own_time: str) -> list[_Place]:
    """Returns all places of one row, in order of time."""
    places: list[_Place] = []
    for since, state in row.states:
        at = state[own_time] or row.created
        assert isinstance(at, datetime)
        # a row is never listed before its time, and states are in order
        assert at <= since
        assert not places or places[-1].since < since
        if places and places[-1].at == at:
            continue
        if places:
            places[-1] = places[-1]._replace(until=since)
        places.append(_Place(at, row.sid, since, None, row))
    return places
