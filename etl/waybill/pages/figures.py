"""The numbers of the report pages: sums of report tables, each with what it is a sum of.

Every number on a page is a `Cell`. It names its columns, and its table and row name the report and the conditions; the
page has them as data attributes, so that a test reads every number of a page and computes it again.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.reports import catalogue

MOST_ROWS = 50
"""The most rows of a list; the page says how many more there are."""
MOST_PERIODS = 45
"""The most rows of a table by time: days, else weeks, else months."""
STILL_FILLING_DAYS = 3
"""Days before the last build whose deliveries are still being reported; opens take longer."""
NOTHING = "\N{EN DASH}"
"""What is shown for a missing value."""
_SIX_PLACES = Decimal("0.000001")

Sums = dict[str, Any]
"""The grouping columns and the sums of one row."""


class Scope(NamedTuple):
    """What a page covers: an account (None: all) and local days, both included."""

    account: str | None
    first_day: date
    last_day: date


class Cell(NamedTuple):
    """One number: its text, its exact value, the columns that are added up, and those that the sum is divided by."""

    text: str
    value: int | Decimal | None
    columns: str
    per: str = ""
    where: str = ""


class Measure(NamedTuple):
    """A column of a table: its heading, the columns that are added up, and those that the sum is divided by."""

    label: str
    columns: tuple[str, ...]
    per: tuple[str, ...] = ()

    def cell(self, row: Sums, where: Mapping[str, str] | None = None) -> Cell:
        """Return the number of a row. A rate without a denominator is shown as a dash."""
        found = [row.get(column, 0) for column in self.columns]
        value = None if None in found else sum(found)
        text = NOTHING if value is None else f"{value:,}"
        if self.per:
            of = sum(row.get(column, 0) for column in self.per)
            value = (Decimal(value or 0) / of).quantize(_SIX_PLACES, ROUND_HALF_UP) if of else None
            text = NOTHING if value is None else f"{value:.1%}"
        return Cell(text, value, " ".join(self.columns), " ".join(self.per), conditions(where or {}))


class Row(NamedTuple):
    """A row of a table: the texts that name it, the conditions on its rows of the report, and its numbers."""

    names: tuple[str, ...]
    where: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table of one report.

    :ivar names: the headings of the columns that name a row
    :ivar measures: what the numbers are, for the note below the table
    :ivar headings: the headings of the numbers
    :ivar more: how many rows are left out, in words; empty: none
    """

    caption: str
    report: str
    names: tuple[str, ...]
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    headings: tuple[str, ...] = ()
    more: str = ""
    notes: tuple[tuple[str, str], ...] = field(default=())

    def column(self, index: int) -> list[int]:
        """Return the numbers of a column, for a chart."""
        return [int(row.cells[index].value or 0) for row in self.rows]


class Period(NamedTuple):
    """A day, week or month of a table by time, cut to the days of the page."""

    first_day: date
    last_day: date
    name: str


def conditions(where: Mapping[str, str]) -> str:
    """Return conditions as a data attribute; no text without conditions."""
    return json.dumps(where, ensure_ascii=False, separators=(",", ":")) if where else ""


def sums(cursor: Cursor, scope: Scope, report: str, measures: Iterable[Measure], by: Sequence[str] = ()) -> list[Sums]:
    """Return the sums of a report in the scope, one row for each combination of the columns `by`, in their order."""
    found = catalogue.find(report)
    columns = dict.fromkeys(column for measure in measures for column in (*measure.columns, *measure.per))
    query = sql.SQL("select {listed} from {table} where (%(account)s::text is null or account = %(account)s)").format(
        listed=sql.SQL(", ").join(
            [
                *map(sql.Identifier, by),
                *(sql.SQL("sum({0}) as {0}").format(sql.Identifier(column)) for column in columns),
            ]
        ),
        table=sql.Identifier("report", report),
    )
    if found.day_column is not None:
        day = sql.Identifier(found.day_column)
        query += sql.SQL(" and {0} between %(first_day)s and %(last_day)s").format(day)
    if by:
        query += sql.SQL(" group by {0} order by {0}").format(sql.SQL(", ").join(map(sql.Identifier, by)))
    cursor.execute(query, scope._asdict())
    names = [*by, *columns]
    return [
        {name: int(value) if isinstance(value, Decimal) else value for name, value in zip(names, row, strict=True)}
        for row in cursor.fetchall()
    ]


def listed(
    cursor: Cursor,
    scope: Scope,
    report: str,
    caption: str,
    measures: tuple[Measure, ...],
    by: Mapping[str, str],
    worst: Sequence[str],
    words: Mapping[tuple[str, str], str] | None = None,
) -> Table:
    """Return a list of a report: the rows with the greatest sum of the columns `worst` first.

    :param by: grouping column to its heading
    :param words: what a word of a column means; it is shown in its place
    """
    rows = sums(cursor, scope, report, measures, tuple(by))
    rows.sort(key=lambda row: -sum(row[column] or 0 for column in worst))
    kept = rows[:MOST_ROWS]
    more = len(rows) - len(kept)
    return Table(
        caption,
        report,
        tuple(by.values()),
        measures,
        tuple(
            Row(
                tuple((words or {}).get((column, str(row[column])), str(row[column])) for column in by),
                conditions({column: str(row[column]) for column in by}),
                tuple(measure.cell(row) for measure in measures),
            )
            for row in kept
        ),
        tuple(measure.label for measure in measures),
        f"and {more:,} more" if more else "",
    )


def by_period(
    cursor: Cursor,
    scope: Scope,
    report: str,
    caption: str,
    measures: tuple[Measure, ...],
    only: Mapping[str, str] | None = None,
    still_filling: date | None = None,
) -> Table:
    """Return a report by time: each period of the scope, also without messages.

    :param only: the value of these columns
    :param still_filling: the first day whose results are still being reported
    """
    kept = dict(only or {})
    day_column = catalogue.find(report).day_column or ""
    days = [
        row
        for row in sums(cursor, scope, report, measures, (day_column, *kept))
        if all(row[column] == value for column, value in kept.items())
    ]
    periods, more = periods_of(scope)
    rows = []
    for period in periods:
        inside = [row for row in days if period.first_day <= row[day_column] <= period.last_day]
        columns = [column for measure in measures for column in (*measure.columns, *measure.per)]
        total = {column: sum(row[column] for row in inside) for column in columns}
        is_filling = still_filling is not None and period.last_day >= still_filling
        where = kept | {"from_day": str(period.first_day), "until_day": str(period.last_day)}
        rows.append(
            Row(
                (f"{period.name} (still filling)" if is_filling else period.name,),
                conditions(where),
                tuple(measure.cell(total) for measure in measures),
            )
        )
    return Table(caption, report, ("Day or period",), measures, tuple(rows), tuple(m.label for m in measures), more)


def periods_of(scope: Scope) -> tuple[list[Period], str]:
    """Return the days of the scope, or its weeks or months if there are too many; and what is left out, in words."""
    days = [scope.first_day + timedelta(days=n) for n in range((scope.last_day - scope.first_day).days + 1)]
    if len(days) <= MOST_PERIODS:
        return [Period(day, day, f"{day}") for day in days], ""
    if len({day.isocalendar()[:2] for day in days}) <= MOST_PERIODS:
        groups = _grouped(days, lambda day: "{}-W{:02}".format(*day.isocalendar()[:2]))
    else:
        groups = _grouped(days, lambda day: f"{day:%Y-%m}")
    more = len(groups) - MOST_PERIODS
    return groups[-MOST_PERIODS:], f"and {more:,} earlier months" if more > 0 else ""


def _grouped(days: Sequence[date], name_of: Callable[[date], str]) -> list[Period]:
    groups: dict[str, list[date]] = {}
    for day in days:
        groups.setdefault(name_of(day), []).append(day)
    return [Period(group[0], group[-1], name) for name, group in groups.items()]
