"""`waybill`: data on stdout, progress and messages on stderr, exit codes as in the help of the command."""

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
from typing import Annotated

import typer

from waybill import __version__
from waybill.cli.commands import CommandGroup
from waybill.cli.output import say, set_style
from waybill.model.errors import ConfigurationError, WaybillError

BUG = 1
INTERRUPTED = 130
PATIENCE_SECONDS = 2.0
"""How long a statement of the database may keep an interrupted command from leaving in good order."""

_SURROUNDINGS = {
    "08": "the connection to it broke",
    "53": "it has run out of something (disk, memory, connections)",
    "55": "what is needed there is locked by someone else",
    "57": "it is shutting down, or somebody cancelled the statement",
    "25P03": "it ended the connection, because this process stood still within a transaction",
    "25006": "it only reads (a standby?)",
    "42501": "this login lacks a right; `waybill doctor` says more",
}
"""Errors of Postgres that are nobody's bug, by the beginning of their code (Postgres manual, appendix A)."""

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
    """How messages are written."""

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
    """Run the command line; every error that Waybill foresees becomes one message and its exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, to whoever reads their code
    sys.stdout.reconfigure(errors="backslashreplace")
    _leave_soon_when_interrupted()
    try:
        exit_code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        exit_code = _reader_has_gone()
    except SystemExit as error:  # how the library answers a broken pipe
        exit_code = _reader_has_gone() if isinstance(error.__context__, BrokenPipeError) else error.code
    except KeyboardInterrupt:
        exit_code = INTERRUPTED
    except Exception as error:
        exit_code = _told(error)
    if exit_code == INTERRUPTED:
        say("waybill: interrupted; nothing half done stays: run the same command again.", logging.ERROR)
    sys.exit(exit_code)


def _told(error: Exception) -> int:
    """Say what went wrong, without values of people; returns the exit code."""
    if isinstance(error, WaybillError):
        say(f"waybill: {error}", logging.ERROR)
        return error.exit_code
    if hasattr(error, "format_message") and hasattr(error, "show"):  # wrong usage, found by the library
        told = io.StringIO()
        error.show(file=told)
        say(told.getvalue().rstrip(), logging.ERROR)
        return error.exit_code
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno == errno.EPIPE:
            return _reader_has_gone()
        say(f"waybill: {error.strerror}{f': {error.filename}' if error.filename else ''}.", logging.ERROR)
        return ConfigurationError.exit_code
    reason = _surroundings(error)
    if reason is not None:
        while_doing = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        say(
            f"waybill: the warehouse could not do it: {reason}{while_doing}. Nothing half done stays; mend that and "
            "try again.",
            logging.ERROR,
        )
        return ConfigurationError.exit_code
    frames = traceback.extract_tb(error.__traceback__)
    ours = str(Path(__file__).resolve().parents[1])
    listed = [frame for frame in frames[:-1] if frame.filename.startswith(ours)] + frames[-1:]
    say(
        f"waybill: this is a bug in Waybill {__version__}: {type(error).__name__} at\n"
        + "".join(traceback.format_list(listed))
        + "Nothing half done stays. Please report it with the lines above; they hold no data.",
        logging.ERROR,
    )
    return BUG


def _surroundings(error: Exception) -> str | None:
    psycopg2 = sys.modules.get("psycopg2")  # an error of it exists only where a command has imported it
    if psycopg2 is None or not isinstance(error, psycopg2.Error):
        return None
    if error.pgcode is None:
        lost = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        return _SURROUNDINGS["08"] if lost else None
    return next((text for start, text in _SURROUNDINGS.items() if error.pgcode.startswith(start)), None)


def _reader_has_gone() -> int:
    """`| head` has seen enough: no error. Nothing more is written, not at the end of the process either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def _leave_soon_when_interrupted() -> None:
    """See to it that Ctrl-C ends a command also while it waits for a statement of the database, which it cannot
    interrupt: the server takes back what was not committed as soon as it notices."""
    inner, outer = socket.socketpair()
    outer.setblocking(False)
    signal.set_wakeup_fd(outer.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        while received := inner.recv(1):
            if received[0] == signal.SIGINT:
                time.sleep(PATIENCE_SECONDS)
                say(
                    "waybill: interrupted; what was not committed is taken back: run the same command again.",
                    logging.ERROR,
                )
                os._exit(INTERRUPTED)

    _leave_soon_when_interrupted.outer = outer  # lives as long as the process
    threading.Thread(target=watch, daemon=True).start()
