"""Loads a time range of one feed again from landing, after a mapping changed.

### Writes
The same as an ingest. Takes back events of the range that no landed record contains any more.

### Reads
Every landed object under `LANDING_URL` that contains events of the range.

### Late data
None: it reads what was landed.

### If a task fails
- **replay**: the message says why. An account that did not finish changed nothing. Clear it.

### Safe to re-run?
Yes: a second run writes no row.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from waybill.airflow import policy, runs
from waybill.feeds import FEEDS


def time_param(title: str, description: str) -> Param:
    """Returns a parameter that is a time."""
    return Param(description=description, type="string", format="date-time", title=title)


with DAG(
    "replay_landing",
    dag_display_name="Replay from landing",
    description="Load a time range again, after a mapping changed",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=24),
    default_args={**policy.DEFAULTS, "execution_timeout": timedelta(hours=20)},
    params={
        "feed": Param(
            next(iter(FEEDS)), type="string", enum=list(FEEDS), title="Feed", description="The feed of the records"
        ),
        "from": time_param("From", "Start of the range, by the time in the event keys"),
        "until": time_param("Until", "End of the range, not included"),
        "account": Param(
            None, type=["null", "string"], title="Account", description="Only this organisation; empty: all"
        ),
    },
    tags=["repair"],
    doc_md=__doc__,
) as dag:

    @task(multiple_outputs=False)
    def replay(known: list[str]) -> dict[str, int]:
        from waybill.airflow.environment import loader
        from waybill.flow.replay import replay

        params = get_current_context()["params"]
        runs.check_names(params, known)
        window = runs.given_window(params["from"], params["until"])
        done = replay(loader(), FEEDS[params["feed"]], *window, params["account"])
        return {"loads": len(done), "revised": sum(item.row.revised_count or 0 for item in done)}

    replay(list(dag.params))
