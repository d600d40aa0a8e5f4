"""The clock of the simulated world."""

from datetime import UTC, datetime, timedelta

from waybill.simulator.http.clock import WorldClock

NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)


class RealSeconds:
    """Real time, moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_clock_does_not_move_by_itself():
    clock = WorldClock(NOON)
    assert [clock.at, clock.tick(), clock.at] == [NOON] * 3


def test_every_request_can_move_the_clock():
    clock = WorldClock(NOON, per_request=timedelta(minutes=1))
    assert [clock.tick(), clock.tick(), clock.at] == [NOON + timedelta(minutes=number) for number in range(3)]


def test_the_clock_can_run_at_any_speed_and_be_set_while_it_runs():
    real = RealSeconds()
    clock = WorldClock(NOON, monotonic=real)
    clock.speed = 60
    real.now += 10
    assert clock.at == NOON + timedelta(minutes=10)
    clock.at = NOON
    real.now += 1
    assert clock.at == NOON + timedelta(minutes=1)
    clock.move(timedelta(hours=1))
    clock.speed = 0
    real.now += 1000
    assert clock.at == NOON + timedelta(hours=1, minutes=1)
    assert clock.speed == 0


def test_other_zones_mean_the_same_instant():
    clock = WorldClock(datetime.fromisoformat("2026-03-27T14:00:00+02:00"))
    assert (clock.at, clock.at.tzinfo) == (NOON, UTC)
