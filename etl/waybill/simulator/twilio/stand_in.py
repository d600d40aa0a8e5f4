"""A simulated Twilio API: accounts, lists, and the true events of the rows that it has sent."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from http import HTTPStatus
from urllib.parse import urlsplit

from waybill.simulator.http.answer import JSON, Answer
from waybill.simulator.http.page import Page
from waybill.simulator.http.request_log import Request
from waybill.simulator.http.stand_in import Asked, StandIn
from waybill.simulator.truth.cells import Cells
from waybill.simulator.truth.outcome import Happening
from waybill.simulator.truth.reports import report_rows
from waybill.simulator.twilio.lists import RowList
from waybill.simulator.twilio.page import RESOURCES, list_path
from waybill.simulator.twilio.query import InvalidQueryError, read_query
from waybill.simulator.twilio.rows import TwilioWorld, account_sid, auth_token

_PATH = re.compile(r"/2010-04-01/Accounts/(?P<sid>[^/]+)/.+")
_ERRORS = {
    400: (20001, "Bad request"),
    401: (20003, "Authenticate"),
    403: (20006, "Access denied"),
    404: (20404, "The requested resource was not found"),
    405: (20004, "Method not allowed"),
    429: (20429, "Too Many Requests"),
}
"""Status to the code and the message of an error; others have 20000 and the status."""


class TwilioStandIn(StandIn):
    """Twilio's lists of messages and calls for every account of a world.

    :param at: the time in the world; default: its end
    :param most_concurrent: more concurrent requests of an account get 429; None: no limit
    :param strict_upper_bounds: see `read_query`
    """

    def __init__(
        self,
        world: TwilioWorld,
        at: datetime | None = None,
        per_request: timedelta = timedelta(0),
        most_concurrent: int | None = None,
        latency_seconds: float = 0,
        strict_upper_bounds: bool = False,
    ) -> None:
        super().__init__(at or world.ends, per_request, latency_seconds)
        self.world = world
        self.most_concurrent = most_concurrent
        self._strict_upper_bounds = strict_upper_bounds
        self._accounts = {account_sid(account): account for account in world.accounts}
        self._lists = {
            list_path(account, feed): (account, feed, RowList(account, feed, world.rows(account, feed)))
            for account in world.accounts
            for feed in RESOURCES
        }

    def happenings(self, until: datetime | None = None) -> list[Happening]:
        """Returns the true events of the rows sent so far, and of the other feeds' files that landed up to `until`."""
        return self.world.happenings(self.world.file_feeds, until, self.shown.records())

    def report_rows(self, zone: str, until: datetime | None = None) -> dict[str, Cells]:
        return report_rows(self.happenings(until), zone)

    def account_of(self, target: str, headers: Mapping[str, str] | None = None) -> str:
        """Returns the sid in a path; empty if there is no sid."""
        match = _PATH.match(target)
        return match["sid"] if match else ""

    def accounts(self) -> list[dict[str, str]]:
        return [{"account": name, "sid": sid, "token": auth_token(name)} for sid, name in self._accounts.items()]

    def refusal(self, status: int, headers: Mapping[str, str] | None = None, message: str | None = None) -> Answer:
        code, usual = _ERRORS.get(status) or (20000 + status, HTTPStatus(status).phrase)
        more_info = f"https://www.twilio.com/docs/errors/{code}"
        body = {"code": code, "message": message or usual, "more_info": more_info, "status": status}
        challenge = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == HTTPStatus.UNAUTHORIZED else {}
        return Answer(status, json.dumps(body).encode(), {**JSON, **challenge, **(headers or {})})

    def found(self, request: Request, asked: Asked) -> Page | Answer:
        parts = urlsplit(request.target)
        sid = self._authenticated(asked.headers.get("authorization"))
        if sid is None:
            return self.refusal(401)
        if self.account_of(parts.path) in self._accounts and self.account_of(parts.path) != sid:
            return self.refusal(401)
        if parts.path not in self._lists:
            return self.refusal(404, message=f"The requested resource {parts.path} was not found")
        if asked.method != "GET":
            return self.refusal(405)
        if self.most_concurrent is not None and request.of_account > self.most_concurrent:
            return self.refusal(429)
        account, feed, rows = self._lists[parts.path]
        try:
            query = read_query(account, feed, parts.query, self._strict_upper_bounds)
            return rows.page(query, request.moment or self.clock.at)
        except InvalidQueryError as error:
            return self.refusal(400, message=str(error))

    def _authenticated(self, authorization: str | None) -> str | None:
        """Returns the sid of the account, if the credentials are right."""
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            sid, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = self._accounts.get(sid)
        is_right = account is not None and compare_digest(token.encode(), auth_token(account).encode())
        return sid if is_right else None
