"""Unload: the tables equal those of a history without the objects of the load."""

import hashlib
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.acceptance.warehouses import build, check_equal, facts, in_batches, load_files, report_cells, writes
from tests.conftest import KEY, Server
from tests.reference.traffic import File, traffic
from tests.waybill.load.loading import Loads, before_publish, dispatched, sendgrid
from waybill.feeds import FEEDS
from waybill.flow.ingest import load
from waybill.flow.results import Loaded
from waybill.flow.unload import unload
from waybill.load.publish import DryRunError
from waybill.model.errors import SourceError, UsageError
from waybill.settings import Settings
from waybill.warehouse.connection import Warehouse as Target
from waybill.warehouse.connection import connected

FEED = "sendgrid_events"
RIGHT = [sendgrid("processed", "2026-03-01 10:00"), sendgrid("delivered", "2026-03-01 10:02"), b"not a record"]
WRONG = [RIGHT[1], sendgrid("open", "2026-03-01 10:01", "m9", "wrong@example.com"), b"not a record", b"rubbish"]
EVENTS = "select event_type, event_at from fact.event order by event_key"
REJECTED = "select account, feed, sha256, reason, raw::text from private.rejected_record order by 1, 2, 3"


def take_back(loads: Loads, load_id: int, **given: object) -> object:
    return unload(loads.target, load_id, "ann", "wrong account", **given)


def tables(loads: Loads) -> dict[str, object]:
    return {**facts(loads.url), "rejected": loads.rows(REJECTED)}


def test_an_unloaded_load_leaves_the_tables_of_a_history_without_it(loads: Loads) -> None:
    loads.load(FEED, *RIGHT)
    before = tables(loads)
    wrong = loads.load(FEED, *WRONG)
    assert tables(loads) != before

    done = take_back(loads, wrong.load_id)
    assert (done.row.kind, done.row.status, done.row.removed_count) == ("unload", "published", 1)
    assert tables(loads) == before
    assert loads.changed_days(done.row) == loads.changed_days(wrong)
    assert loads.one("select status, stop_reason from ops.load where load_id = %s", (wrong.load_id,)) == (
        "unloaded",
        "unloaded by ann: wrong account",
    )
    assert loads.one("select left_out, left_out_by, left_out_because from ops.object where left_out is not null") == (
        "unloaded",
        "ann",
        "wrong account",
    )
    stamps = loads.stamps()
    assert take_back(loads, wrong.load_id).status == "unloaded"
    assert loads.stamps() == stamps, "an unload that was repeated wrote something"
    assert loads.replay(FEED, "2026-02-01 00:00", "2026-04-01 00:00")[0].removed_count == 0
    assert tables(loads) == before


def test_unloaded_files_stay_out_until_they_are_loaded_again(loads: Loads) -> None:
    landed = loads.land(FEED, *WRONG)
    (first,) = loads.load_all(FEED, [landed])
    loaded = tables(loads)
    take_back(loads, first.row.load_id)
    assert not facts(loads.url)["fact.event"] and not loads.rows(REJECTED)

    assert loads.load_all(FEED, [landed]) == []
    assert not facts(loads.url)["fact.event"]
    (again,) = load_again(loads, landed)
    assert again.is_new
    assert tables(loads) == loaded
    assert loads.rows("select from ops.object where left_out is not null") == []


def load_again(loads: Loads, landed: object) -> list[Loaded]:
    return load(loads.target, FEEDS[FEED], [landed], again=True).checked()


def test_a_dry_run_counts_and_changes_nothing(loads: Loads) -> None:
    wrong = loads.load(FEED, *WRONG)
    before = tables(loads)
    with pytest.raises(DryRunError) as dry:
        take_back(loads, wrong.load_id, is_dry_run=True)
    assert dry.value.counts == {"removed": 2}
    assert tables(loads) == before
    assert loads.one("select count(*) from ops.load where status = 'unloaded'") == (0,)
    assert loads.staging_tables() == []


def test_only_a_published_load_can_be_unloaded(loads: Loads) -> None:
    loads.load(FEED, *RIGHT)
    (replayed,) = loads.replay(FEED, "2026-02-01 00:00", "2026-04-01 00:00")
    with pytest.raises(UsageError, match="only the load that brought the files"):
        take_back(loads, replayed.load_id)
    with pytest.raises(UsageError, match="There is no load 99"):
        take_back(loads, 99)


def test_a_row_of_a_dispatch_log_is_taken_back_for_every_account(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T09:00", recipient="ann@example.com"))
    before = tables(loads)
    wrong = loads.load("dispatch_log", dispatched("suppressed", "2026-03-01T09:00", "d2", account="other"))
    take_back(loads, wrong.load_id)
    assert tables(loads) == before


def test_a_load_that_is_published_meanwhile_is_read_too(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = loads.load(FEED, *WRONG)
    before_publish(monkeypatch, lambda load_id: loads.load(FEED, *RIGHT))
    take_back(loads, wrong.load_id)
    assert len(loads.rows(EVENTS)) == 2


def test_a_load_whose_files_are_unloaded_meanwhile_stops(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loads.load(FEED, *WRONG)
    loads.rows("update ops.load set rules_version = 1 returning 1")  # the same files are loaded again by newer rules
    before_publish(monkeypatch, lambda load_id: take_back(loads, first.load_id))
    with pytest.raises(SourceError, match="unloaded while it was staged"):
        loads.load_all(FEED, [loads.land(FEED, *WRONG)])
    assert loads.rows(EVENTS) == []


def rejected(url: str) -> list[tuple]:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(REJECTED)
        return cursor.fetchall()


@given(files=traffic(min_files=6, max_files=12, max_records=8), seed=st.integers(0, 10_000))
@settings(max_examples=3, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_any_load_of_random_traffic_can_be_taken_back(postgres: Server, files: list[File], seed: int) -> None:
    zone = "Europe/Berlin"
    landed = [(f.account, f.feed, f.data, f.landed_at) for f in files]
    url, other_url = postgres.database(zone), postgres.database(zone)
    try:
        with TemporaryDirectory() as folder:
            mine, other = (
                Settings.from_environment(
                    {"WAREHOUSE_URL": one, "WAYBILL_VAR": str(Path(folder, name)), "RECIPIENT_HMAC_KEY": KEY,
                     "REJECTED_CEILING": "1"}
                )
                for one, name in ((url, "mine"), (other_url, "other"))
            )  # fmt: skip
            done = [item for batch in in_batches(landed, seed, most=3) for item in load_files(mine, url, batch)]
            chosen = random.Random(seed).choice([item.row for item in done if item.is_new])
            build(url)
            unload(Target(mine, url), chosen.load_id, "ann", "a test")
            with connected(url) as connection, connection.cursor() as cursor:
                cursor.execute("select account, feed, sha256 from ops.object where left_out = 'unloaded'")
                taken = set(cursor.fetchall())
            left = [f for f in landed if (f[0], f[1], hashlib.sha256(f[2]).hexdigest()) not in taken]
            assert len(left) < len(landed)
            load_files(other, other_url, left)
            assert facts(url) == facts(other_url)
            assert rejected(url) == rejected(other_url)
            build(url)
            build(other_url)
            check_equal(report_cells(url), report_cells(other_url))
            before = writes(url)
            unload(Target(mine, url), chosen.load_id, "ann", "a test")
            load_files(mine, url, landed)
            assert writes(url) == before
    finally:
        postgres.drop(url)
        postgres.drop(other_url)
