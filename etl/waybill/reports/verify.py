"""Verify: derives legs, messages, live monitoring and reports again, and compares them with the stored rows.

It reads one snapshot and writes nothing, so it may run at any time, also during loads and builds.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts.refold import refold
from waybill.model.errors import ConfigurationError
from waybill.reports import candidates, live
from waybill.reports.catalogue import bounded_statement, built_reports
from waybill.warehouse.queries import columns_of, only_row, only_value

log = logging.getLogger("waybill.reports")

JsonRow = dict[str, object]

EXAMPLES = 5
_PLANNING = "set local work_mem = '128MB'"


@dataclass(frozen=True)
class Finding:
    """The comparison of one table.

    :ivar table: schema and name
    :ivar compared: number of rows that are stored or expected
    :ivar missing: number of expected rows that are not stored
    :ivar surplus: number of stored rows that are not expected
    :ivar different: number of rows with other values than expected
    :ivar examples: some of those rows, each {"row": its key, "column": [stored, expected]}, with only the columns that
        differ; null stands for a row that does not exist
    """

    table: str
    compared: int
    missing: int = 0
    surplus: int = 0
    different: int = 0
    examples: tuple[JsonRow, ...] = ()

    @property
    def is_equal(self) -> bool:
        return not (self.missing or self.surplus or self.different)


@dataclass(frozen=True)
class Verification:
    """The result of verify.

    :ivar findings: one for each table, facts first
    :ivar pending_days: how many local days wait to be rebuilt; their report rows were not compared
    """

    findings: tuple[Finding, ...]
    pending_days: int

    @property
    def is_equal(self) -> bool:
        return all(finding.is_equal for finding in self.findings)


def verify(connection: Connection) -> Verification:
    """Derive everything again and compare.

    :param connection: a new connection that acts as waybill_reporter
    :raises ConfigurationError: the zone of the reports is not that of the facts
    """
    connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_PLANNING)
            zone = _zone(cursor)
            log.info("deriving legs and messages from all events")
            refold(cursor, zone)
            findings = [
                _compare(cursor, "fact.leg", "leg_after", ("leg_key",), columns_of(cursor, "fact.leg")),
                _compare(cursor, "fact.message", "message_after", ("message_key",), columns_of(cursor, "fact.message")),
            ]
            log.info("counting messages for live monitoring, and joins")
            live.derive(cursor)
            for table in live.RECOUNTED:
                findings.append(_compare(cursor, table.table, table.name, table.grain, table.columns))
            pending = candidates.pending_days(cursor)
            for report in built_reports():
                log.info("deriving %s", report.name, extra={"report": report.name})
                _derive(cursor, report.name, zone)
                findings.append(
                    _compare(cursor, report.table, report.name, report.grain, report.columns, report.day_column)
                )
            return Verification(tuple(findings), len(pending))
    finally:
        connection.rollback()


def _zone(cursor: Cursor) -> str:
    cursor.execute("select value from ops.setting where name = 'report_timezone'")
    zone = only_value(cursor, str)
    cursor.execute("select report_timezone from ops.build where status = 'published' order by build_id desc limit 1")
    built = cursor.fetchone()
    if built is not None and built[0] != zone:
        raise ConfigurationError(
            f"The reports were built in the zone {built[0]}, but the local days of the facts are in {zone}: a change "
            "of the zone was not finished. Run `waybill report rebuild --full`, then verify."
        )
    return zone


def _derive(cursor: Cursor, report: str, zone: str) -> None:
    cursor.execute(
        sql.SQL("create temporary table {} on commit drop as {}").format(
            sql.Identifier(report), sql.SQL(bounded_statement(report))
        ),
        {"days": None, "report_timezone": zone},
    )


_COMPARE = """
select
    count(*) as compared,
    count(*) filter (where stored.{key} is null) as missing,
    count(*) filter (where expected.{key} is null) as surplus,
    count(*) filter (where {is_different}) as different
from (select {columns} from {stored} where {is_due}) as stored
full join (select {columns} from {expected} where {is_due}) as expected on {same_key}
"""
_EXAMPLES = """
select to_jsonb(stored), to_jsonb(expected)
from (select {columns} from {stored} where {is_due}) as stored
full join (select {columns} from {expected} where {is_due}) as expected on {same_key}
where stored.{key} is null or expected.{key} is null or {is_different}
order by {order}
limit %(limit)s
"""


def _compare(
    cursor: Cursor, stored: str, expected: str, key: Sequence[str], columns: Sequence[str], day: str | None = None
) -> Finding:
    """Compare a table with a temporary one.

    :param key: the columns that identify a row; never null
    :param day: the column with the local day: rows of days that wait to be rebuilt are not compared; None: all are
    """

    def listed(alias: str, names: Sequence[str]) -> sql.Composable:
        return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)

    same_key = sql.SQL(" and ").join(
        sql.SQL("stored.{name} = expected.{name}").format(name=sql.Identifier(name)) for name in key
    )
    parts = {
        "stored": sql.Identifier(*stored.split(".")),
        "expected": sql.Identifier("pg_temp", expected),
        "key": sql.Identifier(key[0]),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "same_key": same_key,
        "is_different": sql.SQL("{same_key} and ({stored}) is distinct from ({expected})").format(
            same_key=same_key, stored=listed("stored", columns), expected=listed("expected", columns)
        ),
        "is_due": sql.SQL("true")
        if day is None
        else sql.SQL("{} not in (select day from ops.changed_day)").format(sql.Identifier(day)),
        "order": sql.SQL(", ").join(
            sql.SQL("coalesce(stored.{name}, expected.{name})").format(name=sql.Identifier(name)) for name in key
        ),
    }
    cursor.execute(sql.SQL(_COMPARE).format(**parts))
    compared, missing, surplus, different = only_row(cursor)
    examples = []
    if missing or surplus or different:
        cursor.execute(sql.SQL(_EXAMPLES).format(**parts), {"limit": EXAMPLES})
        examples = [_example(key, *row) for row in cursor.fetchall()]
    return Finding(stored, compared, missing, surplus, different, tuple(examples))


def _example(key: Sequence[str], stored: JsonRow | None, expected: JsonRow | None) -> JsonRow:
    row = stored or expected or {}
    example: JsonRow = {"row": {name: row[name] for name in key}}
    for name in row:
        pair = [stored and stored[name], expected and expected[name]]
        if pair[0] != pair[1]:
            example[name] = pair
    return example
