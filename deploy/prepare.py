"""`python -m deploy.prepare`: makes what Airflow's processes need. Safe at every start.

It makes the databases, logins and tables of the warehouse (if POSTGRES_ADMIN_URL names a server), the tables of
Airflow's metadata, a pool for each account of a provider, and the file with the password of the UI.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread

from deploy.databases import make_databases
from deploy.secret_files import write_passwords
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.model.errors import ConfigurationError, WaybillError
from waybill.settings import Settings

SLOTS = 2
"""Slots of a pool: how many pulls of one account of a provider run at a time, for all its feeds together."""


def main() -> None:
    """Prepare; exits with the code of the error if that fails."""
    try:
        prepare(os.environ)
    except WaybillError as error:
        print(f"prepare: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def prepare(environment: Mapping[str, str]) -> None:
    """Make everything that is missing.

    :raises ConfigurationError: a setting is missing or wrong, or the server cannot be reached
    """
    settings = Settings.from_environment(environment)
    names = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", "ADMIN_PASSWORD"
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)}: not set; deploy/airflow_settings.py lists what is needed.")
    metadata_url, passwords_file, admin_password = (environment[name] for name in names)
    airflow = Thread(target=_import_airflow)  # takes seconds; meanwhile the server makes tables
    airflow.start()
    if (admin_url := environment.get("POSTGRES_ADMIN_URL")) is not None:
        if settings.warehouse_url is None:
            raise ConfigurationError("POSTGRES_ADMIN_URL is set without WAREHOUSE_URL, the database to make.")
        make_databases(admin_url, metadata_url, settings.warehouse_url, settings.report_timezone or "UTC")
    write_passwords(Path(passwords_file), admin_password)
    airflow.join()
    _migrate_metadata()
    _make_pools(settings)


def pools(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yields name and description of the pool of each account of a provider."""
    for provider in sorted({feed.provider for feed in FEEDS.values() if isinstance(feed, ApiFeed)}):
        for account in settings.accounts:
            yield f"{provider}_{account}", f"Pulls from {provider} as {account}"


def _import_airflow() -> None:
    import airflow.utils.db  # noqa: F401


def _migrate_metadata() -> None:
    from airflow.utils import db

    db.upgradedb()


def _make_pools(settings: Settings) -> None:
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        known = set(session.scalars(select(Pool.pool)))
    for name, description in pools(settings):
        if name not in known:  # an existing pool keeps its size
            Pool.create_or_update_pool(name, SLOTS, description, include_deferred=False)


if __name__ == "__main__":
    main()
