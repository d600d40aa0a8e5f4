"""The time that a run stands for; nothing here reads the clock.

Airflow hands over times of a class of its own, whose days cannot be written as JSON. From here on they are plain ones.
"""

from collections.abc import Mapping
from datetime import datetime


def now_of(context: Mapping[str, object]) -> datetime:
    """The time of the run (aware): the end of its interval; of one that somebody triggered, when it was asked for (the
    form in the UI gives that one the last interval that has ended, up to an hour or a day ago)."""
    run = context["dag_run"]
    interval_end = None if run.run_type == "manual" else context.get("data_interval_end")
    return _plain(interval_end or run.run_after)


def backfilled(context: Mapping[str, object]) -> tuple[datetime, datetime] | None:
    """The interval (aware) of a run that belongs to a backfill; None: it belongs to none."""
    if context["dag_run"].run_type != "backfill" or context.get("data_interval_start") is None:
        return None
    return _plain(context["data_interval_start"]), _plain(context["data_interval_end"])


def _plain(moment: datetime) -> datetime:
    return datetime.fromisoformat(moment.isoformat())
