"""The settings of a task, from the environment and from Airflow connections; and its log.

Connections: `waybill_warehouse` (Postgres), and one per provider and organisation, `waybill_<provider>_<account>`:
login and password are the credentials; host, if set, is a base URL in place of the provider's own. Every other setting
comes from the environment.
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
"""Log what the task does, and what somebody should look at."""


def settings(feed: Feed | None = None, account: str | None = None) -> Settings:
    """Returns the settings of this task, with the credentials of an organisation for a feed if both are given.

    :raises ConfigurationError: a setting is wrong
    """
    environment = dict(os.environ)
    if (warehouse := _connection(WAREHOUSE)) is not None:
        environment["WAREHOUSE_URL"] = _libpq_url(warehouse)
    if isinstance(feed, ApiFeed) and (provider := _connection(f"waybill_{feed.provider}_{account}")) is not None:
        names = (*feed.credentials, f"{feed.provider.upper()}_BASE_URL")
        values = (provider.login, provider.password, provider.host)[-len(names) :]
        for name, value in zip(names, values, strict=True):
            environment[f"{name}__{account}"] = value or ""
    return Settings.from_environment(environment)


def loader(feed: Feed | None = None, account: str | None = None) -> Warehouse:
    """Returns the warehouse for loads, with the settings of this task. Raises as `settings` does."""
    return Warehouse.of(settings(feed, account))


def reporter(url: str) -> AbstractContextManager[Session]:
    """Returns a connection in the role of the reporter; it is closed at the end."""
    return closing(connect(url, REPORTER, "waybill:build"))


def accounts_at_parse_time() -> tuple[str, ...]:
    """Returns the organisations whose API feeds are pulled, from the environment of the DAG processor."""
    return Settings.from_environment().accounts


def pool_of(provider: str, account: str) -> str:
    """Returns the pool of a provider's account if such pools exist (`PROVIDER_POOLS`), else the default one: a task of
    a pool that does not exist would wait for ever."""
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
