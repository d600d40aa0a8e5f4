"""The rows that the suite of a report passes and refuses."""

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
    """A candidate that passes, and what makes each rule fail. Standard rules need no rows here, but may have some.

    :ivar rows: two rows, of two days; the measures left out are 0
    :ivar control: the counts that it is held against
    :ivar others: rows of the candidates of other reports that it is held against
    :ivar bad: rule to changes of the first good row. Those of counts keep every other sum as it is
    :ivar added: rule to rows that are added, where a change of the first one would break a sum as well
    :ivar also: rule to the rules that its bad row breaks as well: the row is missing where it belongs
    :ivar half: what a row says that, written twice, is the first good one: of reports held against other reports
    """

    rows: tuple[Row, Row]
    control: tuple[Row, ...]
    others: Mapping[str, tuple[Row, ...]] = NOTHING
    bad: Mapping[str, list[Row]] = NOTHING
    added: Mapping[str, list[Row]] = NOTHING
    also: Mapping[str, set[str]] = NOTHING
    half: Row = NOTHING


def row(name: str, **values: object) -> dict[str, object]:
    """A row of a report: texts x, counts 0, rates and percentiles null, unless said otherwise."""
    report = find(name)
    dimensions = dict.fromkeys(report.grain[1:], "x")
    measures = {measure: None if measure.endswith(NULLABLE) else 0 for measure in report.measures}
    return {report.grain[0]: D1, **dimensions, **measures, **values}


def counted(measure: str, day: date, count: int) -> dict[str, object]:
    """A control count."""
    return {"measure": measure, "day": day, "expected": count}
