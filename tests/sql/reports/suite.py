"""Candidates that pass or fail the suite of a report."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from tests.expectations.tables import Row
from waybill.reports.catalogue import find

D1, D2 = date(2026, 3, 2), date(2026, 3, 3)
NULLABLE = ("_rate", "_p50_seconds", "_p90_seconds", "_p99_seconds")
RECOUNTED = {"measure": "recounted", "day": None, "expected": 1}
NOTHING: Mapping = MappingProxyType({})


class Suite(NamedTuple):
    """A candidate that passes, and the rows that make each rule fail. Standard rules may have rows, but need none.

    :ivar rows: two rows of two days; omitted measures are 0
    :ivar control: the control counts with which it is compared
    :ivar others: rows of the candidates of other reports with which it is compared
    :ivar bad: for each rule, changes of the first row. Changes of counts do not change any other sum
    :ivar added: for each rule, additional rows, if a change of the first row would break a sum too
    :ivar also: for each rule, the other rules that its bad row breaks, because the good row is missing
    :ivar half: changes that make the first row half of itself, so that two of it are equal to the first row
    """

    rows: tuple[Row, Row]
    control: tuple[Row, ...]
    others: Mapping[str, tuple[Row, ...]] = NOTHING
    bad: Mapping[str, list[Row]] = NOTHING
    added: Mapping[str, list[Row]] = NOTHING
    also: Mapping[str, set[str]] = NOTHING
    half: Row = NOTHING


def row(name: str, **values: object) -> dict[str, object]:
    """Return a row of a report; by default, texts are x, counts 0, rates and percentiles null."""
    report = find(name)
    dimensions = dict.fromkeys(report.grain[1:], "x")
    measures = {measure: None if measure.endswith(NULLABLE) else 0 for measure in report.measures}
    return {report.grain[0]: D1, **dimensions, **measures, **values}


def counted(measure: str, day: date, count: int) -> dict[str, object]:
    """Return a control count."""
    return {"measure": measure, "day": day, "expected": count}
