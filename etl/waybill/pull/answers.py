"""Reads an answer of a provider: its body, within limits, or the error that its status means (RFC 9110)."""

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import httpx2
import msgspec

from waybill.model.errors import ConfigurationError, SourceError
from waybill.model.redaction import mask_everyone
from waybill.pull.limits import MIB, Limits
from waybill.pull.retrying import TransientError, UnauthorizedError, wait_asked_for
from waybill.pull.wire import Meter

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BROKEN_BODY = (EOFError, zlib.error, gzip.BadGzipFile)
"""The errors of reading a truncated or damaged gzip body."""

_BLOCK = 256 * 1024
_COMPLAINT_BYTES = 64 * 1024
_COMPLAINT_LENGTH = 200
_PASSING = {408, 429, 500, 502, 503, 504}
_SPACE = re.compile(r"[^!-~]+")
_NUMBER = re.compile(r"\d(?:[ ().-]{0,2}\d){6,}")


def body_of(response: httpx2.Response, meter: Meter, limits: Limits, host: str) -> bytes:
    """Return the whole body, decompressed.

    :raises SourceError: it is larger than a page can be, or is not compressed with gzip
    :raises BROKEN_BODY: it is truncated or damaged
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
                f"A body from {host} decompresses to more than {limits.ratio:g} times its size, which no list of "
                "events does. Nothing of it was kept. Check what this server sends."
            )
    return body.getvalue()


def check_status(
    response: httpx2.Response, host: str, masked: Callable[[str], str], now: Callable[[], datetime]
) -> None:
    """Raise unless the status is that of a good answer. The body may still be an error, which its reader finds.

    :param masked: replaces credentials in a text
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
            f"{status} from {host}: a redirect, which is never followed, because the credentials would be sent there. "
            "Compare the base URL of this connection with the provider's documentation."
        )
    detail = _redacted(masked(_complaint(response, host)))
    if status in _PASSING or status == 401:
        kind = UnauthorizedError if status == 401 else TransientError
        raise kind(str(status), detail, wait_seconds=wait_asked_for(response.headers.get("retry-after"), now()))
    message = f"{status} from {host}" + (f" ({detail})" if detail else "")
    if status == 403:
        raise ConfigurationError(f"{message}. The credentials lack the right to read this: grant it at the provider.")
    raise SourceError(f"{message}; expected 200. The same request would fail again, so it was not repeated.")


def _decompressed(response: httpx2.Response, host: str) -> Iterator[bytes]:
    """Yield blocks of the body. httpx2 does not do this right: it accepts a truncated gzip body, and drops all that
    follows the first member."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from response.iter_raw()
    elif encoding in ("gzip", "x-gzip"):
        with io.BufferedReader(_RawBody(response), _BLOCK) as raw, gzip.GzipFile(fileobj=raw) as body:
            yield from iter(partial(body.read, _BLOCK), b"")
    else:
        raise SourceError(f"A body from {host} is compressed, but not with gzip, as the request asked.")


class _RawBody(io.RawIOBase):
    """A file of the bytes of a body as they were received."""

    def __init__(self, response: httpx2.Response) -> None:
        self._blocks = response.iter_raw()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        block = self._rest or next(self._blocks, b"")
        count = min(len(view := memoryview(buffer)), len(block))
        view[:count], self._rest = block[:count], block[count:]
        return count


def _complaint(response: httpx2.Response, host: str) -> str:
    """Return the error message of the provider: Twilio's `code` and `message`, the first of SendGrid's `errors`,
    `title` or `detail` of RFC 9457. Empty if there is no message."""
    body = b""
    try:
        for block in _decompressed(response, host):
            body += block
            if len(body) > _COMPLAINT_BYTES:
                return ""
        error = msgspec.json.decode(body)
    except (*BROKEN_BODY, httpx2.TransportError, TransientError, SourceError, ValueError, RecursionError):
        return ""  # the status alone decides what to do
    if isinstance(error, dict) and isinstance(error.get("errors"), list) and error["errors"]:
        error = error["errors"][0]
    if not isinstance(error, dict):
        return ""
    message = next((error[name] for name in ("message", "title", "detail") if isinstance(error.get(name), str)), "")
    code = f"code {error['code']}" if isinstance(error.get("code"), int | str) else ""
    return ": ".join(part for part in (code, message) if part)


def _redacted(text: str) -> str:
    """Return the text on one line, shortened, with addresses and phone numbers replaced."""
    text = _NUMBER.sub("<number>", mask_everyone(_SPACE.sub(" ", text)))
    return text if len(text) <= _COMPLAINT_LENGTH else text[:_COMPLAINT_LENGTH] + "…"
