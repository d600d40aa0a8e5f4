"""The output of commands: data on stdout, everything else on stderr. Text of a provider never controls a terminal."""

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
from typing import BinaryIO, TextIO

import typer

PATIENCE_SECONDS = 3.0
"""How long work may go on without a line of progress."""

ROWS_AT_ONCE = 25
"""How many rows a folded table shows before it repeats its column blocks for the next rows."""

_GAP = "  "
_CLEAR_LINE = "\r\x1b[K"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTROL_IN_JSON = re.compile(r"[\x7f-\x9f]")  # JSON escapes the others itself
_LOGGER = logging.getLogger("waybill")
_FIELDS_OF_ALL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_lock = threading.Lock()
_open_line: list[str] = []  # the last line of the terminal, which the next message overwrites


@dataclass
class _Style:
    is_json: bool = False
    is_quiet: bool = False


_style = _Style()


def visible(text: str) -> str:
    """Returns the text on one line, with every unprintable character (control, line break, writing direction) written
    as an escape such as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def without_control(text: str) -> str:
    """Returns the text with every control character but line breaks and tabs written as an escape."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def set_style(is_json: bool, is_quiet: bool) -> None:
    """Set the form of all later messages: one JSON object a line, or text; only warnings and errors, or all."""
    _style.is_json, _style.is_quiet = is_json, is_quiet


def say(message: str, level: int = logging.INFO) -> None:
    """Write a message for people to stderr.

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
    """Write one log record with its fields; in quiet mode only a warning or an error."""
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
    """Write to stderr. If its reader has gone, the work goes on without messages."""
    try:
        typer.echo(text, err=True, nl=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal that understands control sequences."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Progress(logging.Handler):
    """Shows what a command logs while it works; a context manager, and a callback for lines of progress.

    On a terminal the progress is one line that changes; elsewhere it is a new line every few seconds, also if nothing
    has changed. Each warning is a line that stays.

    :ivar skipped_count: files and folders that were skipped, each with a warning
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
        """Show one log record."""
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
    """Returns a value as JSON on one line, with every control character escaped."""
    import msgspec  # `waybill --version` and `--help` do not need it

    return _escaped(msgspec.json.encode(value).decode())


def print_json(value: object) -> None:
    """Write one JSON document to stdout."""
    import msgspec

    typer.echo(_escaped(msgspec.json.format(msgspec.json.encode(value), indent=1).decode()))


def _escaped(json: str) -> str:
    return _CONTROL_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", json)


def stdout_bytes() -> "BinaryIO | VisibleBytes":
    """Returns stdout for bytes: unchanged for files and pipes; for a terminal, control characters become escapes."""
    return VisibleBytes(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer


class VisibleBytes:
    """A terminal that shows control characters as escapes."""

    def __init__(self, terminal: BinaryIO) -> None:
        self._terminal = terminal

    def write(self, data: bytes, /) -> int:
        """Write all of the data; returns its length."""
        self._terminal.write(without_control(data.decode(errors="backslashreplace")).encode())
        return len(data)


def table_width() -> int | None:
    """Returns the columns of the terminal; None: stdout is a file or a pipe, without a limit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "", width: int | None = None
) -> None:
    """Write a table to stdout, with numbers aligned to the right.

    :param width: of the page; columns that do not fit follow below, with the numbers of their rows. None: the width of
        the terminal, or no limit
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
        from rich.cells import cell_len, set_cell_size  # knows the width of characters; not every command needs it

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
            return self._block(places, range(len(self._cells)))
        numbers_width = len(str(len(self._cells)))
        blocks = self._blocks(places, self._width - numbers_width)
        if len(blocks) == 1:
            return self._block(blocks[0], range(len(self._cells)))
        lines: list[str] = []
        for first in range(0, len(self._cells), ROWS_AT_ONCE):
            chunk = range(first, min(first + ROWS_AT_ONCE, len(self._cells)))
            for block in blocks:
                lines += [*([""] if lines else []), *self._block(block, chunk, numbers_width)]
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

    def _block(self, places: Sequence[int], rows: Sequence[int], numbers_width: int = 0) -> list[str]:
        height = max(len(self._headers[place]) for place in places)
        lines = []
        for level in range(height):
            heads = [([""] * (height - len(self._headers[p])) + self._headers[p])[level] for p in places]
            lines.append(self._line(places, heads, "#" * (level == height - 1), numbers_width))
        rule = ["─" * self._column_width(place) for place in places]
        lines.append(self._line(places, rule, "─" * numbers_width, numbers_width))
        for row in rows:
            cells = [self._cells[row][place] for place in places]
            lines.append(self._line(places, cells, str(row + 1), numbers_width))
        return lines

    def _line(self, places: Sequence[int], texts: Sequence[str], number: str, numbers_width: int) -> str:
        parts = [number.rjust(numbers_width)] if numbers_width else []
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
    """Returns the name of a column on several lines, broken at underscores to about the width of its content."""
    words = name.split("_")
    width = max(content_width, *map(len, words))
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += "_" + word
        else:
            lines.append(word)
    return lines
