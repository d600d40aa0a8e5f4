"""Applies the difference between a report and its candidate: only rows that differ are written."""

from collections.abc import Sequence
from datetime import date

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts.live_counts import LiveTable
from waybill.reports.catalogue import Report

# The same three statements for every report. The columns of the grain identify a row and are never null.
_DELETE = """
delete from {report} as published
where
    {is_built}
    and not exists (select 1 from {candidate} as candidate where {same_grain})
"""

_UPDATE = """
update {report} as published
set {assignments}
from {candidate} as candidate
where
    {is_built}
    and {same_grain}
    and ({published_measures}) is distinct from ({candidate_measures})
"""

_INSERT = """
insert into {report} ({columns})
select {candidate_columns}
from {candidate} as candidate
where not exists (select 1 from {report} as published where {same_grain})
order by {candidate_grain}
"""


def apply_difference(cursor: Cursor, report: Report | LiveTable, candidate: str, days: Sequence[date] | None) -> int:
    """Make the rows of these days in the report equal to the candidate; returns how many rows were written.

    :param candidate: schema and name of a table with exactly the rows of `days`
    :param days: the local days that were built; None: all
    """

    def listed(alias: str, columns: Sequence[str]) -> sql.Composable:
        return sql.SQL(", ").join(sql.Identifier(alias, column) for column in columns)

    def pairs(template: str, columns: Sequence[str], separator: str) -> sql.Composable:
        return sql.SQL(separator).join(sql.SQL(template).format(column=sql.Identifier(column)) for column in columns)

    parts = {
        "report": sql.Identifier(*report.table.split(".")),
        "candidate": sql.Identifier(*candidate.split(".")),
        "is_built": sql.SQL("true" if days is None else "published.{} = any (%(days)s::date[])").format(
            sql.Identifier(report.grain[0])
        ),
        "same_grain": pairs("candidate.{column} = published.{column}", report.grain, " and "),
        "assignments": pairs("{column} = candidate.{column}", report.measures, ", "),
        "columns": sql.SQL(", ").join(map(sql.Identifier, report.columns)),
        "candidate_columns": listed("candidate", report.columns),
        "candidate_grain": listed("candidate", report.grain),
        "published_measures": listed("published", report.measures),
        "candidate_measures": listed("candidate", report.measures),
    }
    parameters = {"days": list(days or ())}
    written = 0
    for statement in (_DELETE, _UPDATE, _INSERT):
        cursor.execute(sql.SQL(statement).format(**parts), parameters)
        written += cursor.rowcount
    return written
