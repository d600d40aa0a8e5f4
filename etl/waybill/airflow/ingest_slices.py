"""The first task of an ingest DAG: which organisations to pull, and for which time."""

from datetime import timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from waybill.airflow import intervals, mapped, runs
from waybill.airflow.environment import loader, settings, warn


@task(execution_timeout=timedelta(minutes=5))
def slices(feed: str, account: str | None, known: list[str]) -> list[dict[str, Any]]:
    """Returns what to pull: one slice per organisation."""
    from waybill.feeds import FEEDS
    from waybill.feeds.api import ApiFeed
    from waybill.flow.slices import slices as found_slices
    from waybill.landing import inbox

    context = get_current_context()
    params, warehouse = context["params"], loader()
    runs.check_names(params, known)
    wanted = params["account"]
    if account is None:
        for sentence in inbox.misplaced(warehouse.settings):
            warn(sentence)
    else:
        runs.check_account(wanted, warehouse.settings.accounts)
        if wanted not in (None, account):
            return []
        source = FEEDS[feed]
        if wanted is None and isinstance(source, ApiFeed) and not settings(source, account).uses(source, account):
            warn(f"{account} has no credentials for {feed}, so nothing is pulled: {' and '.join(source.credentials)}.")
            return []
    now, window = intervals.now_of(context), runs.window_of(context)
    found = found_slices(warehouse, FEEDS[feed], now, window, account or wanted)
    return [mapped.to_xcom(one) for one in found]
