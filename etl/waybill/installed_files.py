"""The SQL, the suites and the DAG files that belong to this installation.

In a checkout the folders lie at the top of the tree, and the package links to them; a wheel carries copies of them.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

SQL = _PACKAGE / "sql"
"""`schema/` (migrations), `load/`, `reports/`."""

EXPECTATIONS = _PACKAGE / "expectations"
"""A suite for each table that is validated."""

DAGS = _PACKAGE / "dags"
"""One thin file for each DAG."""


def missing_folders() -> list[str]:
    """Names of the folders of this installation that are missing or empty: a broken installation."""
    kinds = {SQL / "schema": "*.sql", SQL / "load": "*.sql", SQL / "reports": "*.sql", EXPECTATIONS: "*.json"}
    kinds[DAGS] = "waybill_*.py"
    return [str(folder.relative_to(_PACKAGE)) for folder, pattern in kinds.items() if not any(folder.glob(pattern))]
