"""`waybill`: data on stdout, progress and messages on stderr, exit codes as in the help."""

import errno
import io
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol, TextIO, runtime_checkable

import typer

from waybill import __version__
from waybill.cli.commands import CommandGroup
from waybill.cli.output import say, set_style
from waybill.model.errors import ConfigurationError, WaybillError

BUG = 1
INTERRUPTED = 130
PATIENCE_SECONDS = 2.0
"""How long an interrupted command waits for a statement of the database before it ends at once."""

_SERVER_PROBLEMS = {
    "08": "the connection broke",
    "53": "it has run out of disk, memory or connections",
    "55": "another process holds a lock that is needed",
    "57": "it is shutting down, or somebody cancelled the statement",
    "25P03": "it ended the connection, because this process was idle in a transaction",
    "25006": "it is read-only (a standby?)",
    "42501": "this login lacks a right; `waybill doctor` says more",
}
"""Errors of Postgres that are not bugs, by the start of their code (Postgres manual, appendix A)."""

_wakeup_sockets: list[socket.socket] = []  # they must live as long as the process

app = typer.Typer(
    name="waybill",
    cls=CommandGroup,
    help="Delivery and engagement reports from the event logs of messaging providers, in your own Postgres.\n\n"
    "Data go to stdout, messages to stderr. Exit codes: 0 ok, 1 bug, 2 usage, 3 configuration, 4 provider or source, "
    "5 quality gate, 6 too many records rejected.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(__version__)
        raise typer.Exit


class LogForm(StrEnum):
    """The form of messages."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    log: Annotated[
        LogForm, typer.Option(help="How messages are written on stderr: for people, or one JSON object a line.")
    ] = LogForm.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only warnings and errors on stderr.")] = False,
) -> None:
    set_style(log is LogForm.JSON, quiet)


def run() -> None:
    """Run the command line; every foreseen error becomes one message and an exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries warn developers, not users
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    _end_soon_after_interrupt()
    exit_code: int | str | None
    try:
        exit_code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        exit_code = _reader_has_gone()
    except SystemExit as error:  # typer raises this on a broken pipe
        exit_code = _reader_has_gone() if isinstance(error.__context__, BrokenPipeError) else error.code
    except KeyboardInterrupt:
        exit_code = INTERRUPTED
    except Exception as error:
        exit_code = _report(error)
    if exit_code == INTERRUPTED:
        say("waybill: interrupted; nothing is half done: run the same command again.", logging.ERROR)
    sys.exit(exit_code)


@runtime_checkable
class _WrongUsage(Protocol):
    """An error of typer that shows how a command is used."""

    exit_code: int

    def show(self, file: TextIO | None = None) -> None: ...


def _report(error: Exception) -> int:
    """Report an error, without any value of a record; returns the exit code."""
    if isinstance(error, WaybillError):
        say(f"waybill: {error}", logging.ERROR)
        return error.exit_code
    if isinstance(error, _WrongUsage):
        message = io.StringIO()
        error.show(file=message)
        say(message.getvalue().rstrip(), logging.ERROR)
        return error.exit_code
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno == errno.EPIPE:
            return _reader_has_gone()
        say(f"waybill: {error.strerror}{f': {error.filename}' if error.filename else ''}.", logging.ERROR)
        return ConfigurationError.exit_code
    reason = _server_problem(error)
    if reason is not None:
        while_doing = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        say(
            f"waybill: the warehouse failed: {reason}{while_doing}. Nothing is half done. Correct that, and "
            "run the same command again.",
            logging.ERROR,
        )
        return ConfigurationError.exit_code
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).resolve().parents[1])
    listed = [frame for frame in frames[:-1] if frame.filename.startswith(package)] + frames[-1:]
    say(
        f"waybill: this is a bug in Waybill {__version__}: {type(error).__name__} at\n"
        + "".join(traceback.format_list(listed))
        + "Nothing is half done. Please report the bug with the lines above; they contain no data.",
        logging.ERROR,
    )
    return BUG


def _server_problem(error: Exception) -> str | None:
    psycopg2 = sys.modules.get("psycopg2")  # not imported: then the error is not one of psycopg2
    if psycopg2 is None or not isinstance(error, psycopg2.Error):
        return None
    if error.pgcode is None:
        lost = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        return _SERVER_PROBLEMS["08"] if lost else None
    return next((text for start, text in _SERVER_PROBLEMS.items() if error.pgcode.startswith(start)), None)


def _reader_has_gone() -> int:
    """Discard further output after `| head` closed the pipe; that is no error. Returns exit code 0."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _end_soon_after_interrupt() -> None:
    """Let Ctrl-C end a command also while it waits for a statement of the database, which it cannot interrupt.

    The server rolls back what was not committed when it notices that the connection is gone.
    """
    inner, outer = socket.socketpair()
    outer.setblocking(False)
    signal.set_wakeup_fd(outer.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        while received := inner.recv(1):
            if received[0] == signal.SIGINT:
                time.sleep(PATIENCE_SECONDS)
                say(
                    "waybill: interrupted; what was not committed is rolled back: run the same command again.",
                    logging.ERROR,
                )
                os._exit(INTERRUPTED)

    _wakeup_sockets.append(outer)
    threading.Thread(target=watch, daemon=True).start()
