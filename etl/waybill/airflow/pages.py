"""The page of an ingest DAG: what people read in the UI when something is red."""

from waybill.feeds.api import ApiFeed
from waybill.feeds.base import Feed


def ingest(feed: Feed) -> str:
    """The page of an ingest DAG."""
    if isinstance(feed, ApiFeed):
        reads = (
            f"the API of {feed.provider}, with the connection `waybill_{feed.provider}_<account>` of each organisation "
            "in `ACCOUNTS`"
        )
        late = (
            f"Every run reads again the {feed.lateness.days} days before where the feed is complete "
            "(`report.freshness`), so statuses, prices and error codes that come late are seen. What is older: trigger "
            "with `from` and `until`."
        )
    else:
        reads = f"every file under `INBOX_URL/<account>/{feed.slug}/`"
        late = "Whenever a file comes, however old its events: the days that it touches are rebuilt."
    return f"""{feed.title}: records of {feed.provider} become events, legs and messages.

### Writes
`fact.event`, `fact.leg`, `fact.message`, `private.recipient`, `private.rejected_record`, the ledger `ops.load`; the
bytes as received under `LANDING_URL`.

### Reads
{reads[0].upper()}{reads[1:]}.

### Late data
{late}

### If a task fails
- **slices**: a parameter or a setting is off; the message names it.
- **pull**: the provider or the inbox could not be read. It is tried again by itself, and goes on behind the last page
  it landed. Credentials that are refused are not tried again: mend the connection, clear the task.
- **stage**: the landing zone or the warehouse could not be reached. Clear it.
- **validate**: more records were rejected than `REJECTED_CEILING` allows, or a critical rule failed. Nothing of that
  load is in the facts. `waybill rejected list` and the [validation results](/waybill/validations) tell which; after
  mending, clear **stage**.
- **publish**: it fails, too, where one before it did, after it has published what passed. On its own: clear it.

### Safe to re-run?
Yes, each task and the whole run, any number of times and at the same time: what is published already is left alone.
"""
