"""Processes that end together, even if the launcher is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.airflow_settings import ROOT
from deploy.guard import end_sessions, members, started_at
from deploy.installation import Installation
from deploy.processes import Processes, StartError
from waybill.model.errors import ConfigurationError

PATH = {"PATH": os.environ["PATH"]}
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
WITH_CHILD = """
import os, time
if os.fork() == 0:
    os.setpgid(0, 0)  # as Airflow's tasks do: its own group
print('up', flush=True)
time.sleep(600)
"""
LAUNCHER = """
import os, sys
from pathlib import Path
from deploy.installation import Installation
from deploy.processes import Processes
installation = Installation(Path(sys.argv[1]), "UTC", ())
with installation.taken() as lock, Processes(installation.logs, lock) as processes:
    processes.start("sleeper", ["python", "-c", sys.argv[2]], dict(os.environ))
    print(processes._watched["sleeper"].pid, flush=True)
    processes.until(lambda: None, "the end of the test", 600)
"""


def wait(is_done: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def processes(logs: Path) -> Iterator[Processes]:
    """Returns processes whose context is not entered yet."""
    with (logs / "lock").open("w") as lock:
        yield Processes(logs, lock.fileno())


def python(program: str) -> tuple[str, ...]:
    return ("python", "-c", program)


def session_of(processes: Processes, name: str) -> int:
    return processes._watched[name].pid


def start(processes: Processes, logs: Path, name: str, program: str) -> int:
    processes.start(name, python(program), PATH)
    wait(lambda: "up" in (logs / f"{name}.log").read_text())
    return session_of(processes, name)


def test_all_processes_end_with_the_context(processes: Processes, logs: Path) -> None:
    with processes:
        sessions = [start(processes, logs, "one", SLEEPER), start(processes, logs, "two", WITH_CHILD)]
        assert len(members(sessions)) == 3
        processes.check()
    assert not members(sessions)


def test_all_processes_end_after_an_error(processes: Processes, logs: Path) -> None:
    with pytest.raises(ZeroDivisionError), processes:
        session = start(processes, logs, "one", SLEEPER)
        raise ZeroDivisionError
    assert not members([session])


def test_a_process_that_ignores_the_signal_is_killed() -> None:
    stubborn = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True)
    assert stubborn.stdout.readline() == b"up\n"
    end_sessions([stubborn.pid], patience_seconds=0.1)
    stubborn.stdout.close()
    assert stubborn.wait() == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_if_the_launcher_is_killed_its_processes_end(tmp_path: Path, number: int) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(tmp_path), WITH_CHILD], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    session = int(launcher.stdout.readline())
    wait(lambda: len(members([session])) == 2)
    launcher.send_signal(number)
    launcher.stdout.close()
    launcher.wait()
    wait(lambda: not members([session]))


def test_the_lock_is_held_until_all_processes_of_a_dead_launcher_have_ended(tmp_path: Path) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(tmp_path), STUBBORN], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    session = int(launcher.stdout.readline())
    wait(lambda: "up" in (tmp_path / "logs" / "sleeper.log").read_text())
    launcher.kill()
    launcher.stdout.close()
    launcher.wait()
    installation = Installation(tmp_path, "UTC", ())
    with pytest.raises(ConfigurationError, match="has not ended yet"), installation.taken():
        pass
    wait(lambda: not members([session]))

    def is_free() -> bool:
        with suppress(ConfigurationError), installation.taken():
            return True
        return False

    wait(is_free)


def test_an_ended_process_is_reported_with_the_end_of_its_log(processes: Processes, logs: Path) -> None:
    with processes:
        processes.start("scheduler", python("print('line\\n' * 100 + 'no database'); raise SystemExit(3)"), PATH)
        with pytest.raises(StartError) as raised:
            processes.until(lambda: None, "something", 30)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"scheduler has ended with exit code 3. The end of {logs / 'scheduler.log'}:"
    assert lines[-1] == "    no database" and len(lines) == 26


def test_a_failed_program_is_reported_with_the_end_of_its_log(processes: Processes) -> None:
    with processes:
        processes.run("prepare", python("print('well')"), PATH, 30)
        with pytest.raises(StartError, match=r"prepare failed with exit code 1\..*\n    boom"):
            processes.run("prepare", python("raise SystemExit('boom')"), PATH, 30)


def test_waiting_has_a_time_limit(processes: Processes) -> None:
    with processes, pytest.raises(StartError, match="Waited 0 s for a miracle, and gave up"):
        processes.until(lambda: None, "a miracle", 0)


def test_the_awaited_result_is_returned(processes: Processes) -> None:
    with processes:
        assert processes.until(iter([None, None, "well"]).__next__, "it", 30) == "well"


def test_a_session_whose_id_belongs_to_another_process_is_not_ended() -> None:
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, start_new_session=True)
    assert stranger.stdout.readline() == b"up\n"
    for entries in (
        [{"session": stranger.pid, "started": started_at(stranger.pid) - 1}],
        [{"session": stranger.pid, "started": started_at(stranger.pid)}, {"forget": stranger.pid}],
    ):
        lines = "".join(json.dumps(line) + "\n" for line in entries)
        done = subprocess.run([sys.executable, "-m", "deploy.guard"], input=lines, text=True, cwd=ROOT, timeout=60)
        assert done.returncode == 0 and stranger.poll() is None
    end_sessions([stranger.pid])
    stranger.stdout.close()
    assert stranger.wait() == -signal.SIGTERM


def test_an_ended_program_is_no_longer_guarded(processes: Processes, logs: Path) -> None:
    with processes:
        processes.run("prepare", python("import os; print(os.getpid())"), PATH, 30)
        entries = []
        processes._tell_guard = entries.append
        processes.run("prepare", python("import os; print(os.getpid())"), PATH, 30)
    session = int((logs / "prepare.log").read_text())
    assert [next(iter(line.items())) for line in entries] == [("session", session), ("forget", session)]


def test_the_embedded_server_of_a_dead_launcher_is_stopped() -> None:
    from tempfile import TemporaryDirectory

    from waybill.warehouse import embedded

    with TemporaryDirectory(prefix="waybill-tests-") as name:  # not below pytest's folder: see tests/conftest.py
        folder = Path(name) / "pg"
        guard = subprocess.Popen([sys.executable, "-m", "deploy.guard"], stdin=subprocess.PIPE, text=True, cwd=ROOT)
        guard.stdin.write(json.dumps({"postgres": str(folder), "version": 18}) + "\n")
        guard.stdin.flush()
        embedded.start(folder, 18)
        assert embedded.is_running(folder)
        guard.stdin.close()
        assert guard.wait(60) == 0
        assert not embedded.is_running(folder)
