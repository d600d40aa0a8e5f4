"""One DAG per feed, from the provider or the inbox into facts: pull → stage → validate → publish per slice."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, task_group

from waybill.airflow import dag_docs, environment, policy
from waybill.airflow import ingest_steps as steps
from waybill.airflow.ingest_slices import slices
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.feeds.base import Feed

EVERY = {"api": "7 * * * *", "files": "*/15 * * * *"}
ACCOUNT = Param(None, type=["null", "string"], title="Account", description="Only this organisation; empty: all")


def window_param(title: str, description: str) -> Param:
    """Returns a parameter that is a time or empty."""
    return Param(None, type=["null", "string"], format="date-time", title=title, description=description)


def tasks_of(feed: Feed, account: str | None) -> None:
    """Make the tasks of a feed for one organisation; None: for every organisation with a folder in the inbox."""

    @task_group(group_id=re.sub(r"[^\w-]", "_", account or "inbox"))
    def of_account() -> None:
        @task_group
        def load(wanted: dict[str, Any]) -> None:
            pool = environment.pool_of(feed.provider, account) if account else "default_pool"
            pulled = steps.pull.override(pool=pool)(feed.slug, wanted)
            # Airflow puts the value in place of an XComArg, its types do not know that
            staged = steps.stage(feed.slug, pulled)  # type: ignore[arg-type]
            steps.validate(staged) >> steps.publish(staged)  # type: ignore[arg-type]

        load.expand(wanted=slices(feed.slug, account, list(params)))

    of_account()


for feed in FEEDS.values():
    params = {"account": ACCOUNT}
    if isinstance(feed, ApiFeed):
        params["from"] = window_param("From", "Start of the window; empty: the watermark less the lateness of the feed")
        params["until"] = window_param("Until", "End of the window, not included; empty: the time of the run")
    with DAG(
        f"ingest_{feed.slug}",
        dag_display_name=f"Ingest {feed.title}",
        description=f"{feed.title}: pull, stage, validate, publish",
        schedule=CronDataIntervalTimetable(EVERY[feed.kind], timezone="UTC"),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=12),
        default_args=policy.DEFAULTS,
        params=params,
        tags=["ingest", feed.provider, *({feed.channel} - {"all"})],
        doc_md=dag_docs.ingest(feed),
    ):
        for account in environment.accounts_at_parse_time() if isinstance(feed, ApiFeed) else (None,):
            tasks_of(feed, account)
