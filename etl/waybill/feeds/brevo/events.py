"""Brevo's report of events, as its API lists it: the events of `brevo_webhooks`, with the same keys.

Source: get email event report (developers.brevo.com), `GET /v3/smtp/statistics/events`. Not compared with a real
account.
Bodies: the pages of the list, one body in a file or one on a line.

Quirks
- Only whole days can be asked for, both included: a list is a day in UTC.
- An answer without events may have no list: `{}`. A list that is missing by mistake looks the same.
- Rows have no id, no metadata of the sender and no user agent, and one tag: the dispatch id comes only by the webhooks.
- `bounces` is a word of the query for both kinds of bounces. A row with it does not say which kind.
- Brevo names no delay of events in its list. Each pull reads a day again, so a day is listed many times.
- `from` and `subject` are content of the message: not kept.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO

import msgspec

from waybill.feeds.api import ApiFeed, Listing, Window
from waybill.feeds.brevo.provider import PROVIDER
from waybill.feeds.brevo.webhooks import BrevoEvent, BrevoWebhooks
from waybill.feeds.paging import Offset
from waybill.framing.bodies import list_body
from waybill.framing.raw_record import RawRecord


class BrevoRow(BrevoEvent):
    """One row of the list: the fields of a post, three of them under other names."""

    date: int | float | str | None = None
    message_id: object = msgspec.field(name="messageId", default=None)
    template_id: object = msgspec.field(name="templateId", default=None)
    sender: object = msgspec.field(name="from", default=None)


class BrevoEvents(BrevoWebhooks, ApiFeed):
    slug = "brevo_events"
    title = "Brevo events"
    kind = "api"
    credentials = PROVIDER.credentials
    base_url = PROVIDER.base_url
    lateness = timedelta(days=1)
    listing_span = timedelta(days=1)
    paging = Offset(rows="events", limit=2500, offset="offset", is_empty_without_list=True)
    record_type = BrevoRow
    event_types = {word: event_type for word, (event_type, _) in BrevoWebhooks.words.items()}
    ignored_words = ()

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        found = list_body(stream, "events", own_field="event")
        return (raw for raw in found if raw.problem is None or raw.raw != b"{}")

    def listing(self, account_id: str, stretch: Window) -> Listing:
        day = f"{stretch.from_at:%Y-%m-%d}"
        params = (("startDate", day), ("endDate", day), ("sort", "asc"), ("limit", str(self.paging.limit)))
        return Listing(f"events of {day}", "/v3/smtp/statistics/events", (*params, ("offset", "0")), stretch=stretch)

    def written_time(self, record: BrevoEvent) -> tuple[str, int | float | str | None]:
        return "date", record.date if isinstance(record, BrevoRow) else None
