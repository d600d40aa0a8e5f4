"""The clock here and the warehouse's: what is landed by a wrong clock would be judged by it."""

from datetime import UTC, datetime, timedelta

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import ConfigurationError

MOST_DIFFERENCE = timedelta(seconds=60)


def server_time(cursor: Cursor) -> datetime:
    """The time by the clock of the warehouse, aware."""
    cursor.execute("select clock_timestamp()")
    return cursor.fetchone()[0]


def clock_problem(cursor: Cursor, now: datetime | None = None) -> str | None:
    """In words, how far this machine's clock is from the warehouse's, and what to do; None: near enough.

    :param now: the time by the clock here, aware; None: ask it
    """
    there = server_time(cursor)
    seconds = ((now or datetime.now(UTC)) - there).total_seconds()
    if abs(seconds) <= MOST_DIFFERENCE.total_seconds():
        return None
    side = "ahead of" if seconds > 0 else "behind"
    return (
        f"the clock of this machine is {abs(seconds):,.0f} seconds {side} the warehouse's "
        f"({there:%Y-%m-%d %H:%M:%S} UTC): set both by NTP"
    )


def check_clock(cursor: Cursor) -> None:
    """Refuse to land and to load by a clock that is wrong here or there. Raises ConfigurationError."""
    problem = clock_problem(cursor)
    if problem is not None:
        raise ConfigurationError(
            f"Nothing was landed or loaded: {problem}, and run the same command again. A record counts as wrong where "
            f"its time is ahead of the clock, so the two may differ by {MOST_DIFFERENCE.total_seconds():.0f} seconds."
        )
