"""Adds up the cells of a report, with what several reports share."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from waybill.simulator.truth.outcome import Message

Grain = tuple[object, ...]
Cells = Mapping[Grain, Mapping[str, int | Decimal | date | None]]
"""One report: grain (in the order of the report's key) to measures by column name."""

Day = Callable[[datetime], date]
"""The local day of an instant."""

SIX_PLACES = Decimal("0.000001")
THREE_PLACES = Decimal("0.001")


class Table:
    """Adds up the cells of one report."""

    def __init__(self, *measures: str) -> None:
        self.measures = measures
        self._cells: dict[Grain, dict[str, int | Decimal]] = {}

    def add(self, grain: Grain, measure: str, amount: int | Decimal = 1) -> None:
        row = self._cells.setdefault(grain, dict.fromkeys(self.measures, 0))
        row[measure] += amount

    def rows(self) -> dict[Grain, dict[str, int | Decimal]]:
        """Returns the rows, without those whose measures are all zero."""
        return {grain: row for grain, row in self._cells.items() if any(row.values())}


def sent(messages: Iterable[Message], channel: str) -> Iterator[tuple[Message, datetime]]:
    """Yields the sent messages of a channel, with the time of sending."""
    return ((m, m.sent_at) for m in messages if m.channel == channel and m.sent_at)


def rate(count: int | Decimal, of: int | Decimal) -> Decimal | None:
    """Returns six places, rounded half away from zero; None if there is nothing to divide by."""
    return (Decimal(count) / Decimal(of)).quantize(SIX_PLACES, ROUND_HALF_UP) if of else None


def seconds(wait: timedelta) -> Decimal:
    """Returns the seconds with three places, rounded half away from zero."""
    return (Decimal(wait // timedelta(microseconds=1)) / 1_000_000).quantize(THREE_PLACES, ROUND_HALF_UP)
