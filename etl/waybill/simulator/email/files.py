"""Spool files of posted events: one file for every two days, as lines, as an array, and compressed."""

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from waybill.simulator.email.sheet import Sheet
from waybill.simulator.poison import NO_OBJECTS
from waybill.simulator.records import WrittenRecord
from waybill.simulator.spool import SpoolFile, Tally

EVERY = timedelta(days=2)
"""Few files, because the time of a load is mostly that of its files."""
SHAPES = ("ndjson", "json", "ndjson.gz")
REPEATED_SHARE = 0.04
"""Share of the events that the provider posts twice."""


def files(
    account: str, sheet: Sheet, records: Sequence[WrittenRecord], starts: datetime, random: Random, tally: Tally
) -> Iterator[SpoolFile]:
    """Yields one file for every two days in which an event was posted.

    :param starts: the begin of the first day
    """
    windows: dict[int, list[WrittenRecord]] = {}
    for one in sorted(records, key=lambda one: one.arrives):
        windows.setdefault((one.arrives - starts) // EVERY, []).append(one)
    for position, window in enumerate(sorted(windows)):
        ends = starts + EVERY * (window + 1)
        shape = SHAPES[position % len(SHAPES)]
        posts = [one for one in windows[window] for _ in range(2 if random.random() < REPEATED_SHARE else 1)]
        tally.read[account, sheet.feed] += len(posts)
        tally.ignored[account, sheet.feed] += sum(not one.events for one in posts)
        texts = [json.dumps(sheet.posted(one.fields)) for one in posts]
        noise = NO_OBJECTS[0].format(number=tally.rejected[account, sheet.feed])
        tally.reject(account, sheet.feed, noise)
        texts.insert(random.randrange(1, len(texts) + 1), noise)
        name = f"events-{ends - EVERY:%Y%m%d}.{shape}"
        yield SpoolFile(
            account, sheet.feed, name, _shaped(texts, shape), ends + timedelta(minutes=2), tuple(windows[window])
        )


def _shaped(texts: list[str], shape: str) -> bytes:
    if shape == "json":
        return f"[{', '.join(texts)}]".encode()
    lines = ("\n".join(texts) + "\n").encode()
    return gzip.compress(lines, mtime=0) if shape == "ndjson.gz" else lines
