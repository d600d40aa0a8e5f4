"""The tasks of an ingest DAG. Each logs what it does; they pass only names, times, ids and counts to each other."""

from datetime import timedelta
from typing import Any, NotRequired, TypedDict

from airflow.sdk import Asset, task

from waybill.airflow import mapped, task_log
from waybill.airflow.environment import loader, progress
from waybill.airflow.validation_page import refreshed
from waybill.model.counted import counted

FACTS = Asset("waybill_facts", uri="x-waybill://fact/event")
LABEL = "{{ label }}"


class Pulled(TypedDict):
    """What `pull` hands on: counts of pages and records for an API feed, of files for a file feed."""

    label: str
    pull_id: int
    pages: NotRequired[int]
    records: NotRequired[int]
    files: NotRequired[int]


class Staged(Pulled):
    """What `stage` hands on."""

    load_ids: list[int]
    records_staged: int


class Published(TypedDict):
    """Counts for people who look at the run."""

    loads: int
    loaded: int


# multiple_outputs: one XCom per task, not one per key
@task(execution_timeout=timedelta(hours=6), map_index_template=LABEL, multiple_outputs=False)
def pull(feed: str, wanted: dict[str, Any]) -> Pulled:
    """Land what the slice asks for. The records of files are counted later, by `stage`."""
    from waybill.feeds import FEEDS
    from waybill.feeds.api import ApiFeed
    from waybill.flow import ingest
    from waybill.flow.slices import Slice

    what = mapped.from_xcom(wanted, Slice)
    warehouse = loader(FEEDS[feed], what.account)
    mapped.label(what.label)
    with task_log.paced():
        done = ingest.pull(warehouse, FEEDS[feed], what)
    pulled = Pulled(label=what.label, pull_id=done.pull_id)
    if isinstance(FEEDS[feed], ApiFeed):
        pages = counted(done.page_count, "page", "pages")
        records = counted(done.record_count, "record", "records")
        progress(f"pull {done.pull_id}, {feed} of {what.label}: {pages}, {records}")
        return {**pulled, "pages": done.page_count, "records": done.record_count}
    files = counted(done.page_count, "file that is", "files that are")
    progress(f"pull {done.pull_id}, {feed} of {what.label}: {files} not loaded yet")
    return {**pulled, "files": done.page_count}


@task(map_index_template=LABEL, multiple_outputs=False)
def stage(feed: str, pulled: Pulled) -> Staged:
    """Map the new records to canonical events, in tables of these loads alone."""
    from waybill.feeds import FEEDS
    from waybill.flow import ingest

    warehouse = loader()
    mapped.label(pulled["label"])
    load_ids = ingest.stage_pull(warehouse, FEEDS[feed], pulled["pull_id"])
    records = task_log.records_read(warehouse, load_ids)
    progress(f"{counted(records, 'record', 'records')} staged in {counted(len(load_ids), 'load', 'loads')}")
    return {**pulled, "load_ids": load_ids, "records_staged": records}


@task(map_index_template=LABEL, multiple_outputs=False)
def validate(staged: Staged) -> None:
    """Check the rules and the ceiling of rejected records. A load that fails is stopped; the others go on."""
    from waybill.flow import ingest

    warehouse = loader()
    mapped.label(staged["label"])
    with refreshed(warehouse.url), task_log.logged(warehouse, staged["load_ids"]):
        ingest.validate_loads(warehouse, staged["load_ids"])


@task(outlets=[FACTS], trigger_rule="all_done", map_index_template=LABEL, multiple_outputs=False)
def publish(staged: Staged | None) -> Published:
    """Publish each load that passed, in one transaction per load. If an earlier task failed, this one publishes what
    it can, and fails then."""
    from waybill.flow import ingest

    warehouse, found = loader(), mapped.needed(staged, "stage")
    mapped.label(found["label"])
    with refreshed(warehouse.url), task_log.logged(warehouse, found["load_ids"]):
        done = ingest.publish_loads(warehouse, found["pull_id"], found["load_ids"])
    return {"loads": len(done), "loaded": sum(item.row.loaded_count or 0 for item in done if item.is_new)}
