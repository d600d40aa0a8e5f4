"""The window and the days of a run, from its parameters and its interval."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pendulum
import pytest

from waybill.airflow import intervals, runs
from waybill.feeds.api import Window
from waybill.model.errors import UsageError

TEN, ELEVEN = datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 3, 2, 11, tzinfo=UTC)
NOTHING = {"from": None, "until": None, "from_day": None, "until_day": None, "full": False}


def context(
    run_type: str = "scheduled", interval: tuple | None = (TEN, ELEVEN), run_after: datetime = ELEVEN, **params: object
) -> dict:
    found = {"params": {**NOTHING, **params}, "dag_run": SimpleNamespace(run_type=run_type, run_after=run_after)}
    # the context of a run that was triggered by hand lacks the keys, not only the values
    return found | (dict(zip(("data_interval_start", "data_interval_end"), interval, strict=True)) if interval else {})


def test_a_scheduled_run_has_no_window_of_its_own() -> None:
    assert runs.window_of(context()) is None
    assert intervals.now_of(context()) == ELEVEN


def test_the_time_of_a_run_without_interval_is_its_trigger() -> None:
    assert intervals.now_of(context("manual", None)) == ELEVEN
    assert runs.window_of(context("manual", None)) is None


def test_the_time_of_a_manual_run_is_its_trigger_whatever_its_interval() -> None:
    given = context("manual", run_after=ELEVEN + timedelta(minutes=50))
    assert intervals.now_of(given) == ELEVEN + timedelta(minutes=50)
    assert runs.window_of(given) is None
    assert intervals.now_of(context(run_after=ELEVEN + timedelta(days=3))) == ELEVEN


def test_a_file_feed_has_no_window_even_in_a_backfill() -> None:
    given = context("backfill")
    given["params"] = {"account": None}
    assert runs.window_of(given) is None


def test_a_backfill_pulls_its_interval_and_rebuilds_its_day() -> None:
    assert runs.window_of(context("backfill")) == Window(TEN, ELEVEN)
    night = (datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC))
    assert runs.days_of(context("backfill", night), "Europe/Berlin") == [date(2026, 3, 2)]
    assert runs.days_of(context("backfill", night), "UTC") == [date(2026, 3, 1)]


def test_times_of_airflows_class_become_plain_datetimes() -> None:
    interval = (pendulum.instance(TEN), pendulum.instance(ELEVEN))
    given = context("backfill", interval)
    days = runs.days_of(given, "Europe/Berlin")
    assert (runs.window_of(given), intervals.now_of(given), days) == (Window(TEN, ELEVEN), ELEVEN, [date(2026, 3, 2)])
    assert {type(moment) for moment in (*runs.window_of(given), intervals.now_of(given))} == {datetime}
    assert {type(day) for day in days} == {date}


def test_parameters_override_the_interval() -> None:
    given = context("backfill", **{"from": "2026-01-01", "until": "2026-01-02T06:00:00+01:00"})
    assert runs.window_of(given) == Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 5, tzinfo=UTC))
    assert runs.window_of(context(**{"from": "2026-03-01T00:00:00Z"})).until_at == ELEVEN
    days = runs.days_of(context("backfill", from_day="2026-02-27", until_day="2026-03-01"), "UTC")
    assert days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert runs.days_of(context(from_day="2026-02-27"), "UTC") == [date(2026, 2, 27)]


def test_without_parameters_the_changed_days_are_rebuilt() -> None:
    assert runs.days_of(context(), "UTC") is None
    assert runs.days_of(context(full=True), "UTC") is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"until": "2026-03-01"}, "needs from"),
        ({"from": "yesterday"}, "from 'yesterday'"),
        ({"from": "2026-03-01T00:00:00"}, "from '2026-03-01T00:00:00'"),
        ({"from": "2026-03-01", "until": "2026-13-01"}, "until '2026-13-01'"),
    ],
)
def test_a_wrong_window_is_refused(params: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        runs.window_of(context("manual", None, **params))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"until_day": "2026-03-01"}, "needs from_day"),
        ({"from_day": "2026-02-30"}, "from_day '2026-02-30' is not a date"),
        ({"from_day": "2026-03-02", "until_day": "2026-03-01"}, "is before from_day"),
        ({"from_day": "2026-03-02", "full": True}, "not both"),
    ],
)
def test_wrong_days_are_refused(params: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        runs.days_of(context("manual", None, **params), "UTC")


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    runs.check_names({"from": None}, ["from", "until"])
    with pytest.raises(UsageError, match=r"Unknown parameters: form\. There are: from, until\."):
        runs.check_names({"from": None, "form": "2026-03-01"}, ["from", "until"])


def test_an_unknown_account_is_refused_with_the_known_ones() -> None:
    runs.check_account(None, ("north", "south"))
    runs.check_account("south", ("north", "south"))
    with pytest.raises(UsageError, match=r"^There is no account 'nort'; there are: north, south\.$"):
        runs.check_account("nort", ("north", "south"))
