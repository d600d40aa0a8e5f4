"""Servers on the loopback interface that send exactly the bytes of a test, and clocks that advance without waiting."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

USER, SECRET = "AC00000000000000000000000000000001", "correct/horse battery+staple"
CLOSE, RESET, HANG = "close", "reset", "hang"


@dataclass(frozen=True)
class Reply:
    """Bytes to send unchanged, and what then happens to the connection."""

    data: bytes
    then: str = ""


def reply(
    status: int = 200, body: bytes = b"{}", *headers: tuple[str, str], length: int | None = None, then: str = ""
) -> Reply:
    """Return an HTTP message; with a `length` that is not that of the body, it is truncated."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return Reply("\r\n".join(lines).encode() + b"\r\n\r\n" + body, then)


@dataclass(frozen=True)
class Asked:
    """A received request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Server:
    """Answers each request with the next reply, and after the last reply with an empty object."""

    certificate: ssl.SSLContext | None = None
    replies: list[Reply | Callable[[Asked], Reply]] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)
    connection_count: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._over.set()
        for opened in [self._listener, *self._open]:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connection_count += 1
            self._open.append(accepted)
            thread = threading.Thread(target=self._serve, args=(accepted,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        with suppress(OSError):
            if self.certificate:
                accepted = self.certificate.wrap_socket(accepted, server_side=True)
                self._open.append(accepted)
            with accepted:
                while asked := _request(accepted):
                    self.requests.append(asked)
                    said = self.replies.pop(0) if self.replies else reply()
                    said = said(asked) if callable(said) else said
                    accepted.sendall(said.data)
                    if said.then == HANG:
                        self._over.wait()
                    if said.then == RESET:
                        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if said.then:
                        return


def _request(accepted: socket.socket) -> Asked | None:
    head = b""
    while b"\r\n\r\n" not in head:
        data = accepted.recv(65_536)
        if not data:
            return None
        head += data
    head, _, body = head.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += accepted.recv(65_536)
    return Asked(method, target, headers, body)


@dataclass
class Moment:
    """A clock that advances only by sleeping, and by `tick_seconds` each time it is read."""

    tick_seconds: float = 0.0
    passed_seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def clock(self) -> float:
        self.passed_seconds += self.tick_seconds
        return self.passed_seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 1, 0, 0, tzinfo=UTC) + timedelta(seconds=self.passed_seconds)

    def sleep(self, seconds: float) -> None:
        self.waits.append(float(seconds))
        self.passed_seconds += seconds

    def random(self) -> float:
        return 0.5
