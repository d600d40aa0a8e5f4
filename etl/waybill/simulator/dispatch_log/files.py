"""Files of the dispatch log, in three formats, with some rows that must be rejected."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pyarrow
import pyarrow.parquet

from waybill.simulator.dispatch_log.poison import poison_line, poison_row
from waybill.simulator.dispatch_log.rows import COLUMNS, FEED
from waybill.simulator.records import WrittenRecord
from waybill.simulator.spool import SpoolFile, Tally

EVERY = timedelta(hours=6)
SHAPES = ("csv", "ndjson", "parquet")
POISON_SHARE = 0.01


def files(
    account: str,
    records: Sequence[WrittenRecord],
    starts: datetime,
    random: Random,
    tally: Tally,
    every: timedelta = EVERY,
    log: str = "dispatch",
) -> Iterator[SpoolFile]:
    """Yields the files of an account's log. A row is in the file of the hours in which it arrives.

    :param starts: the begin of the first file's hours
    :param every: the hours of one file
    :param log: the begin of the names of its files
    """
    windows: dict[int, list[WrittenRecord]] = {}
    for one in sorted(records, key=lambda one: one.arrives):
        windows.setdefault((one.arrives - starts) // every, []).append(one)
    for position, window in enumerate(sorted(windows)):
        ends = starts + every * (window + 1)
        shape = SHAPES[position % len(SHAPES)]
        rows: list[dict[str, object] | str] = [one.fields for one in windows[window]]
        tally.read[account, FEED] += len(rows)
        poison = _poison(account, shape, len(rows), random, tally)
        # a good row is first, because it decides whether a file is JSON or CSV
        rest = rows[1:] + poison
        random.shuffle(rest)
        rows = rows[:1] + rest
        if shape == "ndjson":
            data = _ndjson(rows, random)
        else:
            table = [row for row in rows if isinstance(row, dict)]
            data = _csv(table, random) if shape == "csv" else _parquet(table)
        name = f"{log}-{ends:%Y%m%dT%H}.{shape}"
        yield SpoolFile(account, FEED, name, data, ends + timedelta(minutes=1), tuple(windows[window]))


def _poison(account: str, shape: str, row_count: int, random: Random, tally: Tally) -> list[dict[str, object] | str]:
    found: list[dict[str, object] | str] = []
    for _ in range(row_count):
        number = tally.rejected[account, FEED]
        if number and random.random() > POISON_SHARE:
            continue
        if shape == "ndjson" and random.random() < 0.4:
            found.append(poison_line(number))
        else:
            found.append(poison_row(number, in_parquet=shape == "parquet"))
        tally.reject(account, FEED, str(found[-1]))
    return found


def _csv(rows: Sequence[dict[str, object]], random: Random) -> bytes:
    """Returns rows as a CSV file with a header; a missing value is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**one, "occurred_at": _time_as_text(one["occurred_at"], random)} for one in rows)
    return text.getvalue().encode()


def _ndjson(rows: Sequence[dict[str, object] | str], random: Random) -> bytes:
    """Returns rows as lines of JSON, with a missing value as null or without its key; a text is a line as it is."""
    lines = []
    for one in rows:
        if isinstance(one, str):
            lines.append(one)
            continue
        timed = {**one, "occurred_at": _time_as_text(one["occurred_at"], random)}
        if random.random() < 0.5:
            timed = {name: value for name, value in timed.items() if value is not None}
        lines.append(json.dumps(timed))
    return ("\n".join(lines) + "\n").encode()


def _parquet(rows: Sequence[dict[str, object]]) -> bytes:
    """Returns rows as a Parquet file: times as timestamps, everything else as text."""
    kinds = {"occurred_at": pyarrow.timestamp("us", tz="UTC")}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), buffer)
    return buffer.getvalue()


def _time_as_text(value: object, random: Random) -> object:
    """Returns the same instant in one of the forms of RFC 3339; a text stays as it is."""
    if not isinstance(value, datetime):
        return value
    way = random.randrange(10)
    if way < 6:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if way < 8:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+00:00")
    return value.astimezone(timezone(timedelta(hours=2 if way == 8 else -5, minutes=0))).isoformat()
