"""The first task of an ingest DAG: whose records it is about, and of which time."""

from datetime import timedelta

from airflow.sdk import get_current_context, task

from waybill.airflow import intervals, mapped, runs
from waybill.airflow.surroundings import settings, warehouse, warn


@task(execution_timeout=timedelta(minutes=5))
def slices(feed: str, account: str | None, known: list[str]) -> list[dict]:
    """What is to be pulled: one slice per organisation."""
    from waybill.feeds import FEEDS
    from waybill.flow import ingest
    from waybill.landing import inbox

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
