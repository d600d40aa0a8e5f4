"""Suites: the rules of a table, as configurations for Great Expectations.

The standard rules follow from the columns of the table (`standard_rules`). The rules that only this table has are in
expectations/<suite>.sql, with an empty line between them. Each is a header and SQL.

    -- rule: parts_within_totals
    -- severity: critical
    -- description: Clicks by people are among all clicks.
    -- expect: every row
    human_click_count <= click_count
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import msgspec

from waybill.installed_files import EXPECTATIONS
from waybill.model.columns import Holds
from waybill.model.errors import ConfigurationError
from waybill.model.event import COLUMNS

_FIELD = re.compile(r"-- ([a-z ]+): (.*\n(?:--  .*\n)*)")
_COUNTED = re.compile(r"^(.*?) as (\w+)(?:,\n|\Z)", re.DOTALL | re.MULTILINE)
_FINDINGS = 20
"""The limit on the rows of a query: rows are only counted."""

_COLUMNS_THAT_HOLD = {
    "{texts}": (Holds.CODE, Holds.TEXT),
    "{ids}": (Holds.IDENTIFIER, Holds.LABEL),
    "{trees}": (Holds.TREE,),
}
"""What a rule writes for all columns of events that hold these kinds of text, so that it forgets none."""

_CONTROL = """
select measure, day
from (
    select counted.measure, {day} as day, sum(counted.found) as found
    from {{batch}}
    cross join lateral (values {counted}) as counted (measure, found)
    group by counted.measure, {day}
) as report
full join (select measure, day, expected from {{control}} where measure in ({measures})) as control
    using (measure, day)
where coalesce(found, 0) <> coalesce(expected, 0){condition}
"""
_FULL_BUILD = " and exists (select 1 from {control} where measure = 'recounted')"


@dataclass(frozen=True)
class Shape:
    """The columns of a table from which its standard rules follow.

    :ivar grain: the columns that identify a row; the local day is first, if there is one
    :ivar counts: columns that are never null or negative, and not all zero in one row
    :ivar rates: columns between 0 and 1, or null
    """

    grain: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()


NO_SHAPE = Shape()
"""For a table whose only standard rule is the row count."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"instead_of": "instead of"}):
    """One rule.

    :ivar severity: a critical rule stops the load or the build; a warning is only recorded and shown
    :ivar expect: the kind of `body`. every row: a condition, which null does not satisfy. no row: a query of wrong
        rows; it names the table {batch} and other tables {like_this}. control counts: expressions `as` measures of
        sql/reports/control.sql; their sums of each day must be equal. control counts of a full build: only checked
        when all days are built
    :ivar mostly: share of the rows that must satisfy the condition (0..1)
    :ivar instead_of: standard rules that this rule replaces, separated by commas
    """

    rule: Annotated[str, msgspec.Meta(pattern="^[a-z_]+$")]
    severity: Literal["critical", "warning"]
    description: Annotated[str, msgspec.Meta(min_length=1)]
    expect: Literal["every row", "no row", "control counts", "control counts of a full build"]
    body: Annotated[str, msgspec.Meta(min_length=1)]
    mostly: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    instead_of: str = ""


class Configuration(TypedDict):
    """A rule in the form that Great Expectations reads."""

    type: str
    kwargs: dict[str, object]
    meta: dict[str, str]
    severity: str
    description: str


def expectations(suite: str, shape: Shape) -> list[Configuration]:
    """Return the rules of a suite: first the standard rules, then those of its file.

    :raises ConfigurationError: the file is missing, or a rule in it is not complete
    """
    path = EXPECTATIONS / f"{suite}.sql"
    own = _rules_of_file(path)
    standard = {rule.rule: rule for rule in standard_rules(shape)}
    for rule in own:
        for name in filter(None, rule.instead_of.split(", ")):
            if standard.pop(name, None) is None:
                raise ConfigurationError(
                    f"{_named(path)}: {rule.rule} is instead of {name}, which is not a standard rule of this table."
                )
    rules = [*standard.values(), *own]
    names = ["row_count", *(rule.rule for rule in rules)]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{_named(path)}: two rules are called {name}. Rename one.")
    return [_ROW_COUNT, *(_expectation(rule, shape, path) for rule in rules)]


def standard_rules(shape: Shape) -> list[Rule]:
    """Return the rules that follow from the columns of a table."""
    found = []
    if shape.grain:
        grain = ", ".join(shape.grain)
        query = f"select {grain} from {{batch}} group by {grain} having count(*) > 1"
        found.append(_standard("grain_unique", "No two rows have the same grain.", "no row", query))
        present = "No dimension is null; a missing value is (none)."
        found.append(_standard("dimensions_present", present, "every row", _each("{} is not null", shape.grain)))
    if shape.counts:
        negative = "Counts are neither null nor negative."
        found.append(_standard("counts_not_negative", negative, "every row", _each("{} >= 0", shape.counts)))
        zero = "No row has only zeros."
        found.append(_standard("not_all_zero", zero, "every row", _each("{} <> 0", shape.counts, " or ")))
    if shape.rates:
        condition = _each("({0} is null or {0} between 0 and 1)", shape.rates)
        found.append(_standard("rates_in_range", "Rates are between 0 and 1.", "every row", condition))
    return found


_ROW_COUNT: Configuration = {
    "type": "expect_table_row_count_to_equal",
    "kwargs": {"value": {"$PARAMETER": "row_count"}},
    "meta": {"rule": "row_count"},
    "severity": "critical",
    "description": "The table has as many rows as were written to it.",
}


def _standard(name: str, description: str, expect: Literal["every row", "no row"], body: str) -> Rule:
    return Rule(rule=name, severity="critical", description=description, expect=expect, body=body)


def _each(condition: str, columns: Sequence[str], separator: str = " and ") -> str:
    return separator.join(condition.format(column) for column in columns)


@cache
def _rules_of_file(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a file. After its first comment, the file must contain nothing but rules."""
    try:
        about, *blocks = re.split(r"\n(?:[ ]*\n)+", path.read_text().strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{_named(path)} cannot be read: {type(error).__name__}.") from error
    if f"-- suite: {path.stem}" not in about.splitlines() or not all(line[:2] == "--" for line in about.splitlines()):
        raise ConfigurationError(f"{_named(path)} does not begin with a comment that contains `-- suite: {path.stem}`.")
    if not blocks:
        raise ConfigurationError(f"{_named(path)} has no rules.")
    return tuple(_rule(block, path) for block in blocks)


def _rule(block: str, path: Path) -> Rule:
    fields: dict[str, str] = {}
    rest = block + "\n"
    while (found := _FIELD.match(rest)) and found[1] not in {"body", *fields}:
        fields[found[1]] = " ".join(line.strip("- \n") for line in found[2].split("\n--"))
        rest = rest[found.end() :]
    try:
        if rest.startswith("--"):
            raise ValueError(f"{rest.splitlines()[0]!r} is not of the form `-- name: value`, or is repeated")
        return msgspec.convert(fields | {"body": _with_columns(rest.strip())}, Rule, strict=False)
    except ValueError as error:  # msgspec.ValidationError is a subclass
        raise ConfigurationError(
            f"{_named(path)}: rule {fields.get('rule', '')!r} is not complete: {error}. A rule is a header with rule, "
            "severity, description and expect, and then SQL without an empty line."
        ) from error


def _with_columns(body: str) -> str:
    """Return SQL with the names of columns for {texts}, {ids} and {trees}."""
    for written, kinds in _COLUMNS_THAT_HOLD.items():
        names = (f"{name}::text" for name, column in COLUMNS.items() if column.holds in kinds)
        body = body.replace(written, ", ".join(names))
    return body


def _expectation(rule: Rule, shape: Shape, path: Path) -> Configuration:
    kwargs: dict[str, object]
    if rule.expect == "every row":
        kind, kwargs = "expect_every_row_to_satisfy", {"condition": rule.body, "mostly": rule.mostly}
    else:
        query = rule.body if rule.expect == "no row" else _control_query(rule, shape, path)
        kind, kwargs = "expect_query_to_find_no_row", {"unexpected_rows_query": f"{query}\nlimit {_FINDINGS}"}
    return {
        "type": kind,
        "kwargs": kwargs,
        "meta": {"rule": rule.rule},
        "severity": rule.severity,
        "description": rule.description,
    }


def _control_query(rule: Rule, shape: Shape, path: Path) -> str:
    """Return a query of the measures and days on which the sums of a report differ from the control counts."""
    counted = _COUNTED.findall(rule.body)
    if not shape.grain or _COUNTED.sub("", rule.body).strip():
        raise ConfigurationError(
            f"{_named(path)}: {rule.rule}: control counts need a table with a local day, and lines `expression as "
            "measure`, separated by commas."
        )
    return _CONTROL.strip().format(
        day=shape.grain[0],
        counted=", ".join(f"('{measure}', {expression})" for expression, measure in counted),
        measures=", ".join(f"'{measure}'" for _, measure in counted),
        condition="" if rule.expect == "control counts" else _FULL_BUILD,
    )


def _named(path: Path) -> str:
    return f"expectations/{path.name}"
