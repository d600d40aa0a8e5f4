"""Benchmark of a load against a bare COPY of the same event rows, in one run on one server.

    python -m bench.load [--events 200000] [--history 1000000] [--profile]

Prints seconds by step, events per second and the ratio; asserts nothing. The COPY writes the same rows of fact.event
into a logged table without indexes.
"""

import argparse
import cProfile
import io
import logging
import pstats
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.generate import START, spool
from waybill.feeds import FEEDS
from waybill.flow.ingest import load
from waybill.landing.objects import land
from waybill.quality import gate
from waybill.settings import Settings
from waybill.warehouse import embedded
from waybill.warehouse.connection import Warehouse, connected
from waybill.warehouse.migrations import migrate


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    gate._library()  # its import is a cost per process, not per load
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(
            {"WAYBILL_VAR": folder, "RECIPIENT_HMAC_KEY": "a key for benchmarks only", "REJECTED_CEILING": "1"}
        )
        url = embedded.start(settings.var / "postgres", settings.postgres_version)
        try:
            _measure(settings, url, arguments)
        finally:
            embedded.stop(settings.var / "postgres", settings.postgres_version)


def _measure(settings: Settings, url: str, arguments: argparse.Namespace) -> None:
    migrate(url)
    if arguments.history:
        seconds = _load(settings, url, arguments.history, 1, START - 86_400, print_steps=False)
        print(f"history: {arguments.history:,} events in {seconds:.1f} s")
    profiler = cProfile.Profile() if arguments.profile else None
    if profiler:
        profiler.enable()
    seconds = _load(settings, url, arguments.events, 2, START, print_steps=True)
    if profiler:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    copied, count = _bare_copy(url)
    print(f"load: {count:,} events in {seconds:.2f} s, {count / seconds:,.0f} events/s")
    print(f"bare COPY of the same rows: {copied:.2f} s, {count / copied:,.0f} events/s")
    print(f"ratio: {copied / seconds:.3f} of a bare COPY")


def _load(settings: Settings, url: str, events: int, seed: int, start: int, print_steps: bool) -> float:
    path = Path(settings.var) / f"spool-{seed}.ndjson"
    with path.open("wb") as file:
        file.writelines(spool(events, seed, start))
    began = time.perf_counter()
    steps = _Seconds()
    log = logging.getLogger("waybill.flow")
    log.setLevel(logging.INFO)
    log.addHandler(steps)
    with path.open("rb") as file:
        landed = land(file, "bench", "sendgrid_events", settings.landing_url, datetime.now(UTC) + timedelta(days=1))
    landed_at = time.perf_counter()
    load(Warehouse(settings, url), FEEDS["sendgrid_events"], [landed]).checked()
    ended = time.perf_counter()
    log.removeHandler(steps)
    if print_steps:
        print(f"  landing: {landed_at - began:.2f} s")
        for step, seconds in steps.found.items():
            print(f"  {step}: {seconds:.2f} s")
    return ended - began


class _Seconds(logging.Handler):
    """Keeps the seconds of each step of a load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "seconds"):
            self.found[record.step] = record.seconds


def _bare_copy(url: str) -> tuple[float, int]:
    """Returns seconds and rows of a COPY of the events of the measured load into a table without indexes."""
    with connected(url) as connection, connection.cursor() as cursor:
        rows = io.BytesIO()
        cursor.copy_expert(
            f"copy (select * from fact.event where event_key >= fact.key_floor(to_timestamp({START}))) to stdout", rows
        )
        cursor.execute("create table staging.bare (like fact.event)")
        connection.commit()
        rows.seek(0)
        began = time.perf_counter()
        cursor.copy_expert("copy staging.bare from stdin", rows)
        connection.commit()
        seconds = time.perf_counter() - began
        cursor.execute("select count(*) from staging.bare")
        return seconds, cursor.fetchone()[0]


if __name__ == "__main__":
    main()
