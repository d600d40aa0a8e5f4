"""The steps of a load in separate processes, and what other processes may do between the steps."""

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from tests.waybill.load.loading import Loads, sms
from waybill.feeds import FEEDS
from waybill.flow.steps import publish_load, stage_load, validate_load
from waybill.ledger.objects import RecordedObject, record
from waybill.load import stage
from waybill.load.stage import drop_orphans
from waybill.model.errors import CeilingError, QualityGateError, UsageError
from waybill.quality import gate
from waybill.warehouse.connection import LOADER, connect, connected

ROWS = [sms("delivered", "2026-03-02T09:00", "2026-03-02T09:01", sid=f"SM{number}") for number in range(3)]


class Steps:
    """Runs each step on a new connection, as tasks do."""

    def __init__(self, loads: Loads) -> None:
        self.loads = loads
        self.settings = loads.settings

    def connected(self) -> AbstractContextManager[Connection]:
        return connected(self.loads.url, LOADER)

    def record(self, *rows: dict | bytes) -> RecordedObject:
        landed = self.loads.land("twilio_messages", *rows)
        with self.connected() as connection, connection, connection.cursor() as cursor:
            return record(cursor, landed)

    def stage(self, *objects: RecordedObject, kept_for: timedelta | None = timedelta(hours=1)) -> int:
        with self.connected() as connection:
            feed = FEEDS["twilio_messages"]
            return stage_load(connection, self.loads.target, feed, objects, "load", None, kept_for)

    def validate(self, load_id: int) -> None:
        with self.connected() as connection:
            validate_load(connection, self.loads.target, load_id)

    def publish(self, load_id: int) -> tuple[int, str]:
        with self.connected() as connection:
            row = publish_load(connection, self.loads.target, load_id).row
            return row.load_id, row.status

    def status(self, load_id: int) -> tuple[str, str | None]:
        return self.loads.one("select status, stop_reason from ops.load where load_id = %s", (load_id,))

    def sweep(self) -> None:
        with self.connected() as connection:
            drop_orphans(connection)


@pytest.fixture
def steps(loads: Loads) -> Steps:
    return Steps(loads)


def test_steps_in_separate_processes_publish_once(steps: Steps, loads: Loads) -> None:
    load_id = steps.stage(steps.record(*ROWS))
    assert loads.one("select count(*) from fact.event") == (0,)
    steps.validate(load_id)
    steps.validate(load_id)
    assert steps.publish(load_id) == (load_id, "published")
    stamps = loads.stamps("fact", "private")
    assert stamps
    steps.validate(load_id)
    assert steps.publish(load_id) == (load_id, "published")
    assert loads.stamps("fact", "private") == stamps
    assert loads.one("select count(*) from fact.event") == (6,)
    assert loads.staging_tables() == []
    assert loads.one("select staged from ops.load") == (None,)


def test_a_load_that_is_not_validated_cannot_be_published(steps: Steps, loads: Loads) -> None:
    load_id = steps.stage(steps.record(*ROWS))
    with pytest.raises(UsageError, match="validate it first"):
        steps.publish(load_id)
    assert loads.one("select count(*) from fact.event") == (0,)
    with pytest.raises(UsageError, match="no load 99"):
        steps.publish(99)


def test_the_second_load_of_the_same_objects_does_nothing(steps: Steps, loads: Loads) -> None:
    recorded = steps.record(*ROWS)
    first, second = steps.stage(recorded), steps.stage(recorded)
    for load_id in (first, second):
        steps.validate(load_id)
    assert steps.publish(second) == (second, "published")
    stamps = loads.stamps("fact", "private")
    assert steps.publish(first) == (second, "published")
    assert loads.stamps("fact", "private") == stamps
    assert steps.status(first) == ("superseded", f"Load {second} has published the same objects.")
    assert loads.staging_tables() == []


def test_two_loads_that_share_some_objects_are_both_published(steps: Steps, loads: Loads) -> None:
    shared, more = steps.record(ROWS[0]), steps.record(ROWS[1])
    first, second = steps.stage(shared), steps.stage(shared, more)
    for load_id in (first, second):
        steps.validate(load_id)
        assert steps.publish(load_id) == (load_id, "published")
    assert loads.one("select duplicate_count, loaded_count from ops.load where load_id = %s", (second,)) == (1, 1)


@pytest.mark.parametrize("kept_for", [None, timedelta(seconds=-1)], ids=["unkept", "kept too long"])
def test_staging_tables_of_dead_loads_are_dropped(steps: Steps, loads: Loads, kept_for: timedelta | None) -> None:
    load_id = steps.stage(steps.record(*ROWS), kept_for=kept_for)
    steps.sweep()
    assert loads.staging_tables() == []
    assert steps.status(load_id) == ("stopped", "its process died")
    with pytest.raises(UsageError, match="Stage its objects again"):
        steps.validate(load_id)
    with pytest.raises(UsageError, match="its process died"):
        steps.publish(load_id)


def test_staging_tables_of_loads_that_wait_for_their_next_step_remain(steps: Steps, loads: Loads) -> None:
    load_id = steps.stage(steps.record(*ROWS))
    steps.sweep()
    assert len(loads.staging_tables()) == 3
    steps.validate(load_id)
    steps.sweep()
    assert steps.publish(load_id) == (load_id, "published")


def test_a_load_that_ends_staging_during_the_clean_up_remains(
    steps: Steps, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = steps.record(*ROWS)
    dead = steps.stage(recorded, kept_for=None)
    alive = steps.stage(recorded)
    kept_until = loads.one("select kept_until from ops.load where load_id = %s", (alive,))
    connection = connect(loads.url, LOADER)
    with connection.cursor() as cursor:  # as during staging
        cursor.execute("update ops.load set status = 'staging', kept_until = null where load_id = %s", (alive,))
        cursor.execute("select pg_advisory_lock(hashtext('waybill-load'), %s)", (alive,))
    connection.commit()
    drop_tables = stage.drop_tables

    def drop_and_let_the_other_end(cursor: Cursor, load_id: int) -> None:
        drop_tables(cursor, load_id)
        with connection, connection.cursor() as other:
            other.execute(
                "update ops.load set status = 'staged', kept_until = %s where load_id = %s", (*kept_until, alive)
            )
        connection.close()

    monkeypatch.setattr(stage, "drop_tables", drop_and_let_the_other_end)
    steps.sweep()
    monkeypatch.undo()
    assert steps.status(dead)[0] == "stopped"
    assert steps.status(alive) == ("staged", None)
    steps.validate(alive)
    assert steps.publish(alive) == (alive, "published")


def test_a_load_above_the_ceiling_stops_at_validation(steps: Steps, loads: Loads) -> None:
    loads.use(rejected_ceiling=0.05)
    steps.settings = loads.settings
    poison = [b"[%d]" % number for number in range(30)]
    load_id = steps.stage(steps.record(*ROWS, *poison))
    with pytest.raises(CeilingError):
        steps.validate(load_id)
    assert steps.status(load_id)[0] == "stopped"
    assert loads.one("select count(*) from private.rejected_record") == (30,)
    assert loads.staging_tables() == []
    with pytest.raises(UsageError, match="30 of 33"):
        steps.publish(load_id)


def test_a_load_that_fails_its_suite_stops_at_validation(
    steps: Steps, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = steps.stage(steps.record(*ROWS))
    with monkeypatch.context() as patched, pytest.raises(QualityGateError, match="stopped here"):

        def fail(*_: object) -> None:
            raise QualityGateError("stopped here")

        patched.setattr(gate, "gate", fail)
        steps.validate(load_id)
    assert steps.status(load_id) == ("stopped", "stopped here")
    assert loads.one("select count(*) from fact.event") == (0,)


def test_staged_addresses_and_raw_bytes_have_no_statistics(steps: Steps, loads: Loads) -> None:
    load_id = steps.stage(steps.record(*ROWS, {"sid": "SM9"}))
    loads.rows("analyze; select 1")
    query = "select attname from pg_stats where tablename = %s order by 1"
    addresses = loads.rows(query, (f"load_{load_id}_recipient",))
    rejected = loads.rows(query, (f"load_{load_id}_rejected",))
    assert [name for (name,) in addresses] == ["account", "recipient_key"]
    assert ("reason",) in rejected and ("raw",) not in rejected
