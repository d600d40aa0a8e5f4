"""The input of the paging contract: one `Paging` for each API feed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from waybill.feeds.api import Listing

Record = dict[str, object]


@dataclass(frozen=True)
class Paging:
    """The pages and links of a provider.

    :ivar body: returns a page from its records, the number of records before them, and the next link (None: last page)
    :ivar link: returns the link of a page of a list; the first page has number 0
    """

    body: Callable[[Sequence[Record], int, str | None], bytes]
    link: Callable[[Listing, int], str]


def twilio(key: str) -> Paging:
    def body(records: Sequence[Record], start: int, following: str | None) -> bytes:
        end = start + max(len(records) - 1, 0)
        return json.dumps({key: list(records), "start": start, "end": end, "next_page_uri": following}).encode()

    def link(listing: Listing, number: int) -> str:
        (name, value), *_ = listing.params
        return f"{listing.link}?{urlencode({name: value, 'Page': number, 'PageToken': f'PA{number}'})}"

    return Paging(body, link)


PAGINGS = {"twilio_calls": twilio("calls"), "twilio_messages": twilio("messages")}


def paging_of(slug: str) -> Paging:
    """Return the paging of a feed. Raises LookupError with what to write."""
    if slug not in PAGINGS:
        raise LookupError(
            f"The feed {slug} has no Paging. Write PAGINGS[{slug!r}] in {Path(__file__).name}: how its provider writes "
            "a page, and the link to the next one."
        )
    return PAGINGS[slug]
