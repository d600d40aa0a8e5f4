"""The page of validation results, for Airflow's UI: deploy/airflow_plugins shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.surroundings import progress, reporter


@contextmanager
def refreshed(url: str) -> Iterator[None]:
    """Write the page at the end, also when a rule has stopped the task.

    :param url: libpq URL of the warehouse
    """
    from airflow.configuration import conf

    from etl import quality_page

    try:
        yield
    finally:
        file = Path(conf.get("logging", "base_log_folder")) / "waybill_validations.html"
        try:
            with reporter(url) as connection, connection.cursor() as cursor:
                quality_page.write(cursor, file)
        except OSError as error:  # results are in the warehouse all the same
            progress(f"the page of validation results could not be written: {error.strerror}")
