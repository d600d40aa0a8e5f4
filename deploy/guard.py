"""`python -m deploy.guard`: ends the processes of the launcher as soon as the launcher has ended in any way.

The launcher writes to the standard input of this process, one line of JSON for each thing to end: `{"session": 123,
"started": 456}` for a process that leads its own session, with its start time; `{"forget": 123}` when that has ended;
`{"postgres": folder, "version": 18}` for an embedded server. When the launcher or the kernel closes the input, this
process ends everything, and then itself.
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
"""How long a process has to end before it is killed."""

_POLL_SECONDS = 0.05
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals for the launcher, which then ends this process."""


def main() -> None:
    """Wait for the end of the launcher, then end everything that it has named."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    sessions: dict[int, int] = {}
    servers = []
    for line in sys.stdin:
        entry = json.loads(line)
        if "session" in entry:
            sessions[entry["session"]] = entry["started"]
        elif "forget" in entry:
            del sessions[entry["forget"]]
        else:
            servers.append((Path(entry["postgres"]), entry["version"]))
    # the id may belong to another process since
    end_sessions(session for session, started in sessions.items() if started_at(session) in (None, started))
    for folder, version in servers:
        embedded.stop(folder, version)


def end_sessions(sessions: Iterable[int], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask every process of these sessions to end, and kill the others after that time.

    It signals processes, not groups, because tasks of Airflow lead their own groups.
    """
    sessions = set(sessions)
    _signal(members(sessions), signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while left := members(sessions):
        # a session without processes has ended, and another one may get its id
        sessions &= {session for _, session in _living()}
        if time.monotonic() > deadline:
            _signal(left, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def members(sessions: Iterable[int]) -> list[int]:
    """Returns the ids of the living processes of these sessions; zombies do not count."""
    sessions = frozenset(sessions)
    return [process for process, session in _living() if session in sessions]


def started_at(process: int) -> int | None:
    """Returns the start time of a process, in ticks since the machine started; None: there is no such process."""
    fields = _fields(process)
    return None if fields is None else int(fields[_STARTED])


def _living() -> Iterator[tuple[int, int]]:
    """Yields every living process and its session."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) is not None and fields[_STATE] not in "ZX":
            yield int(entry.name), int(fields[_SESSION])


_STATE, _SESSION, _STARTED = 0, 3, 19
"""Positions in /proc/<process>/stat after the name (proc(5))."""


def _fields(process: int) -> list[str] | None:
    try:
        # the name is in parentheses and may contain any character
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


if __name__ == "__main__":
    main()
