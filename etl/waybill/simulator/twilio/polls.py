"""Regular polls of Twilio's lists, and their files: the landed bodies, page by page."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from waybill.simulator.records import WrittenRecord
from waybill.simulator.spool import SpoolFile, Tally
from waybill.simulator.twilio.page import PageLink, as_written, page_body
from waybill.simulator.twilio.rows import MESSAGES, Row

PAGE_SIZE = 50
EVERY, BACK = timedelta(hours=4), timedelta(hours=8)
NIGHTLY_HOUR, NIGHTLY_BACK = 4, timedelta(hours=50)


def times(starts: datetime, ends: datetime) -> list[datetime]:
    """Returns the times of the polls: every few hours, and once more at the end."""
    every = [starts + timedelta(minutes=7)]
    while every[-1] + EVERY < ends:
        every.append(every[-1] + EVERY)
    return [*every[1:], ends]


def files(
    account: str, feed: str, rows: Sequence[Row], at: datetime, ends: datetime, tally: Tally
) -> Iterator[SpoolFile]:
    """Yields the files of one poll, one for each page; a poll at night and the last one go back further.

    :param rows: of this account and feed, in order of creation
    """
    back = NIGHTLY_BACK if at.hour == NIGHTLY_HOUR or at == ends else BACK
    pages = _poll(account, feed, rows, at, back)
    for number, data in enumerate(_bodies(account, feed, pages, at, back)):
        page = pages[number]
        tally.read[account, feed] += len(page)
        tally.ignored[account, feed] += sum(not one.events for one in page)
        name = f"{feed.removeprefix('twilio_')}-{at:%Y%m%dT%H%M}Z-page{number}.json"
        yield SpoolFile(account, feed, name, data, at + timedelta(minutes=1), tuple(page))


def _poll(account: str, feed: str, rows: Sequence[Row], at: datetime, back: timedelta) -> list[list[WrittenRecord]]:
    """Returns the pages of one poll: every row created in the last `back`, in its present state, newest first.

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


def _bodies(
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
        rows = [as_written(one.fields) for one in page]
        body = page_body(links[number], rows, following and following.uri, preceding and preceding.uri)
        found.append(json.dumps(body).encode())
    return found
