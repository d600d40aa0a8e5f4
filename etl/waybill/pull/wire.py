"""Connections that keep to the limits of one answer, whatever the server does.

httpx2's own timeouts count from byte to byte: a server that drips its header, or sends interim answers for ever, could
hold a pull for as long as it likes. Here the socket knows when the attempt must be over and how much it has received.

This is httpx2's transport without its client, which would keep cookies, build redirects, look for proxies and netrc in
the environment and log URLs with their queries: what is not there cannot be left switched on.
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
    """Time and bytes of the attempt at hand.

    :param clock: monotonic seconds
    :ivar received_bytes: of this attempt, as they came from the socket (after TLS)
    """

    def __init__(self, limits: Limits, host: str, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._host = host
        self._clock = clock
        self._deadline = 0.0
        self.received_bytes = 0

    def begin(self, deadline: float) -> None:
        """A new attempt, which must be over by `page_seconds` from now and by the deadline."""
        self._deadline = min(self._clock() + self._limits.page_seconds, deadline)
        self.received_bytes = 0

    def time_left(self, timeout: float | None) -> float:
        """The timeout in seconds, or less where the attempt must be over before. Raises TransientError when it is."""
        left = self._deadline - self._clock()
        if left <= 0:
            raise TransientError("no whole answer in time")
        return left if timeout is None else min(timeout, left)

    def count(self, data: bytes) -> bytes:
        """The same bytes, counted. Raises SourceError above the limit of an answer."""
        self.received_bytes += len(data)
        if self.received_bytes > self._limits.wire_bytes:
            raise SourceError(
                f"An answer of {self._host} is longer than {self._limits.wire_bytes / MIB:g} MiB. Ask for shorter "
                "pages or windows."
            )
        return data


class Transport(httpx2.HTTPTransport):
    """One connection at a time, kept alive, HTTP/1.1, without proxies.

    :param certificates: whom to trust; None where there is no TLS
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
        """Close a connection that holds more than the answer that was read: nobody asked for it, and it would be taken
        for the answer to the next request. (What comes later still, httpcore2 finds before it sends.)"""
        for connection in self._pool.connections:
            http = getattr(connection, "_connection", None)
            if http is not None and http._h11_state.trailing_data[0]:
                http.close()


def _only_the_event(record: logging.LogRecord) -> bool:
    """httpcore2 logs, at DEBUG, headers of answers and the texts of errors: those can repeat a request. What happened
    stays, what it held goes."""
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
