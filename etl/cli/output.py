"""How commands speak: data on stdout, everything else on stderr."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
import typer
from rich.console import Console
from rich.table import Table

PATIENCE_SECONDS = 2.0


def say(message: str) -> None:
    """A message for people, on stderr."""
    typer.echo(message, err=True)


def progress() -> Callable[[str], None]:
    """A progress callback: on a terminal every step, elsewhere one line every few seconds."""
    last = [0.0]

    def report(message: str) -> None:
        if sys.stderr.isatty() or time.monotonic() - last[0] > PATIENCE_SECONDS:
            last[0] = time.monotonic()
            say(message)

    return report


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=1).decode())


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A readable table on stdout; an empty one says so."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)
    rows = list(rows)
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, box=None, header_style="bold")
    for position, column in enumerate(columns):
        is_number = all(isinstance(row[position], int | float) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)
