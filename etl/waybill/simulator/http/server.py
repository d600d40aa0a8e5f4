"""Serves a simulated API on a real socket.

HTTP/1.1 with connections that stay open, one thread for each. By default only this machine can reach it.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from selectors import EVENT_READ, DefaultSelector
from threading import Lock, Thread
from typing import TypeVar

from waybill.simulator.http import control
from waybill.simulator.http.answer import FOREVER, Answer
from waybill.simulator.http.request_log import Request
from waybill.simulator.http.stand_in import Asked, StandIn

LOOPBACK = "127.0.0.1"
_LONGEST_BODY = 1_000_000
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Api = TypeVar("Api", bound=StandIn)
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
        asked = Asked(self.command, {name.lower(): value for name, value in self.headers.items()}, body)
        with stand_in.requests.under_way(self.path, stand_in.account_of(self.path, asked.headers)) as request:
            answer = stand_in.answer(request, asked)
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

    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
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
def serving(stand_in: Api, host: str = LOOPBACK, port: int = 0) -> Iterator[Api]:
    """Serve from a thread; the `url` is set while it is served.

    :param port: 0: any free port
    """
    server = _Server((host, port), stand_in)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="simulated API")
    thread.start()
    stand_in.url = f"http://{host}:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        stand_in.url = None
        server.shutdown()
        thread.join()
        server.server_close()
