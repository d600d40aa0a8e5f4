"""The tasks of rebuild_reports."""

from datetime import timedelta
from functools import partial
from typing import TypedDict

from airflow.sdk import Asset, get_current_context, task

from waybill.airflow import intervals, runs
from waybill.airflow.environment import progress, reporter, settings, warehouse
from waybill.airflow.validation_page import refreshed, write_reports
from waybill.model.counted import counted
from waybill.warehouse.connection import REPORTER, connect

REPORTS = Asset("waybill_reports", uri="x-waybill://report")


class Checked(TypedDict):
    """What `check_feeds` found: how many feeds are behind, and how many days wait for this run."""

    behind: int
    pending_days: int


class Published(TypedDict):
    """Counts for people who look at the run; days: their number, or `all`."""

    build_id: int
    days: int | str
    rows_changed: int


@task(execution_timeout=timedelta(minutes=5), multiple_outputs=False)
def check_feeds(known: list[str]) -> Checked:
    """Check the parameters, and log which feeds are behind: reports count their last days too low."""
    from waybill.reports import freshness

    context, configured = get_current_context(), settings()
    runs.check_names(context["params"], known)
    with reporter(warehouse(configured)) as connection:
        state = freshness.check(connection, configured.report_timezone, intervals.now_of(context))
    runs.days_of(context, state.report_timezone)
    for line in state.lines():
        progress(line)
    return {"behind": len(state.behind), "pending_days": len(state.pending_days)}


@task
def build() -> int:
    """Compute a candidate of every report from one snapshot; returns the id of the build."""
    from waybill.flow import rebuild as reports
    from waybill.reports import freshness

    context, configured = get_current_context(), settings()
    url = warehouse(configured)
    with reporter(url) as connection:
        zone = freshness.zone(connection, configured.report_timezone)
    days, full = runs.days_of(context, zone), context["params"]["full"]
    return reports.build(partial(connect, url, REPORTER, "waybill:build"), days, full, configured.report_timezone)


@task
def validate(build_id: int) -> None:
    """Check the rules on the candidates."""
    from waybill.flow import rebuild as reports

    url = warehouse(settings())
    with refreshed(url):
        for rule in reports.validate(partial(connect, url, REPORTER, "waybill:build"), build_id):
            progress(f"build {build_id}: {rule} failed; it only warns")


@task(outlets=[REPORTS], multiple_outputs=False)
def publish(build_id: int) -> Published:
    """Apply the differences to the reports in one transaction; a dry run rolls it back."""
    from waybill.flow import rebuild as reports

    url = warehouse(settings())
    is_dry = get_current_context()["params"]["dry_run"]
    done = reports.publish(partial(connect, url, REPORTER, "waybill:build"), build_id, is_dry)
    days: int | str = "all" if done.days is None else len(done.days)
    in_words = "all days" if done.days is None else counted(len(done.days), "day", "days")
    rows = counted(done.rows_changed, "row", "rows")
    write_reports(url)
    progress(f"build {build_id}: {in_words}, {rows} {'would change' if is_dry else 'changed'}")
    return {"build_id": build_id, "days": days, "rows_changed": done.rows_changed}
