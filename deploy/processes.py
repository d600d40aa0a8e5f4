"""The processes of an installation: each has a log, all are watched, and all are ended together in any case."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from deploy.airflow_settings import ROOT
from deploy.guard import end_sessions, started_at
from waybill.model.errors import WaybillError

LINES_SHOWN = 25
"""How many lines of the end of a log are shown."""

_POLL_SECONDS = 0.2
_GUARD_SECONDS = 60
Result = TypeVar("Result")


class StartError(WaybillError):
    """The installation does not start, or one of its processes has ended."""


class Processes:
    """Started processes. They end with the context, or when this process ends in any way.

    :param logs: folder of their logs, `<name>.log`; a new process overwrites its log
    :param lock: descriptor of a file that stays locked until everything has ended, even without this process
    """

    def __init__(self, logs: Path, lock: int) -> None:
        self._logs = logs
        self._lock = lock
        self._watched: dict[str, subprocess.Popen] = {}
        self._guard: subprocess.Popen | None = None

    def __enter__(self) -> "Processes":
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / "guard.log").open("wb") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "deploy.guard"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self._lock,),
                cwd=ROOT,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._guard.stdin.close()
        # ended children of this process are zombies until they are polled
        deadline = time.monotonic() + _GUARD_SECONDS
        while self._guard.poll() is None and time.monotonic() < deadline:
            for process in self._watched.values():
                process.poll()
            time.sleep(_POLL_SECONDS)
        end_sessions(process.pid for process in self._watched.values() if process.poll() is None)
        if self._guard.poll() is None:
            raise StartError(f"Not everything has ended after {_GUARD_SECONDS} s. {self.end_of_log('guard')}")

    def guard_postgres(self, folder: Path, version: int) -> None:
        """Stop the embedded server of a folder at the end, too."""
        self._tell_guard({"postgres": str(folder), "version": version})

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program of this virtual environment, which must run until the end."""
        self._watched[name] = self._open(name, command, environment)

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str], longest_seconds: float) -> None:
        """Run a program of this virtual environment to its end. Raises StartError with its log if it fails."""
        process = self._open(name, command, environment)
        code = self.until(process.poll, f"the end of {name}", longest_seconds)
        self._tell_guard({"forget": process.pid})
        if code != 0:
            raise StartError(f"{name} failed with exit code {code}. {self.end_of_log(name)}")

    def check(self) -> None:
        """Raise StartError if a process has ended."""
        for name, process in self._watched.items():
            if process.poll() is not None:
                how = f"with exit code {process.returncode}" if process.returncode >= 0 else "by a signal"
                raise StartError(f"{name} has ended {how}. {self.end_of_log(name)}")

    def until(
        self, ask: Callable[[], Result | None], what: str, longest_seconds: float, every_seconds: float = 0.2
    ) -> Result:
        """Call `ask` until it returns something other than None, and check all processes meanwhile.

        :param what: what is waited for, in words
        :raises StartError: a process has ended, or the time is over
        """
        deadline = time.monotonic() + longest_seconds
        while True:
            self.check()
            if (result := ask()) is not None:
                return result
            if time.monotonic() > deadline:
                raise StartError(f"Waited {longest_seconds:.0f} s for {what}, and gave up. Logs: {self._logs}")
            time.sleep(every_seconds)

    def end_of_log(self, name: str) -> str:
        """Returns the last lines of a log, with its path."""
        path = self._logs / f"{name}.log"
        lines = path.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return "\n".join([f"The end of {path}:", *(f"    {line}" for line in lines or ["(nothing)"])])

    def _open(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen:
        with (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - commands come from this package's tables
                [str(Path(sys.executable).parent / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        self._tell_guard({"session": process.pid, "started": started_at(process.pid)})
        return process

    def _tell_guard(self, message: Mapping[str, object]) -> None:
        self._guard.stdin.write(json.dumps(message) + "\n")
        self._guard.stdin.flush()
