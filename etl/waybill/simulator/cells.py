"""The cells of a report, as they are added up, and what the definitions of several reports share."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from waybill.simulator.outcome import Message

Cells = dict[tuple, dict[str, object]]
"""One report: grain (in the order of section 7) to measures by column name."""

Day = Callable[[datetime], date]
"""The local day of an instant."""

SIX_PLACES = Decimal("0.000001")
THREE_PLACES = Decimal("0.001")


class Table:
    """Adds up the cells of one report."""

    def __init__(self, *measures: str) -> None:
        self.measures = measures
        self.cells: Cells = {}

    def add(self, grain: tuple, measure: str, amount: int | Decimal = 1) -> None:
        row = self.cells.setdefault(grain, dict.fromkeys(self.measures, 0))
        row[measure] += amount

    def rows(self) -> Cells:
        """Rows whose measures are all zero do not exist."""
        return {grain: row for grain, row in self.cells.items() if any(row.values())}


def sent(messages: Iterable[Message], channel: str) -> list[Message]:
    return [m for m in messages if m.channel == channel and m.sent_at]


def rate(count: int, of: int) -> Decimal | None:
    """Six places, rounded half away from zero; none of nothing."""
    return (Decimal(count) / Decimal(of)).quantize(SIX_PLACES, ROUND_HALF_UP) if of else None


def seconds(wait: timedelta) -> Decimal:
    """Three places, rounded half away from zero."""
    return (Decimal(wait // timedelta(microseconds=1)) / 1_000_000).quantize(THREE_PLACES, ROUND_HALF_UP)
