"""The answer to one request, before it is sent."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from waybill.simulator.twilio_api import Sighting

FOREVER = math.inf


@dataclass(frozen=True)
class Answer:
    """A response, and how it is sent.

    :ivar shows: the rows that a client sees, if the answer is a page and is sent completely
    :ivar wait_seconds: the delay before the first byte; FOREVER: it is never sent
    :ivar sent_length: how many bytes of the body are sent before the connection ends; None: all, and it stays open
    :ivar stall_seconds: how long the connection stays open after these bytes
    :ivar is_reset: whether the connection ends with a reset
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=utf-8"})
    shows: tuple[Sighting, ...] | None = None
    wait_seconds: float = 0
    sent_length: int | None = None
    stall_seconds: float = 0
    is_reset: bool = False


def refusal(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Returns an error as Twilio writes it.

    :param code: Twilio's error code
    """
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more_info, "status": status}
    own = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Answer(status, json.dumps(body).encode(), own)


def with_rows_of(other: Answer, page: Answer) -> Answer:
    """Returns a page with the rows of another one.

    :param other: the page with the rows
    :param page: the page with the number, the links and the position in the list
    """
    envelope, rows = json.loads(page.body), json.loads(other.body)
    (key,) = (name for name, value in rows.items() if isinstance(value, list))
    shown = {**envelope, key: rows[key], "end": envelope["start"] + max(len(rows[key]) - 1, 0)}
    return replace(page, body=json.dumps(shown).encode(), shows=other.shows)


def unauthorized() -> Answer:
    """Returns the answer to missing or wrong credentials."""
    return refusal(HTTPStatus.UNAUTHORIZED, 20003, "Authenticate", {"WWW-Authenticate": 'Basic realm="Twilio API"'})


def too_many_requests(headers: Mapping[str, str] | None = None) -> Answer:
    """Returns the answer to more concurrent requests than the account may have."""
    return refusal(HTTPStatus.TOO_MANY_REQUESTS, 20429, "Too Many Requests", headers)


def not_found(path: str) -> Answer:
    """Returns the answer for an unknown account or list."""
    return refusal(HTTPStatus.NOT_FOUND, 20404, f"The requested resource {path} was not found")
