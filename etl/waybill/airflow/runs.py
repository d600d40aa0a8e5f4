"""What a run asks for: its checked parameters, and what follows from its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from waybill.airflow.intervals import backfilled, now_of
from waybill.feeds.api import Window
from waybill.model.days import days_between, parse_instant
from waybill.model.errors import UsageError

if TYPE_CHECKING:
    from airflow.sdk import Context


def check_names(params: Mapping[str, object], known: Iterable[str]) -> None:
    """Raise UsageError for an unknown parameter. Airflow accepts any name; a misspelt one would be ignored silently."""
    if unknown := sorted(set(params) - set(known)):
        raise UsageError(f"Unknown parameters: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")


def check_account(account: str | None, known: Iterable[str]) -> None:
    """Raise UsageError for an unknown account: no task belongs to it, so the run would do nothing and end green."""
    if account is not None and account not in known:
        raise UsageError(f"There is no account {account!r}; there are: {', '.join(known)}.")


def given_window(from_at: str, until_at: str) -> Window:
    """Returns the window between two written times. Raises UsageError."""
    return Window(_instant("from", from_at), _instant("until", until_at))


def window_of(context: Context) -> Window | None:
    """Returns the window of a run: that of its parameters, or in a backfill its interval.

    None: no window is given; an API feed goes on from where it is complete. Raises UsageError.
    """
    params = context["params"]
    if "from" not in params:
        return None  # a file feed: files are loaded whatever their time
    if params["from"] or params["until"]:
        if not params["from"]:
            raise UsageError("until needs from as well.")
        until_at = _instant("until", params["until"]) if params["until"] else now_of(context)
        return Window(_instant("from", params["from"]), until_at)
    interval = backfilled(context)
    return Window(*interval) if interval else None


def days_of(context: Context, report_timezone: str) -> list[date] | None:
    """Returns the local days that a run rebuilds: those of its parameters, or in a backfill the day of its interval.

    None: no days are given; the changed days are rebuilt. Raises UsageError.
    """
    params = context["params"]
    first, last = _day("from_day", params["from_day"]), _day("until_day", params["until_day"])
    if params["full"] and (first or last):
        raise UsageError("Give days, or full for every day, not both.")
    if last and not first:
        raise UsageError("until_day needs from_day as well.")
    if first:
        last = last or first
        if last < first:
            raise UsageError(f"until_day {last} is before from_day {first}.")
        return days_between(first, last)
    interval = backfilled(context)
    return [interval[0].astimezone(ZoneInfo(report_timezone)).date()] if interval else None


def _instant(name: str, text: str) -> datetime:
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name} {text!r}: {error}. Expected 2026-03-01 or 2026-03-01T09:30:00Z.") from None


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{name} {text!r} is not a date; expected 2026-03-01.") from None
