"""airflow dags: writes the DAG files for an existing Airflow."""

from pathlib import Path
from typing import Annotated

import typer

from waybill import __version__, installed_files
from waybill.cli.output import say
from waybill.model.errors import ConfigurationError

airflow = typer.Typer(help="Write the DAG files for your own Airflow.", no_args_is_help=True)

_MARK = "# Written by `waybill airflow dags`, Waybill "


@airflow.command()
def dags(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where Airflow looks for DAG files; made if missing.")],
    force: Annotated[bool, typer.Option("--force", help="Write over files that differ.")] = False,
) -> None:
    """Write the DAG files into a folder.

    The first line of each file names the version of Waybill that wrote it. If the folder has a file of the same name
    with another content, nothing is written; --force replaces such files. Use it after an upgrade.
    """
    installed_files.check()
    wanted = {file.name: _written(file) for file in sorted(installed_files.DAGS.glob("waybill_*.py"))}
    existing = {name: (folder / name).read_text() for name in wanted if (folder / name).exists()}
    differing = [name for name, text in existing.items() if text != wanted[name]]
    if differing and not force:
        named = ", ".join(f"{name} ({_origin(existing[name])})" for name in differing)
        raise ConfigurationError(
            f"Nothing was written to {folder}: {named} would change. This is Waybill {__version__}. Keep your changes "
            "in files with other names, and run the same command with --force."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        if existing.get(name) == text:
            say(f"unchanged {folder / name}")
            continue
        draft = folder / f".{name}.draft"  # Airflow reads the folder at any time; it must never see half a file
        draft.write_text(text)
        draft.replace(folder / name)
        say(f"{'replaced' if name in existing else 'wrote'} {folder / name}")


def _written(file: Path) -> str:
    return f"{_MARK}{__version__}; an upgrade writes it anew.\n{file.read_text()}"


def _origin(text: str) -> str:
    first = text.split("\n", 1)[0]
    if not first.startswith(_MARK):
        return "not written by Waybill"
    version = first.removeprefix(_MARK).split(";", 1)[0]
    return "changed since it was written" if version == __version__ else f"of Waybill {version}"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(airflow, name="airflow")
