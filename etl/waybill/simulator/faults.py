"""Faults between Twilio and a client, which can be switched on for some of the requests.

Each kind is a class here; in JSON it is an object with the name of the class as `kind`: `{"kind": "server_error",
"status": 503, "every": 3, "times": 2}`. `AnyFault` has all kinds. A page with only a wrong link or a delay still counts
as seen.
"""

import gzip
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from waybill.simulator.answer import FOREVER, Answer, not_found, refusal, too_many_requests, unauthorized
from waybill.simulator.clock import WorldClock

ELSEWHERE = "elsewhere.example"
_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Please try again</h1></body></html>"
_MEGABYTE = 1_000_000

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Fault(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag=lambda name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(),
):
    """The base of all faults: which requests it affects.

    :ivar where: only requests whose path and query contain this text
    :ivar every: only every n-th of these requests
    :ivar probability: only this share of them
    :ivar times: at most this many of them; None: any number
    """

    where: str = ""
    every: Annotated[int, msgspec.Meta(ge=1)] = 1
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None

    @property
    def kind(self) -> str:
        """Its name in JSON."""
        return str(self.__struct_config__.tag)

    def strike(self, clock: WorldClock) -> None:
        """Change the world before the request is answered."""

    def other_page(self, answer: Answer) -> str | None:
        """Returns path and query of the page whose rows this answer has instead of its own; None: its own rows."""
        return None

    def spoil(self, answer: Answer, origin: str) -> Answer:
        """Returns the answer with the fault.

        :param origin: the origin of the simulator, such as `http://127.0.0.1:8080`
        """
        return answer


class TooManyRequests(Fault, frozen=True):
    """429, as for too many concurrent requests.

    :ivar retry_after_seconds: None: no such header
    :ivar is_http_date: whether the header is a date (of the real clock) instead of seconds
    """

    retry_after_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    is_http_date: bool = False

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return too_many_requests(_retry_after(self.retry_after_seconds, self.is_http_date))


class ServerError(Fault, frozen=True):
    """500 and 503 as Twilio writes them, 502 as from a proxy; the header as in TooManyRequests."""

    status: Literal[500, 502, 503] = 500
    retry_after_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    is_http_date: bool = False

    def spoil(self, answer: Answer, origin: str) -> Answer:
        headers = _retry_after(self.retry_after_seconds, self.is_http_date)
        if self.status == 502:
            return Answer(self.status, _HTML, {"Content-Type": "text/html", **headers})
        return refusal(self.status, 20000 + self.status, HTTPStatus(self.status).phrase, headers)


class Unauthorized(Fault, frozen=True):
    """401 although the credentials are right."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return unauthorized()


class NotFound(Fault, frozen=True):
    """404 although the list exists."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return not_found("that is asked for")


class Late(Fault, frozen=True):
    """The answer is correct, but late."""

    seconds: Seconds = 30.0

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(answer, wait_seconds=answer.wait_seconds + self.seconds)


class Silence(Fault, frozen=True):
    """No answer ever comes."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(answer, shows=None, wait_seconds=FOREVER)


class Stall(Fault, frozen=True):
    """Half of the body is sent, then nothing more."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(answer, shows=None, sent_length=len(answer.body) // 2, stall_seconds=FOREVER)


class ConnectionReset(Fault, frozen=True):
    """The connection is reset in the middle of the body."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(answer, shows=None, sent_length=len(answer.body) // 2, is_reset=True)


class ShortBody(Fault, frozen=True):
    """The connection ends politely, with less of the body than Content-Length promised."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(answer, shows=None, sent_length=len(answer.body) // 2)


class CutJson(Fault, frozen=True):
    """Content-Length is right, the JSON ends in the middle."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(answer, shows=None, body=answer.body[: len(answer.body) // 2])


class ErrorAsSuccess(Fault, frozen=True):
    """An error of Twilio's under status 200."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return replace(refusal(500, 20500, "Internal Server Error"), status=200)


class HtmlAsSuccess(Fault, frozen=True):
    """A page for people under status 200."""

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return Answer(200, _HTML, {"Content-Type": "text/html"})


class GzipBomb(Fault, frozen=True):
    """A small body that becomes a large one when it is unpacked.

    :ivar megabytes: unpacked; about a thousandth of that is sent
    """

    megabytes: Annotated[int, msgspec.Meta(ge=1)] = 100

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return Answer(200, _bomb(self.megabytes), {**answer.headers, "Content-Encoding": "gzip"})


class RepeatedPage(Fault, frozen=True):
    """A page that is not the first shows the rows of the one before it, under its own number and links."""

    def other_page(self, answer: Answer) -> str | None:
        return None if answer.shows is None else json.loads(answer.body)["previous_page_uri"]


class LoopingLink(Fault, frozen=True):
    """The link to the next page leads back.

    :ivar to: the page itself, or the first one
    """

    to: Literal["itself", "first"] = "itself"

    def spoil(self, answer: Answer, origin: str) -> Answer:
        return _with_next(answer, lambda page: page["uri" if self.to == "itself" else "first_page_uri"])


class ForeignLink(Fault, frozen=True):
    """The link to the next page leads away from where the list was asked.

    :ivar form: how; `other_host` and `other_scheme` are absolute, `other_port` keeps the host, `no_scheme` begins
        with two slashes, `userinfo` puts the own origin before an @, `other_path` stays on the origin
    :ivar elsewhere: host, with a port if need be, that it leads to; of `other_port` only the port counts
    """

    form: Literal["other_host", "other_port", "other_scheme", "no_scheme", "userinfo", "other_path"] = "other_host"
    elsewhere: str = ELSEWHERE

    def spoil(self, answer: Answer, origin: str) -> Answer:
        own, port = urlsplit(origin), urlsplit(f"//{self.elsewhere}").port
        start = {
            "other_host": f"{own.scheme}://{self.elsewhere}",
            "other_port": f"{own.scheme}://{own.hostname}:{port or 9}",
            "other_scheme": f"ftp://{own.netloc}",
            "no_scheme": f"//{self.elsewhere}",
            "userinfo": f"{own.scheme}://{own.netloc}@{self.elsewhere}",
            "other_path": "/elsewhere",
        }[self.form]
        return _with_next(answer, lambda page: f"{start}{page['next_page_uri'] or page['uri']}")


class Redirect(Fault, frozen=True):
    """307 to the same path somewhere else.

    :ivar elsewhere: host, with a port if need be
    """

    elsewhere: str = ELSEWHERE

    def spoil(self, answer: Answer, origin: str) -> Answer:
        if answer.shows is None:
            return answer
        uri = json.loads(answer.body)["uri"]
        return Answer(307, b"", {"Location": f"{urlsplit(origin).scheme}://{self.elsewhere}{uri}"})


class TimePasses(Fault, frozen=True):
    """The clock of the world moves on before the answer: rows change, and new ones come, between pages."""

    seconds: Seconds = 3600.0

    def strike(self, clock: WorldClock) -> None:
        clock.move(timedelta(seconds=self.seconds))


AnyFault = (
    TooManyRequests
    | ServerError
    | Unauthorized
    | NotFound
    | Late
    | Silence
    | Stall
    | ConnectionReset
    | ShortBody
    | CutJson
    | ErrorAsSuccess
    | HtmlAsSuccess
    | GzipBomb
    | RepeatedPage
    | LoopingLink
    | ForeignLink
    | Redirect
    | TimePasses
)


def _retry_after(seconds: int | None, is_http_date: bool) -> Mapping[str, str]:
    if seconds is None:
        return {}
    if is_http_date:
        return {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}
    return {"Retry-After": str(seconds)}


def _with_next(answer: Answer, uri: Callable[[dict[str, str]], str]) -> Answer:
    """The same page with another link to the next one; what is no page stays as it is."""
    if answer.shows is None:
        return answer
    page = json.loads(answer.body)
    return replace(answer, body=json.dumps({**page, "next_page_uri": uri(page)}).encode())


@lru_cache(maxsize=1)
def _bomb(megabytes: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(b'{"messages": [')
        for _ in range(megabytes):
            file.write(b" " * _MEGABYTE)
        file.write(b"]}")
    return packed.getvalue()
