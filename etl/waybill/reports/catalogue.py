"""The reports: their names, grains and measures, read once in a process.

Each report that builds write has a SQL file in sql/reports, whose header names its grain. Columns and their types come
from the column contract, sql/reports/columns.json, which `make docs` writes from the tables and views of the database.
So no warehouse is needed to list the reports.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import msgspec

from waybill.installed_files import SQL
from waybill.model.bounds import LONGEST_KEY_BYTES
from waybill.model.errors import UsageError
from waybill.quality.suites import Shape

CONTROL = "control"
"""The candidate with the control counts; it is never published."""

CONTRACT = SQL / "reports" / "columns.json"
"""The columns of each report, in order and with their types."""

COMMENTS = SQL / "reports" / "comments.json"
"""What each report is, in the words of the database; `make docs` writes it, too."""


@dataclass(frozen=True)
class Report:
    """One report.

    :ivar grain: the columns that identify a row; the first is the local day by which it is rebuilt
    :ivar measures: the other columns, in order
    :ivar types: the type of each column, in the notation of Postgres
    :ivar comment: what the report is, in sentences
    :ivar is_built: whether it is a table that builds write; otherwise it is a view
    :ivar is_live: whether it is a view that changes with every load
    :ivar is_total: whether it is a view that adds up rows of a table that builds write
    :ivar is_detail: whether it is a view with one row per message
    """

    name: str
    grain: tuple[str, ...]
    measures: tuple[str, ...]
    types: Mapping[str, str] = field(hash=False)
    comment: str
    is_built: bool = True
    is_live: bool = False
    is_total: bool = False
    is_detail: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.grain + self.measures

    @property
    def sentence(self) -> str:
        """The first sentence of the comment."""
        return re.split(r"(?<=[.]) ", self.comment)[0]

    @property
    def counts(self) -> tuple[str, ...]:
        """The measures that depend only on the loaded records, not on the time of loading."""
        return tuple(measure for measure in self.measures if not measure.endswith("_as_of"))

    @property
    def shape(self) -> Shape:
        """The columns for its standard rules: counts are bigint, names of rates end in _rate."""
        return Shape(
            self.grain,
            tuple(measure for measure in self.measures if self.types[measure] == "bigint"),
            tuple(measure for measure in self.measures if measure.endswith("_rate")),
        )

    @property
    def table(self) -> str:
        return f"report.{self.name}"

    @property
    def day_column(self) -> str | None:
        """The column with the local day by which `show` selects rows; None if the report has no days."""
        if self.is_detail:
            return "sent_day"
        return self.grain[0] if self.types[self.grain[0]] == "date" else None

    @property
    def columns_of_a_table(self) -> tuple[str, ...]:
        """The columns of the format `table`: not the timeline, which is long."""
        return tuple(column for column in self.columns if column != "timeline")

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which `show` sorts: messages by time, unsent messages last."""
        return ("sent_at", *self.grain) if self.is_detail else self.grain


_GRAIN_OF_TOTALS = {
    "account_daily": ("targeted_day", "account", "channel"),
    "campaign_summary": ("account", "campaign_id", "channel"),
}
_GRAIN_OF_VIEWS = _GRAIN_OF_TOTALS | {
    "live_monitoring": ("account", "campaign_id", "channel"),
    "live_monitoring_reason": ("account", "campaign_id", "channel", "category", "reason"),
    "build": ("build_id",),
    "freshness": ("account", "feed"),
}
_GRAIN_OF_DETAIL_VIEWS = ("message_key",)


@cache
def all_reports() -> tuple[Report, ...]:
    """Return every report, in the order of the column contract."""
    contract = msgspec.json.decode(CONTRACT.read_bytes(), type=dict[str, dict[str, str]])
    comments = msgspec.json.decode(COMMENTS.read_bytes(), type=dict[str, str])
    return tuple(_report(name, types, comments[name]) for name, types in contract.items())


def built_reports() -> tuple[Report, ...]:
    return tuple(report for report in all_reports() if report.is_built)


def counted_reports() -> tuple[Report, ...]:
    """Return the reports whose counts depend only on the loaded records."""
    return tuple(report for report in all_reports() if report.is_built or report.is_live or report.is_total)


def _report(name: str, types: dict[str, str], comment: str) -> Report:
    is_built = (SQL / "reports" / f"{name}.sql").is_file()
    grain = _grain_of_header(name) if is_built else _GRAIN_OF_VIEWS.get(name, _GRAIN_OF_DETAIL_VIEWS)
    return Report(
        name,
        grain,
        tuple(column for column in types if column not in grain),
        types,
        comment,
        is_built=is_built,
        is_live=name.startswith("live_"),
        is_total=name in _GRAIN_OF_TOTALS,
        is_detail=grain == _GRAIN_OF_DETAIL_VIEWS,
    )


def _grain_of_header(name: str) -> tuple[str, ...]:
    """Return the columns in the line `-- grain:` of a report's SQL: the primary key of its table."""
    (grain,) = re.findall(r"^-- grain: (.*)$", statement(name), re.MULTILINE)
    return tuple(grain.split(", "))


def find(name: str) -> Report:
    """Return the report of that name. Raises UsageError, which lists the names, if there is none."""
    by_name = {report.name: report for report in all_reports()}
    if name in by_name:
        return by_name[name]
    names = ", ".join(by_name)
    raise UsageError(f"There is no report {name!r}. Reports: {names}.")


@cache
def statement(name: str) -> str:
    """Return the SELECT of a report (or of CONTROL), with the parameters `days` and `report_timezone`."""
    return (SQL / "reports" / f"{name}.sql").read_text()


@cache
def bounded_statement(name: str) -> str:
    """Return the same SELECT, with texts of the key shortened if they are too long for an index; a digest at their end
    keeps them different. An older release may have loaded such texts, and they must not stop a build."""
    report = next((report for report in built_reports() if report.name == name), None)
    if report is None or not LONGEST_KEY_BYTES.keys() & set(report.grain):
        return statement(name)
    columns = ", ".join(_bounded(column) if column in report.grain else column for column in report.columns)
    return f"select {columns} from (\n{statement(name)}\n) as report"


def _bounded(column: str) -> str:
    longest = LONGEST_KEY_BYTES.get(column)
    if longest is None:
        return column
    kept = longest // 4 - 40  # a character has up to four bytes; the digest needs room too
    cut = f"left({column}, {kept}) || '…' || md5({column})"
    return f"case when octet_length({column}) > {longest} then {cut} else {column} end as {column}"
