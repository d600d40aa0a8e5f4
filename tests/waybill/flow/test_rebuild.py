"""Builds: what they rebuild, what stays pending, what stops them, and that they write only differences."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import Warehouse
from tests.waybill.reports.facts import ZONE, Facts, at
from waybill import __version__
from waybill.facts.live_counts import LIVE_TABLES
from waybill.flow import rebuild as build
from waybill.flow.rebuild import BuildResult, rebuild
from waybill.model.errors import ConfigurationError, QualityGateError, UsageError
from waybill.quality import gate
from waybill.reports import candidates, catalogue, live
from waybill.reports.catalogue import built_reports

D1, D2, D3 = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


def run(
    warehouse: Warehouse, days: list[date] | None = None, full: bool = False, zone: str | None = ZONE
) -> BuildResult:
    return rebuild(lambda: warehouse.connect("waybill_reporter"), days, full, zone)


def a_delivered_email(facts: Facts, name: str, day: str) -> None:
    """Write consistent facts: an email that was processed, delivered, opened and clicked on one day."""
    times = [at(f"{day} {hour}:00") for hour in (10, 11, 12, 13)]
    done = ("is_opened", "is_opened_human", "is_clicked", "is_clicked_human")
    facts.message(name, "email", [day], state="delivered", campaign_id="spring", **dict.fromkeys(done, True))
    facts.leg(
        name,
        "email",
        first_event_at=times[0],
        first_processed_at=times[0],
        first_delivered_at=times[1],
        first_opened_at=times[2],
        first_human_opened_at=times[2],
        first_clicked_at=times[3],
        first_human_clicked_at=times[3],
        engaged_days=[date.fromisoformat(day)],
    )
    for event_type, event_at in zip(("processed", "delivered", "opened", "clicked"), times, strict=True):
        facts.event(name, event_type, event_at)


def an_sms_with_a_price(facts: Facts, name: str, day: str) -> None:
    facts.message(name, "sms", [day], state="delivered", segments=1)
    delivered_at = at(f"{day} 10:00")
    facts.leg(name, "sms", first_event_at=delivered_at, first_delivered_at=delivered_at, price="0.01", currency="USD")
    facts.event(name, "delivered", at(f"{day} 10:00"), channel="sms", price="0.01", currency="USD")


def an_undelivered_sms(facts: Facts, name: str, day: str) -> None:
    why = {"failure_class": "blocked", "failure_reason": "carrier_filtered"}
    failed_at = at(f"{day} 10:00")
    event_key = facts.event(name, "undelivered", failed_at, channel="sms", provider_code="30007", **why)
    facts.message(name, "sms", [day], state="bounced", failure_key=event_key, **why)
    facts.leg(name, "sms", first_undelivered_at=failed_at)


def a_call(facts: Facts, name: str, day: str) -> None:
    facts.message(name, "ivr", [day], state="not_delivered", unanswered_type="busy")
    facts.leg(name, "ivr", first_no_answer_at=at(f"{day} 10:00"))
    facts.event(name, "busy", at(f"{day} 10:00"), channel="ivr")


def a_bounced_email(facts: Facts, name: str, day: str) -> None:
    why = {"failure_class": "soft_bounce", "failure_reason": "mailbox_full"}
    facts.message(name, "email", [day], state="bounced", campaign_id="spring", **why)
    facts.leg(
        name,
        "email",
        first_bounced_at=at(f"{day} 10:00"),
        last_failure_at=at(f"{day} 10:00"),
        **{f"last_{column}": word for column, word in why.items()},
    )
    facts.event(name, "bounced", at(f"{day} 10:00"), **why)


def three_days(facts: Facts) -> None:
    for number, day in enumerate(("2026-03-02", "2026-03-03", "2026-03-04")):
        a_delivered_email(facts, f"email{number}", day)
        a_bounced_email(facts, f"bounce{number}", day)
        an_sms_with_a_price(facts, f"sms{number}", day)
        an_undelivered_sms(facts, f"undelivered{number}", day)
        a_call(facts, f"call{number}", day)


def reports(warehouse: Warehouse) -> dict[str, list[tuple]]:
    """Return all rows of all reports with their places, so that a row that is written again differs."""
    return {
        report.name: warehouse.rows(
            f"select ctid::text, xmin::text, {', '.join(report.columns)} from {report.table} order by 3, 4, 5, 6"
        )
        for report in built_reports()
    }


def contents(warehouse: Warehouse) -> dict[str, list[tuple]]:
    return {name: sorted(row[2:] for row in rows) for name, rows in reports(warehouse).items()}


def pending(warehouse: Warehouse) -> list[tuple]:
    return warehouse.rows("select load_id, day from ops.changed_day order by load_id, day")


def builds(warehouse: Warehouse) -> list[tuple]:
    return warehouse.rows("select status, failure from ops.build order by build_id")


def stale_reason(warehouse: Warehouse) -> str | None:
    return warehouse.rows("select stale_reason from ops.report_state")[0][0]


def candidate_tables(warehouse: Warehouse) -> list[tuple]:
    return warehouse.rows("select tablename from pg_tables where schemaname = 'staging' order by 1")


def test_pending_days_are_built(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    facts.pending("2026-03-02", "2026-03-03")
    facts.pending("2026-03-03")
    result = run(warehouse)
    found = contents(warehouse)
    assert result.days == (D1, D2)
    assert {row[0] for rows in found.values() for row in rows} == {D1, D2}
    assert all(found.values())
    assert result.rows_changed == sum(map(len, found.values()))
    nothing_live = {table.name: 0 for table in live.RECOUNTED}
    assert result.rows_changed_by_report == {name: len(rows) for name, rows in found.items()} | nothing_live
    assert pending(warehouse) == []
    assert candidate_tables(warehouse) == []
    assert warehouse.rows(
        "select build_id, as_of, report_timezone, days_built, rows_changed, code_version from report.build"
    ) == [(result.build_id, result.as_of, ZONE, [D1, D2], result.rows_changed, __version__)]
    assert warehouse.rows("select count(*), bool_and(success) from ops.validation where subject = 'build 1'") == [
        (len(built_reports()) + len(LIVE_TABLES), True)
    ]


def test_a_rerun_writes_nothing(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    run(warehouse, full=True)
    before = reports(warehouse)
    again = run(warehouse, full=True)
    facts.pending("2026-03-02", "2026-03-03", "2026-03-04")
    by_days = run(warehouse)
    assert all(before.values())
    assert reports(warehouse) == before
    assert again.rows_changed == by_days.rows_changed == 0
    assert again.days is None


def test_a_build_without_pending_days_still_moves_as_of(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    first = run(warehouse, full=True)
    before = reports(warehouse)
    second = run(warehouse)
    assert second.days == () and second.rows_changed == 0 and second.as_of > first.as_of
    assert reports(warehouse) == before
    assert warehouse.rows("select days_built, as_of from report.build order by build_id") == [
        (None, first.as_of),
        ([], second.as_of),
    ]


def test_a_full_build_equals_incremental_builds(warehouse: Warehouse, facts: Facts) -> None:
    a_delivered_email(facts, "email0", "2026-03-02")
    facts.pending("2026-03-02")
    run(warehouse)
    an_sms_with_a_price(facts, "sms0", "2026-03-02")
    a_delivered_email(facts, "email1", "2026-03-03")
    facts.pending("2026-03-02", "2026-03-03")
    run(warehouse)
    # The message moves to another day and another campaign; its rows of the day before must be removed.
    facts.run("delete from fact.event; delete from fact.leg; delete from fact.message")
    a_delivered_email(facts, "email1", "2026-03-04")
    a_call(facts, "call1", "2026-03-04")
    facts.pending("2026-03-02", "2026-03-03", "2026-03-04")
    run(warehouse)
    by_increments = contents(warehouse)
    facts.run("; ".join(f"delete from {report.table}" for report in built_reports()))
    run(warehouse, full=True)
    assert contents(warehouse) == by_increments
    assert {row[0] for rows in by_increments.values() for row in rows} == {D3}


def test_only_rows_that_differ_are_written(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    run(warehouse, full=True)
    before = reports(warehouse)
    a_delivered_email(facts, "another", "2026-03-03")
    facts.pending("2026-03-03")
    result = run(warehouse)
    after = reports(warehouse)
    changed = {name: [row for row in rows if row not in before[name]] for name, rows in after.items()}
    assert {name: len(rows) for name, rows in changed.items() if rows} == {
        "email_engagement_daily": 1,
        "email_deliverability_daily": 1,
        "email_campaign": 1,
        "email_link": 1,
        "communication_activity_daily": 4,
        "delivery_latency_daily": 1,
        "campaign_daily": 1,
    }
    assert result.rows_changed == sum(map(len, changed.values())) == 10
    assert {row[2] for rows in changed.values() for row in rows} == {D2}


def test_a_build_of_given_days_leaves_other_pairs_pending(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    one = facts.pending("2026-03-02", "2026-03-03")
    two = facts.pending("2026-03-03", "2026-03-04")
    result = run(warehouse, [D3, D2, D3])
    assert result.days == (D2, D3)
    assert pending(warehouse) == [(one, D1)]
    assert {row[0] for rows in contents(warehouse).values() for row in rows} == {D2, D3}
    run(warehouse, full=True)
    assert pending(warehouse) == []
    assert two


def test_given_days_without_facts_are_emptied(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    run(warehouse, full=True)
    facts.run("delete from fact.event; delete from fact.leg; delete from fact.message")
    run(warehouse, [D1])
    assert {row[0] for rows in contents(warehouse).values() for row in rows} == {D2, D3}


def test_pairs_added_after_the_snapshot_stay_pending(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_days(facts)
    facts.pending("2026-03-02")
    late = []
    check = gate.check

    def check_while_a_load_commits(*arguments: object) -> list[gate.Outcome]:
        late.append(facts.pending("2026-03-02"))
        a_delivered_email(facts, "late", "2026-03-02")
        return check(*arguments)

    monkeypatch.setattr(gate, "check", check_while_a_load_commits)
    run(warehouse)
    monkeypatch.undo()
    assert pending(warehouse) == [(late[0], D1)]
    assert [row[6] for row in contents(warehouse)["email_campaign"]] == [2]
    run(warehouse)
    assert [row[6] for row in contents(warehouse)["email_campaign"]] == [3]


def test_a_failed_suite_changes_neither_reports_nor_pending_pairs(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    run(warehouse, full=True)
    before = reports(warehouse)
    # Opens and clicks whose leg belongs to no message would be missing from the reports.
    facts.run("update fact.leg set message_key = null where provider = 'sendgrid'")
    load_id = facts.pending("2026-03-02")
    with pytest.raises(QualityGateError, match=r"email_engagement_daily\.events_match_facts"):
        run(warehouse)
    assert reports(warehouse) == before
    assert pending(warehouse) == [(load_id, D1)]
    assert candidate_tables(warehouse) == []
    assert [status for status, _ in builds(warehouse)] == ["published", "failed"]
    assert "events_match_facts" in stale_reason(warehouse)
    assert warehouse.rows("select suite from ops.validation where not success order by 1") == [
        ("email_engagement_daily",),
        ("email_link",),
    ]
    since = warehouse.rows("select stale_since from ops.report_state")
    with pytest.raises(QualityGateError):
        run(warehouse)
    assert warehouse.rows("select stale_since from ops.report_state") == since
    # After the fix, the next build uses the same pairs and clears the reason.
    facts.run(
        "update fact.leg set message_key = e.message_key from fact.message as e where fact.leg.leg_key = e.message_key"
    )
    run(warehouse)
    assert pending(warehouse) == []
    assert stale_reason(warehouse) is None


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("update fact.leg set first_delivered_at = first_delivered_at - interval '1 day' where channel = 'email'",
         r"email_deliverability_daily\.deliveries_match_events"),
        ("update fact.leg set first_delivered_at = first_delivered_at - interval '1 day' where channel = 'sms'",
         r"communication_activity_daily\.deliveries_match_events"),
        ("update fact.leg set last_failure_at = last_failure_at - interval '1 day'",
         r"email_failure_reason_daily\.failures_match_events"),
        ("update fact.leg set first_clicked_at = null", r"email_link\.messages_match_campaign"),
        ("update fact.event set event_type = 'opened' where event_type = 'clicked' and event_at < '2026-03-03'",
         r"email_link\.messages_match_campaign"),
        ("update fact.message set failure_key = null", r"sms_failure_reason_daily\.bounced_match_facts"),
        ("update fact.leg set provider = 'dispatch' where channel = 'sms'",
         r"delivery_latency_daily\.deliveries_match_events"),
        ("update fact.leg set price = null", r"message_cost_daily\.prices_match_events"),
        ("update fact.message set sent_day = null where channel = 'email'", r"email_campaign\.sent_matches_facts"),
        ("update fact.message set sent_day = null where channel = 'sms'", r"sms_activity_daily\.sent_matches_facts"),
        ("update fact.message set sent_day = null where channel = 'ivr'", r"ivr_activity_daily\.sent_matches_facts"),
        ("update fact.message set state = 'in_progress' where channel = 'ivr'",
         r"ivr_activity_daily\.parts_sum_to_sent"),
        ("delete from fact.leg where channel = 'email'", r"email_engagement_daily\.events_match_facts"),
    ],
)  # fmt: skip
def test_a_full_build_compares_with_the_events(warehouse: Warehouse, facts: Facts, damage: str, rule: str) -> None:
    three_days(facts)
    facts.run(damage)
    with pytest.raises(QualityGateError, match=rule):
        run(warehouse, full=True)
    assert not any(contents(warehouse).values())


def test_a_candidate_that_lost_its_rows_is_not_published(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash of the server empties unlogged tables. After the validation, no suite would notice that."""
    three_days(facts)
    run(warehouse, full=True)
    before = contents(warehouse)
    for emptied in ("sms_activity_daily", candidates.PENDING, catalogue.CONTROL):
        load_id = facts.pending("2026-03-02")

        def check_then_empty(*arguments: object, emptied: str = emptied) -> list[gate.Outcome]:
            outcomes = gate.validate(arguments[0], arguments[2])
            (table,) = [name for (name,) in candidate_tables(warehouse) if name.endswith(emptied)]
            facts.run(f"truncate staging.{table}")
            return outcomes

        monkeypatch.setattr(gate, "check", check_then_empty)
        with pytest.raises(QualityGateError, match="candidate_row_count"):
            run(warehouse, full=True)
        monkeypatch.undo()
        assert contents(warehouse) == before
        assert pending(warehouse) == [(load_id, D1)]
        run(warehouse, full=True)


def test_a_candidate_that_lost_its_rows_fails_its_suite(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_days(facts)
    validate = gate.validate

    def empty_then_validate(connect, subjects):
        for subject in subjects:
            facts.run(f"truncate {subject.table}")
        return validate(connect, subjects)

    monkeypatch.setattr(gate, "validate", empty_then_validate)
    with pytest.raises(QualityGateError) as stopped:
        run(warehouse, full=True)
    for report in built_reports():
        assert f"{report.name}.row_count" in str(stopped.value)


def test_tables_of_a_dead_build_are_dropped(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Nothing catches it, like SIGKILL."""

    def die(*arguments: object) -> None:
        raise KilledError

    three_days(facts)
    load_id = facts.pending("2026-03-02")
    monkeypatch.setattr(gate, "check", die)
    with pytest.raises(KilledError):
        run(warehouse)
    monkeypatch.undo()
    assert len(candidate_tables(warehouse)) == len(built_reports()) + len(LIVE_TABLES) + 3
    assert builds(warehouse) == [("building", None)]
    assert pending(warehouse) == [(load_id, D1)]
    run(warehouse)
    assert candidate_tables(warehouse) == []
    assert builds(warehouse) == [
        ("failed", "it died, or another build began before its next step"),
        ("published", None),
    ]
    assert pending(warehouse) == []


def test_any_failure_marks_the_reports_stale(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_days(facts)
    monkeypatch.setattr(candidates, "bounded_statement", lambda name: "select 1 / 0 as day")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        run(warehouse, full=True)
    monkeypatch.undo()
    assert builds(warehouse) == [("failed", "DivisionByZero; see the log of the build")]
    assert stale_reason(warehouse) == "build 1: DivisionByZero; see the log of the build"
    run(warehouse, full=True)
    assert stale_reason(warehouse) is None


def test_builds_run_one_after_another(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    facts.pending("2026-03-02")
    holder = warehouse.connect("waybill_reporter")
    with holder.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(hashtext('waybill'), hashtext('build'))")
    holder.commit()
    results = []
    threads = [threading.Thread(target=lambda: results.append(run(warehouse))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(0.5)
    assert results == [] and builds(warehouse) == []
    holder.close()
    for thread in threads:
        thread.join(60)
    assert sorted(result.days for result in results) == [(), (D1,)]


def test_another_zone_needs_a_full_build(warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    three_days(facts)
    with pytest.raises(ConfigurationError, match=r"REPORT_TIMEZONE is UTC.*Europe/Berlin.*--full"):
        run(warehouse, zone="UTC")
    assert builds(warehouse) == []
    asked = []
    monkeypatch.setattr(build, "_change_zone", lambda connection, zone: asked.append(zone))
    run(warehouse, full=True, zone="UTC")
    run(warehouse, full=True)
    assert asked == ["UTC"]


def test_a_full_build_changes_the_zone_of_all_days(warehouse: Warehouse, facts: Facts) -> None:
    # 23:30 UTC is the next day in Berlin
    facts.message("a", "email", ["2026-03-03"], sent_at=at("2026-03-02 23:30"))
    facts.leg(
        "a",
        "email",
        first_event_at=at("2026-03-02 23:30"),
        first_gateway_event_at=at("2026-03-02 23:30"),
        first_processed_at=at("2026-03-02 23:30"),
        is_scheduled=False,
        has_other_failure=False,
        is_unsubscribed=False,
    )
    facts.event("a", "processed", at("2026-03-02 23:30"))
    run(warehouse, full=True)
    assert [row[0] for row in contents(warehouse)["email_campaign"]] == [D2]
    with pytest.raises(ConfigurationError, match="does not know the time zone"):
        run(warehouse, full=True, zone="Mars/Olympus")
    result = run(warehouse, full=True, zone="UTC")
    assert result.report_timezone == "UTC"
    assert [row[0] for row in contents(warehouse)["email_campaign"]] == [D1]
    assert warehouse.rows("select value from ops.setting where name = 'report_timezone'") == [("UTC",)]
    assert warehouse.rows("select sent_day, days from fact.message") == [(D1, [D1])]
    # The old zone is wrong now.
    with pytest.raises(ConfigurationError, match="REPORT_TIMEZONE is Europe/Berlin"):
        run(warehouse)
    assert run(warehouse, zone=None).days == ()


def test_days_of_two_zones_are_never_mixed(warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the build fails after a change of the zone, the reports keep the old zone until a full build."""
    three_days(facts)
    run(warehouse, full=True)
    monkeypatch.setattr("waybill.flow.rebuild.rezone", lambda cursor, zone: None)
    monkeypatch.setattr(gate, "check", lambda *arguments: (_ for _ in ()).throw(QualityGateError("stopped")))
    with pytest.raises(QualityGateError):
        run(warehouse, full=True, zone="UTC")
    monkeypatch.undo()
    assert warehouse.rows("select value from ops.setting where name = 'report_timezone'") == [("UTC",)]
    with pytest.raises(ConfigurationError, match="--full"):
        run(warehouse, zone="UTC")
    with pytest.raises(ConfigurationError, match="--full"):
        run(warehouse, zone=None)
    run(warehouse, full=True, zone="UTC")
    assert run(warehouse, zone="UTC").days == ()


def test_days_and_full_cannot_be_combined(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError):
        run(warehouse, [D1], full=True)


def test_readers_see_the_old_reports_until_the_commit(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_days(facts)
    run(warehouse, full=True)
    before = contents(warehouse)
    a_delivered_email(facts, "another", "2026-03-03")
    facts.pending("2026-03-03")
    seen = []
    end = build._end

    def look_then_end(*arguments: object) -> None:
        seen.append(contents(warehouse))
        end(*arguments)

    monkeypatch.setattr(build, "_end", look_then_end)
    run(warehouse)
    assert seen == [before]
    assert contents(warehouse) != before


def steps(warehouse: Warehouse) -> dict[str, Callable[..., object]]:
    """Run each step of a build on its own connection, like a separate process."""

    def connect() -> Connection:
        return warehouse.connect("waybill_reporter")

    return {
        "build": lambda days=None: build.build(connect, days, False, ZONE),
        "validate": lambda build_id: build.validate(connect, build_id),
        "publish": lambda build_id, is_dry=False: build.publish(connect, build_id, is_dry),
    }


def test_steps_in_separate_processes_give_the_same_result(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    facts.pending("2026-03-02")
    step = steps(warehouse)
    build_id = step["build"]()
    assert not any(contents(warehouse).values())
    assert step["validate"](build_id) == step["validate"](build_id) == ()
    result = step["publish"](build_id)
    assert result.days == (D1,)
    assert result.rows_changed > 0
    assert pending(warehouse) == candidate_tables(warehouse) == []
    after = contents(warehouse)
    assert replace(step["publish"](build_id), rows_changed_by_report=result.rows_changed_by_report) == result
    assert run(warehouse, [D1]).rows_changed == 0
    assert contents(warehouse) == after


def test_a_dry_run_counts_and_changes_nothing(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    load_id = facts.pending("2026-03-02")
    step = steps(warehouse)
    build_id = step["build"]()
    step["validate"](build_id)
    tried = step["publish"](build_id, is_dry=True)
    assert not any(contents(warehouse).values())
    assert pending(warehouse) == [(load_id, D1)]
    assert candidate_tables(warehouse) == []
    assert builds(warehouse) == [("tried", None)]
    assert run(warehouse).rows_changed == tried.rows_changed > 0


def test_a_build_that_is_not_validated_cannot_be_published(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    facts.pending("2026-03-02")
    step = steps(warehouse)
    build_id = step["build"]()
    with pytest.raises(UsageError, match="cannot continue"):
        step["publish"](build_id)
    step["validate"](build_id)
    assert step["publish"](build_id).rows_changed > 0


def test_a_build_cannot_continue_after_another_build_began(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    facts.pending("2026-03-02")
    step = steps(warehouse)
    build_id = step["build"]()
    step["validate"](build_id)
    run(warehouse)
    after = contents(warehouse)
    with pytest.raises(UsageError, match="another build began"):
        step["publish"](build_id)
    with pytest.raises(UsageError, match="another build began"):
        step["validate"](build_id)
    assert contents(warehouse) == after
    with pytest.raises(UsageError, match="no build 99"):
        step["publish"](99)


def test_a_failed_gate_ends_the_build(warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    three_days(facts)
    load_id = facts.pending("2026-03-02")
    step = steps(warehouse)
    build_id = step["build"]()
    monkeypatch.setattr(gate, "check", lambda *arguments: (_ for _ in ()).throw(QualityGateError("stopped")))
    with pytest.raises(QualityGateError):
        step["validate"](build_id)
    monkeypatch.undo()
    assert builds(warehouse) == [("failed", "stopped")]
    assert warehouse.rows("select stale_reason from ops.report_state") == [("stopped",)]
    assert pending(warehouse) == [(load_id, D1)]
    with pytest.raises(UsageError, match="is failed"):
        step["publish"](build_id)


def test_a_step_that_lost_its_connection_can_be_repeated(
    warehouse: Warehouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_days(facts)
    facts.pending("2026-03-02")
    step = steps(warehouse)
    build_id = step["build"]()
    monkeypatch.setattr(gate, "check", lambda *arguments: (_ for _ in ()).throw(psycopg2.OperationalError("gone")))
    with pytest.raises(psycopg2.OperationalError):
        step["validate"](build_id)
    monkeypatch.undo()
    step["validate"](build_id)
    assert step["publish"](build_id).rows_changed > 0
    assert warehouse.rows("select stale_reason from ops.report_state") == [(None,)]
