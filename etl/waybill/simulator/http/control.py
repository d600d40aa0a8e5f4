"""The HTTP interface to control the simulator: `/simulator/…`, in addition to the paths of the provider."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from waybill.simulator.http.answer import Answer
from waybill.simulator.http.fault_switch import FaultSetting
from waybill.simulator.http.stand_in import StandIn
from waybill.simulator.truth.reports import Cells

PREFIX = "/simulator/"


class ClockSetting(msgspec.Struct, forbid_unknown_fields=True):
    """A change of the clock.

    :ivar at: an instant with its zone
    :ivar speed: seconds of the world per real second
    :ivar per_request_seconds: how far each request moves the clock
    """

    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    speed: Annotated[float, msgspec.Meta(ge=0)] | None = None
    per_request_seconds: float | None = None


def control(stand_in: StandIn, method: str, target: str, body: bytes) -> Answer:
    """Returns the answer to a request below PREFIX: JSON, or 400 with the reason."""
    parts = urlsplit(target)
    route = _ROUTES.get((method, parts.path.removeprefix(PREFIX)))
    if route is None:
        known = ", ".join(f"{verb} {PREFIX}{name}" for verb, name in _ROUTES)
        return _json(404, {"error": f"expected one of {known}; got {method} {parts.path}"})
    try:
        return _json(200, route(stand_in, dict(parse_qsl(parts.query)), body))
    except (msgspec.MsgspecError, ValueError, ZoneInfoNotFoundError) as error:
        return _json(400, {"error": str(error)})


def cells(reports: dict[str, Cells]) -> dict[str, list[dict[str, object]]]:
    """Returns every cell of every report for JSON: the grain in the order of the report's key, measures by name."""
    return {
        name: [{"grain": list(grain), "measures": measures} for grain, measures in sorted(rows.items())]
        for name, rows in reports.items()
    }


def _json(status: int, value: object) -> Answer:
    # msgspec writes exact decimals as text, and days and times in ISO 8601
    return Answer(status, msgspec.json.encode(value))


def _accounts(stand_in: StandIn, _query: dict[str, str], _body: bytes) -> object:
    return stand_in.accounts()


def _clock(stand_in: StandIn, _query: dict[str, str], _body: bytes) -> object:
    clock = stand_in.clock
    return {"at": clock.at, "speed": clock.speed, "per_request_seconds": clock.per_request.total_seconds()}


def _set_clock(stand_in: StandIn, query: dict[str, str], body: bytes) -> object:
    setting, clock = msgspec.json.decode(body, type=ClockSetting), stand_in.clock
    if setting.per_request_seconds is not None:
        clock.per_request = timedelta(seconds=setting.per_request_seconds)
    if setting.speed is not None:
        clock.speed = setting.speed
    if setting.at is not None:
        clock.at = setting.at
    return _clock(stand_in, query, body)


def _faults(stand_in: StandIn, _query: dict[str, str], _body: bytes) -> object:
    return stand_in.faults.on()


def _set_faults(stand_in: StandIn, query: dict[str, str], body: bytes) -> object:
    setting = msgspec.json.decode(body, type=FaultSetting)
    stand_in.faults.set(*setting.faults, seed=setting.seed)
    return _faults(stand_in, query, body)


def _truth(stand_in: StandIn, query: dict[str, str], _body: bytes) -> object:
    zone = query.get("zone", "UTC")
    until = msgspec.convert(query.get("until"), Annotated[datetime, msgspec.Meta(tz=True)] | None)
    return {"zone": zone, "reports": cells(stand_in.report_rows(zone, until))}


def _requests(stand_in: StandIn, _query: dict[str, str], _body: bytes) -> object:
    requests = stand_in.requests
    return {
        "count": len(requests.all()),
        "by_path": requests.by_path,
        "by_status": requests.by_status,
        "by_fault": requests.by_fault,
        "greatest_concurrency": requests.greatest_concurrency,
        "repeated_pages": requests.repeated_pages,
    }


_ROUTES: dict[tuple[str, str], Callable[[StandIn, dict[str, str], bytes], object]] = {
    ("GET", "accounts"): _accounts,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _set_clock,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _set_faults,
    ("GET", "truth"): _truth,
    ("GET", "requests"): _requests,
}
