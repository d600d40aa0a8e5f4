"""The time and the interval of a run, from its context; nothing here reads the clock.

Airflow hands over times of its own class, whose dates cannot be written as JSON. They are made plain datetimes here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context


def now_of(context: Context) -> datetime:
    """Returns the time of the run (aware): the end of its interval.

    For a run that somebody triggered it is the time of the trigger: the form in the UI gives such a run the last
    interval that has ended, up to an hour or a day ago.
    """
    run = context["dag_run"]
    interval_end = None if run.run_type == "manual" else context.get("data_interval_end")
    return _plain(interval_end or run.run_after)


def backfilled(context: Context) -> tuple[datetime, datetime] | None:
    """Returns the interval (aware) of a run that belongs to a backfill; None for any other run."""
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if context["dag_run"].run_type != "backfill" or start is None or end is None:
        return None
    return _plain(start), _plain(end)


def _plain(moment: datetime) -> datetime:
    return datetime.fromisoformat(moment.isoformat())
