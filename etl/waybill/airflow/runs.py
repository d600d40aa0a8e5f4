"""What a run is about: its parameters, checked, and what they leave to the time that it stands for."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from waybill.airflow.intervals import backfilled, now_of
from waybill.feeds.api import Window
from waybill.model.days import parse_instant
from waybill.model.errors import UsageError


def check_names(params: Mapping[str, object], known: Iterable[str]) -> None:
    """Airflow takes any name and keeps it; a misspelt one would do nothing, and nobody would know."""
    if unknown := sorted(set(params) - set(known)):
        raise UsageError(f"Unknown parameters: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")


def check_account(account: str | None, known: Iterable[str]) -> None:
    """Every organisation has tasks of its own, and those of the others have nothing to do: with a misspelt one that is
    all of them. Raises UsageError."""
    if account is not None and account not in known:
        raise UsageError(f"There is no account {account!r}; there are: {', '.join(known)}.")


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
    interval = backfilled(context)
    return Window(*interval) if interval else None


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
    interval = backfilled(context)
    return [interval[0].astimezone(ZoneInfo(report_timezone)).date()] if interval else None


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
