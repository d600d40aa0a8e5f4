"""The case of brevo_events: a click, in pages by offset."""

import json
from collections.abc import Sequence

from tests.waybill.feeds.case import Case, Paging, Record, body, lines
from waybill.feeds.pages import Listing, written

CASE = Case(
    record={
        "event": "clicks",
        "email": "ana@inbox.example",
        "date": "2026-03-02T09:15:11.417Z",
        "messageId": "<202603020914.27287306011@smtp-relay.acme.example>",
    },
    word="event",
    times=("date",),
    message_id="messageId",
    recipient="email",
    files=(body("events"), body("events", indent=2), lines),
)

NAMED_WORDS = (
    "bounces hardBounces softBounces delivered spam requests opened clicks invalid deferred blocked unsubscribed error"
    " loadedByProxy"
)


def page(records: Sequence[Record], start: int, following: str | None) -> bytes:
    """Return a page; without records it has no list."""
    return json.dumps({"events": list(records)} if records else {}).encode()


def link(listing: Listing, number: int) -> str:
    """Return the request of a page."""
    params = dict(listing.params)
    params["offset"] = str(number)
    return written(listing.link, tuple(params.items()))


PAGING = Paging(page, link, by_offset=True)
