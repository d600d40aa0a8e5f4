"""Lands the bytes of a load from files and folders, the inbox, or a SQL table."""

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import msgspec

from waybill.feeds.base import Feed
from waybill.landing import inbox
from waybill.landing.entries import Entry, OpenFile, UnreadableError, entries_of
from waybill.landing.objects import LandedObject, land
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.settings import Settings

TABLE = re.compile(r"table:(?:(?P<schema>\w+)\.)?(?P<name>\w+)")
ROWS_PER_OBJECT = 200_000


Landed = LandedObject | SourceError
"""A landed file, or why it could not be read: a bad file must not block the others."""

log = logging.getLogger("waybill.landing")


def landed_paths(settings: Settings, feed: Feed, account: str, paths: list[str]) -> Iterator[Landed]:
    """Land all files of paths. A folder gives all files below it, `table:schema.name` a SQL table of
    DISPATCH_LOG_URL."""
    for path in paths:
        if path.startswith("table:"):
            yield from _landed_table(settings, feed, account, path)
        else:
            yield from _landed(settings, feed, account, entries_of(path))


def landed_inbox(settings: Settings, feed: Feed, account: str | None) -> Iterator[Landed]:
    """Land all files in INBOX_URL/<account>/<feed>/, of one account or of all. Raises as `inbox.accounts`."""
    for name in inbox.accounts(settings, feed, account):
        yield from _landed(settings, feed, name, inbox.entries(settings, feed, name))


def _landed(settings: Settings, feed: Feed, account: str, entries: Iterator[Entry]) -> Iterator[Landed]:
    for entry in entries:
        if isinstance(entry, OpenFile):
            try:
                yield land(entry.stream, account, feed.slug, settings.landing_url, source=entry.shown)
            except UnreadableError as error:
                yield error
        elif entry.may_hold_records:
            yield SourceError(str(entry))
        else:
            log.warning("%s.", entry, extra={"feed": feed.slug, "account": account, "step": "pull"})


def _landed_table(settings: Settings, feed: Feed, account: str, path: str) -> Iterator[LandedObject]:
    """Land a SQL table as NDJSON in a stable order, so that an unchanged table gives the same objects."""
    match = TABLE.fullmatch(path)
    if match is None:
        raise UsageError(f"{path}: expected table:NAME or table:SCHEMA.NAME.")
    if feed.slug != "dispatch_log":
        raise UsageError(f"{path}: only the dispatch_log can be read from a SQL table.")
    if settings.dispatch_log_url is None:
        raise ConfigurationError(
            "DISPATCH_LOG_URL is not set: the SQLAlchemy URL of the database that holds the dispatch log, for example "
            "postgresql+psycopg2://reader@host/campaigns."
        )
    import sqlalchemy  # slow to import, and only needed here

    try:
        engine = sqlalchemy.create_engine(settings.dispatch_log_url)
        with engine.connect().execution_options(stream_results=True) as connection:
            table = sqlalchemy.Table(
                match["name"], sqlalchemy.MetaData(), schema=match["schema"], autoload_with=connection
            )
            missing = [name for name in feed.record_type.__struct_fields__ if name not in table.columns]
            required = {"dispatch_id", "occurred_at", "channel", "status"}
            if required & set(missing):
                raise SourceError(f"{path} lacks the columns {', '.join(sorted(required & set(missing)))}.")
            columns = [table.columns[n] for n in feed.record_type.__struct_fields__ if n in table.columns]
            first = [table.columns.occurred_at, table.columns.dispatch_id, table.columns.status]
            order = first + [column for column in columns if column not in set(first)]
            result = connection.execute(sqlalchemy.select(*columns).order_by(*order))
            for partition in result.mappings().partitions(ROWS_PER_OBJECT):
                lines = b"".join(msgspec.json.encode(_plain(row.items()), order="sorted") + b"\n" for row in partition)
                yield land(BytesIO(lines), account, feed.slug, settings.landing_url)
        engine.dispose()
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().split("\n", 1)[0]
        raise SourceError(f"Cannot read {path} of DISPATCH_LOG_URL: {reason}.") from None


def _plain(row: Iterable[tuple[object, object]]) -> dict[str, object]:
    """Return a row for JSON, with times in ISO 8601 (a naive time stays naive, and its record is rejected)."""
    return {
        str(name): value.isoformat()
        if isinstance(value, datetime | date)
        else str(value)
        if isinstance(value, Decimal)
        else value
        for name, value in row
        if value is not None
    }
