"""Compares the clock of this machine with that of the warehouse. Times of landing come from this machine's clock, and
a record whose time is later than that is rejected."""

from datetime import UTC, datetime, timedelta

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.model.errors import ConfigurationError
from waybill.warehouse.queries import only_row

MOST_DIFFERENCE = timedelta(seconds=60)


def server_time(cursor: Cursor) -> datetime:
    """Return the time of the warehouse's clock, aware."""
    cursor.execute("select clock_timestamp()")
    now: datetime = only_row(cursor)[0]
    return now


def clock_problem(cursor: Cursor) -> str | None:
    """Return how far the two clocks differ and what to do, in words; None if they agree well enough."""
    there = server_time(cursor)
    seconds = (datetime.now(UTC) - there).total_seconds()
    if abs(seconds) <= MOST_DIFFERENCE.total_seconds():
        return None
    side = "ahead of" if seconds > 0 else "behind"
    return (
        f"the clock of this machine is {abs(seconds):,.0f} seconds {side} the warehouse's "
        f"({there:%Y-%m-%d %H:%M:%S} UTC): set both by NTP"
    )


def check_clock(cursor: Cursor) -> None:
    """Raise ConfigurationError if the two clocks differ too much to land or load."""
    problem = clock_problem(cursor)
    if problem is not None:
        raise ConfigurationError(
            f"Nothing was landed or loaded: {problem}, and run the same command again. A record is rejected if its "
            f"time is ahead of the clock, so the clocks may differ by at most "
            f"{MOST_DIFFERENCE.total_seconds():.0f} seconds."
        )
