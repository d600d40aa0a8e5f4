"""One DAG per feed: what the provider or the inbox has, into facts; pull → stage → validate → publish per slice."""

import re
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, task_group

from waybill.airflow import ingest_steps as steps
from waybill.airflow import pages, policy, surroundings
from waybill.airflow.ingest_slices import slices
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.feeds.base import Feed

EVERY = {"api": "7 * * * *", "files": "*/15 * * * *"}
ACCOUNT = Param(None, type=["null", "string"], title="Account", description="This organisation only; empty: every one")


def window_param(title: str, description: str) -> Param:
    """A time, or nothing."""
    return Param(None, type=["null", "string"], format="date-time", title=title, description=description)


def tasks_of(feed: Feed, account: str | None) -> None:
    """The tasks of one feed, for one organisation, or for each that has a folder in the inbox (None)."""

    @task_group(group_id=re.sub(r"[^\w-]", "_", account or "inbox"))
    def of_account():
        @task_group
        def load(one: dict):
            pool = surroundings.pool_of(feed.provider, account) if account else "default_pool"
            staged = steps.stage(feed.slug, steps.pull.override(pool=pool)(feed.slug, one))
            steps.validate(staged) >> steps.publish(staged)

        load.expand(one=slices(feed.slug, account, list(params)))

    of_account()


for feed in FEEDS.values():
    params = {"account": ACCOUNT}
    if isinstance(feed, ApiFeed):
        params["from"] = window_param(
            "From", "Start of the window; empty: where the feed is complete, less its lateness"
        )
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
        doc_md=pages.ingest(feed),
    ):
        for account in surroundings.accounts_at_parse_time() if isinstance(feed, ApiFeed) else (None,):
            tasks_of(feed, account)
