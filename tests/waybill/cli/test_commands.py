"""The command line imports the module of a command only when the command runs."""

import subprocess
import sys
from importlib import import_module

import pytest
import typer

from waybill.cli.commands import MODULES, SUMMARIES
from waybill.cli.main import app

ROOT = typer.main.get_command(app)
HEAVY = {
    "fsspec",
    "great_expectations",
    "httpx2",
    "msgspec",
    "pandas",
    "phonenumbers",
    "psycopg2",
    "publicsuffixlist",
    "pyarrow",
    "sqlalchemy",
    "upath",
}
MODULES_OF_WAYBILL_AT_MOST = 8
MODULES_AT_MOST = 300
"""`waybill --version` imports about 155, a usage error about 265."""

IMPORTED = """
import sys
from waybill.cli import main
sys.argv[:] = ["waybill", *sys.argv[1:]]
try:
    main.run()
finally:
    sys.__stderr__.write("\\nmodules: " + " ".join(sys.modules))
"""


def imported_by(*arguments: str) -> set[str]:
    """Returns the names of all modules that a process of `waybill` imports."""
    done = subprocess.run([sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, timeout=120)
    return set(done.stderr.rsplit("\nmodules: ", 1)[1].split())


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], [], ["nonsense"], ["--nonsense"]])
def test_version_help_and_wrong_usage_import_no_heavy_library(arguments: list[str]) -> None:
    modules = imported_by(*arguments)
    assert {"typer", "waybill.cli.main"} <= modules
    assert not HEAVY & modules
    assert len([name for name in modules if name.startswith("waybill")]) <= MODULES_OF_WAYBILL_AT_MOST
    assert len(modules) <= MODULES_AT_MOST


def test_a_command_without_validation_does_not_import_great_expectations() -> None:
    modules = imported_by("feeds")
    assert {"waybill.cli.loading", "msgspec"} <= modules
    assert not {"great_expectations", "pandas", "sqlalchemy"} & modules


@pytest.mark.parametrize("name", list(MODULES))
def test_the_summary_in_the_list_is_the_first_sentence_of_the_help(name: str) -> None:
    command = ROOT.commands[name]
    assert command.name == name
    assert command.get_short_help_str(limit=200) == SUMMARIES[name]


def test_every_command_that_a_module_registers_is_in_the_list() -> None:
    registered = set()
    for module in set(MODULES.values()):
        own = typer.Typer()
        import_module(f"waybill.cli.{module}").register(own)
        registered |= set(typer.main.get_group(own).commands)
    assert registered == set(MODULES) == set(SUMMARIES)


def test_a_misspelt_command_gets_a_suggestion() -> None:
    done = subprocess.run([sys.executable, "-m", "waybill", "statsu"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "No such command 'statsu'. Did you mean 'status'?" in " ".join(done.stderr.split())
