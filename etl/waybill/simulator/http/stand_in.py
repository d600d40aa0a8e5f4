"""A simulated API: clock, faults, requests, and the rows that it has sent. It has no socket of its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from waybill.simulator.http.answer import Answer
from waybill.simulator.http.clock import WorldClock
from waybill.simulator.http.fault_switch import FaultSwitch
from waybill.simulator.http.page import Page
from waybill.simulator.http.request_log import Request, RequestLog
from waybill.simulator.http.shown import Shown
from waybill.simulator.truth.cells import Cells


class Asked(NamedTuple):
    """What a request says, besides its path and query.

    :ivar headers: names in lower case
    """

    method: str
    headers: Mapping[str, str]
    body: bytes = b""


class StandIn(ABC):
    """The API of one provider for every account of a world.

    :param at: the time in the world
    :param per_request: how far each request moves the clock
    :param latency_seconds: the delay of every page

    :ivar url: its URL while it is served
    :ivar clock: may be set at any time
    :ivar faults: at first there are none
    :ivar requests: the requests so far
    :ivar shown: the rows that were sent
    """

    def __init__(self, at: datetime, per_request: timedelta = timedelta(0), latency_seconds: float = 0) -> None:
        self.clock = WorldClock(at, per_request)
        self.latency_seconds = latency_seconds
        self.faults = FaultSwitch()
        self.requests = RequestLog()
        self.shown = Shown()
        self.url: str | None = None

    @abstractmethod
    def account_of(self, target: str, headers: Mapping[str, str] | None = None) -> str:
        """Returns what names the account of a request; empty if nothing does."""

    @abstractmethod
    def accounts(self) -> list[dict[str, str]]:
        """Returns every account with its credentials."""

    @abstractmethod
    def found(self, request: Request, asked: Asked) -> Page | Answer:
        """Returns the page of a request, or the refusal."""

    @abstractmethod
    def refusal(self, status: int, headers: Mapping[str, str] | None = None, message: str | None = None) -> Answer:
        """Returns an error as the provider writes it."""

    @abstractmethod
    def report_rows(self, zone: str, until: datetime | None = None) -> dict[str, Cells]:
        """Returns what every report must show when the world's files and every row sent so far are loaded.

        :param zone: name of the report time zone
        :param until: only files that landed up to then; default: all
        """

    def answer(self, request: Request, asked: Asked) -> Answer:
        """Returns the answer to one request."""
        fault = self.faults.draw(request.target)
        if fault is not None:
            request.fault = fault.kind
            fault.strike(self.clock)
        request.moment = self.clock.tick()
        exchange = _Exchange(self, request, asked)
        found = self.found(request, asked)
        if fault is not None and isinstance(found, Page):
            found = fault.alter(found, exchange)
        answer = found if isinstance(found, Answer) else self._written(found)
        if fault is not None:
            answer = fault.spoil(answer, exchange)
        request.status = int(answer.status)
        return answer

    def _written(self, page: Page) -> Answer:
        return Answer(200, page.body, page=page, shows=page.shows, wait_seconds=self.latency_seconds)


@dataclass(frozen=True)
class _Exchange:
    """One request, for the fault that strikes it."""

    stand_in: StandIn
    request: Request
    asked: Asked

    @property
    def origin(self) -> str:
        return str(self.stand_in.url)

    @property
    def target(self) -> str:
        return self.request.target

    def refusal(self, status: int, headers: Mapping[str, str] | None = None) -> Answer:
        return self.stand_in.refusal(status, headers)

    def page_at(self, target: str) -> Page | None:
        found = self.stand_in.found(replace(self.request, target=target), self.asked)
        return found if isinstance(found, Page) else None
