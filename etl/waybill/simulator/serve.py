"""Serves the simulated Twilio in a process of its own: `python -m waybill.simulator.serve --port 0 --seed 1`."""

import argparse
import signal
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Event

from waybill.simulator.http.server import LOOPBACK, serving
from waybill.simulator.twilio.landed import sightings_in_bodies
from waybill.simulator.twilio.rows import CALLS, MESSAGES
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.simulator.world import FIRST_DAY, World


def main() -> None:
    """Serve a world until SIGTERM or SIGINT."""
    options = _options()
    world = World(
        options.seed,
        first_day=options.first_day,
        days=options.days,
        accounts=tuple(options.accounts.split(",")),
        messages_per_day=options.messages_per_day,
        email_providers=tuple(filter(None, options.email_providers.split(","))),
    )
    stand_in = TwilioStandIn(
        world,
        at=options.at,
        per_request=timedelta(seconds=options.per_request_seconds),
        most_concurrent=options.most_concurrent,
        latency_seconds=options.latency_seconds,
        strict_upper_bounds=options.strict_upper_bounds,
    )
    if options.landed is not None:
        stand_in.shown.add(sightings_in_bodies(world, _landed_bodies(options.landed)))
    is_over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: is_over.set())
    with serving(stand_in, options.host, options.port):
        print(f"listening on {stand_in.url}", flush=True)
        is_over.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m waybill.simulator.serve", description="A simulated Twilio: its lists of messages and calls."
    )
    parser.add_argument("--host", default=LOOPBACK, help="default: only this machine can reach it")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first-day", type=date.fromisoformat, default=FIRST_DAY, help="YYYY-MM-DD")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--accounts", default="north,south", help="names, with commas between them")
    parser.add_argument("--messages-per-day", type=int, default=400)
    parser.add_argument(
        "--email-providers", default="", help="who sends emails besides SendGrid: names, with commas between them"
    )
    parser.add_argument("--at", type=_instant, help="time in the world (ISO 8601); default: its end")
    parser.add_argument("--per-request-seconds", type=float, default=0, help="how far each request moves the clock")
    parser.add_argument("--most-concurrent", type=int, help="more concurrent requests of an account get 429")
    parser.add_argument("--latency-seconds", type=float, default=0, help="delay of every page")
    parser.add_argument("--landed", type=Path, help="landing zone: rows in its pages count as sent before")
    parser.add_argument("--strict-upper-bounds", action="store_true", help="a bare date as upper bound is its midnight")
    return parser.parse_args()


def _landed_bodies(landing: Path) -> Iterator[bytes]:
    """Yields the pages `<landing>/<account>/<feed>/<two digits>/<sha256>`, without their descriptions (`.json`)."""
    for feed in (MESSAGES, CALLS):
        for path in landing.glob(f"*/{feed}/*/*"):
            if not path.suffix:
                yield path.read_bytes()


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text}: expected a time with its zone, as 2026-03-27T00:00:00Z")
    return moment


if __name__ == "__main__":
    main()
