"""What goes back for one request, before it is bytes on a socket."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from waybill.simulator.twilio_api import Sighting

FOREVER = math.inf


@dataclass(frozen=True)
class Answer:
    """A response, and what is wrong with how it is sent, if anything.

    :ivar shows: the rows that a client learns from it, where it is a page and comes whole
    :ivar wait_seconds: how long it waits before the first byte; FOREVER: it never comes
    :ivar sent_length: how many bytes of the body are sent before the connection ends; None: all, and it goes on
    :ivar stall_seconds: how long the connection stays open after them
    :ivar is_reset: whether it ends with a reset
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
    """An error as Twilio writes it.

    :param code: Twilio's own
    """
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more_info, "status": status}
    own = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Answer(status, json.dumps(body).encode(), own)


def with_rows_of(other: Answer, page: Answer) -> Answer:
    """A page that shows the rows of another one.

    :param other: whose rows
    :param page: whose number, links and place in the list
    """
    envelope, rows = json.loads(page.body), json.loads(other.body)
    (key,) = (name for name, value in rows.items() if isinstance(value, list))
    shown = {**envelope, key: rows[key], "end": envelope["start"] + max(len(rows[key]) - 1, 0)}
    return replace(page, body=json.dumps(shown).encode(), shows=other.shows)


def unauthorized() -> Answer:
    """Wrong credentials, or none."""
    return refusal(HTTPStatus.UNAUTHORIZED, 20003, "Authenticate", {"WWW-Authenticate": 'Basic realm="Twilio API"'})


def too_many_requests(headers: Mapping[str, str] | None = None) -> Answer:
    """More requests at the same time than the account may have; it was not processed."""
    return refusal(HTTPStatus.TOO_MANY_REQUESTS, 20429, "Too Many Requests", headers)


def not_found(path: str) -> Answer:
    """No such account or list."""
    return refusal(HTTPStatus.NOT_FOUND, 20404, f"The requested resource {path} was not found")
