"""The case of sparkpost_events: the records of sparkpost_webhooks, in pages."""

import json
from collections.abc import Sequence
from dataclasses import replace

from tests.waybill.feeds.case import Paging, Record, body, lines
from tests.waybill.feeds.golden.sparkpost_webhooks import case as webhooks

NAMED_WORDS = webhooks.NAMED_WORDS
CASE = replace(webhooks.CASE, files=(body("results"), body("results", indent=2), lines))


def page(records: Sequence[Record], start: int, following: str | None) -> bytes:
    """Return a page; the last one has no link."""
    return json.dumps({"results": list(records), "links": {"next": following} if following else {}}).encode()


PAGING = Paging(page, lambda listing, number: f"{listing.link}?cursor=WycyMDI2{number}", record_id="event_id")
