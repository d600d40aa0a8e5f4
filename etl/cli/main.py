"""`waybill`: data on stdout, progress and messages on stderr, exit codes as in the help of the command."""

import os
import sys
import traceback

import typer

from etl import __version__
from etl.cli import demo, inspecting, loading, reporting, warehouse
from etl.model.errors import WaybillError

app = typer.Typer(
    name="waybill",
    help="Delivery and engagement reports from the event logs of messaging providers, in your own Postgres.\n\n"
    "Exit codes: 0 ok, 1 bug, 2 usage, 3 configuration, 4 provider or source, 5 quality gate, 6 too many records "
    "rejected.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


for module in (loading, reporting, inspecting, warehouse, demo):
    module.register(app)


def run() -> None:
    """Run the command line; every error that Waybill foresees becomes one message and its exit code."""
    try:
        app()
    except WaybillError as error:
        typer.echo(f"waybill: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        typer.echo("waybill: interrupted; nothing half done stays: run the same command again.", err=True)
        sys.exit(130)
    except Exception as error:
        frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
        typer.echo(f"waybill: this is a bug in Waybill: {type(error).__name__} at\n{frames}", err=True)
        sys.exit(1)
