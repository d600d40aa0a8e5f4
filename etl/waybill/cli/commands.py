"""The commands by name. The module of a command is imported when the command runs, not when `waybill` starts."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:  # typer has no public names for these
    from typer._click import Command, Context, HelpFormatter

MODULES = {
    "feeds": "loading",
    "normalise": "loading",
    "load": "loading",
    "replay": "loading",
    "unload": "taking_back",
    "give-up": "taking_back",
    "erase": "erasing",
    "pull": "pulling",
    "status": "status",
    "doctor": "doctor",
    "verify": "verifying",
    "demo": "demo",
    "report": "reporting",
    "rejected": "rejected",
    "reasons": "reasons",
    "warehouse": "warehouse",
    "airflow": "airflow",
    "feed": "feed",
}
"""The module of waybill.cli that registers each command."""

SUMMARIES = {
    "feeds": "List the feeds, or print the columns and words of one.",
    "normalise": "Print a file as canonical events, without a database.",
    "load": "Load files into facts, and print the ledger row.",
    "replay": "Load a time range again from landing.",
    "unload": "Take a load back, as if its files had never been loaded.",
    "give-up": "Stop waiting for landed files that cannot be loaded.",
    "erase": "Remove the clear address of a person, and keep all counts.",
    "pull": "Pull a feed, and load its records.",
    "status": "Show how far each feed has come, and what needs care.",
    "doctor": "Report what is missing or wrong, and how to fix it.",
    "verify": "Derive facts and reports again, and report differences.",
    "demo": "Run every step once, on simulated providers.",
    "report": "List, show and rebuild the reports.",
    "rejected": "List, show and dismiss records that could not be mapped.",
    "reasons": "Test and list the rules for failure reasons.",
    "warehouse": "Start, stop and migrate the warehouse.",
    "airflow": "Write the DAG files for your own Airflow.",
    "feed": "Write the files of a new feed into a checkout.",
}
"""The first sentence of each command's help: `waybill --help` prints it without importing the commands."""


class Commands(MutableMapping[str, "Command"]):
    """The commands of typer by name; a look-up imports the module of the command."""

    def __getitem__(self, name: str) -> Command:
        module = import_module(f"waybill.cli.{MODULES[name]}")
        registered = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        module.register(registered)
        return typer.main.get_group(registered).commands[name]

    def __setitem__(self, name: str, command: Command) -> None:
        raise TypeError("the commands are fixed")

    def __delitem__(self, name: str) -> None:
        raise TypeError("the commands are fixed")

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class CommandGroup(TyperGroup):
    """The root of the command line; it imports a command when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the list of commands for the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))
