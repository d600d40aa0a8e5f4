"""With a wrong clock nothing is landed. Records that were rejected for their time are accepted by a later load."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.waybill.load.loading import Loads, counts, sendgrid
from waybill.landing.objects import LandedObject
from waybill.model.errors import ConfigurationError
from waybill.warehouse import clock

FEED = "sendgrid_events"
WAITING = "select count(*) from private.rejected_record where resolved_load_id is null"


def set_clock_difference(monkeypatch: pytest.MonkeyPatch, difference: timedelta) -> None:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(tz) + difference

    monkeypatch.setattr(clock, "datetime", Wrong)


def opened(at: datetime, message: str = "m1") -> dict:
    return sendgrid("open", "2026-03-01 10:00", message) | {"timestamp": int(at.timestamp())}


@pytest.mark.parametrize(("seconds", "side"), [(-90, "behind"), (90, "ahead of"), (-3 * 86_400, "behind")])
def test_nothing_is_landed_or_loaded_while_the_clocks_differ(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, seconds: int, side: str
) -> None:
    set_clock_difference(monkeypatch, timedelta(seconds=seconds))
    landed = []

    def files():
        landed.append(loads.land(FEED, opened(datetime.now(UTC))))
        yield landed[0]

    with pytest.raises(ConfigurationError, match=f"seconds {side} the warehouse's.*NTP") as refused:
        loads.load_all(FEED, files())
    assert refused.value.exit_code == 3
    assert landed == [] and loads.one("select count(*) from ops.load") == (0,)


@pytest.mark.parametrize("seconds", [-50, 50])
def test_a_difference_below_a_minute_is_allowed(loads: Loads, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    set_clock_difference(monkeypatch, timedelta(seconds=seconds))
    assert loads.load(FEED, opened(datetime.now(UTC))).loaded_count == 1


def test_a_file_landed_by_a_slow_clock_is_checked_by_the_warehouse_clock(loads: Loads) -> None:
    now = datetime.now(UTC)
    row = loads.load(FEED, opened(now), landed_at=now - timedelta(days=3))
    assert counts(row) == {"read": 1, "loaded": 1, "mapped": 1, "inserted": 1}


def before_this_release(loads: Loads) -> None:
    """Leave records that were rejected for their time as an older release did."""
    loads.rows("update private.rejected_record set acceptable_at = null; select 1")


@pytest.mark.parametrize("is_old", [True, False])
@pytest.mark.parametrize("by_replay", [True, False])
def test_a_record_ahead_of_the_clock_is_accepted_when_its_time_has_come(
    loads: Loads, is_old: bool, by_replay: bool
) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1, hours=2)
    landed = loads.land(FEED, opened(ahead - timedelta(days=2)), opened(ahead, "m2"))
    (first,) = loads.load_all(FEED, [landed])
    assert counts(first.row) == {"read": 2, "loaded": 1, "rejected": 1, "mapped": 1, "inserted": 1}
    assert loads.rows("select acceptable_at from private.rejected_record") == [(ahead - timedelta(days=1),)]
    (again,) = loads.load_all(FEED, [landed])
    assert not again.is_new  # two hours too early: nothing to do
    loads.rows("update private.rejected_record set acceptable_at = clock_timestamp(); select 1")
    if is_old:
        before_this_release(loads)
    # A test cannot wait for days, so the object gets a later time of landing, which has the same effect.
    loads.rows(f"update ops.object set landed_at = '{ahead.isoformat()}'; select 1")
    if by_replay:
        (row,) = loads.replay(FEED, "2026-03-01 00:00", "2099-01-01 00:00")
    else:
        (done,) = loads.load_all(FEED, [_landed_at(landed, ahead)])
        assert done.is_new
        row = done.row
    assert (row.rejected_count, row.removed_count, row.inserted_count) == (0, 0, 1)
    assert loads.one(WAITING) == (0,)
    (last,) = loads.load_all(FEED, [_landed_at(landed, ahead)])
    assert not last.is_new


def _landed_at(landed: LandedObject, at: datetime) -> LandedObject:
    return msgspec.structs.replace(landed, landed_at=at)
