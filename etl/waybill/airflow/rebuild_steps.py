"""The tasks of rebuild_reports."""

from datetime import timedelta
from functools import partial

from airflow.sdk import Asset, get_current_context, task

from waybill.airflow import intervals, runs
from waybill.airflow.surroundings import progress, reporter, settings, warehouse
from waybill.airflow.validation_page import refreshed
from waybill.warehouse.connection import REPORTER, connect

REPORTS = Asset("waybill_reports", uri="x-waybill://report")


@task(execution_timeout=timedelta(minutes=5), multiple_outputs=False)
def check_feeds(known: list[str]) -> dict:
    """Parameters that make sense, and which feeds are behind: their last days will be told too low."""
    from waybill.reports import freshness

    context, ours = get_current_context(), settings()
    runs.check_names(context["params"], known)
    with reporter(warehouse(ours)) as connection:
        state = freshness.check(connection, ours.report_timezone, intervals.now_of(context))
    runs.days_of(context, state.report_timezone)
    for line in state.lines():
        progress(line)
    return {"behind": len(state.behind), "pending_days": len(state.pending_days)}


@task
def build() -> int:
    """Candidates of every report from one snapshot."""
    from waybill import __version__
    from waybill.flow import rebuild as reports
    from waybill.reports import freshness

    context, ours = get_current_context(), settings()
    url = warehouse(ours)
    with reporter(url) as connection:
        zone = freshness.zone(connection, ours.report_timezone)
    days, full = runs.days_of(context, zone), context["params"]["full"]
    return reports.build(
        partial(connect, url, REPORTER, "waybill:build"), days, full, ours.report_timezone, __version__
    )


@task
def validate(build_id: int) -> None:
    """The suites over the candidates."""
    from waybill.flow import rebuild as reports

    ours = settings()
    url = warehouse(ours)
    with refreshed(url):
        for rule in reports.validate(partial(connect, url, REPORTER, "waybill:build"), build_id):
            progress(f"build {build_id}: {rule} failed, and only warns")


@task(outlets=[REPORTS], multiple_outputs=False)
def publish(build_id: int) -> dict:
    """One transaction applies the difference; of a dry run it is taken back."""
    from waybill.flow import rebuild as reports

    ours = settings()
    url = warehouse(ours)
    is_dry = get_current_context()["params"]["dry_run"]
    done = reports.publish(partial(connect, url, REPORTER, "waybill:build"), build_id, is_dry)
    days = "all" if done.days is None else len(done.days)
    progress(f"build {build_id}: {days} days, {done.rows_changed} rows {'would change' if is_dry else 'changed'}")
    return {"build_id": build_id, "days": days, "rows_changed": done.rows_changed}
