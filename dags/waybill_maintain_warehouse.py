"""Keeps the warehouse in order.

### Writes
Monthly partitions of `fact.event` ahead of time; drops staging tables of loads that died, and candidates of builds.

### Reads
The catalogue of the warehouse, `ops.load`, `ops.build`.

### Late data
None.

### If a task fails
- **make_partitions**: a load that needs next month's makes it itself. Clear it.
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
    description="Partitions ahead, what died swept out",
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
    def make_partitions() -> dict:
        from waybill.airflow.surroundings import loader
        from waybill.flow import upkeep

        return {"made": upkeep.make_partitions(loader(), intervals.now_of(get_current_context()))}

    @task(multiple_outputs=False)
    def drop_orphans() -> dict:
        from waybill.airflow.surroundings import loader
        from waybill.flow import upkeep

        return {"dropped": upkeep.drop_orphans(loader())}

    @task(multiple_outputs=False)
    def drop_unfinished_builds() -> dict:
        from waybill.airflow.surroundings import settings, warehouse
        from waybill.flow.rebuild import drop_unfinished
        from waybill.warehouse.connection import REPORTER, connect

        return {"dropped": drop_unfinished(partial(connect, warehouse(settings()), REPORTER), timedelta(hours=36))}

    make_partitions()
    drop_orphans()
    drop_unfinished_builds()
