"""A time range of one provider again from landing, after a mapping changed.

### Writes
What an ingest writes; events of the range that no landed record tells any more are taken back.

### Reads
Every landed object that holds events of the range, under `LANDING_URL`.

### Late data
None: it reads what was landed.

### If a task fails
- **replay**: the message says why; nothing was changed by an account that did not end. Clear it.

### Safe to re-run?
Yes: the second time no row is written.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from waybill.airflow import policy, runs
from waybill.feeds import FEEDS

TIME = {"type": "string", "format": "date-time"}

with DAG(
    "replay_landing",
    dag_display_name="Replay from landing",
    description="A time range again, after a mapping changed",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=24),
    default_args={**policy.DEFAULTS, "execution_timeout": timedelta(hours=20)},
    params={
        "feed": Param(next(iter(FEEDS)), type="string", enum=list(FEEDS), title="Feed", description="Of the records"),
        "from": Param(**TIME, title="From", description="Start of the range, by the time in the keys"),
        "until": Param(**TIME, title="Until", description="Its end, not included"),
        "account": Param(None, type=["null", "string"], title="Account", description="Empty: every one"),
    },
    tags=["repair"],
    doc_md=__doc__,
) as dag:

    @task(multiple_outputs=False)
    def replay(known: list[str]) -> dict:
        from waybill.airflow.surroundings import loader
        from waybill.flow.replay import replay

        params = get_current_context()["params"]
        runs.check_names(params, known)
        window = runs.given_window(params["from"], params["until"])
        done = replay(loader(), FEEDS[params["feed"]], *window, params["account"])
        return {"loads": len(done), "revised": sum(item.row.revised_count for item in done)}

    replay(list(dag.params))
