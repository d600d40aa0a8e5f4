"""Faults of whole answers: the status, the connection, the bytes. They strike any request.

Each kind is a class; in JSON it is an object with the name of the class as `kind`: `{"kind": "server_error",
"status": 503, "every": 3, "times": 2}`.
"""

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from waybill.simulator.http.answer import FOREVER, Answer
from waybill.simulator.http.clock import WorldClock
from waybill.simulator.http.fault import Exchange, Fault, Seconds

ELSEWHERE = "elsewhere.example"
_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Please try again</h1></body></html>"
_MEGABYTE = 1_000_000


class TooManyRequests(Fault, frozen=True):
    """429, as for too many concurrent requests.

    :ivar retry_after_seconds: None: no such header
    :ivar is_http_date: whether the header is a date (of the real clock) instead of seconds
    """

    retry_after_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    is_http_date: bool = False

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return exchange.refusal(429, _retry_after(self.retry_after_seconds, self.is_http_date))


class ServerError(Fault, frozen=True):
    """500 and 503 as the provider writes them, 502 as from a proxy; the header as in TooManyRequests."""

    status: Literal[500, 502, 503] = 500
    retry_after_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    is_http_date: bool = False

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        headers = _retry_after(self.retry_after_seconds, self.is_http_date)
        if self.status == 502:
            return Answer(self.status, _HTML, {"Content-Type": "text/html", **headers})
        return exchange.refusal(self.status, headers)


class BadRequest(Fault, frozen=True):
    """400 although the query is right."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return exchange.refusal(400)


class Unauthorized(Fault, frozen=True):
    """401 although the credentials are right."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return exchange.refusal(401)


class Forbidden(Fault, frozen=True):
    """403 although the credentials may read the list."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return exchange.refusal(403)


class NotFound(Fault, frozen=True):
    """404 although the list exists."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return exchange.refusal(404)


class Late(Fault, frozen=True):
    """The answer is correct, but late."""

    seconds: Seconds = 30.0

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, wait_seconds=answer.wait_seconds + self.seconds)


class Silence(Fault, frozen=True):
    """No answer ever comes."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, shows=None, wait_seconds=FOREVER)


class Stall(Fault, frozen=True):
    """Half of the body is sent, then nothing more."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, shows=None, sent_length=len(answer.body) // 2, stall_seconds=FOREVER)


class ConnectionReset(Fault, frozen=True):
    """The connection is reset in the middle of the body."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, shows=None, sent_length=len(answer.body) // 2, is_reset=True)


class ShortBody(Fault, frozen=True):
    """The connection ends politely, with less of the body than Content-Length promised."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, shows=None, sent_length=len(answer.body) // 2)


class CutJson(Fault, frozen=True):
    """Content-Length is right, the JSON ends in the middle."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, shows=None, body=answer.body[: len(answer.body) // 2])


class ErrorAsSuccess(Fault, frozen=True):
    """An error of the provider under status 200."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(exchange.refusal(500), status=200)


class HtmlAsSuccess(Fault, frozen=True):
    """A page for people under status 200."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return Answer(200, _HTML, {"Content-Type": "text/html"})


class WrongContentType(Fault, frozen=True):
    """The JSON is right, but its header says that it is HTML."""

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        return replace(answer, headers={**answer.headers, "Content-Type": "text/html"})


class GzipBomb(Fault, frozen=True):
    """A small body that becomes a large one when it is unpacked.

    :ivar megabytes: unpacked; about a thousandth of that is sent
    """

    megabytes: Annotated[int, msgspec.Meta(ge=1)] = 100

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        rows_name = answer.page.rows_name if answer.page else None
        return Answer(200, _bomb(rows_name, self.megabytes), {**answer.headers, "Content-Encoding": "gzip"})


class Redirect(Fault, frozen=True):
    """307 to the same path somewhere else.

    :ivar elsewhere: host, with a port if need be
    """

    elsewhere: str = ELSEWHERE

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        if answer.page is None:
            return answer
        scheme = urlsplit(exchange.origin).scheme
        return Answer(307, b"", {"Location": f"{scheme}://{self.elsewhere}{answer.page.own}"})


class TimePasses(Fault, frozen=True):
    """The clock of the world moves on before the answer: rows change, and new ones come, between pages."""

    seconds: Seconds = 3600.0

    def strike(self, clock: WorldClock) -> None:
        clock.move(timedelta(seconds=self.seconds))


def _retry_after(seconds: int | None, is_http_date: bool) -> Mapping[str, str]:
    if seconds is None:
        return {}
    if is_http_date:
        return {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}
    return {"Retry-After": str(seconds)}


@lru_cache(maxsize=1)
def _bomb(rows_name: str | None, megabytes: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(f"{{{json.dumps(rows_name)}: [".encode() if rows_name else b"[")
        for _ in range(megabytes):
            file.write(b" " * _MEGABYTE)
        file.write(b"]}" if rows_name else b"]")
    return packed.getvalue()
