"""What a run is about: its parameters, checked, and the time that it stands for. Nothing here reads the clock."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from etl.feeds.api import Window
from etl.model.days import parse_instant
from etl.model.errors import UsageError


def check_names(params: Mapping[str, object], known: Iterable[str]) -> None:
    """Airflow takes any name and keeps it; a misspelt one would do nothing, and nobody would know."""
    if unknown := sorted(set(params) - set(known)):
        raise UsageError(f"Unknown parameters: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")


def now_of(context: Mapping[str, object]) -> datetime:
    """The time of the run (aware): the end of its interval; of one that somebody triggered, when it was asked for (the
    form in the UI gives that one the last interval that has ended, up to an hour or a day ago)."""
    run = context["dag_run"]
    interval_end = None if run.run_type == "manual" else context.get("data_interval_end")
    return _plain(interval_end or run.run_after)


def given_window(from_at: str, until_at: str) -> Window:
    """The window between two written times. Raises UsageError."""
    return Window(_instant("from", from_at), _instant("until", until_at))


def window_of(context: Mapping[str, object]) -> Window | None:
    """The window that a run asks for: that of its parameters; in a backfill its interval; else none, so that it goes
    on from where the feed is complete. Raises UsageError."""
    params = context["params"]
    if "from" not in params:
        return None  # files are taken whatever their time
    if params["from"] or params["until"]:
        if not params["from"]:
            raise UsageError("until asks for from as well.")
        return Window(_instant("from", params["from"]), _instant("until", params["until"]) or now_of(context))
    if _is_backfill(context):
        return Window(_plain(context["data_interval_start"]), _plain(context["data_interval_end"]))
    return None


def days_of(context: Mapping[str, object], report_timezone: str) -> list[date] | None:
    """The local days that a run rebuilds: those of its parameters; in a backfill the day of its interval; None: those
    that wait. Raises UsageError."""
    params = context["params"]
    first, last = _day("from_day", params["from_day"]), _day("until_day", params["until_day"])
    if params["full"] and (first or last):
        raise UsageError("Give days, or full for every day, not both.")
    if last and not first:
        raise UsageError("until_day asks for from_day as well.")
    if first:
        last = last or first
        if last < first:
            raise UsageError(f"until_day {last} is before from_day {first}.")
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if _is_backfill(context):
        return [_plain(context["data_interval_start"]).astimezone(ZoneInfo(report_timezone)).date()]
    return None


def _is_backfill(context: Mapping[str, object]) -> bool:
    return context["dag_run"].run_type == "backfill" and context.get("data_interval_start") is not None


def _plain(moment: datetime) -> datetime:
    """Airflow hands over times of a class of its own, whose days and times cannot be written as JSON."""
    return datetime.fromisoformat(moment.isoformat())


def _instant(name: str, text: str | None) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name} {text!r}: {error}. Expected 2026-03-01 or 2026-03-01T09:30:00Z.") from None


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{name} {text!r} is no day; expected 2026-03-01.") from None
