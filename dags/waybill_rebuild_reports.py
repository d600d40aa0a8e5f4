"""The reports at 1 am in the report time zone: every local day that loads have touched; build → validate → publish.

### Writes
The tables of schema `report`: only rows that differ. `ops.build`, and with a failure `freshness.stale_reason`.

### Reads
`fact.event`, `fact.leg`, `fact.message`, in one snapshot.

### Late data
A load marks every day on which a changed message counted or counts; this run rebuilds exactly the days that are
marked, however old. After an outage one run rebuilds all that was missed.

### If a task fails
- **check_feeds**: a parameter is off. Feeds that are behind are named in its log and do not stop the reports.
- **build**: the warehouse could not be reached. Clear it, with the tasks after it.
- **validate**: a critical rule failed: the last good reports stay, all days stay marked, `report.freshness` says so.
  The rule is named in the log and in the [validation results](/waybill/validations). After mending, clear **build**
  with the tasks after it.
- **publish**: clear it. If it says that another build began meanwhile, nothing is lost: clear **build**.

### Safe to re-run?
Yes. A second run finds nothing to write. Another build at the same time waits, or makes this one stop and say so.
"""

import os
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from waybill.airflow import policy
from waybill.airflow import rebuild_steps as steps

ZONE = os.environ.get("REPORT_TIMEZONE") or "UTC"
DAY = {"type": ["null", "string"], "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}

with DAG(
    "rebuild_reports",
    dag_display_name="Rebuild the reports",
    description="Every local day that loads have touched",
    schedule=CronDataIntervalTimetable("0 1 * * *", timezone=ZONE),
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo(ZONE)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=policy.DEFAULTS,
    params={
        "from_day": Param(None, **DAY, title="From day", description="First local day; empty: the days that wait"),
        "until_day": Param(None, **DAY, title="Until day", description="Last local day; empty: only the first"),
        "full": Param(False, type="boolean", title="Full", description="Every day, also after a change of zone"),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Count what would change, change nothing"),
    },
    tags=["reports"],
    doc_md=__doc__,
) as dag:
    build_id = steps.build()
    steps.check_feeds(list(dag.params)) >> build_id
    steps.validate(build_id) >> steps.publish(build_id)
