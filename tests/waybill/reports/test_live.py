"""Live monitoring and builds: opened and clicked are counted by builds, and a full build recounts everything."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import Warehouse
from tests.waybill.load.loading import Loads, dispatched, sendgrid
from waybill.flow import rebuild as build
from waybill.flow.rebuild import BuildResult, rebuild
from waybill.model.errors import QualityGateError
from waybill.quality import gate
from waybill.reports.verify import verify
from waybill.warehouse.connection import REPORTER

EMAIL = ("acme", "(none)", "email")


@pytest.fixture
def loads(warehouse: Warehouse) -> Iterator[Loads]:
    """Return loads into a warehouse; after the test, every table must equal a recount."""
    yield Loads(warehouse)
    connection = warehouse.connect(REPORTER)
    found = verify(connection)
    connection.close()
    assert [finding for finding in found.findings if not finding.is_equal] == []


def connects(loads: Loads) -> Callable[[], Connection]:
    return lambda: loads.warehouse.connect(REPORTER)


def run(loads: Loads, days: list[date] | None = None, full: bool = False, zone: str | None = None) -> BuildResult:
    return rebuild(connects(loads), days, full, zone)


def engaged(loads: Loads) -> dict[tuple, tuple[int, int]]:
    """Return opened and clicked of each row of the view."""
    rows = loads.rows("select account, campaign_id, channel, opened, clicked from report.live_monitoring")
    return {row[:3]: row[3:] for row in rows}


def pending(loads: Loads) -> int:
    return loads.one("select count(*) from ops.changed_engagement")[0]


def engagement_as_of(loads: Loads) -> datetime | None:
    ((found,),) = loads.rows("select distinct engagement_as_of from report.live_monitoring")
    return found


def an_open(loads: Loads, message: str = "m1", day: str = "01", **fields: object) -> None:
    delivered = sendgrid("delivered", f"2026-03-{day} 10:00", message, **fields)
    loads.load("sendgrid_events", delivered, sendgrid("open", f"2026-03-{day} 11:00", message, **fields))


def a_click(loads: Loads, message: str = "m1", day: str = "01", **fields: object) -> None:
    loads.load("sendgrid_events", sendgrid("click", f"2026-03-{day} 12:00", message, url="https://a.example", **fields))


def test_a_build_adds_the_pending_engagement(loads: Loads) -> None:
    an_open(loads)
    assert engaged(loads) == {EMAIL: (0, 0)} and pending(loads) == 1
    assert engagement_as_of(loads) is None
    first = run(loads)
    assert engaged(loads) == {EMAIL: (1, 0)} and pending(loads) == 0
    assert engagement_as_of(loads) == first.as_of
    assert first.rows_changed_by_report["live_engagement"] == 1
    a_click(loads)
    an_open(loads, "m2")
    assert engaged(loads) == {EMAIL: (1, 0)} and pending(loads) == 2
    assert engagement_as_of(loads) == first.as_of
    run(loads)
    assert engaged(loads) == {EMAIL: (2, 1)} and pending(loads) == 0


def test_a_build_without_changes_only_moves_as_of(loads: Loads) -> None:
    an_open(loads)
    first = run(loads)
    before = loads.stamps("fact", "report")
    again, full = run(loads), run(loads, full=True)
    assert again.rows_changed == full.rows_changed == 0
    assert loads.stamps("fact", "report") == before
    assert engagement_as_of(loads) == full.as_of > first.as_of


def test_a_build_of_given_days_adds_all_pending_engagement(loads: Loads) -> None:
    an_open(loads, day="01")
    an_open(loads, "m2", day="05")
    run(loads, [date(2026, 3, 1)])
    assert engaged(loads) == {EMAIL: (2, 0)} and pending(loads) == 0
    assert loads.rows("select distinct day from ops.changed_day") == [(date(2026, 3, 5),)]
    run(loads)


def test_pending_engagement_alone_causes_a_build(loads: Loads) -> None:
    an_open(loads)
    loads.rows("delete from ops.changed_day returning 1")
    result = run(loads)
    assert result.days == ()
    assert engaged(loads) == {EMAIL: (1, 0)} and pending(loads) == 0
    run(loads, full=True)


@pytest.mark.parametrize("full", [False, True])
def test_engagement_committed_after_the_snapshot_stays_pending(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    an_open(loads)
    check = gate.check

    def check_while_a_load_commits(*arguments: object) -> list[gate.Outcome]:
        a_click(loads)
        return check(*arguments)

    monkeypatch.setattr(gate, "check", check_while_a_load_commits)
    run(loads, full=full)
    monkeypatch.undo()
    assert engaged(loads) == {EMAIL: (1, 0)} and pending(loads) == 1
    run(loads)
    assert engaged(loads) == {EMAIL: (1, 1)} and pending(loads) == 0


def test_a_full_build_corrects_counts_and_keeps_those_of_a_concurrent_load(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_open(loads)
    loads.load("dispatch_log", dispatched("not_sent", "2026-03-01T08:00", reason="ndnc"))
    run(loads)
    right = loads.rows("select * from fact.live_count"), loads.rows("select * from fact.live_reason")
    loads.rows("update fact.live_count set sent = sent + 7, delivered = 0 returning 1")
    loads.rows("update fact.live_reason set reason = 'out_of_credit' returning 1")
    loads.rows("update fact.live_engagement set opened = 5, clicked = 5 returning 1")
    loads.rows("insert into fact.live_engagement values ('acme', 'never', 'email', 1, 1, 1) returning 1")
    result = run(loads, full=True)
    assert (loads.rows("select * from fact.live_count"), loads.rows("select * from fact.live_reason")) == right
    assert engaged(loads) == {EMAIL: (1, 0)}
    changed = {name: count for name, count in result.rows_changed_by_report.items() if count}
    assert changed == {"live_count": 1, "live_reason": 2, "live_engagement": 2}

    check = gate.check

    def check_while_a_load_commits(*arguments: object) -> list[gate.Outcome]:
        an_open(loads, "m2")
        return check(*arguments)

    loads.rows("update fact.live_count set targeted = targeted + 7 returning 1")
    monkeypatch.setattr(gate, "check", check_while_a_load_commits)
    run(loads, full=True)
    monkeypatch.undo()
    assert loads.one("select targeted, sent, delivered, opened from report.live_monitoring") == (3, 2, 2, 1)
    run(loads)
    assert engaged(loads) == {EMAIL: (2, 0)}


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("update fact.live_count set sent = sent + 1", r"live_count\.parts_sum_to_sent"),
        ("update fact.live_count set targeted = targeted + 1", r"live_count\.parts_sum_to_targeted"),
        ("update fact.live_reason set message_count = 2", r"live_reason\.reasons_match_not_sent"),
        ("update fact.live_reason set reason = 'an unknown word'", r"live_reason\.words_known"),
        ("update ops.changed_engagement set clicked = 3", r"live_engagement\.parts_within_totals"),
        ("update ops.changed_engagement set delivered = 2", r"live_engagement\.deliveries_match_live_count"),
        ("delete from ops.changed_engagement", r"live_engagement\.deliveries_match_live_count"),
    ],
)
def test_counts_that_do_not_add_up_stop_the_build_without_changes(loads: Loads, damage: str, rule: str) -> None:
    an_open(loads)
    loads.load("dispatch_log", dispatched("not_sent", "2026-03-01T08:00", reason="ndnc"))
    good = run(loads)
    before = loads.stamps("report"), loads.rows("select * from fact.live_engagement")
    an_open(loads, "m2")
    loads.rows(f"{damage} returning 1")
    left = pending(loads)
    with pytest.raises(QualityGateError, match=rule):
        run(loads)
    assert (loads.stamps("report"), loads.rows("select * from fact.live_engagement")) == before
    assert engagement_as_of(loads) == good.as_of and pending(loads) == left
    assert rule.split(".")[1] in loads.one("select distinct stale_reason from report.freshness")[0]
    run(loads, full=True)
    assert engaged(loads) == {EMAIL: (2, 0)} and pending(loads) == 0


def test_a_full_build_compares_its_recount_with_another_count(loads: Loads) -> None:
    """A message with an unknown state is not in any part."""
    an_open(loads)
    loads.rows("update fact.message set state = 'lost' returning 1")
    with pytest.raises(QualityGateError, match=r"live_count\.parts_sum_to_sent"):
        run(loads, full=True)
    loads.rows("update fact.message set state = 'delivered' returning 1")
    run(loads, full=True)


def test_a_dry_run_leaves_everything_pending(loads: Loads) -> None:
    an_open(loads)
    build_id = build.build(connects(loads), None, False, None)
    build.validate(connects(loads), build_id)
    tried = build.publish(connects(loads), build_id, is_dry=True)
    assert tried.rows_changed_by_report["live_engagement"] == 1
    assert engaged(loads) == {EMAIL: (0, 0)} and pending(loads) == 1
    assert engagement_as_of(loads) is None
    run(loads)
    assert engaged(loads) == {EMAIL: (1, 0)}


def test_a_build_that_died_leaves_all_engagement_pending(loads: Loads) -> None:
    an_open(loads)
    build.build(connects(loads), None, False, None)
    assert engaged(loads) == {EMAIL: (0, 0)} and pending(loads) == 1
    run(loads)
    assert engaged(loads) == {EMAIL: (1, 0)} and pending(loads) == 0


def test_another_zone_changes_no_count(loads: Loads) -> None:
    an_open(loads)
    run(loads)
    a_click(loads)
    before = loads.rows("select * from fact.live_count")
    result = run(loads, full=True, zone="Asia/Kolkata")
    assert loads.rows("select * from fact.live_count") == before
    assert result.rows_changed_by_report["live_count"] == 0
    assert engaged(loads) == {EMAIL: (1, 1)} and pending(loads) == 0


def test_a_campaign_that_lost_its_messages_is_not_shown(loads: Loads) -> None:
    an_open(loads)
    run(loads)
    a_click(loads, campaign_id="spring")
    assert engaged(loads) == {("acme", "spring", "email"): (0, 0)}
    run(loads)
    assert engaged(loads) == {("acme", "spring", "email"): (1, 1)}
    assert loads.rows("select campaign_id from fact.live_engagement") == [("spring",)]


def test_a_reader_does_not_delay_a_build_and_sees_one_state(loads: Loads) -> None:
    an_open(loads)
    reader = loads.warehouse.connect("waybill_bi_reader")
    reader.set_session(isolation_level="REPEATABLE READ")
    with reader.cursor() as cursor:
        cursor.execute("select opened from report.live_monitoring")
        assert cursor.fetchall() == [(0,)]
        run(loads)  # a lock would never be released
        cursor.execute("select opened from report.live_monitoring")
        assert cursor.fetchall() == [(0,)]
    reader.close()
    assert engaged(loads) == {EMAIL: (1, 0)}


def test_readers_see_the_old_live_monitoring_until_a_build_commits(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_open(loads)
    seen = []
    end = build._end

    def look_then_end(*arguments: object) -> None:
        seen.append(engaged(loads))
        end(*arguments)

    monkeypatch.setattr(build, "_end", look_then_end)
    run(loads)
    assert seen == [{EMAIL: (0, 0)}]
