"""Lands the dispatch log of a database: one object for each day of its watermark column, as lines of JSON.

A day whose rows did not change gives the same bytes, which are not loaded again. So a pull reads only the last days,
and a row that is written late only makes its own day new.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import msgspec

from waybill.feeds.base import Feed
from waybill.feeds.dispatch.log import REQUIRED
from waybill.landing.objects import LandedObject, land
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.settings import DispatchTable, Settings

if TYPE_CHECKING:
    from sqlalchemy import Column, Select, Table

ROWS_PER_OBJECT = 200_000


def landed_table(
    settings: Settings,
    feed: Feed,
    account: str,
    table: DispatchTable,
    since: date | None = None,
    needs_days: bool = False,
) -> Iterator[LandedObject]:
    """Land a table or view, in a stable order.

    :param since: only the rows of this day of the watermark and later ones, and rows without a watermark; None: all
    :param needs_days: whether the watermark must be a time. Without days, each new row makes the whole table new
    :raises UsageError: the feed is not the dispatch log
    :raises ConfigurationError: DISPATCH_LOG_URL is not set; or the watermark is needed, and is not a time
    :raises SourceError: the table cannot be read, or lacks a column
    """
    if feed.slug != "dispatch_log":
        raise UsageError(f"{table.path}: only the dispatch_log can be read from a SQL table.")
    if settings.dispatch_log_url is None:
        raise ConfigurationError(
            "DISPATCH_LOG_URL is not set: the SQLAlchemy URL of the database that holds the dispatch log, for example "
            "postgresql+psycopg2://reader@host/campaigns."
        )
    import sqlalchemy  # slow to import, and only needed here

    try:
        engine = sqlalchemy.create_engine(settings.dispatch_log_url)
        with engine.connect().execution_options(stream_results=True) as connection:
            source = sqlalchemy.Table(table.name, sqlalchemy.MetaData(), schema=table.schema, autoload_with=connection)
            rows = connection.execute(_query(source, feed, table, since, needs_days))
            for day, of_day in groupby(rows, key=lambda row: _day(row[0])):
                number = 0
                while part := list(islice(of_day, ROWS_PER_OBJECT)):
                    number += 1
                    lines = b"".join(_line(row._mapping.items()) for row in part)
                    named = f"{table.path} {day or 'without a day'}" + (f", part {number}" if number > 1 else "")
                    yield land(BytesIO(lines), account, feed.slug, settings.landing_url, source=named)
        engine.dispose()
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().split("\n", 1)[0]
        raise SourceError(f"Cannot read {table.path} of DISPATCH_LOG_URL: {reason}.") from None
    except (TypeError, ValueError):  # SQLite stores any value in any column; the error may contain the value
        raise SourceError(
            f"Cannot read {table.path} of DISPATCH_LOG_URL: a value does not have the type of its column."
        ) from None


def _query(source: "Table", feed: Feed, table: DispatchTable, since: date | None, needs_days: bool) -> "Select[Any]":
    """Return the SELECT of the watermark and the columns of the log, in an order that depends on nothing else."""
    import sqlalchemy

    by_name = {column.name.strip().lower(): column for column in source.columns}
    names = [name for name in feed.record_type.__struct_fields__ if name in by_name]
    if missing := sorted(set(REQUIRED) - set(names)):
        raise SourceError(f"{table.path} lacks the columns {', '.join(missing)}.")
    if (watermark := by_name.get(table.watermark.lower())) is None:
        raise ConfigurationError(f"DISPATCH_LOG_WATERMARK: {table.path} has no column {table.watermark}.")
    first = [name for name in REQUIRED if name != "channel"]
    columns = [by_name[name].label(name) for name in (*first, *(name for name in names if name not in first))]
    query = sqlalchemy.select(watermark.label(_WATERMARK), *columns).order_by(watermark, *columns)
    if since is None and not needs_days:
        return query
    start = _start_of(since or date.min, watermark, table)
    if since is None:
        return query
    return query.where(sqlalchemy.or_(watermark >= start, watermark.is_(None)))


_WATERMARK = "waybill_watermark"


def _start_of(day: date, watermark: "Column[Any]", table: DispatchTable) -> date:
    """Return the start of a day, in the type of the column."""
    import sqlalchemy

    if isinstance(watermark.type, sqlalchemy.Date):
        return day
    if isinstance(watermark.type, sqlalchemy.DateTime):
        return datetime.combine(day, time.min, UTC if watermark.type.timezone else None)
    raise ConfigurationError(
        f"DISPATCH_LOG_WATERMARK: {table.watermark} of {table.path} is {watermark.type!r}, not a time. Name the column "
        "with the time of the insert."
    )


def _day(watermark: object) -> date | None:
    """Return the day of a watermark: in UTC, or as written if it has no zone."""
    if isinstance(watermark, datetime):
        return (watermark.astimezone(UTC) if watermark.tzinfo else watermark).date()
    return watermark if isinstance(watermark, date) else None


def _line(row: Iterable[tuple[object, object]]) -> bytes:
    """Return a row as JSON, with times in ISO 8601 (a naive time stays naive)."""
    plain = {
        str(name): value.isoformat()
        if isinstance(value, datetime | date)
        else str(value)
        if isinstance(value, Decimal)
        else value
        for name, value in row
        if value is not None and name != _WATERMARK
    }
    return msgspec.json.encode(plain, order="sorted") + b"\n"
