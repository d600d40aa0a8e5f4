"""Creates tables for the tests of suites and validates them."""

from collections.abc import Mapping, Sequence

from psycopg2 import sql
from psycopg2.extras import Json

from tests.conftest import Warehouse
from waybill.quality import gate
from waybill.quality.gate import Outcome, Subject
from waybill.quality.suites import NO_SHAPE, Shape, expectations

Row = Mapping[str, object]


def rules_of(suite: str, shape: Shape = NO_SHAPE) -> list[str]:
    """Return the names of the rules of a suite, in order."""
    return [rule["meta"]["rule"] for rule in expectations(suite, shape)]


def make(warehouse: Warehouse, table: str, columns: str, rows: Sequence[Row]) -> None:
    """Create staging.<table> again and fill it. It has the columns of `select <columns> ...`, all nullable."""
    connection = warehouse.connect("waybill_owner")
    with connection, connection.cursor() as cursor:
        name = sql.Identifier("staging", table)
        cursor.execute(sql.SQL("drop table if exists {}").format(name))
        cursor.execute(sql.SQL("create table {} as " + columns + " with no data").format(name))
        for row in rows:
            cursor.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    name,
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                ),
                [Json(value) if isinstance(value, dict) else value for value in row.values()],
            )
    connection.close()


def validate(warehouse: Warehouse, subject: Subject) -> Outcome:
    (outcome,) = gate.validate(lambda: warehouse.connect("waybill_owner"), [subject])
    assert not any(rule.is_broken for rule in outcome.rules), outcome.rules
    return outcome


def failed(outcome: Outcome) -> list[str]:
    return [rule.rule for rule in outcome.rules if not rule.success]
