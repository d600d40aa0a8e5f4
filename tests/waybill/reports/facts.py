"""Hand-written facts: rows of fact.message, fact.leg and fact.event, with defaults for most columns."""

import hashlib
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg2 import sql

ZONE = "Europe/Berlin"


def at(text: str) -> datetime:
    """Return the time of a text such as `2026-03-02 10:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def key(name: str) -> UUID:
    """Return the key for a name."""
    return UUID(bytes=hashlib.sha256(name.encode()).digest()[:16])


class Facts:
    """Inserts facts through one connection; each call commits.

    :param connection: of a login that may write facts and settings
    """

    def __init__(self, connection, zone: str = ZONE) -> None:
        self._connection = connection
        self._events = 0
        with connection, connection.cursor() as cursor:
            cursor.execute("update ops.setting set value = %s where name = 'report_timezone'", (zone,))
            cursor.execute("select fact.ensure_partitions('2025-12-01', '2026-12-01')")

    def message(self, name: str, channel: str, days: list[str], **columns: object) -> None:
        """Insert a message; `days` are fact.message.days, and the first is its sent_day by default."""
        listed = [date.fromisoformat(day) for day in days]
        row = {
            "message_key": key(name),
            "account": "acme",
            "channel": channel,
            "state": "in_gateway",
            "provider": "sendgrid" if channel == "email" else "twilio",
            "sent_day": listed[0] if listed else None,
            "is_scheduled": False,
            "is_delivered_then_bounced": False,
            "is_opened": False,
            "is_opened_human": False,
            "is_clicked": False,
            "is_clicked_human": False,
            "is_spam_reported": False,
            "is_unsubscribed": False,
            "ignores_copies": False,
            "days": listed,
        } | columns
        if row["sent_day"] is not None and "sent_at" not in row:
            row["sent_at"] = datetime.combine(row["sent_day"], datetime.min.time(), UTC).replace(hour=12)
        self._insert("message", row)

    def leg(self, message: str, channel: str, name: str | None = None, **columns: object) -> None:
        """Insert a leg of a message, by default with the name of the message."""
        row = {
            "leg_key": key(name or message),
            "message_key": key(message),
            "account": "acme",
            "channel": channel,
            "provider": "sendgrid" if channel == "email" else "twilio",
            "event_count": 1,
            "is_copy": False,
        }
        self._insert("leg", row | columns)

    def event(self, leg: str | None, event_type: str, event_at: datetime, channel: str = "email", **columns) -> UUID:
        """Insert an event of a leg (None: without a leg); returns its key."""
        self._events += 1
        milliseconds = int(event_at.timestamp() * 1000)
        row = {
            "event_key": UUID(int=(milliseconds << 80) | self._events),
            "event_at": event_at,
            "channel": channel,
            "event_type": event_type,
            "provider": "sendgrid" if channel == "email" else "twilio",
            "feed": "sendgrid_events" if channel == "email" else "twilio_messages",
            "account": "acme",
            "leg_key": None if leg is None else key(leg),
        }
        self._insert("event", row | columns)
        return row["event_key"]

    def pending(self, *days: str) -> int:
        """Insert a published load that changed these days; returns its number."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, ended_at,"
                " read_count, loaded_count, duplicate_count, rejected_count, ignored_count, mapped_count,"
                " inserted_count, revised_count, unchanged_count) values ('acme', 'sendgrid_events', 'load', '', 1, '',"
                " 'published', clock_timestamp(), 0, 0, 0, 0, 0, 0, 0, 0, 0) returning load_id"
            )
            load_id = cursor.fetchone()[0]
            cursor.executemany(
                "insert into ops.changed_day (load_id, day) values (%s, %s)", [(load_id, day) for day in days]
            )
        return load_id

    def run(self, statement: str, parameters: object = None) -> None:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    def _insert(self, table: str, row: dict[str, object]) -> None:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("insert into fact.{} ({}) values ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                ),
                list(row.values()),
            )
