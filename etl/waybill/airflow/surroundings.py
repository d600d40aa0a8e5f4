"""What tasks know of their surroundings: settings from the environment and from Airflow connections, progress into
the log of the task.

Connections: `waybill_warehouse` (Postgres), and one per provider and organisation, `waybill_<provider>_<account>`:
login and password are the credentials, host is a base URL other than the provider's own. The environment says the rest.
"""

import logging
import os
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from psycopg2.extensions import connection as Session  # noqa: N812

from waybill.feeds.api import ApiFeed
from waybill.feeds.base import Feed
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, Warehouse, connect
from waybill.warehouse.connection import warehouse_url as warehouse

if TYPE_CHECKING:
    from airflow.sdk import Connection

__all__ = ["accounts_at_parse_time", "loader", "pool_of", "progress", "reporter", "settings", "warehouse", "warn"]

WAREHOUSE = "waybill_warehouse"

progress = logging.getLogger("waybill").info
warn = logging.getLogger("waybill").warning
"""Take what is being done, and what somebody should look at, for the log of the task."""


def settings(feed: Feed | None = None, account: str | None = None) -> Settings:
    """The settings of this task, with the credentials of one organisation for one feed, if they are named.

    :raises ConfigurationError: a setting is wrong
    """
    environment = dict(os.environ)
    if (warehouse := _connection(WAREHOUSE)) is not None:
        environment["WAREHOUSE_URL"] = _libpq_url(warehouse)
    if isinstance(feed, ApiFeed) and (provider := _connection(f"waybill_{feed.provider}_{account}")) is not None:
        names = (*feed.credentials, f"{feed.provider.upper()}_BASE_URL")
        for name, value in zip(names, (provider.login, provider.password, provider.host), strict=True):
            environment[f"{name}__{account}"] = value or ""
    return Settings.from_environment(environment)


def loader(feed: Feed | None = None, account: str | None = None) -> Warehouse:
    """The warehouse as loads work with it, with the settings of this task. Raises as `settings` does."""
    return Warehouse.of(settings(feed, account))


def reporter(url: str) -> AbstractContextManager[Session]:
    """A connection that acts as the reporter; closed at the end."""
    return closing(connect(url, REPORTER, "waybill:build"))


def accounts_at_parse_time() -> tuple[str, ...]:
    """The organisations whose API feeds are pulled, as the environment of the dag processor names them."""
    return Settings.from_environment().accounts


def pool_of(provider: str, account: str) -> str:
    """The pool of a provider's account, where they were made (`PROVIDER_POOLS`): a task of a pool that does not exist
    would wait for ever."""
    return f"{provider}_{account}" if os.environ.get("PROVIDER_POOLS") else "default_pool"


def _connection(name: str) -> "Connection | None":
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return None


def _libpq_url(connection: "Connection") -> str:
    user = ":".join(quote(part, safe="") for part in (connection.login, connection.password) if part)
    extra = {name: value for name, value in connection.extra_dejson.items() if isinstance(value, str | int)}
    host = quote(connection.host or "", safe="[]:.")
    port = f":{connection.port}" if connection.port else ""
    return f"postgresql://{user}@{host}{port}/{connection.schema or ''}{f'?{urlencode(extra)}' if extra else ''}"
