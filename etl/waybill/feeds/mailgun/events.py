"""Mailgun events, as its Events API lists them: the events of `mailgun_webhooks`, with the same keys.

Source: events (documentation.mailgun.com), `GET /v3/{domain}/events`. Not compared with a real account.
Bodies: the pages of the list, one body in a file or one on a line.

Quirks
- The account id is the sending domain: each domain has its own list.
- Every page has a next link; an empty page is the end. A list whose last page is not empty was cut short.
- Mailgun inserts events up to half an hour late, also into pages that it has shown (its "trustworthiness threshold").
  Each pull reads an hour again.
- `begin` before `end` means ascending, so late events come behind the ones that were shown.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO

from waybill.feeds.api import ApiFeed, Listing, Window
from waybill.feeds.mailgun.provider import PROVIDER
from waybill.feeds.mailgun.webhooks import MailgunWebhooks
from waybill.feeds.paging import NextLink
from waybill.framing.bodies import list_body
from waybill.framing.raw_record import RawRecord


class MailgunEvents(MailgunWebhooks, ApiFeed):
    slug = "mailgun_events"
    title = "Mailgun events"
    kind = "api"
    credentials = PROVIDER.credentials
    base_url = PROVIDER.base_url
    lateness = timedelta(hours=1)
    listing_span = timedelta(hours=1)
    paging = NextLink(rows="items", limit=300, row_id="id", link="paging.next", ends_empty=True)

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return list_body(stream, "items", own_field="event")

    def listing(self, account_id: str, stretch: Window) -> Listing:
        begin, end = (str(int(at.timestamp())) for at in stretch)
        params = (("begin", begin), ("end", end), ("ascending", "yes"), ("limit", str(self.paging.limit)))
        name = f"events from {stretch.from_at:%Y-%m-%dT%H:%M:%SZ}"
        return Listing(name, f"/v3/{account_id}/events", params, stretch=stretch)
