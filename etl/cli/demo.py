"""demo: everything once, on simulated providers, in a warehouse of its own."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from etl import __version__
from etl.cli.output import say
from etl.feeds import FEEDS
from etl.load.run import load
from etl.load.sources import landed_inbox
from etl.reports import catalogue
from etl.reports.build import rebuild
from etl.reports.show import show
from etl.settings import Settings
from etl.warehouse import embedded
from etl.warehouse.connection import REPORTER, connect, connected
from etl.warehouse.migrations import migrate

ZONE = "Europe/Berlin"
ROWS_SHOWN = 8


def demo(
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another world.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the demo's Postgres running at the end.")] = False,
) -> None:
    """Everything once, on simulated providers: write their logs, load them, rebuild and show the reports.

    Uses an embedded Postgres under var/demo, whatever WAREHOUSE_URL says. A second run finds everything loaded.
    """
    from simulator.world import World, write

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
    )
    inbox = Path(settings.inbox_url)
    if not inbox.exists():
        say("Simulating a week of two organisations' email, SMS and calls …")
        draft = inbox.with_name(f".{inbox.name}")
        write(World(seed), draft)
        draft.rename(inbox)
    say("Starting the embedded Postgres …")
    url = embedded.start(var / "postgres", settings.postgres_version)
    try:
        migrate(url, ZONE)
        _load_and_show(settings, url)
    finally:
        if not keep:
            embedded.stop(var / "postgres", settings.postgres_version)
    _tell_how_to_go_on(var, keep)


def _load_and_show(settings: Settings, url: str) -> None:
    for feed in FEEDS.values():
        for item in load(settings, url, feed, landed_inbox(settings, feed, None)):
            row = item.row
            say(
                f"{row.feed:16} {row.account:6} read {row.read_count}: loaded {row.loaded_count}, duplicate "
                f"{row.duplicate_count}, rejected {row.rejected_count}, ignored {row.ignored_count}"
                + ("" if item.is_new else " (loaded before)")
            )
    result = rebuild(
        lambda: connect(url, REPORTER, "waybill:build"),
        days=None,
        full=False,
        report_timezone=ZONE,
        code_version=__version__,
        progress=lambda message: None,
    )
    say(
        f"Build {result.build_id}: {len(result.days)} days rebuilt, {result.rows_changed} report rows "
        "changed."
    )
    with connected(url, REPORTER) as connection:
        for report in catalogue.REPORTS:
            sys.stdout.flush()
            show(connection, report.name, None, None, "table", sys.stdout.buffer, limit=ROWS_SHOWN)
            sys.stdout.flush()


def _tell_how_to_go_on(var: Path, keep: bool) -> None:
    say(
        "\nThese were the first rows of every report. All of one, and SQL:\n"
        f"  export WAYBILL_VAR={_shown(var)} REPORT_TIMEZONE={ZONE}\n"
        "  waybill report show email_campaign            # also --format csv, json, parquet\n"
        "  waybill rejected list                         # what could not be read, with its bytes\n"
        '  psql "$(waybill warehouse url)" -c "select * from report.freshness"\n'
        + (
            ""
            if keep
            else "The demo's Postgres was stopped; these commands start it, `waybill warehouse down` stops it."
        )
    )


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(demo)
