"""warehouse up | down | migrate | url | dictionary; and the warehouse for all other commands."""

import typer

from waybill.cli.output import Progress, say
from waybill.doctor import migrations_problem, url_problem
from waybill.ledger.replay_due import in_words, replays_due
from waybill.model.errors import ConfigurationError
from waybill.settings import Settings
from waybill.warehouse import dictionary, embedded
from waybill.warehouse.connection import Warehouse, connected, warehouse_url, without_password
from waybill.warehouse.migrations import is_migrated
from waybill.warehouse.migrations import migrate as apply_migrations

warehouse = typer.Typer(
    help="Start, stop and migrate the warehouse.\n\nIt is the Postgres of WAREHOUSE_URL, or an embedded one.",
    no_args_is_help=True,
)


def loader(settings: Settings) -> Warehouse:
    """Returns the warehouse for loads. Raises as `ready` does."""
    return Warehouse(settings, ready(settings))


def ready(settings: Settings) -> str:
    """Returns the URL of a warehouse that has the tables of this release.

    The embedded Postgres is started and migrated here. Any other one is migrated only by `waybill warehouse`.

    :raises ConfigurationError: the warehouse cannot be reached, or lacks tables
    """
    url = _url(settings)
    if settings.warehouse_url is None:
        if not is_migrated(url):
            say("Migrating the embedded warehouse to this release …")
            apply_migrations(url, settings.report_timezone or "UTC")
            _say_what_is_due(url)
    elif (problem := migrations_problem(url)) is not None:
        raise ConfigurationError(f"The warehouse at {without_password(url)} {problem}.")
    return url


@warehouse.command()
def up() -> None:
    """Start the warehouse and migrate it to this release.

    Without WAREHOUSE_URL the embedded Postgres is started. The login of WAREHOUSE_URL must have the right to make
    schemas and roles. Safe at any time.
    """
    settings = Settings.from_environment()
    url = _url(settings)
    _migrate(settings, url)
    say(f"The warehouse is up: {without_password(url)}")


@warehouse.command()
def down() -> None:
    """Stop the embedded Postgres; its data stay."""
    settings = Settings.from_environment()
    if settings.warehouse_url is not None:
        raise ConfigurationError("WAREHOUSE_URL is set: Waybill does not stop that server. Unset it and try again.")
    was_running = embedded.stop(settings.var / "postgres", settings.postgres_version)
    say("The embedded warehouse was stopped." if was_running else "The embedded warehouse does not run.")


@warehouse.command()
def migrate() -> None:
    """Apply missing migrations, and make partitions ahead."""
    settings = Settings.from_environment()
    _migrate(settings, _url(settings))


@warehouse.command()
def url() -> None:
    """Print the libpq URL, for psql and BI tools.

    It contains the password, if there is one.
    """
    typer.echo(_url(Settings.from_environment()))


@warehouse.command("dictionary")
def print_dictionary() -> None:
    """Print every table and column with its comment.

    As Markdown, from this warehouse as it is. docs/data_dictionary.md describes an empty warehouse of this release.
    """
    with connected(ready(Settings.from_environment())) as connection, connection, connection.cursor() as cursor:
        typer.echo(dictionary.markdown(dictionary.columns(cursor)), nl=False)


def _url(settings: Settings) -> str:
    if settings.warehouse_url is not None and (problem := url_problem(settings.warehouse_url)) is not None:
        raise ConfigurationError(problem)
    return warehouse_url(settings)


def _migrate(settings: Settings, url: str) -> None:
    with Progress():
        applied = apply_migrations(url, settings.report_timezone or "UTC")
    for name in applied:
        say(f"applied {name}")
    if not applied:
        say("The warehouse is up to date.")
    _say_what_is_due(url)


def _say_what_is_due(url: str) -> None:
    with connected(url) as connection, connection, connection.cursor() as cursor:
        due = replays_due(cursor)
    if due:
        say(in_words(due))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(warehouse, name="warehouse")
