"""The paging of the lists of Twilio, for the cases of its feeds."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from tests.waybill.feeds.case import Paging, Record
from waybill.feeds.api import Listing


def twilio_paging(key: str) -> Paging:
    """Return the paging of the list `key`."""

    def body(records: Sequence[Record], start: int, following: str | None) -> bytes:
        end = start + max(len(records) - 1, 0)
        return json.dumps({key: list(records), "start": start, "end": end, "next_page_uri": following}).encode()

    def link(listing: Listing, number: int) -> str:
        (name, value), *_ = listing.params
        return f"{listing.link}?{urlencode({name: value, 'Page': number, 'PageToken': f'PA{number}'})}"

    return Paging(body, link)
