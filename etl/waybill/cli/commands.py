"""The commands by name. The module of a command is imported when the command runs, not when `waybill` starts."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

MODULES = {
    "feeds": "loading",
    "normalise": "loading",
    "load": "loading",
    "replay": "loading",
    "pull": "pulling",
    "status": "inspecting",
    "doctor": "inspecting",
    "verify": "verifying",
    "demo": "demo",
    "report": "reporting",
    "rejected": "inspecting",
    "reasons": "reasons",
    "warehouse": "warehouse",
    "airflow": "airflow",
}
"""The module of waybill.cli that registers each command."""

SUMMARIES = {
    "feeds": "List the feeds, or print the columns and words of one.",
    "normalise": "Print a file as canonical events, without a database.",
    "load": "Load files into facts, and print the ledger row.",
    "replay": "Load a time range again from landing.",
    "pull": "Pull a feed, and load what it shows.",
    "status": "Show how far each feed has come, and what waits.",
    "doctor": "Say what is missing or wrong, and how to fix it.",
    "verify": "Derive facts and reports again, and say what differs.",
    "demo": "Do everything once, on simulated providers.",
    "report": "List, show and rebuild the reports.",
    "rejected": "List and show records that could not be normalised.",
    "reasons": "Try and list the rules of failure reasons.",
    "warehouse": "Start, stop, migrate the Postgres that holds it all.",
    "airflow": "Write the DAG files, for an Airflow of your own.",
}
"""The first sentence of each command's help: `waybill --help` prints it without importing the commands."""


class Commands(Mapping[str, Any]):
    """The commands of typer by name; looking one up imports its module."""

    def __getitem__(self, name: str) -> object:
        module = import_module(f"waybill.cli.{MODULES[name]}")
        registered = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        module.register(registered)
        return typer.main.get_group(registered).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class CommandGroup(TyperGroup):
    """The root of the command line, whose commands are imported late."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:
        """Write the list of commands for the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))
