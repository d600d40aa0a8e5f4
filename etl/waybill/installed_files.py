"""The SQL, the suites and the DAG files that belong to this installation.

In a checkout the folders lie at the top of the tree, and the package links to them; a wheel carries copies of them.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from waybill.model.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parent

SQL = _PACKAGE / "sql"
"""`schema/` (migrations), `load/`, `reports/`, `joins/`."""

EXPECTATIONS = _PACKAGE / "expectations"
"""A suite for each table that is validated."""

DAGS = _PACKAGE / "dags"
"""One thin file for each DAG."""

_NEEDED = {
    SQL / "schema": "*.sql",
    SQL / "load": "*.sql",
    SQL / "reports": "*.sql",
    EXPECTATIONS: "*.sql",
    DAGS: "waybill_*.py",
}
_LISTED = {("waybill", "sql"), ("waybill", "expectations"), ("waybill", "dags")}
_MOST_NAMED = 3


def missing_files() -> list[str]:
    """The data files that this installation lacks, relative to the package, in order of name.

    An installer writes down the files of a wheel; in a checkout, which has no such list, a folder may not be empty.
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
    """What is wrong with this installation, and what to do; None: nothing."""
    missing = missing_files()
    if not missing:
        return None
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return (
        f"this installation of Waybill is broken: {', '.join(missing[:_MOST_NAMED])}{more} missing from {_PACKAGE}. "
        "Install Waybill again (pip: `--force-reinstall --no-deps`)."
    )


def check() -> None:
    """:raises ConfigurationError: files of this installation are missing"""
    if (found := problem()) is not None:
        raise ConfigurationError(f"{found[0].upper()}{found[1:]}")
