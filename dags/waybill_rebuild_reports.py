"""Rebuilds the reports at 1 am in the report time zone, for every changed local day: build → validate → publish.

### Writes
The tables of schema `report`: only rows that differ; then the [page of the reports](/waybill/reports). `ops.build`, and
after a failure `freshness.stale_reason`.

### Reads
`fact.event`, `fact.leg`, `fact.message`, in one snapshot.

### Late data
A load marks every day on which a changed message counts or used to count. This run rebuilds exactly the marked days,
however old they are. After an outage one run rebuilds all of them.

### If a task fails
- **check_feeds**: a parameter is wrong. Its log names the feeds that are behind; they do not stop the reports.
- **build**: the warehouse could not be reached. Clear it, with the tasks after it.
- **validate**: a critical rule failed. The last good reports stay, all days stay marked, and `report.freshness` shows
  the failure. The log and the [validation results](/waybill/validations) name the rule. Correct the cause, then clear
  **build** with the tasks after it.
- **publish**: clear it. If its log says that another build has started since, nothing is lost: clear **build**.

### Safe to re-run?
Yes. A second run finds nothing to write. Of two builds at the same time one waits, or stops with a message.
"""

import os
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from waybill.airflow import policy
from waybill.airflow import rebuild_steps as steps

ZONE = os.environ.get("REPORT_TIMEZONE") or "UTC"


def day_param(title: str, description: str) -> Param:
    """Returns a parameter that is a day or empty."""
    pattern = r"^\d{4}-\d\d-\d\d$"
    return Param(None, description, type=["null", "string"], format="date", pattern=pattern, title=title)


with DAG(
    "rebuild_reports",
    dag_display_name="Rebuild the reports",
    description="Every local day that loads have changed",
    schedule=CronDataIntervalTimetable("0 1 * * *", timezone=ZONE),
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo(ZONE)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=policy.DEFAULTS,
    params={
        "from_day": day_param("From day", "First local day; empty: the changed days"),
        "until_day": day_param("Until day", "Last local day; empty: only the first"),
        "full": Param(
            False, type="boolean", title="Full", description="Every day, also after a change of the time zone"
        ),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Count what would change, change nothing"),
    },
    tags=["reports"],
    doc_md=__doc__,
) as dag:
    build_id = steps.build()
    steps.check_feeds(list(dag.params)) >> build_id
    # Airflow puts the value in place of an XComArg, its types do not know that
    steps.validate(build_id) >> steps.publish(build_id)  # type: ignore[arg-type]
