"""Connections that enforce the limits of one answer, whatever the server does.

The timeouts of httpx2 count from byte to byte: a server that sends its header slowly, or endless interim answers, could
hold a pull for ever. Here the socket knows the deadline of the attempt and how many bytes it has received.

This module uses the transport of httpx2 without its client. The client would keep cookies, build redirects, read
proxies and netrc from the environment, and log URLs with their queries.
"""

import logging
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
import httpx2

from waybill.model.errors import SourceError
from waybill.pull.limits import MIB, Limits
from waybill.pull.retrying import TransientError

_TALKATIVE = ("httpcore2.connection", "httpcore2.http11")


class Meter:
    """The time and the bytes of the current attempt.

    :param clock: monotonic seconds
    :ivar received_bytes: bytes of this attempt as read from the socket (after TLS)
    """

    def __init__(self, limits: Limits, host: str, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._host = host
        self._clock = clock
        self._deadline = 0.0
        self.received_bytes = 0

    def begin(self, deadline: float) -> None:
        """Begin an attempt, which must end within `page_seconds` and before the deadline."""
        self._deadline = min(self._clock() + self._limits.page_seconds, deadline)
        self.received_bytes = 0

    def time_left(self, timeout: float | None) -> float:
        """Return the timeout in seconds, or less if the attempt must end before. Raises TransientError at its end."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TransientError("no whole answer in time")
        return left if timeout is None else min(timeout, left)

    def count(self, data: bytes) -> bytes:
        """Count the bytes and return them. Raises SourceError above the limit of an answer."""
        self.received_bytes += len(data)
        if self.received_bytes > self._limits.wire_bytes:
            raise SourceError(
                f"An answer of {self._host} is longer than {self._limits.wire_bytes / MIB:g} MiB. Ask for shorter "
                "pages or windows."
            )
        return data


class Transport(httpx2.HTTPTransport):
    """One connection at a time, kept alive, HTTP/1.1, without proxies.

    :param certificates: the trusted certificates; None without TLS
    """

    def __init__(self, meter: Meter, certificates: ssl.SSLContext | None) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=certificates,
            max_connections=1,
            keepalive_expiry=30,
            network_backend=_MeteredNetwork(meter),
        )
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_only_the_event)

    def drop_leftovers(self) -> None:
        """Close a connection with unread bytes after the answer: they would be read as the answer to the next request.
        (httpcore2 notices bytes that arrive later before it sends.)"""
        for connection in self._pool.connections:
            http = getattr(connection, "_connection", None)
            if http is not None and http._h11_state.trailing_data[0]:
                http.close()


def _only_the_event(record: logging.LogRecord) -> bool:
    """Keep only the name of the event. At DEBUG, httpcore2 logs headers of answers and messages of errors, which can
    repeat a request."""
    record.msg, record.args = record.getMessage().partition(" ")[0], ()
    return True


class _MeteredNetwork(httpcore2.NetworkBackend):
    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        timeout = self._meter.time_left(timeout)
        stream = self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return _MeteredStream(stream, self._meter)


class _MeteredStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._meter.count(self._stream.read(max_bytes, self._meter.time_left(timeout)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._meter.time_left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._meter.time_left(timeout))
        return _MeteredStream(stream, self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
