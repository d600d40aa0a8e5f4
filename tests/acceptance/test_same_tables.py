"""Random traffic in random batches of concurrent processes gives the same as the plain model in memory."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.acceptance.detail_rows import check_detail_views
from tests.acceptance.warehouses import (
    build,
    check_equal,
    facts,
    in_batches,
    load_and_build,
    load_files,
    processes,
    report_cells,
    writes,
)
from tests.conftest import KEY, Server
from tests.reference.model import Model
from tests.reference.traffic import ZONES, File, traffic
from waybill.reports.verify import verify
from waybill.simulator.truth.cells import Cells
from waybill.warehouse.connection import REPORTER, connected

PROCESSES = 3
# Continuous integration tries more examples, and new ones: make chaos-short.
EXAMPLES = 10 if settings.get_current_profile_name() == "new" else 4
SHORT = settings(
    max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
LONG = settings(SHORT, max_examples=400, derandomize=False, print_blob=True)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with processes(PROCESSES) as pool:
        yield pool


def check_same_tables(postgres: Server, pool: ProcessPoolExecutor, files: list[File], zone: str, seed: int) -> None:
    from waybill.settings import Settings

    model = Model(Settings.from_environment({"RECIPIENT_HMAC_KEY": KEY}).keyring, zone)
    counts = [model.load(f.account, f.feed, f.data, f.landed_at) for f in files]
    landed = [(f.account, f.feed, f.data, f.landed_at) for f in files]
    url, url_at_once = postgres.database(zone=zone), postgres.database(zone=zone)
    try:
        with TemporaryDirectory() as folder:
            mine = Settings.from_environment(
                {"WAREHOUSE_URL": url, "WAYBILL_VAR": folder, "RECIPIENT_HMAC_KEY": KEY, "REJECTED_CEILING": "1"}
            )
            batches = in_batches(landed, seed, most=6)
            for done in [pool.submit(load_and_build, mine, url, batch) for batch in batches]:
                done.result()
            build(url)
            expected = model.report_rows()
            check_equal(report_cells(url), expected)
            check_detail_views(url, model.happenings(), zone)

            full = build(url, full=True)
            assert not any(full.values()), f"a full rebuild changed {full}"
            check_equal(report_cells(url), expected)

            other = replace(mine, warehouse_url=url_at_once, landing_url=str(Path(folder) / "landing-at-once"))
            rows = [item.row for item in load_files(other, url_at_once, landed)]
            check_equal(without_engagement(report_cells(url_at_once)), without_engagement(expected))
            build(url_at_once, full=True)
            assert facts(url_at_once) == facts(url)
            check_equal(report_cells(url_at_once), expected)
            check_detail_views(url_at_once, model.happenings(), zone)
            distinct = {(f.account, f.feed, f.data): b for f, b in zip(files, counts, strict=True)}.values()
            assert sum(row.read_count for row in rows) == sum(b.read for b in distinct)
            assert sum(row.rejected_count for row in rows) == sum(len(b.rejected) for b in distinct)
            assert sum(row.ignored_count for row in rows) == sum(b.ignored for b in distinct)

            with connected(url, REPORTER) as connection:
                verified = verify(connection)
            assert verified.is_equal and not verified.pending_days, verified

            before = writes(url)
            for item in load_files(mine, url, landed):
                assert not item.is_new
            build(url)
            assert writes(url) == before
    finally:
        postgres.drop(url)
        postgres.drop(url_at_once)


def without_engagement(reports: dict[str, Cells]) -> dict[str, Cells]:
    """Return live monitoring without opened and clicked: the part that is correct after each load."""
    return {
        name: {
            grain: {measure: count for measure, count in row.items() if measure not in ("opened", "clicked")}
            for grain, row in reports[name].items()
        }
        for name in ("live_monitoring", "live_monitoring_reason")
    }


@SHORT
@given(files=traffic(), zone=st.sampled_from(ZONES), seed=st.integers(0, 2**32))
def test_reports_equal_the_model_with_any_batches_processes_and_order(
    postgres: Server, pool: ProcessPoolExecutor, files: list[File], zone: str, seed: int
) -> None:
    check_same_tables(postgres, pool, files, zone, seed)


@pytest.mark.long
@LONG
@given(files=traffic(), zone=st.sampled_from(ZONES), seed=st.integers(0, 2**32))
def test_reports_equal_the_model_over_much_traffic(
    postgres: Server, pool: ProcessPoolExecutor, files: list[File], zone: str, seed: int
) -> None:
    check_same_tables(postgres, pool, files, zone, seed)
