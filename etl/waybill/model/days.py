"""Local days: the date of an instant in a zone. SQL computes it with `at time zone`; `doctor` compares both."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def local_day(at: datetime, zone: str) -> date:
    """Return the local day of an aware instant.

    :param zone: IANA name
    """
    return at.astimezone(ZoneInfo(zone)).date()


def offset_changes(zone: str, first: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """Return the first hour, and every hour (UTC) at which the zone's offset changes, with the new offset in seconds.

    :param first, until: whole hours, aware, UTC
    """
    days = [first + DAY * n for n in range((until - first) // DAY + 1)]
    changes = [(first, _offset(zone, first))]
    for start, end in pairwise([*days, until] if days[-1] < until else days):
        hour = start
        # equal offsets at both ends of a day could hide two changes, but no zone has changed twice within a day
        if _offset(zone, start) == _offset(zone, end):
            continue
        while hour < end:
            hour += HOUR
            if _offset(zone, hour) != changes[-1][1] and hour < until:
                changes.append((hour, _offset(zone, hour)))
    return changes


def _offset(zone: str, at: datetime) -> int:
    return int((at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds())


def parse_instant(text: str) -> datetime:
    """Return an aware instant from ISO 8601; a date alone is its midnight in UTC. Raises ValueError for a naive
    time."""
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time needs a zone: add Z or +02:00")
    return at.astimezone(UTC)


def days_between(first: date, last: date) -> list[date]:
    """Return every day from `first` to `last`, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
