"""Calls commands for tests: in this process, or as a program."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from typer.testing import CliRunner

from tests.conftest import KEY, Warehouse
from waybill.cli import main

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-m", "waybill")
SETTINGS = (
    "WAREHOUSE_URL",
    "WAYBILL_VAR",
    "RECIPIENT_HMAC_KEY",
    "LANDING_URL",
    "INBOX_URL",
    "REPORT_TIMEZONE",
    "REJECTED_CEILING",
    "UNJOINED_CEILING",
    "DISPATCH_LOG_URL",
    "DISPATCH_LOG_TABLE",
    "DISPATCH_ID_ARGUMENT",
    "EMBEDDED_POSTGRES_VERSION",
)


@dataclass(frozen=True)
class Answer:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def environment_of(warehouse: Warehouse, **more: str) -> dict[str, str]:
    """Returns the settings with which commands use the database of a test."""
    var = warehouse.settings.var
    return {"WAREHOUSE_URL": warehouse.url, "RECIPIENT_HMAC_KEY": KEY, "WAYBILL_VAR": str(var), **more}


def waybill(*arguments: str, settings: Mapping[str, str], stdin: bytes | None = None) -> Answer:
    """Call a command in this process."""
    environment = dict.fromkeys(SETTINGS) | dict(settings)
    result = CliRunner().invoke(main.app, arguments, input=stdin, env=environment, standalone_mode=False)
    if result.exception is None:
        return Answer(result.return_value or 0, result.stdout, result.stderr)
    messages: list[str] = []
    say, main.say = main.say, lambda message, *_: messages.append(message)
    try:
        code = main._report(result.exception)
    finally:
        main.say = say
    return Answer(code, result.stdout, result.stderr + "\n".join(messages))


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return inherited | {"PYTHONPATH": str(ROOT)} | dict(settings)


def program(*arguments: str, settings: Mapping[str, str], stdin: bytes = b"") -> Answer:
    """Start the program, and wait for its end."""
    done = subprocess.run(
        [*PROGRAM, *arguments], env=_environment(settings), cwd=ROOT, input=stdin, capture_output=True, timeout=120
    )
    return Answer(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode())


@contextmanager
def started(*arguments: str, settings: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """The running program, with pipes to its stdout and stderr; killed at the end."""
    with subprocess.Popen(
        [*PROGRAM, *arguments], env=_environment(settings), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def on_terminal(*arguments: str, settings: Mapping[str, str], columns: int = 100) -> str:
    """Start the program with a terminal as its stdin, stdout and stderr; returns what it showed."""
    own_end, program_end = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        while True:
            try:
                piece = os.read(own_end, 65536)
            except OSError:  # the other side is closed
                return
            if not piece:
                return
            shown.append(piece)

    reader = Thread(target=read)
    reader.start()
    environment = _environment(settings) | {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm"}
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env=environment, stdin=program_end, stdout=program_end, stderr=program_end
    )
    os.close(program_end)
    process.wait(timeout=60)
    reader.join(timeout=10)
    os.close(own_end)
    return b"".join(shown).decode()
