"""Reads a report as a DataFrame of pandas, for notebooks."""

from contextlib import AbstractContextManager, nullcontext
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.model.errors import UsageError
from waybill.reports.catalogue import find
from waybill.reports.show import show
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connected, warehouse_url

if TYPE_CHECKING:
    import pandas


def read(
    name: str,
    from_day: date | str | None = None,
    until_day: date | str | None = None,
    account: str | None = None,
    connection: Connection | None = None,
) -> "pandas.DataFrame":
    """Return the rows of a report, in the order of its grain, with exact types: dates, decimals, times in UTC.

    `attrs["comment"]` says what a row of the report is, and `attrs["columns"]` what each column is.

    :param name: a report of `waybill report list`
    :param from_day: the first local day (a date, or its text YYYY-MM-DD); None: from the beginning
    :param until_day: the last local day, included; None: to the end
    :param account: only this account; None: all
    :param connection: a connection to the warehouse; None: the warehouse of the settings (WAREHOUSE_URL)
    :raises UsageError: there is no such report, a day is not a date, or days are given for a report without days
    """
    import pandas

    found = find(name)
    only = {} if account is None else {"account": account}
    stream = BytesIO()
    with _session(connection) as session:
        show(session, name, _day(from_day), _day(until_day), "parquet", stream, only=only)
        with session, session.cursor() as cursor:
            cursor.execute(
                "select a.attname, col_description(a.attrelid, a.attnum) from pg_attribute as a"
                " where a.attrelid = %(table)s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
                {"table": found.table},
            )
            comments = dict(cursor.fetchall())
            cursor.execute("select obj_description(%s::regclass, 'pg_class')", (found.table,))
            (comment,) = cursor.fetchall()[0]
    stream.seek(0)
    frame = pandas.read_parquet(stream, dtype_backend="pyarrow")
    frame.attrs = {"report": name, "comment": comment, "columns": comments}
    return frame


def _session(connection: Connection | None) -> AbstractContextManager[Connection]:
    if connection is not None:
        return nullcontext(connection)
    return connected(warehouse_url(Settings.from_environment()), REPORTER, "waybill:read")


def _day(day: date | str | None) -> date | None:
    if not isinstance(day, str):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise UsageError(f"{day!r} is not a day: expected a date, or its text YYYY-MM-DD.") from None
