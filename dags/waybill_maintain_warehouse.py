"""Keeps the warehouse in order.

### Writes
Makes the monthly partitions of `fact.event` ahead of time. Drops staging tables of dead loads, and candidate tables of
unfinished builds.

### Reads
The catalogue of the warehouse, `ops.load`, `ops.build`.

### Late data
None.

### If a task fails
- **make_partitions**: clear it. A load that needs a partition makes it itself.
- **drop_orphans**, **drop_unfinished_builds**: clear it; nothing depends on it.

### Safe to re-run?
Yes.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

from airflow.sdk import DAG, CronDataIntervalTimetable, get_current_context, task

from waybill.airflow import intervals, policy

with DAG(
    "maintain_warehouse",
    dag_display_name="Maintain the warehouse",
    description="Make partitions ahead, drop tables of dead loads and builds",
    schedule=CronDataIntervalTimetable("30 2 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=policy.DEFAULTS,
    tags=["repair"],
    doc_md=__doc__,
):

    @task(multiple_outputs=False)
    def make_partitions() -> dict[str, int]:
        from waybill.airflow.environment import loader
        from waybill.flow import upkeep

        return {"made": upkeep.make_partitions(loader(), intervals.now_of(get_current_context()))}

    @task(multiple_outputs=False)
    def drop_orphans() -> dict[str, int]:
        from waybill.airflow.environment import loader
        from waybill.flow import upkeep

        return {"dropped": upkeep.drop_orphans(loader())}

    @task(multiple_outputs=False)
    def drop_unfinished_builds() -> dict[str, int]:
        from waybill.airflow.environment import settings, warehouse
        from waybill.flow.rebuild import drop_unfinished
        from waybill.warehouse.connection import REPORTER, connect

        return {"dropped": drop_unfinished(partial(connect, warehouse(settings()), REPORTER), timedelta(hours=36))}

    make_partitions()
    drop_orphans()
    drop_unfinished_builds()
