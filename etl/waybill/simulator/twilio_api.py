"""Twilio's lists as its API shows them at a moment: filtered, newest first, page by page. No sockets, no clock."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from waybill.simulator.telling import Told
from waybill.simulator.twilio import Row
from waybill.simulator.twilio_page import page_body
from waybill.simulator.twilio_query import OWN_TIME, InvalidQueryError, Query


class Sighting(NamedTuple):
    """A row in one of its states.

    :ivar account: whose list shows it
    :ivar index: of the state in `row.states`
    """

    account: str
    row: Row
    index: int

    @property
    def state(self) -> dict[str, object]:
        """How the row looks."""
        return self.row.states[self.index][1]

    @property
    def told(self) -> Told:
        """What it tells whoever sees it."""
        since, state = self.row.states[self.index]
        return Told(self.account, self.row.feed, since, state, self.row.tells(state))


class Page(NamedTuple):
    """One page.

    :ivar rows: newest first
    :ivar body: the same as the answer has it
    """

    rows: list[Sighting]
    body: bytes


class _Place(NamedTuple):
    """Where a row stands for a while: it moves when the time that orders the list becomes known.

    :ivar at: date_sent or start_time, until it is known date_created
    """

    at: datetime
    sid: str
    since: datetime
    until: datetime | None
    row: Row


class RowList:
    """The rows of one list, ready to be asked for any page at any moment.

    :param rows: of this account and feed

    Every place that a row ever has is in one sorted sequence, so a page costs what it shows, at any moment.
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
        """The page that is asked for, as it is at that moment.

        :raises InvalidQueryError: for a token that stands for no row
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
        return Page(found, page_body(link, [sighting.state for sighting in found], following, preceding))

    def _anchor(self, token: str, moment: datetime) -> int:
        """The position of the row that a token names, where it stands now."""
        if token[:2] in ("PA", "PB"):
            for position in self._positions.get(token[2:], ()):
                if self._sighting(position, moment) is not None:
                    return position
        raise InvalidQueryError("Invalid PageToken: expected one from a link of this list")

    def _first(self, query: Query, moment: datetime) -> int:
        """The position after the newest row that can be shown."""
        newest = bisect_right(self._places, moment, key=lambda place: place.at)
        before = query.own_span.before
        return newest if before is None else min(newest, bisect_left(self._places, before, key=lambda place: place.at))

    def _seen(self, positions: range, query: Query, moment: datetime) -> Iterator[Sighting]:
        """What the list shows at these positions, in their order."""
        since = query.own_span.since
        for position in positions:
            if positions.step < 0 and since is not None and self._places[position].at < since:
                return
            sighting = self._sighting(position, moment)
            if sighting is not None and query.admits(sighting.state):
                yield sighting

    def _sighting(self, position: int, moment: datetime) -> Sighting | None:
        """The row that stands there at that moment, if it does."""
        place = self._places[position]
        if place.since > moment or (place.until is not None and place.until <= moment):
            return None
        index = place.row.index_at(moment)
        return None if index is None else Sighting(self._account, place.row, index)


def _places(row: Row, own_time: str) -> list[_Place]:
    """All places of one row over time, in order of time."""
    places: list[_Place] = []
    for since, state in row.states:
        at = state[own_time] or row.created
        assert isinstance(at, datetime)
        # nothing is listed ahead of its time, and states follow each other
        assert at <= since
        assert not places or places[-1].since < since
        if places and places[-1].at == at:
            continue
        if places:
            places[-1] = places[-1]._replace(until=since)
        places.append(_Place(at, row.sid, since, None, row))
    return places
