"""warehouse up | down | migrate | url."""

import typer

from etl.cli.output import say
from etl.model.errors import ConfigurationError
from etl.settings import Settings
from etl.warehouse import embedded
from etl.warehouse.connection import warehouse_url, without_password
from etl.warehouse.migrations import migrate as apply_migrations

warehouse = typer.Typer(
    help="The Postgres that holds everything: WAREHOUSE_URL, or an embedded one.", no_args_is_help=True
)


@warehouse.command()
def up() -> None:
    """Start the embedded Postgres unless it runs, and bring the warehouse to this release."""
    settings = Settings.from_environment()
    url = warehouse_url(settings)
    _migrate(settings, url)
    say(f"The warehouse is up: {without_password(url)}")


@warehouse.command()
def down() -> None:
    """Stop the embedded Postgres; its data stay."""
    settings = Settings.from_environment()
    if settings.warehouse_url is not None:
        raise ConfigurationError("WAREHOUSE_URL is set: that server is not Waybill's to stop.")
    was_running = embedded.stop(settings.var / "postgres", settings.postgres_version)
    say("The embedded warehouse was stopped." if was_running else "The embedded warehouse does not run.")


@warehouse.command()
def migrate() -> None:
    """Apply the migrations of this release that are missing, and make partitions ahead."""
    settings = Settings.from_environment()
    _migrate(settings, warehouse_url(settings))


@warehouse.command()
def url() -> None:
    """Print the libpq URL, for psql and BI tools (with its password, if it has one)."""
    typer.echo(warehouse_url(Settings.from_environment()))


def _migrate(settings: Settings, url: str) -> None:
    applied = apply_migrations(url, settings.report_timezone or "UTC")
    for name in applied:
        say(f"applied {name}")
    if not applied:
        say("The warehouse is up to date.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(warehouse, name="warehouse")
