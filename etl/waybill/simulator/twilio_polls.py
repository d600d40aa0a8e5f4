"""Regular polls of Twilio's lists, and their files: the landed bodies, page by page."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio import MESSAGES, Row
from waybill.simulator.twilio_page import PageLink, page_body

PAGE_SIZE = 50


def poll(account: str, feed: str, rows: Sequence[Row], at: datetime, back: timedelta) -> list[list[WrittenRecord]]:
    """Returns the pages of one poll: every row created in the last `back`, in its present state, newest first.

    :param rows: of this account and feed, in order of creation

    New rows that arrive between pages move the others: a page may repeat the last row of the previous one.
    """
    random = Random(f"{account}/{feed}/{at.isoformat()}")
    seen = []
    first = bisect_left(rows, at - back, key=lambda row: row.created)
    end = bisect_right(rows, at, key=lambda row: row.created)
    for row in reversed(rows[first:end]):
        state = row.seen_at(at)
        if state is not None:
            seen.append(WrittenRecord(account, feed, at, state, row.events(state)))
    pages: list[list[WrittenRecord]] = []
    position = 0
    while position < len(seen) or not pages:
        pages.append(seen[position : position + PAGE_SIZE])
        position += PAGE_SIZE - (1 if random.random() < 0.3 else 0)
    return pages


def bodies(
    account: str, feed: str, pages: Sequence[Sequence[WrittenRecord]], at: datetime, back: timedelta
) -> list[bytes]:
    """Returns the response bodies of one poll, page by page, with links relative to the origin."""
    filtered = "DateSent>" if feed == MESSAGES else "StartTime>"
    since = (at - back).strftime("%Y-%m-%dT%H:%M:%SZ")
    links = [PageLink(account, feed, ((filtered, since),), PAGE_SIZE)]
    for number, page in enumerate(pages[:-1], start=1):
        links.append(links[0].at(number, f"PA{page[-1].fields['sid']}"))
    found = []
    for number, page in enumerate(pages):
        following = links[number + 1] if number + 1 < len(pages) else None
        preceding = links[number - 1] if number else None
        found.append(page_body(links[number], [one.fields for one in page], following, preceding))
    return found
