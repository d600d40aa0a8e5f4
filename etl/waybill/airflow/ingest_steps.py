"""The tasks of an ingest DAG. Each says in the log what it does; between them pass names, times, ids and counts."""

from datetime import timedelta

from airflow.sdk import Asset, task

from waybill.airflow import books, mapped
from waybill.airflow.surroundings import loader, progress
from waybill.airflow.validation_page import refreshed

FACTS = Asset("waybill_facts", uri="x-waybill://fact/event")
# one XCom per task, not one per key of what it returns
LABELLED = {"map_index_template": "{{ label }}", "multiple_outputs": False}


@task(execution_timeout=timedelta(hours=6), **LABELLED)
def pull(feed: str, one: dict) -> dict:
    """Land what the slice asks for. Records of files are counted when they are staged."""
    from waybill.feeds import FEEDS
    from waybill.feeds.api import ApiFeed
    from waybill.flow import ingest
    from waybill.flow.slices import Slice

    what = mapped.from_xcom(one, Slice)
    ours = loader(FEEDS[feed], what.account)
    mapped.label(what.label)
    with books.paced():
        done = ingest.pull(ours, FEEDS[feed], what)
    if isinstance(FEEDS[feed], ApiFeed):
        counts = {"pages": done.page_count, "records": done.record_count}
        progress(f"pull {done.pull_id}, {feed} of {what.label}: {done.page_count} pages, {done.record_count:,} records")
    else:
        counts = {"files": done.page_count}
        progress(f"pull {done.pull_id}, {feed} of {what.label}: {done.page_count:,} files that are not loaded yet")
    return {"label": what.label, "pull_id": done.pull_id, **counts}


@task(**LABELLED)
def stage(feed: str, pulled: dict) -> dict:
    """Canonical events of what is new, in tables of these loads alone."""
    from waybill.feeds import FEEDS
    from waybill.flow import ingest

    ours = loader()
    mapped.label(pulled["label"])
    load_ids = ingest.stage_pull(ours, FEEDS[feed], pulled["pull_id"])
    records = books.records_read(ours, load_ids)
    progress(f"{records:,} records staged in {len(load_ids)} loads")
    return {**pulled, "load_ids": load_ids, "records_staged": records}


@task(**LABELLED)
def validate(staged: dict) -> None:
    """Great Expectations, and the ceiling of rejected records. A load that fails is stopped; others go on."""
    from waybill.flow import ingest

    ours = loader()
    mapped.label(staged["label"])
    with refreshed(ours.url), books.logged(ours, staged["load_ids"]):
        ingest.validate_loads(ours, staged["load_ids"])


@task(outlets=[FACTS], trigger_rule="all_done", **LABELLED)
def publish(staged: dict | None) -> dict:
    """One transaction per load that passed. Fails if anything before it failed, after what could be published was."""
    from waybill.flow import ingest

    ours = loader()
    mapped.label(mapped.needed(staged, "stage")["label"])
    with refreshed(ours.url), books.logged(ours, staged["load_ids"]):
        done = ingest.publish_loads(ours, staged["pull_id"], staged["load_ids"])
    return {"loads": len(done), "loaded": sum(item.row.loaded_count for item in done if item.is_new)}
