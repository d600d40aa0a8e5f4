"""The choice of a fault for a request."""

import msgspec
import pytest

from waybill.simulator.http.fault_switch import AnyFault, FaultSetting, FaultSwitch
from waybill.simulator.http.faults import Late, ServerError, TimePasses, TooManyRequests, Unauthorized


def struck(switch: FaultSwitch, count: int, target: str = "/Messages.json?Page=0") -> list[int]:
    """Returns the numbers, from 1, of the requests that get a fault."""
    return [number for number in range(1, count + 1) if switch.draw(target) is not None]


def test_at_first_there_are_no_faults():
    assert struck(FaultSwitch(), 20) == []


def test_every_nth_request_gets_a_fault_up_to_a_limit():
    switch = FaultSwitch()
    switch.set(ServerError(every=3))
    assert struck(switch, 10) == [3, 6, 9]
    switch.set(ServerError(every=3, times=2))
    assert struck(switch, 20) == [3, 6]
    switch.set(ServerError(times=4))
    assert struck(switch, 20) == [1, 2, 3, 4]


def test_only_requests_with_the_text_count():
    switch = FaultSwitch()
    switch.set(ServerError(where="Calls.json", every=2))
    assert struck(switch, 9) == []
    assert struck(switch, 4, "/Calls.json") == [2, 4]
    (switched,) = switch.on()
    assert (switched.met, switched.struck) == (4, 2)


def test_probability_gives_the_same_for_a_seed():
    draws = {}
    for seed in (1, 1, 2):
        switch = FaultSwitch()
        switch.set(ServerError(probability=0.3), seed=seed)
        draws.setdefault(seed, []).append(struck(switch, 200))
    assert draws[1][0] == draws[1][1] != draws[2][0]
    assert 30 < len(draws[1][0]) < 90


def test_a_request_gets_only_the_first_fault_that_fits():
    switch = FaultSwitch()
    switch.set(Unauthorized(every=2), TooManyRequests(every=3))
    kinds = [fault.kind if (fault := switch.draw("/")) else None for _ in range(6)]
    assert kinds == [None, "unauthorized", "too_many_requests", "unauthorized", None, "unauthorized"]
    assert [switched.struck for switched in switch.on()] == [3, 1]


def test_set_replaces_all_faults_and_resets_the_counts():
    switch = FaultSwitch()
    switch.set(ServerError(every=2))
    assert struck(switch, 1) == []
    switch.set(ServerError(every=2))
    assert struck(switch, 2) == [2]
    switch.clear()
    assert switch.on() == []
    assert struck(switch, 5) == []


def test_every_kind_has_its_own_name_in_json():
    kinds = [msgspec.json.decode(msgspec.json.encode(kind()))["kind"] for kind in AnyFault.__args__]
    assert len(set(kinds)) == len(kinds) > 12
    written = msgspec.json.encode({"seed": 7, "faults": [{"kind": kind, "every": 2} for kind in kinds]})
    read = msgspec.json.decode(written, type=FaultSetting)
    assert read.faults == [kind(every=2) for kind in AnyFault.__args__]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "meteor"},
        {"kind": "late", "minutes": 1},
        {"kind": "late", "seconds": -1},
        {"kind": "server_error", "status": 418},
        {"kind": "late", "probability": 0},
        {"kind": "late", "every": 0},
        {"kind": "late", "times": 0},
    ],
)
def test_an_invalid_fault_is_refused(fault):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"faults": [fault]}, FaultSetting)


def test_a_fault_is_identified_by_its_kind():
    assert (Late().kind, TimePasses().kind) == ("late", "time_passes")
