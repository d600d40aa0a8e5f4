"""The first task of an ingest DAG: whose records it is about, and of which time."""

from datetime import timedelta

from airflow.sdk import get_current_context, task

from waybill.airflow import intervals, mapped, runs
from waybill.airflow.surroundings import loader, warn


@task(execution_timeout=timedelta(minutes=5))
def slices(feed: str, account: str | None, known: list[str]) -> list[dict]:
    """What is to be pulled: one slice per organisation."""
    from waybill.feeds import FEEDS
    from waybill.flow.slices import slices as found_slices
    from waybill.landing import inbox

    context = get_current_context()
    params, ours = context["params"], loader()
    runs.check_names(params, known)
    wanted = params["account"]
    if account is None:
        for sentence in inbox.misplaced(ours.settings):
            warn(sentence)
    else:
        runs.check_account(wanted, ours.settings.accounts)
        if wanted not in (None, account):
            return []
    now, window = intervals.now_of(context), runs.window_of(context)
    found = found_slices(ours, FEEDS[feed], now, window, account or wanted)
    return [mapped.to_xcom(one) for one in found]
