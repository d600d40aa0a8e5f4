"""The answer to one request, before it is sent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from waybill.simulator.http.page import Page, Sighting

FOREVER = math.inf
JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """A response, and how it is sent.

    :ivar page: the page that it was made from; None: it is no page
    :ivar shows: what a client sees if the answer is sent completely; None: it is no page, or a broken one
    :ivar wait_seconds: the delay before the first byte; FOREVER: it is never sent
    :ivar sent_length: how many bytes of the body are sent before the connection ends; None: all, and it stays open
    :ivar stall_seconds: how long the connection stays open after these bytes
    :ivar is_reset: whether the connection ends with a reset
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    page: Page | None = None
    shows: tuple[Sighting, ...] | None = None
    wait_seconds: float = 0
    sent_length: int | None = None
    stall_seconds: float = 0
    is_reset: bool = False
