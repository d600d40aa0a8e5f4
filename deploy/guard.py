"""`python -m deploy.guard`: ends what the launcher has started, as soon as the launcher is gone, however it went.

The launcher holds the other end of this process's standard input and writes what there is to end, a line of JSON
each: `{"session": 123}` a process that leads a session of its own, `{"postgres": folder, "version": 18}` an embedded
server. When that end is closed, by the launcher or by the kernel, everything is ended, and then this process too.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from etl.warehouse import embedded

PATIENCE_SECONDS = 10
"""From asking a process to end until it is ended."""

_POLL_SECONDS = 0.05
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""They are meant for the launcher, which sees to it that this process ends."""


def main() -> None:
    """Wait for the launcher to go, then end everything it told of."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    sessions, servers = [], []
    for line in sys.stdin:
        told = json.loads(line)
        if "session" in told:
            sessions.append(told["session"])
        else:
            servers.append((Path(told["postgres"]), told["version"]))
    end_sessions(sessions)
    for folder, version in servers:
        embedded.stop(folder, version)


def end_sessions(sessions: Iterable[int], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask every process of these sessions to end, and end what is left of them after that time.

    Processes, not groups: tasks of Airflow lead groups of their own.
    """
    sessions = frozenset(sessions)
    _signal(members(sessions), signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while left := members(sessions):
        if time.monotonic() > deadline:
            _signal(left, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def members(sessions: Iterable[int]) -> list[int]:
    """Ids of the processes of these sessions that live; one that only waits to be reaped does not."""
    sessions = frozenset(sessions)
    return [process for process, session in _living() if session in sessions]


def _living() -> Iterable[tuple[int, int]]:
    """Every process and its session."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                # the name stands in parentheses and may hold anything
                state, _parent, _group, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                if state not in "ZX":
                    yield int(entry.name), int(session)


if __name__ == "__main__":
    main()
