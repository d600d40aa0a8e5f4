"""A simulated Twilio API: accounts, lists, clock and faults, and the true events of the rows that it has sent.

It answers requests; `etl/waybill/simulator/serve.py` serves it on a socket.
"""

import base64
import binascii
import re
from dataclasses import replace
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlsplit

from waybill.simulator.answer import Answer, not_found, refusal, too_many_requests, unauthorized, with_rows_of
from waybill.simulator.clock import WorldClock
from waybill.simulator.fault_switch import FaultSwitch
from waybill.simulator.request_log import Request, RequestLog
from waybill.simulator.shown import Shown
from waybill.simulator.truth import Cells, Happening, report_rows
from waybill.simulator.twilio import account_sid, auth_token
from waybill.simulator.twilio_api import RowList
from waybill.simulator.twilio_page import RESOURCES, list_path
from waybill.simulator.twilio_query import InvalidQueryError, read_query
from waybill.simulator.world import FILE_FEEDS, World

_PATH = re.compile(r"/2010-04-01/Accounts/(?P<sid>[^/]+)/.+")


class TwilioStandIn:
    """Twilio's lists of messages and calls for every account of a world.

    :param at: the time in the world; default: its end
    :param per_request: how far each request moves the clock
    :param most_concurrent: more concurrent requests of an account get 429; None: no limit
    :param latency_seconds: the delay of every page
    :param strict_upper_bounds: see `read_query`

    :ivar url: its URL while it is served
    :ivar clock: may be set at any time
    :ivar faults: at first there are none
    :ivar requests: the requests so far
    :ivar shown: the rows that were sent
    """

    def __init__(
        self,
        world: World,
        at: datetime | None = None,
        per_request: timedelta = timedelta(0),
        most_concurrent: int | None = None,
        latency_seconds: float = 0,
        strict_upper_bounds: bool = False,
    ) -> None:
        self.world = world
        self.clock = WorldClock(at or world.ends, per_request)
        self.most_concurrent = most_concurrent
        self.latency_seconds = latency_seconds
        self.faults = FaultSwitch()
        self.requests = RequestLog()
        self.shown = Shown()
        self.url: str | None = None
        self._strict_upper_bounds = strict_upper_bounds
        self._accounts = {account_sid(account): account for account in world.accounts}
        self._lists = {
            list_path(account, feed): (account, feed, RowList(account, feed, world.rows(account, feed)))
            for account in world.accounts
            for feed in RESOURCES
        }

    def happenings(self, until: datetime | None = None) -> list[Happening]:
        """Returns the true events of the rows sent so far, and of the other feeds' files that landed up to `until`."""
        return self.world.happenings(FILE_FEEDS, until, self.shown.records())

    def report_rows(self, zone: str, until: datetime | None = None) -> dict[str, Cells]:
        """Returns what every report must show when these files and every row sent so far are loaded.

        :param zone: name of the report time zone
        :param until: only files that landed up to then; default: all
        """
        return report_rows(self.happenings(until), zone)

    def account_of(self, target: str) -> str:
        """Returns the sid in a path; empty if there is no sid."""
        match = _PATH.match(target)
        return match["sid"] if match else ""

    def answer(self, request: Request, method: str, authorization: str | None) -> Answer:
        """Returns the answer to one request for a list."""
        fault = self.faults.draw(request.target)
        if fault is not None:
            request.fault = fault.kind
            fault.strike(self.clock)
        request.moment = self.clock.tick()
        answer = self._answer(request, method, authorization)
        if fault is not None:
            if (other := fault.other_page(answer)) is not None:
                answer = with_rows_of(self._answer(replace(request, target=other), method, authorization), answer)
            answer = fault.spoil(answer, str(self.url))
        request.status = int(answer.status)
        return answer

    def _answer(self, request: Request, method: str, authorization: str | None) -> Answer:
        parts = urlsplit(request.target)
        sid = self._authenticated(authorization)
        if sid is None:
            return unauthorized()
        if self.account_of(parts.path) in self._accounts and self.account_of(parts.path) != sid:
            return unauthorized()
        if parts.path not in self._lists:
            return not_found(parts.path)
        if method != "GET":
            return refusal(405, 20004, "Method not allowed")
        if self.most_concurrent is not None and request.of_account > self.most_concurrent:
            return too_many_requests()
        account, feed, rows = self._lists[parts.path]
        try:
            query = read_query(account, feed, parts.query, self._strict_upper_bounds)
            page = rows.page(query, request.moment or self.clock.at)
        except InvalidQueryError as error:
            return refusal(400, 20001, str(error))
        return Answer(200, page.body, shows=tuple(page.rows), wait_seconds=self.latency_seconds)

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
