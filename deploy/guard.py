"""`python -m deploy.guard`: ends what the launcher has started, as soon as the launcher is gone, however it went.

The launcher holds the other end of this process's standard input and writes what there is to end, a line of JSON
each: `{"session": 123, "started": 456}` a process that leads a session of its own, with when it was started;
`{"forget": 123}` it has ended; `{"postgres": folder, "version": 18}` an embedded server. When that end is closed, by
the launcher or by the kernel, everything is ended, and then this process too.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from waybill.warehouse import embedded

PATIENCE_SECONDS = 10
"""From asking a process to end until it is ended."""

_POLL_SECONDS = 0.05
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""They are meant for the launcher, which sees to it that this process ends."""


def main() -> None:
    """Wait for the launcher to go, then end everything it told of."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    sessions: dict[int, int] = {}
    servers = []
    for line in sys.stdin:
        told = json.loads(line)
        if "session" in told:
            sessions[told["session"]] = told["started"]
        elif "forget" in told:
            del sessions[told["forget"]]
        else:
            servers.append((Path(told["postgres"]), told["version"]))
    # a number may have gone to somebody else's process meanwhile
    end_sessions(session for session, started in sessions.items() if started_at(session) in (None, started))
    for folder, version in servers:
        embedded.stop(folder, version)


def end_sessions(sessions: Iterable[int], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask every process of these sessions to end, and end what is left of them after that time.

    Processes, not groups: tasks of Airflow lead groups of their own.
    """
    sessions = set(sessions)
    _signal(members(sessions), signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while left := members(sessions):
        # one without processes is over, and its number free for others
        sessions &= {session for _, session in _living()}
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


def started_at(process: int) -> int | None:
    """When a process was started, in ticks since the machine was; None: there is none of this number."""
    fields = _fields(process)
    return None if fields is None else int(fields[_STARTED])


def _living() -> Iterator[tuple[int, int]]:
    """Every process and its session."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) is not None and fields[_STATE] not in "ZX":
            yield int(entry.name), int(fields[_SESSION])


_STATE, _SESSION, _STARTED = 0, 3, 19
"""Places in /proc/<process>/stat behind the name (proc(5))."""


def _fields(process: int) -> list[str] | None:
    try:
        # the name stands in parentheses and may hold anything
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


if __name__ == "__main__":
    main()
