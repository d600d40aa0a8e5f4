"""Which faults are on, and which request meets which."""

from dataclasses import dataclass
from random import Random
from threading import Lock

import msgspec

from waybill.simulator.faults import AnyFault, Fault


class FaultSetting(msgspec.Struct, forbid_unknown_fields=True):
    """All faults that shall be on.

    :ivar seed: of what `probability` draws
    """

    faults: list[AnyFault]
    seed: int = 0


@dataclass
class Switched:
    """A fault that is on.

    :ivar met: how many requests it could have struck, by their path and query
    :ivar struck: how many it did
    """

    fault: Fault
    met: int = 0
    struck: int = 0


class FaultSwitch:
    """None are on at first. Safe between threads."""

    def __init__(self) -> None:
        self._on: list[Switched] = []
        self._random = Random(0)
        self._lock = Lock()

    def set(self, *faults: Fault, seed: int = 0) -> None:
        """From now on these and no others; all counts begin anew.

        :param faults: the first that strikes a request is the only one
        """
        with self._lock:
            self._on = [Switched(fault) for fault in faults]
            self._random = Random(seed)

    def clear(self) -> None:
        """No faults any more."""
        self.set()

    def on(self) -> list[Switched]:
        """Those that are on."""
        with self._lock:
            return list(self._on)

    def draw(self, target: str) -> Fault | None:
        """The fault that strikes this request.

        :param target: its path and query
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
