"""Spool files of SendGrid's Event Webhook: one file an hour, in four common forms."""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from waybill.simulator.records import WrittenRecord
from waybill.simulator.sendgrid.poison import webhook_text
from waybill.simulator.sendgrid.records import FEED, event_id
from waybill.simulator.spool import SpoolFile, Tally

HOUR = timedelta(hours=1)
SHAPES = {"lines": 45, "posts": 25, "array": 12, "gzip": 18}
"""One record a line; one POST (array) a line; one indented array; one record a line, compressed."""

POISON_SHARE = 0.012
REPEATED_SHARE = 0.1
"""Share of the hours in which a batch is sent again an hour later, as after a response other than 2xx."""


def spools(
    account: str, events: Sequence[WrittenRecord], until: datetime, random: Random, tally: Tally
) -> list[SpoolFile]:
    """Returns one file for every hour in which a record arrived before `until`."""
    hours: dict[datetime, list[WrittenRecord]] = {}
    for one in sorted(events, key=lambda one: one.arrives):
        hours.setdefault(one.arrives.replace(minute=0, second=0, microsecond=0), []).append(one)
    repeated: list[dict[str, object]] = []
    files = []
    for number, hour in enumerate(sorted(hours)):
        records = [one.fields for one in hours[hour]]
        can_repeat = hour + HOUR in hours and hour + HOUR < until
        all_records = records + repeated
        repeated = _batch_again(records, random) if can_repeat and random.random() < REPEATED_SHARE else []
        data, suffix = _file(account, number, all_records, random, tally)
        landed_after = hour + HOUR + timedelta(minutes=2)
        name = f"events-{hour:%Y%m%dT%H}.{suffix}"
        files.append(SpoolFile(account, FEED, name, data, landed_after, tuple(hours[hour])))
    return files


def _batch_again(records: Sequence[dict[str, object]], random: Random) -> list[dict[str, object]]:
    """Returns the records of half an hour again; some get another event id."""
    half = records[len(records) // 2 :]
    return [{**one, "sg_event_id": event_id(random)} if random.random() < 0.5 else one for one in half]


def _file(
    account: str, number: int, records: list[dict[str, object]], random: Random, tally: Tally
) -> tuple[bytes, str]:
    """Returns the bytes of one file, and the suffix of its name."""
    shapes = list(SHAPES)
    # the first hours use every shape
    shape = shapes[number] if number < len(shapes) else random.choices(shapes, list(SHAPES.values()))[0]
    texts = [json.dumps(record) for record in records]
    tally.read[account, FEED] += len(texts)
    for _ in records:
        if random.random() < POISON_SHARE or not tally.rejected[account, FEED]:
            text = webhook_text(tally.rejected[account, FEED], in_lines=shape in ("lines", "gzip"))
            texts.append(text)
            tally.reject(account, FEED, text)
    random.shuffle(texts)
    return _shaped(texts, shape, random)


def _shaped(texts: list[str], shape: str, random: Random) -> tuple[bytes, str]:
    if shape == "array":
        return ("[\n  " + ",\n  ".join(_indented(text) for text in texts) + "\n]\n").encode(), "json"
    if shape == "posts":
        posts = []
        while texts:
            size = random.randint(1, 12)
            posts.append(f"[{', '.join(texts[:size])}]")
            texts = texts[size:]
        return ("\n".join(posts) + "\n").encode(), "ndjson"
    if random.random() < 0.3:
        texts.insert(random.randrange(len(texts) + 1), "")  # a blank line is no record
    lines = ("\n".join(texts) + "\n").encode()
    return (gzip.compress(lines, mtime=0), "ndjson.gz") if shape == "gzip" else (lines, "ndjson")


def _indented(text: str) -> str:
    return json.dumps(json.loads(text), indent=1).replace("\n", "\n  ")
