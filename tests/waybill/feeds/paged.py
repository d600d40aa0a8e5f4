"""What the contract of paging must be told of an API feed: one `Paging` for each."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from waybill.feeds.api import Listing

Record = dict[str, object]


@dataclass(frozen=True)
class Paging:
    """How a provider writes pages and links.

    :ivar body: of a page: its records, how many stand before them, and the link to the next one (None: there is none)
    :ivar link: to a page of a list, the first being number 0
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
    """Raises LookupError, which says what to write."""
    if slug not in PAGINGS:
        raise LookupError(
            f"The feed {slug} has no Paging. Write PAGINGS[{slug!r}] in {Path(__file__).name}: how its provider writes "
            "a page, and the link to the next one."
        )
    return PAGINGS[slug]
