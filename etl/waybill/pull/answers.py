"""What an answer of a provider is: a body within limits, or the error that its status stands for (RFC 9110)."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import httpx2
import msgspec

from waybill.model.errors import ConfigurationError, SourceError
from waybill.model.redaction import Redactor
from waybill.pull.limits import MIB, Limits
from waybill.pull.retrying import TransientError, UnauthorizedError, wait_asked_for
from waybill.pull.wire import Meter

BROKEN_BODY = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading a truncated or damaged gzip body raises."""

_BLOCK = 256 * 1024
_COMPLAINT_BYTES = 64 * 1024
_COMPLAINT_LENGTH = 200
_PASSING = {408, 429, 500, 502, 503, 504}
_SPACE = re.compile(r"[^!-~]+")
_NUMBER = re.compile(r"\d(?:[ ().-]{0,2}\d){6,}")
_EVERYONE = Redactor(None, None, None, None, None)


def body_of(response: httpx2.Response, meter: Meter, limits: Limits, host: str) -> bytes:
    """The whole body, decompressed.

    :raises SourceError: it is larger than a page can be, or compressed otherwise than asked for; BROKEN_BODY
    """
    body = io.BytesIO()
    for block in _decompressed(response, host):
        body.write(block)
        if body.tell() > limits.body_bytes:
            raise SourceError(
                f"A body from {host} is longer than {limits.body_bytes / MIB:g} MiB. Ask for shorter pages or windows."
            )
        if body.tell() > limits.ratio_from_bytes and body.tell() > limits.ratio * meter.received_bytes:
            raise SourceError(
                f"A body from {host} decompresses to more than {limits.ratio:g} times its size: no list of events "
                "does. Nothing of it was kept; look at what this server sends."
            )
    return body.getvalue()


def check_status(
    response: httpx2.Response, host: str, masked: Callable[[str], str], now: Callable[[], datetime]
) -> None:
    """Return if the status is that of an answer. Its body may still be an error: that is for who reads it.

    :param masked: takes credentials out of a text
    :param now: aware UTC
    :raises TransientError: the same request may succeed later
    :raises ConfigurationError: the credentials may not read this
    :raises SourceError: the same request would fail again
    """
    status = response.status_code
    if 200 <= status <= 299 and status != 206:
        return
    if 300 <= status <= 399:
        raise SourceError(
            f"{status} from {host}: a redirect. None is followed, for the credentials would go with it. Compare the "
            "base URL of this connection with the provider's documentation."
        )
    detail = _redacted(masked(_complaint(response, host)))
    if status in _PASSING or status == 401:
        kind = UnauthorizedError if status == 401 else TransientError
        raise kind(str(status), detail, wait_seconds=wait_asked_for(response.headers.get("retry-after"), now()))
    told = f"{status} from {host}" + (f" ({detail})" if detail else "")
    if status == 403:
        raise ConfigurationError(f"{told}. The credentials may not read this: extend their rights with the provider.")
    raise SourceError(f"{told}; expected 200. The same request would fail again, so it was not repeated.")


def _decompressed(response: httpx2.Response, host: str) -> Iterator[bytes]:
    """Blocks of the body. Not by httpx2, which takes a truncated gzip body for a whole one, and drops what follows its
    first member."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from response.iter_raw()
    elif encoding in ("gzip", "x-gzip"):
        with io.BufferedReader(_Received(response), _BLOCK) as received, gzip.GzipFile(fileobj=received) as body:
            yield from iter(partial(body.read, _BLOCK), b"")
    else:
        raise SourceError(f"A body from {host} is compressed, but not with gzip, which alone was asked for.")


class _Received(io.RawIOBase):
    """The bytes of a body as they come from the wire, as a file."""

    def __init__(self, response: httpx2.Response) -> None:
        self._blocks = response.iter_raw()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        block = self._rest or next(self._blocks, b"")
        count = min(len(buffer), len(block))
        buffer[:count], self._rest = block[:count], block[count:]
        return count


def _complaint(response: httpx2.Response, host: str) -> str:
    """The provider's own words: Twilio's `code` and `message`, the first of SendGrid's `errors`, RFC 9457's `title` and
    `detail`. Empty where there are none."""
    body = b""
    try:
        for block in _decompressed(response, host):
            body += block
            if len(body) > _COMPLAINT_BYTES:
                return ""
        told = msgspec.json.decode(body)
    except (*BROKEN_BODY, httpx2.TransportError, TransientError, SourceError, ValueError, RecursionError):
        return ""  # the status alone decides what to do
    if isinstance(told, dict) and isinstance(told.get("errors"), list) and told["errors"]:
        told = told["errors"][0]
    if not isinstance(told, dict):
        return ""
    message = next((told[name] for name in ("message", "title", "detail") if isinstance(told.get(name), str)), "")
    code = f"code {told['code']}" if isinstance(told.get("code"), int | str) else ""
    return ": ".join(part for part in (code, message) if part)


def _redacted(text: str) -> str:
    """Without addresses and numbers of people, on one line, cut."""
    text = _NUMBER.sub("<number>", _EVERYONE.text(_SPACE.sub(" ", text)))
    return text if len(text) <= _COMPLAINT_LENGTH else text[:_COMPLAINT_LENGTH] + "…"
