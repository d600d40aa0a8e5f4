"""The tasks of an ingest DAG. Each says in the log what it does; between them pass names, times, ids and counts."""

from datetime import timedelta

from airflow.sdk import Asset, get_current_context, task

from orchestration import intervals, mapped, runs
from orchestration.surroundings import progress, settings, warehouse, warn
from orchestration.validation_page import refreshed

FACTS = Asset("waybill_facts", uri="x-waybill://fact/event")
# one XCom per task, not one per key of what it returns
LABELLED = {"map_index_template": "{{ label }}", "multiple_outputs": False}


@task(execution_timeout=timedelta(minutes=5))
def slices(feed: str, account: str | None, known: list[str]) -> list[dict]:
    """What is to be pulled: one slice per organisation."""
    from etl.feeds import FEEDS
    from etl.load import inbox
    from etl.pull import ingest

    context = get_current_context()
    params, ours = context["params"], settings()
    runs.check_names(params, known)
    wanted = params["account"]
    if account is None:
        for sentence in inbox.misplaced(ours):
            warn(sentence)
    else:
        runs.check_account(wanted, ours.accounts)
        if wanted not in (None, account):
            return []
    now, window = intervals.now_of(context), runs.window_of(context)
    found = ingest.slices(ours, warehouse(ours), FEEDS[feed], now, window, account or wanted)
    return [mapped.to_xcom(one) for one in found]


@task(execution_timeout=timedelta(hours=6), **LABELLED)
def pull(feed: str, one: dict) -> dict:
    """Land what the slice asks for."""
    from etl.feeds import FEEDS
    from etl.pull import ingest

    what = mapped.from_xcom(one, ingest.Slice)
    ours = settings(FEEDS[feed], what.account)
    mapped.label(what.label)
    done = ingest.pull(ours, warehouse(ours), FEEDS[feed], what, progress, warn=warn)
    return {"label": what.label, "pull_id": done.pull_id, "pages": done.page_count, "records": done.record_count}


@task(**LABELLED)
def stage(feed: str, pulled: dict) -> dict:
    """Canonical events of what is new, in tables of these loads alone."""
    from etl.feeds import FEEDS
    from etl.pull import ingest

    ours = settings()
    mapped.label(pulled["label"])
    return {**pulled, "load_ids": ingest.stage_pull(ours, warehouse(ours), FEEDS[feed], pulled["pull_id"], progress)}


@task(**LABELLED)
def validate(staged: dict) -> None:
    """Great Expectations, and the ceiling of rejected records. A load that fails is stopped; others go on."""
    from etl.pull import ingest

    ours = settings()
    url = warehouse(ours)
    mapped.label(staged["label"])
    with refreshed(url):
        ingest.validate_loads(ours, url, staged["load_ids"], progress)


@task(outlets=[FACTS], trigger_rule="all_done", **LABELLED)
def publish(staged: dict | None) -> dict:
    """One transaction per load that passed. Fails if anything before it failed, after what could be published was."""
    from etl.pull import ingest

    ours = settings()
    mapped.label(mapped.needed(staged, "stage")["label"])
    done = ingest.publish_loads(ours, warehouse(ours), staged["pull_id"], staged["load_ids"], progress)
    return {"loads": len(done), "loaded": sum(item.row.loaded_count for item in done if item.is_new)}
