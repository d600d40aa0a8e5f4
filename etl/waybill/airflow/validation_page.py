"""Writes the pages for Airflow's UI, of validation results and of reports; waybill.airflow.plugin shows them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.airflow.environment import progress, reporter


def page_file(name: str = "waybill_validations.html") -> Path:
    """Returns the path of a page. The API server can read the folder of the logs."""
    from airflow.configuration import conf

    return Path(conf.get("logging", "base_log_folder")) / name


@contextmanager
def refreshed(url: str) -> Iterator[None]:
    """Write the page of validation results at the end, also when a rule has stopped the task.

    :param url: libpq URL of the warehouse
    """
    from waybill.pages import validations

    try:
        yield
    finally:
        _write(url, "validation results", lambda cursor: validations.write(cursor, page_file()))


def write_reports(url: str) -> None:
    """Write the page of the reports, as they are after a build."""
    from waybill.pages import reports

    _write(
        url,
        "reports",
        lambda cursor: reports.write(cursor, page_file("waybill_reports.html"), datetime.now(UTC)),
    )


def _write(url: str, what: str, write: Callable[[Cursor], None]) -> None:
    """Write a page. If it cannot be written, the task ends as it would without it: the warehouse has the results."""
    import psycopg2

    from waybill.model.errors import WaybillError

    try:
        with reporter(url) as connection, connection.cursor() as cursor:
            write(cursor)
    except (OSError, psycopg2.Error, WaybillError) as error:
        progress(f"the page of {what} could not be written: {type(error).__name__}")
