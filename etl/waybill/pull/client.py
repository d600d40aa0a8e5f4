"""The HTTP client of all API feeds: one origin, one set of credentials, one request at a time."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

import httpx2

from waybill import __version__
from waybill.model.errors import ConfigurationError
from waybill.model.wire import PLAIN, Wire
from waybill.pull.answers import BROKEN_BODY, body_of, check_status
from waybill.pull.credentials import Credentials
from waybill.pull.limits import Limits
from waybill.pull.origin import Origin
from waybill.pull.pace import Pace
from waybill.pull.retrying import Patience, TransientError
from waybill.pull.wire import Meter, Transport

_HEADERS = httpx2.Headers(
    {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"waybill/{__version__}"}
)
_FAILED = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError, *BROKEN_BODY)


class Answer(NamedTuple):
    """A page as it was received.

    :ivar url: the requested URL without credentials; its query may contain personal data, so never log it
    :ivar status: 200 to 299
    :ivar body: the content, decompressed, otherwise exactly as sent
    """

    url: str
    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, {len(self.body)} bytes)"


class Client:
    """Gets pages below one base URL. Not safe for several threads.

    :param base_url: `https://host[:port][/path]`; plain http only for this machine
    :param authorization: user and secret, sent only to the origin of the base URL
    :param wire: where a request carries the secret, and how many requests the provider allows
    :param clock: monotonic seconds
    :param now: aware UTC, for Retry-After dates
    :param sleep: takes seconds
    :param random: uniform in 0..1, for jitter
    :param say: receives a line for each retry
    :param allow_plain_http: whether to allow plain http to any host, for a private network
    :param certificates: the trusted certificates; None: those of this machine
    :raises ConfigurationError: the base URL or the credentials are malformed
    """

    def __init__(
        self,
        base_url: str,
        authorization: tuple[str, str],
        *,
        wire: Wire = PLAIN,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        random: Callable[[], float],
        say: Callable[[str], None],
        allow_plain_http: bool = False,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        self._origin = Origin(base_url, allow_plain_http=allow_plain_http)
        self._credentials = Credentials(*authorization, wire.auth)
        self._limits = limits
        self._now = now
        host = self._origin.host
        self._patience = Patience(limits, host, clock=clock, now=now, sleep=sleep, random=random, say=say)
        self._pace = Pace(wire.rate, limits.longest_wait_seconds, host, clock=clock, now=now, sleep=sleep, say=say)
        self._meter = Meter(limits, host, clock)
        if certificates is None and self._origin.has_tls:
            certificates = httpx2.create_ssl_context(trust_env=False)
        self._transport = Transport(self._meter, certificates)
        self._timeout = httpx2.Timeout(limits.read_seconds, connect=limits.connect_seconds).as_dict()

    def __repr__(self) -> str:
        return f"Client({self._origin!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def check(self, link: str) -> None:
        """Raise SourceError if `get` would refuse the link without sending a request."""
        self._origin.resolve(link)

    def get(self, link: str, params: Sequence[tuple[str, str]] = (), body: str = "") -> Answer:
        """Get one page. Failures that may pass are tried again.

        :param link: a path below the base URL, a path from the root, or a whole URL, as the provider wrote it
        :param params: appended to the link's query, encoded
        :param body: a JSON object without credentials, sent with POST; empty for GET
        :raises SourceError: the link leaves the origin (then nothing was sent), the provider did not answer in time,
            refused the request, or sent more than the limits allow
        :raises ConfigurationError: the provider refused the credentials or their rights, or this machine its
            certificate
        """
        url = self._origin.resolve(link, params)
        return self._patience.call(lambda deadline: self._attempt(url, body, deadline))

    def _attempt(self, url: httpx2.URL, body: str, deadline: float) -> Answer:
        self._pace.wait()
        self._meter.begin(deadline)
        headers = self._credentials.sign(_HEADERS)
        extensions = {"timeout": self._timeout}
        if body:
            headers["Content-Type"] = "application/json"
            content = self._credentials.filled(body)
            request = httpx2.Request("POST", url, headers=headers, content=content, extensions=extensions)
        else:
            request = httpx2.Request("GET", url, headers=headers, extensions=extensions)
        self._origin.check(request.url)
        try:
            response = self._transport.handle_request(request)
            try:
                self._pace.note(response.headers)
                check_status(response, self._origin.host, self._credentials.mask, self._now)
                received = body_of(response, self._meter, self._limits, self._origin.host)
                return Answer(str(request.url), response.status_code, received)
            finally:
                response.close()
                self._transport.drop_leftovers()
        except _FAILED as error:
            raise self._own_error(error) from None  # messages of the libraries may repeat what the server sent

    def _own_error(self, error: Exception) -> Exception:
        causes = list(_causes(error))
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return ConfigurationError(
                    f"The certificate of {self._origin.host} was not accepted: {cause.verify_message}. Check the base "
                    "URL of this connection and the certificates that this machine trusts."
                )
        if isinstance(error, httpx2.ConnectError):
            system = next((cause for cause in reversed(causes) if isinstance(cause, OSError)), None)
            return TransientError("no connection", (system and system.strerror) or "")
        if isinstance(error, httpx2.TimeoutException):
            return TransientError("no answer in time")
        if isinstance(error, BROKEN_BODY):
            return TransientError("truncated or damaged gzip data")
        return TransientError("a broken connection")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
