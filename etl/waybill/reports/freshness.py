"""Whether the reports can be complete: the progress of each feed, and the pending days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.model.counted import counted
from waybill.model.days import local_day
from waybill.reports.candidates import pending_days
from waybill.warehouse.queries import only_value, sql_of

LINES = 10


@dataclass(frozen=True)
class Freshness:
    """The state of all feeds at a time.

    :ivar report_timezone: the zone of the local days
    :ivar complete_day: the last local day that has ended
    :ivar behind: (account, feed, complete_until or None) of each feed that is not complete to the end of that day
    :ivar pending_days: local days that wait to be rebuilt, in order
    """

    report_timezone: str
    complete_day: date
    behind: tuple[tuple[str, str, datetime | None], ...]
    pending_days: tuple[date, ...]

    def lines(self) -> list[str]:
        """The state in words."""
        days = ", ".join(map(str, self.pending_days[:LINES])) + (" …" if len(self.pending_days) > LINES else "")
        lines = [
            f"{counted(len(self.pending_days), 'day waits', 'days wait')} to be rebuilt{f': {days}' if days else ''}"
        ]
        for account, feed, complete_until in self.behind:
            reached = f"complete until {complete_until.isoformat()}" if complete_until else "not complete yet"
            lines.append(f"{feed} of {account} is behind: {reached}; counts of {self.complete_day} may be too low")
        return lines


def zone(connection: Connection, wanted: str | None) -> str:
    """Return the report zone: the wanted one, or that of the warehouse."""
    if wanted is not None:
        return wanted
    with connection, connection.cursor() as cursor:
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        return only_value(cursor, str)


def check(connection: Connection, wanted_zone: str | None, now: datetime) -> Freshness:
    """Return the state of all feeds.

    :param wanted_zone: IANA name; None: that of the warehouse
    :param now: the time, aware; the day before its local day is the last one that has ended
    """
    report_timezone = zone(connection, wanted_zone)
    today = local_day(now, report_timezone)
    ends = datetime(today.year, today.month, today.day, tzinfo=ZoneInfo(report_timezone))
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/feeds", "behind"), {"until": ends})
        behind = tuple(cursor.fetchall())
        pending = pending_days(cursor)
    return Freshness(report_timezone, today - timedelta(days=1), behind, pending)
