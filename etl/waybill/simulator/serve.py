"""Serves the simulated Twilio: `python -m waybill.simulator.serve --port 0 --seed 1`, or `serving(twilio)` in a test.

HTTP/1.1 with connections that stay open, one thread for each. By default only this machine can reach it.
"""

import argparse
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from threading import Event, Lock, Thread

from waybill.simulator import control
from waybill.simulator.answer import FOREVER, Answer
from waybill.simulator.request_log import Request
from waybill.simulator.shown import sightings_in_bodies
from waybill.simulator.stand_in import TwilioStandIn
from waybill.simulator.twilio import CALLS, MESSAGES
from waybill.simulator.world import FIRST_DAY, World

LOOPBACK = "127.0.0.1"
_LONGEST_BODY = 1_000_000
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Connection = socket.socket | tuple[bytes, socket.socket]
"""As socketserver declares it; over TCP it is a socket."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: "_Server"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        # a client may go away at any time
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LONGEST_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        stand_in = self.server.stand_in
        if self.path.startswith(control.PREFIX):
            self._send(control.control(stand_in, self.command, self.path, body))
            return
        with stand_in.requests.under_way(self.path, stand_in.account_of(self.path)) as request:
            answer = stand_in.answer(request, self.command, self.headers.get("Authorization"))
            self._send_page(answer, request)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _send_page(self, answer: Answer, request: Request) -> None:
        """Send a page. It is recorded before the last byte, so a client that has the answer finds it recorded."""
        if not self._wait(answer.wait_seconds):
            self.close_connection = True
            return
        shows = answer.shows if answer.sent_length is None else None
        if shows is None:
            self._send(answer)
            return
        request.is_page = True
        self.server.stand_in.shown.add(shows)
        try:
            self._send(answer)
        except OSError:
            request.is_page = False
            self.server.stand_in.shown.take_back(shows)
            raise

    def _wait(self, seconds: float) -> bool:
        """Wait; returns False as soon as the client has gone."""
        if not seconds:
            return True
        with DefaultSelector() as selector:
            selector.register(self.connection, EVENT_READ)
            if not selector.select(None if seconds == FOREVER else seconds):
                return True
        return bool(self.connection.recv(1, socket.MSG_PEEK))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.sent_length is None:
            self.wfile.write(answer.body)
            return
        self.wfile.write(answer.body[: answer.sent_length])
        self._wait(answer.stall_seconds)
        self.close_connection = True
        if answer.is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.rfile.close()
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the request log has it."""


class _Server(ThreadingHTTPServer):
    """A server whose threads end with it, even if they wait."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stand_in: TwilioStandIn) -> None:
        self.stand_in = stand_in
        self._open: set[Connection] = set()
        self._lock = Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Connection, client_address: object) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Connection) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    assert isinstance(connection, socket.socket)
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextmanager
def serving(stand_in: TwilioStandIn, host: str = LOOPBACK, port: int = 0) -> Iterator[TwilioStandIn]:
    """Serve from a thread; the `url` is set while it is served.

    :param port: 0: any free port
    """
    server = _Server((host, port), stand_in)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="simulated twilio")
    thread.start()
    stand_in.url = f"http://{host}:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        stand_in.url = None
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    """Serve a world until SIGTERM or SIGINT."""
    options = _options()
    world = World(
        options.seed,
        first_day=options.first_day,
        days=options.days,
        accounts=tuple(options.accounts.split(",")),
        messages_per_day=options.messages_per_day,
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
