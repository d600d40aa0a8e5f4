"""SparkPost (Bird) events, as its Events API lists them: the events of `sparkpost_webhooks`, with the same keys.

Source: events (developers.sparkpost.com/api/events), `GET /api/v1/events/message`. Not compared with a real account.
Bodies: the pages of the list, one body in a file or one on a line.

Quirks
- Events have no `msys` around them, and times are in ISO 8601.
- `from` is included, `to` is not.
- `links.next` is a path with a cursor; the last page has none.
- SparkPost names no delay of events in its list, and keeps them for 10 days. Each pull reads an hour again.
- Every page counts against a rate limit that has no number; 429 asks for a wait of some seconds.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO

from waybill.feeds.api import ApiFeed, Listing, Window
from waybill.feeds.paging import NextLink
from waybill.feeds.sparkpost.provider import PROVIDER
from waybill.feeds.sparkpost.webhooks import SparkpostWebhooks
from waybill.framing.bodies import list_body
from waybill.framing.raw_record import RawRecord


class SparkpostEvents(SparkpostWebhooks, ApiFeed):
    slug = "sparkpost_events"
    title = "SparkPost events"
    kind = "api"
    credentials = PROVIDER.credentials
    base_url = PROVIDER.base_url
    lateness = timedelta(hours=1)
    listing_span = timedelta(hours=1)
    paging = NextLink(rows="results", limit=1000, row_id="event_id", link="links.next")

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return list_body(stream, "results", own_field="type")

    def listing(self, account_id: str, stretch: Window) -> Listing:
        since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in stretch)
        params = (("from", since), ("to", until), ("per_page", str(self.paging.limit)))
        return Listing(f"events from {since}", "/api/v1/events/message", params, stretch=stretch)
