"""Writes the page of validation results for Airflow's UI; waybill.airflow.plugin shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waybill.airflow.environment import progress, reporter


def page_file() -> Path:
    """Returns the path of the page. The API server can read the folder of the logs."""
    from airflow.configuration import conf

    return Path(conf.get("logging", "base_log_folder")) / "waybill_validations.html"


@contextmanager
def refreshed(url: str) -> Iterator[None]:
    """Write the page at the end, also when a rule has stopped the task.

    If the page cannot be written, the task still ends as it would without it: the results are in the warehouse.

    :param url: libpq URL of the warehouse
    """
    import psycopg2

    from waybill.model.errors import WaybillError
    from waybill.pages import validations

    try:
        yield
    finally:
        try:
            with reporter(url) as connection, connection.cursor() as cursor:
                validations.write(cursor, page_file())
        except (OSError, psycopg2.Error, WaybillError) as error:
            progress(f"the page of validation results could not be written: {type(error).__name__}")
