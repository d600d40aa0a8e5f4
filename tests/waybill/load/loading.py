"""Records in the form of the providers, with defaults for most fields; and loads of such records."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from psycopg2 import sql

from tests.conftest import Warehouse
from waybill.feeds import FEEDS
from waybill.flow import steps
from waybill.flow.ingest import load
from waybill.flow.replay import replay
from waybill.flow.results import Loaded
from waybill.landing.objects import LandedObject, land
from waybill.ledger.loads import LedgerRow
from waybill.warehouse import connection

LANDED_AT = datetime(2026, 3, 10, tzinfo=UTC)
LISTS = {"twilio_messages": "messages", "twilio_calls": "calls"}
COUNTS = ("read", "loaded", "duplicate", "rejected", "ignored", "mapped", "inserted", "revised", "unchanged", "removed")
STAMPED = ("ops", "private", "fact", "report", "staging")


def at(text: str) -> datetime:
    """Return the time of a text such as `2026-03-02 10:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(*texts: str) -> list[date]:
    """Return the days of texts such as `03-02`, in 2026."""
    return [date.fromisoformat(f"2026-{text}") for text in texts]


def sendgrid(event: str, when: str, message: str | None = "m1", email: str = "ann@example.com", **fields) -> dict:
    """Return an event of SendGrid's webhook."""
    named = {} if message is None else {"sg_message_id": f"{message}.filter"}
    return {"event": event, "timestamp": int(at(when).timestamp()), "email": email, **named, **fields}


def sms(status: str, created: str, updated: str | None = None, sid: str = "SM1", **fields) -> dict:
    """Return a row of Twilio's list of messages."""
    row = {"sid": sid, "status": status, "to": "+15005550006", "date_created": f"{created}:00Z", **fields}
    return row if updated is None else row | {"date_updated": f"{updated}:00Z"}


def call(status: str, created: str, ended: str, sid: str = "CA1", **fields) -> dict:
    """Return a row of Twilio's list of calls."""
    row = {"sid": sid, "status": status, "to": "+15005550006", "date_created": f"{created}:00Z"}
    return row | {"end_time": f"{ended}:00Z"} | fields


def dispatched(status: str, when: str, dispatch_id: str = "d1", channel: str = "email", **fields) -> dict:
    """Return a row of the dispatch log."""
    return {"dispatch_id": dispatch_id, "occurred_at": f"{when}:00Z", "channel": channel, "status": status, **fields}


def as_file(feed: str, records: tuple[dict | bytes, ...]) -> bytes:
    """Return a file of that feed; records given as bytes are written unchanged."""
    written = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    if feed in LISTS:
        return b'{"' + LISTS[feed].encode() + b'": [' + b", ".join(written) + b"]}"
    return b"\n".join(written) + b"\n"


class Loads:
    """Lands and loads records into one warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.settings = warehouse.settings
        self.url = warehouse.url
        self.rows = warehouse.rows

    def use(self, **settings: object) -> None:
        """Change settings for the next loads."""
        self.settings = replace(self.settings, **settings)

    @property
    def target(self) -> connection.Warehouse:
        """The warehouse with the current settings."""
        return connection.Warehouse(self.settings, self.url)

    def land(
        self, feed: str, *records: dict | bytes, account: str = "acme", landed_at: datetime = LANDED_AT
    ) -> LandedObject:
        return land(BytesIO(as_file(feed, records)), account, feed, self.settings.landing_url, landed_at)

    def load_all(self, feed: str, landed: list[LandedObject]) -> list[Loaded]:
        return load(self.target, FEEDS[feed], landed).checked()

    def load(
        self, feed: str, *records: dict | bytes, account: str = "acme", landed_at: datetime = LANDED_AT
    ) -> LedgerRow:
        """Load one file that was not loaded before; returns its row of the ledger."""
        (done,) = self.load_all(feed, [self.land(feed, *records, account=account, landed_at=landed_at)])
        assert done.is_new
        return done.row

    def replay(self, feed: str, first: str, until: str, account: str | None = None) -> list[LedgerRow]:
        done = replay(self.target, FEEDS[feed], at(first), at(until), account)
        return [item.row for item in done]

    def one(self, query: str, parameters: object = None) -> tuple:
        """Return the only row of a query."""
        (row,) = self.rows(query, parameters)
        return row

    def changed_days(self, row: LedgerRow) -> list[date]:
        found = self.rows("select day from ops.changed_day where load_id = %s order by day", (row.load_id,))
        return [day for (day,) in found]

    def stamps(self, *schemas: str) -> dict[str, list[tuple]]:
        """Return the place and the writing transaction of every row. If two stamps are equal, nothing was written."""
        found = {}
        connection = self.warehouse.connect()
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "select schemaname, tablename from pg_tables where schemaname = any(%s)"
                " and (schemaname, tablename) <> ('fact', 'event') order by 1, 2",
                (list(schemas or STAMPED),),
            )
            for name in cursor.fetchall():
                cursor.execute(sql.SQL("select ctid::text, xmin::text from {}").format(sql.Identifier(*name)))
                if rows := sorted(cursor.fetchall()):
                    found[".".join(name)] = rows
        connection.close()
        return found

    def staging_tables(self) -> list[str]:
        return [name for (name,) in self.rows("select tablename from pg_tables where schemaname = 'staging'")]


def counts(row: LedgerRow) -> dict[str, int]:
    """Return the counts of a ledger row that are not zero."""
    return {name: count for name in COUNTS if (count := getattr(row, f"{name}_count"))}


def before_publish(monkeypatch: pytest.MonkeyPatch, happens: Callable[[int], None]) -> None:
    """Call a function once, between the validation of the next load and its publish."""
    publish = steps.publish

    def interrupted(connection, load_id, *rest) -> None:
        monkeypatch.setattr(steps, "publish", publish)
        happens(load_id)
        publish(connection, load_id, *rest)

    monkeypatch.setattr(steps, "publish", interrupted)


def as_another_process(work: Callable[[], object]) -> Callable[[int], None]:
    """Return a function for `before_publish` that runs `work` like another process, which may wait for the commit."""

    def happens(load_id: int) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(timeout=5)

    return happens
