"""How commands speak: data on stdout, everything else on stderr. What a provider wrote never steers a terminal."""

import logging
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import BinaryIO, Protocol

import typer

PATIENCE_SECONDS = 3.0
"""How long work may go on without a line that says how far it has come."""

ROWS_AT_ONCE = 25
"""Rows whose columns stay together where a table has to be folded."""

_GAP = "  "
_CLEAR_LINE = "\r\x1b[K"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTROL_IN_JSON = re.compile(r"[\x7f-\x9f]")  # JSON escapes the others itself
_LOGGER = logging.getLogger("waybill")
_FIELDS_OF_ALL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_lock = threading.Lock()
_open_line: list[str] = []  # what stands on the terminal's last line and will be written over


@dataclass
class _Style:
    is_json: bool = False
    is_quiet: bool = False


_style = _Style()


class _Writable(Protocol):
    def write(self, data: bytes) -> int: ...


def visible(text: str) -> str:
    """One line of text in which everything that does not print (control characters, line breaks, changes of the
    direction of writing) is spelt out, as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def without_control(text: str) -> str:
    """The text with its line breaks and tabs, every other control character spelt out."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def set_style(is_json: bool, is_quiet: bool) -> None:
    """How messages are written from now on: as JSON, one object a line; only warnings and errors."""
    _style.is_json, _style.is_quiet = is_json, is_quiet


def say(message: str, level: int = logging.INFO) -> None:
    """A message for people, on stderr.

    :param level: as in logging
    """
    if _style.is_json:
        _write_json(logging.makeLogRecord({"name": "waybill.cli", "msg": message, "levelno": level}))
    elif not _style.is_quiet or level >= logging.WARNING:
        with _lock:
            start = _CLEAR_LINE if _open_line else ""
            _open_line.clear()
            _write(start + without_control(message) + "\n")


def _write_json(record: logging.LogRecord) -> None:
    """One record of a log with its fields, unless only warnings are asked for."""
    if _style.is_quiet and record.levelno < logging.WARNING:
        return
    document = {
        "at": datetime.fromtimestamp(record.created, UTC),
        "level": logging.getLevelName(record.levelno).lower(),
        "logger": record.name,
        "message": record.getMessage(),
        **{name: value for name, value in vars(record).items() if name not in _FIELDS_OF_ALL},
    }
    with _lock:
        _write(json_line(document) + "\n")


def _write(text: str) -> None:
    """On stderr; where nobody reads it any more, the work goes on without."""
    try:
        typer.echo(text, err=True, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def is_terminal(stream: object) -> bool:
    """Whether a person looks at the stream, on a terminal that can do more than print."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Progress(logging.Handler):
    """Shows what the rooms log while a command works. How far the work has come: on a terminal on one line that
    changes, elsewhere on a line every few seconds, also while there is nothing new to say. Warnings: each on a line
    of its own, which stays. A context manager, and a callback that takes what is being done.

    :ivar skipped_count: entries of files and folders that were passed over, each with a warning
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.skipped_count = 0
        self._message = ""
        self._began_at = self._said_at = time.monotonic()
        self._is_live = is_terminal(sys.stderr) and not (_style.is_json or _style.is_quiet)
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Progress":
        _LOGGER.addHandler(self)
        _LOGGER.setLevel(logging.INFO)
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        _LOGGER.removeHandler(self)
        self._ended.set()
        self._ticker.join()
        with _lock:
            if _open_line:
                _open_line.clear()
                _write(_CLEAR_LINE)

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        if record.levelno >= logging.WARNING:
            self.skipped_count += record.name == "waybill.landing"
        if _style.is_json:
            _write_json(record)
        elif record.levelno >= logging.WARNING:
            say(f"warning: {record.getMessage()}", logging.WARNING)
        else:
            self(record.getMessage())

    def __call__(self, message: str) -> None:
        if _style.is_json or _style.is_quiet:
            return
        self._message, self._began_at = message, time.monotonic()
        if self._is_live:
            self._write_over(message)
        elif time.monotonic() - self._said_at >= PATIENCE_SECONDS:
            self._say(message)

    def _tick(self) -> None:
        while not self._ended.wait(PATIENCE_SECONDS / 6):
            now = time.monotonic()
            if self._message and now - self._said_at >= PATIENCE_SECONDS and now - self._began_at >= PATIENCE_SECONDS:
                self._say(f"{self._message} ({now - self._began_at:.0f} s)")

    def _say(self, message: str) -> None:
        self._said_at = time.monotonic()
        if self._is_live:
            self._write_over(message)
        else:
            say(message)

    def _write_over(self, message: str) -> None:
        line = visible(message)[: shutil.get_terminal_size().columns - 1]
        with _lock:
            _open_line[:] = [line]
            _write(_CLEAR_LINE + line)


def json_line(value: object) -> str:
    """A value as JSON on one line, with every control character escaped."""
    import msgspec  # `waybill --version` and `--help` do without it

    return _escaped(msgspec.json.encode(value).decode())


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    import msgspec

    typer.echo(_escaped(msgspec.json.format(msgspec.json.encode(value), indent=1).decode()))


def _escaped(json: str) -> str:
    return _CONTROL_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", json)


def stdout_bytes() -> "BinaryIO | _Writable":
    """stdout for bytes: exact into files and pipes; on a terminal with control characters spelt out."""
    return _VisibleBytes(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


class _VisibleBytes:
    def __init__(self, terminal: BinaryIO) -> None:
        self._terminal = terminal

    def write(self, data: bytes) -> int:
        self._terminal.write(without_control(data.decode(errors="backslashreplace")).encode())
        return len(data)


def table_width() -> int | None:
    """Columns of the terminal that stdout is; None: it is a file or a pipe, and nothing has to fit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "", width: int | None = None
) -> None:
    """A table on stdout, numbers to the right; an empty one says so.

    :param width: of the page; columns that do not fit go below the others, tied to them by the number of their row.
        None: that of the terminal, or no limit
    """
    if title:
        typer.echo(title)
    if not rows:
        typer.echo("(none)")
        return
    width = width or table_width()
    table = _Layout(columns, rows, width)
    for block in table.lines():
        typer.echo(block)


class _Layout:
    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None) -> None:
        from rich.cells import cell_len, set_cell_size  # knows how wide characters are; not needed by every command

        self._cell_len, self._set_cell_size = cell_len, set_cell_size
        self._width = width
        self._is_number = [_is_number_column([row[place] for row in rows]) for place in range(len(columns))]
        self._cells = [[_cell(value) for value in row] for row in rows]
        self._content_widths = [max(cell_len(row[place]) for row in self._cells) for place in range(len(columns))]
        self._headers = [[name] for name in columns]
        if width is not None and self._total() > width:
            self._headers = [
                _in_words(name, content) for name, content in zip(columns, self._content_widths, strict=True)
            ]

    def lines(self) -> list[str]:
        places = list(range(len(self._headers)))
        if self._width is None or self._total() <= self._width:
            return self._block(places, range(len(self._cells)), None)
        numbers = len(str(len(self._cells)))
        blocks = self._blocks(places, self._width - numbers)
        if len(blocks) == 1:
            return self._block(blocks[0], range(len(self._cells)), None)
        lines: list[str] = []
        for first in range(0, len(self._cells), ROWS_AT_ONCE):
            chunk = range(first, min(first + ROWS_AT_ONCE, len(self._cells)))
            for block in blocks:
                lines += [*([""] if lines else []), *self._block(block, chunk, numbers)]
        return lines

    def _column_width(self, place: int) -> int:
        width = max(self._content_widths[place], *(self._cell_len(line) for line in self._headers[place]))
        return width if self._width is None else min(width, max(self._width - 8, 8))

    def _total(self) -> int:
        return sum(self._column_width(place) + len(_GAP) for place in range(len(self._headers))) - len(_GAP)

    def _blocks(self, places: Sequence[int], width: int) -> list[list[int]]:
        blocks: list[list[int]] = [[]]
        used = 0
        for place in places:
            needed = self._column_width(place) + len(_GAP)
            if blocks[-1] and used + needed > width:
                blocks.append([])
                used = 0
            blocks[-1].append(place)
            used += needed
        return blocks

    def _block(self, places: Sequence[int], rows: Sequence[int], numbers: int | None) -> list[str]:
        height = max(len(self._headers[place]) for place in places)
        lines = []
        for level in range(height):
            heads = [([""] * (height - len(self._headers[p])) + self._headers[p])[level] for p in places]
            lines.append(self._line(places, heads, None if numbers is None else "#" * (level == height - 1), numbers))
        rule = ["─" * self._column_width(place) for place in places]
        lines.append(self._line(places, rule, None if numbers is None else "─" * numbers, numbers))
        for row in rows:
            number = None if numbers is None else str(row + 1)
            lines.append(self._line(places, [self._cells[row][place] for place in places], number, numbers))
        return lines

    def _line(self, places: Sequence[int], texts: Sequence[str], number: str | None, numbers: int | None) -> str:
        parts = [] if number is None else [number.rjust(numbers)]
        for place, text in zip(places, texts, strict=True):
            width = self._column_width(place)
            if (length := self._cell_len(text)) > width:
                text, length = self._set_cell_size(text, width - 1) + "…", width
            space = " " * (width - length)
            parts.append(space + text if self._is_number[place] else text + space)
        return _GAP.join(parts).rstrip()


def _is_number_column(values: Sequence[object]) -> bool:
    numbers = [isinstance(value, int | float | Decimal) for value in values if value is not None]
    return bool(numbers) and all(numbers)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return visible(f"{value[0]} … {value[-1]} ({len(value)})" if len(value) > 2 else " ".join(map(str, value)))
    return visible(str(value))


def _in_words(name: str, content_width: int) -> list[str]:
    """The name of a column on several lines, broken at its underscores, not much wider than what stands below it."""
    words = name.split("_")
    width = max(content_width, *map(len, words))
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += "_" + word
        else:
            lines.append(word)
    return lines
