"""Every command and every option has a help."""

from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from tests.waybill.cli.commands import program
from waybill.cli.main import app

ROOT = typer.main.get_command(app)
EXPECTED = {
    "feeds",
    "normalise",
    "load",
    "unload",
    "give-up",
    "erase",
    "replay",
    "report list",
    "report page",
    "report show",
    "pull",
    "report rebuild",
    "rejected list",
    "rejected show",
    "rejected dismiss",
    "status",
    "doctor",
    "verify",
    "reasons list",
    "reasons test",
    "warehouse up",
    "warehouse down",
    "warehouse migrate",
    "warehouse url",
    "warehouse dictionary",
    "airflow dags",
    "feed new",
    "demo",
}


def tree(command=ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from tree(child, (*path, name))


COMMANDS = list(tree())


def test_the_commands_are_complete() -> None:
    leaves = {" ".join(path) for path, command in COMMANDS if path and not getattr(command, "commands", None)}
    assert leaves == EXPECTED


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(path) or "waybill" for path, _ in COMMANDS])
def test_every_command_and_option_has_a_help(path: tuple[str, ...], command: object) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0 and result.stderr == ""
    assert result.stdout.startswith("Usage:")
    summary = command.help.split("\n")[0]
    assert (len(summary) <= 80 and summary.endswith(".")) or not path, summary
    for parameter in command.params:
        assert parameter.help, (path, parameter.name)
        for option in parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]:
            assert option in result.stdout, (path, option)


def test_each_summary_fits_on_a_line() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).stdout
    listed = shown.split("Commands:")[1].splitlines()[1:]
    assert len(listed) == 18
    assert not [line for line in listed if line.endswith("...")]


def test_the_exit_codes_are_in_the_help() -> None:
    shown = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    assert "0 ok, 1 bug, 2 usage, 3 configuration, 4 provider or source, 5 quality gate, 6 too many" in shown


def test_version_prints_the_version() -> None:
    from waybill import __version__

    answer = program("--version", settings={})
    assert (answer.code, answer.out, answer.err) == (0, f"{__version__}\n", "")
