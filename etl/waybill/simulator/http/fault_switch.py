"""The faults that are on, and the choice of a fault for a request."""

from dataclasses import dataclass
from random import Random
from threading import Lock

import msgspec

from waybill.simulator.http import faults, page_faults
from waybill.simulator.http.fault import Fault

AnyFault = (
    faults.TooManyRequests
    | faults.ServerError
    | faults.BadRequest
    | faults.Unauthorized
    | faults.Forbidden
    | faults.NotFound
    | faults.Late
    | faults.Silence
    | faults.Stall
    | faults.ConnectionReset
    | faults.ShortBody
    | faults.CutJson
    | faults.ErrorAsSuccess
    | faults.HtmlAsSuccess
    | faults.WrongContentType
    | faults.GzipBomb
    | faults.Redirect
    | faults.TimePasses
    | page_faults.RepeatedPage
    | page_faults.MissingPage
    | page_faults.EmptyPage
    | page_faults.HalfPage
    | page_faults.EarlyEnd
    | page_faults.EndlessList
    | page_faults.NoList
    | page_faults.RetypedRow
    | page_faults.UnknownField
    | page_faults.LoopingLink
    | page_faults.ForeignLink
)


class FaultSetting(msgspec.Struct, forbid_unknown_fields=True):
    """All faults to switch on.

    :ivar seed: of the random numbers for `probability`
    """

    faults: list[AnyFault]
    seed: int = 0


@dataclass
class Switched:
    """A fault that is on.

    :ivar met: the number of requests that `where` fits
    :ivar struck: the number of requests that got the fault
    """

    fault: Fault
    met: int = 0
    struck: int = 0


class FaultSwitch:
    """Switches faults on; at first there are none. Thread-safe."""

    def __init__(self) -> None:
        self._on: list[Switched] = []
        self._random = Random(0)
        self._lock = Lock()

    def set(self, *faults: Fault, seed: int = 0) -> None:
        """Replace the faults, and reset all counts.

        :param faults: a request gets only the first one that fits
        """
        with self._lock:
            self._on = [Switched(fault) for fault in faults]
            self._random = Random(seed)

    def clear(self) -> None:
        """Switch all faults off."""
        self.set()

    def on(self) -> list[Switched]:
        """Returns the faults that are on."""
        with self._lock:
            return list(self._on)

    def draw(self, target: str) -> Fault | None:
        """Returns the fault for a request.

        :param target: path and query of the request
        """
        with self._lock:
            struck = [switched for switched in self._on if self._strikes(switched, target)]
            if not struck:
                return None
            struck[0].struck += 1
            return struck[0].fault

    def _strikes(self, switched: Switched, target: str) -> bool:
        fault = switched.fault
        if fault.where not in target:
            return False
        switched.met += 1
        if fault.times is not None and switched.struck >= fault.times:
            return False
        return switched.met % fault.every == 0 and self._random.random() < fault.probability
