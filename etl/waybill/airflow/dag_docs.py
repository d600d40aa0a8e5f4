"""The documentation of an ingest DAG in the UI: what people read when a task is red."""

from datetime import timedelta

from waybill.feeds.api import ApiFeed
from waybill.feeds.base import Feed
from waybill.model.counted import counted


def ingest(feed: Feed) -> str:
    """Returns the documentation of an ingest DAG, as Markdown."""
    if isinstance(feed, ApiFeed):
        reads = (
            f"the API of {feed.provider}, with the connection `waybill_{feed.provider}_<account>` of each organisation "
            "in `ACCOUNTS`"
        )
        late = (
            f"Every run reads the last {_in_words(feed.lateness)} before the watermark (`report.freshness`) again, so "
            "it sees statuses, prices and error codes that come late. For older records trigger a run with `from` "
            "and `until`."
        )
    else:
        reads = f"every file under `INBOX_URL/<account>/{feed.slug}/`"
        late = "A file may come at any time, with events of any age: the days that it changes are rebuilt."
    return f"""{feed.title}: records of {feed.provider} become events, legs and messages.

### Writes
`fact.event`, `fact.leg`, `fact.message`, `private.recipient`, `private.rejected_record`, the ledger `ops.load`;
the received bytes under `LANDING_URL`.

### Reads
{reads[0].upper()}{reads[1:]}.

### Late data
{late}

### If a task fails
- **slices**: a parameter or a setting is wrong; the message names it.
- **pull**: the provider or the inbox could not be read. Airflow tries the task again; it goes on after the last page
  that it landed. It is not tried again if the provider refuses the credentials: correct the connection, then clear the
  task.
- **stage**: the landing zone or the warehouse could not be reached. Clear it.
- **validate**: more records were rejected than `REJECTED_CEILING` allows, or a critical rule failed. Nothing of that
  load is in the facts. `waybill rejected list` and the [validation results](/waybill/validations) name the records
  and rules. Correct the cause, then clear **stage**.
- **publish**: it publishes what passed, and fails if an earlier task failed. If it failed on its own, clear it.

### Safe to re-run?
Yes: each task and the whole run, any number of times, also at the same time. What is published already does not change.
"""


def _in_words(length: timedelta) -> str:
    if length.days:
        return counted(length.days, "day", "days")
    return counted(int(length.total_seconds() // 3600), "hour", "hours")
