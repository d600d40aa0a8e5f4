"""`make run`: from nothing to reports that equal the truth, a second start with the same data, and a clean end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
import pytest

from deploy.airflow_settings import ROOT
from deploy.guard import members
from waybill.warehouse import embedded

LONGEST_SECONDS, ENDING_SECONDS = 900, 120
TRUE = "Every cell equals the simulator's truth: "


@contextmanager
def started(folder: Path, *options: str) -> Iterator[subprocess.Popen]:
    """Yields a launcher, which ends with the test in any case."""
    environment = {**os.environ, "WAYBILL_VAR": str(folder), "WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.run", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=ENDING_SECONDS)


def running_in(folder: Path) -> list[str]:
    """Returns the command lines of processes of an installation in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if line]


def facts(folder: Path) -> list[tuple]:
    url = embedded.start(folder / "run" / "postgres", 18)
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select t::text from fact.event as t order by event_key")
        rows = cursor.fetchall()
        cursor.execute("select count(*) from ops.load where status = 'published'")
        rows += cursor.fetchall()
    connection.close()
    embedded.stop(folder / "run" / "postgres", 18)
    return rows


@pytest.mark.timeout(3 * LONGEST_SECONDS)
@pytest.mark.long
def test_the_reports_equal_the_truth_and_a_second_start_changes_nothing() -> None:
    with TemporaryDirectory(prefix="waybill-tests-") as name:
        folder = Path(name)
        with started(folder, "--once") as first:
            out, _ = first.communicate(timeout=LONGEST_SECONDS)
        assert first.returncode == 0, out
        assert TRUE in out and "report.account_daily, all days" in out
        assert not members([first.pid]) and not running_in(folder)
        before = facts(folder)
        assert len(before) > 1000

        with started(folder) as second:
            shown = []
            for line in second.stdout:
                shown.append(line)
                if "Ctrl-C" in line:
                    break
            assert any(TRUE in line for line in shown), "".join(shown)
            assert any("http://127.0.0.1:" in line and "password" in line for line in shown)
            assert len(running_in(folder)) > 5
        assert second.returncode == 0
        assert not running_in(folder)
        assert facts(folder) == before


@pytest.mark.timeout(LONGEST_SECONDS)
@pytest.mark.long
def test_a_killed_launcher_leaves_no_process_running() -> None:
    with TemporaryDirectory(prefix="waybill-tests-") as name:
        folder = Path(name)
        with started(folder) as process:
            for line in process.stdout:
                if "Starting Airflow" in line:
                    break
            assert len(running_in(folder)) > 3
            process.kill()
        deadline = time.monotonic() + ENDING_SECONDS
        while running_in(folder) or embedded.is_running(folder / "run" / "postgres"):
            assert time.monotonic() < deadline, running_in(folder)
            time.sleep(0.5)
