"""The base of all faults, and what a fault may use of the API that it strikes."""

import re
from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec

from waybill.simulator.http.answer import Answer
from waybill.simulator.http.clock import WorldClock
from waybill.simulator.http.page import Page

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Exchange(Protocol):
    """One request at an API."""

    @property
    def origin(self) -> str:
        """The origin of the simulator, such as `http://127.0.0.1:8080`."""

    @property
    def target(self) -> str:
        """Path and query of the request."""

    def refusal(self, status: int, headers: Mapping[str, str] | None = None) -> Answer:
        """Returns an error as the provider writes it."""

    def page_at(self, target: str) -> Page | None:
        """Returns another page for the same client; None: it would be refused."""


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

    def alter(self, page: Page, exchange: Exchange) -> Page:
        """Returns the page with the fault, before it is written."""
        return page

    def spoil(self, answer: Answer, exchange: Exchange) -> Answer:
        """Returns the answer with the fault."""
        return answer
