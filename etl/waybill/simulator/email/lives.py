"""The lives of emails that any provider can send: steps in the words of Waybill, with the time between them."""

from collections.abc import Iterable
from typing import NamedTuple

from waybill.simulator.message import Fate

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Step(NamedTuple):
    """One event.

    :ivar event_type: or FAILURE
    :ivar detail: MACHINE for an open or a click of a program; the kind of a failure, from the sheet of the provider
    """

    event_type: str
    least_seconds: float
    most_seconds: float
    detail: str = ""


FAILURE, MACHINE = "failure", "machine"

_PROCESSED = Step("processed", 0, 2)
_DELIVERED = Step("delivered", 1, 25)
_DEFERRED = Step("deferred", 1, 15)
_MACHINE_OPEN = Step("opened", 4, 3 * MINUTE, MACHINE)
_OPEN = Step("opened", 2 * MINUTE, 9 * HOUR)
_OPEN_LATER = Step("opened", 1.2 * DAY, 3.5 * DAY)
_CLICK = Step("clicked", 5, 4 * MINUTE)
_ACCEPTED = (_PROCESSED, _DELIVERED)

_LIVES: dict[str, tuple[float, tuple[Step, ...]]] = {
    "deferred_still": (1.5, (_PROCESSED, _DEFERRED, Step("deferred", 5 * MINUTE, 15 * MINUTE))),
    "delivered": (26, _ACCEPTED),
    "delivered_after_deferral": (4, (_PROCESSED, _DEFERRED, Step("delivered", 5 * MINUTE, 3 * HOUR))),
    "opened_by_machine": (8, (*_ACCEPTED, _MACHINE_OPEN)),
    "opened_by_person": (12, (*_ACCEPTED, _OPEN)),
    "opened_by_both": (7, (*_ACCEPTED, _MACHINE_OPEN, _OPEN)),
    "opened_often": (5, (*_ACCEPTED, _OPEN, _OPEN, _OPEN_LATER)),
    "clicked": (9, (*_ACCEPTED, _OPEN, _CLICK)),
    "clicked_by_machine": (2, (*_ACCEPTED, Step("clicked", 4, MINUTE, MACHINE), _OPEN)),
    "clicked_without_open": (2, (*_ACCEPTED, Step("clicked", MINUTE, DAY), _CLICK)),
    "spam_reported": (0.8, (*_ACCEPTED, Step("spam_reported", HOUR, DAY))),
    "unsubscribed": (1.2, (*_ACCEPTED, _OPEN, Step("unsubscribed", 10, 90))),
    "resubscribed": (0.5, (*_ACCEPTED, Step("unsubscribed", HOUR, DAY), Step("resubscribed", MINUTE, DAY))),
    "unknown_word": (0.3, (*_ACCEPTED, Step("unknown", MINUTE, HOUR))),
}
"""Fate to its weight and its steps."""

_FAILED, _AFTER_DELIVERY = "failed", "failed_after_delivery"


def fates(kinds: Iterable[str], late_kind: str) -> dict[str, Fate]:
    """Returns the fates of emails at one provider.

    :param kinds: of its failures
    :param late_kind: the failure that can follow a delivery
    """
    return {
        **{name: Fate(weight) for name, (weight, _) in _LIVES.items()},
        **{f"{_FAILED}:{kind}": Fate(0.8) for kind in kinds},
        f"{_AFTER_DELIVERY}:{late_kind}": Fate(0.7),
    }


def steps_of(fate_name: str) -> tuple[Step, ...]:
    """Returns the events of one of these fates."""
    fate, _, kind = fate_name.partition(":")
    if fate == _FAILED:
        return (_PROCESSED, Step(FAILURE, 1, 40, kind))
    if fate == _AFTER_DELIVERY:
        return (*_ACCEPTED, Step(FAILURE, MINUTE, 9 * HOUR, kind))
    return _LIVES[fate_name][1]
