"""Whether the reports can be complete: how far each feed has come, and which days wait."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.model.days import local_day
from waybill.reports.candidates import pending_days
from waybill.warehouse.queries import sql_of

LINES = 10


@dataclass(frozen=True)
class Freshness:
    """State of the feeds at a time.

    :ivar report_timezone: zone of the local days
    :ivar complete_day: the last local day that is over
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
        told = [f"{len(self.pending_days)} days wait to be rebuilt{f': {days}' if days else ''}"]
        for account, feed, complete_until in self.behind:
            reached = f"complete until {complete_until.isoformat()}" if complete_until else "not complete yet"
            told.append(f"{feed} of {account} is behind: {reached}; {self.complete_day} may be told too low")
        return told


def zone(connection: Connection, wanted: str | None) -> str:
    """The report zone: the wanted one, or that of the warehouse."""
    if wanted is not None:
        return wanted
    with connection, connection.cursor() as cursor:
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        return cursor.fetchone()[0]


def check(connection: Connection, wanted_zone: str | None, now: datetime) -> Freshness:
    """The state of all feeds.

    :param wanted_zone: IANA name; None: that of the warehouse
    :param now: aware; the day before its local day is the last one that is over
    """
    report_timezone = zone(connection, wanted_zone)
    today = local_day(now, report_timezone)
    ends = datetime(today.year, today.month, today.day, tzinfo=ZoneInfo(report_timezone))
    with connection, connection.cursor() as cursor:
        cursor.execute(sql_of("ledger/feeds", "behind"), {"until": ends})
        behind = tuple(cursor.fetchall())
        pending = pending_days(cursor)
    return Freshness(report_timezone, today - timedelta(days=1), behind, pending)
