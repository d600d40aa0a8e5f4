"""The SQL files, the suites and the DAG files of this installation.

In a checkout the folders are at the top of the tree, and the package links to them. A wheel contains copies.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from waybill.model.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent

SQL = _PACKAGE / "sql"
"""Migrations in `schema/`; queries in the other folders."""

EXPECTATIONS = _PACKAGE / "expectations"
"""One suite for each validated table."""

DAGS = _PACKAGE / "dags"
"""One small file for each DAG."""

_NEEDED = {
    SQL / "schema": "*.sql",
    SQL / "load": "*.sql",
    SQL / "reports": "*.sql",
    EXPECTATIONS: "*.sql",
    DAGS: "waybill_*.py",
}
_LISTED = {("waybill", "sql"), ("waybill", "expectations"), ("waybill", "dags")}
_MOST_NAMED = 3


def _missing_files() -> list[str]:
    """Return the missing data files, relative to the package, in order of name.

    A wheel has a list of its files. A checkout has no such list: there, only an empty folder counts as missing.
    """
    missing = {str(folder.relative_to(_PACKAGE)) for folder, names in _NEEDED.items() if not any(folder.glob(names))}
    try:
        listed = files("waybill") or ()
    except PackageNotFoundError:
        listed = ()
    for file in listed:
        is_data = file.parts[:2] in _LISTED and "__pycache__" not in file.parts
        if is_data and not Path(file.locate()).exists():
            missing.add(str(file.relative_to("waybill")))
    return sorted(missing)


def problem() -> str | None:
    """Return what is wrong with this installation and what to do; None if it is complete."""
    missing = _missing_files()
    if not missing:
        return None
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return (
        f"this installation of Waybill is broken: {', '.join(missing[:_MOST_NAMED])}{more} missing from {_PACKAGE}. "
        "Install Waybill again (pip: `--force-reinstall --no-deps`)."
    )


def check() -> None:
    """Raise ConfigurationError if files of this installation are missing."""
    if (found := problem()) is not None:
        raise ConfigurationError(f"{found[0].upper()}{found[1:]}")
