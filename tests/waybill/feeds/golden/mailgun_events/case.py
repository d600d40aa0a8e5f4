"""The case of mailgun_events: the records of mailgun_webhooks, in pages."""

import json
from collections.abc import Sequence
from dataclasses import replace

from tests.waybill.feeds.case import Paging, Record, body, lines
from tests.waybill.feeds.golden.mailgun_webhooks import case as webhooks

NAMED_WORDS = webhooks.NAMED_WORDS
CASE = replace(webhooks.CASE, files=(body("items"), body("items", indent=2), lines))


def page(records: Sequence[Record], start: int, following: str | None) -> bytes:
    """Return a page; the link of the last one is that of an empty page."""
    paging = {"previous": "https://api.mailgun.net/v3/first", "next": following or "https://api.mailgun.net/v3/last"}
    return json.dumps({"items": list(records), "paging": paging}).encode()


PAGING = Paging(page, lambda listing, number: f"{listing.link}/W3siYSI6{number}", ends_empty=True, record_id="id")
