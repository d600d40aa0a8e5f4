"""report list | show | rebuild."""

import sys
from dataclasses import asdict
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from etl import __version__
from etl.cli.loading import JsonOption
from etl.cli.output import print_json, print_table, progress, say
from etl.model.errors import UsageError
from etl.reports import catalogue
from etl.reports.build import rebuild as build_reports
from etl.reports.show import show as write_report
from etl.settings import Settings
from etl.warehouse.connection import REPORTER, connect, connected, warehouse_url

report = typer.Typer(help="The reports, and their builds.", no_args_is_help=True)

FromDay = Annotated[str | None, typer.Option("--from-day", help="First local day, YYYY-MM-DD.")]
UntilDay = Annotated[str | None, typer.Option("--until-day", help="Last local day, included.")]


class Format(StrEnum):
    """How a report is written to stdout."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@report.command("list")
def list_reports(json: JsonOption = False) -> None:
    """Every report with its grain and measures."""
    rows = [{"name": r.name, "grain": list(r.grain), "measures": list(r.measures)} for r in catalogue.REPORTS]
    if json:
        print_json(rows)
    else:
        print_table(
            "Reports",
            ["name", "grain", "measures"],
            [[r["name"], ", ".join(r["grain"]), ", ".join(r["measures"])] for r in rows],
        )


@report.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A report; `waybill report list` lists them.")],
    from_day: FromDay = None,
    until_day: UntilDay = None,
    form: Annotated[Format, typer.Option("--format", help="json: one array, every row, stable order.")] = Format.TABLE,
) -> None:
    """Rows of one report on stdout."""
    settings = Settings.from_environment()
    catalogue.find(name)
    first, last = _day(from_day, "--from-day"), _day(until_day, "--until-day")
    if form is Format.PARQUET and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal: redirect stdout into a file.")
    with connected(warehouse_url(settings), REPORTER) as connection:
        write_report(connection, name, first, last, form.value, sys.stdout.buffer)


@report.command()
def rebuild(
    from_day: FromDay = None,
    until_day: UntilDay = None,
    full: Annotated[bool, typer.Option("--full", help="Every day, also in another zone than before.")] = False,
    json: JsonOption = False,
) -> None:
    """Build, validate and publish the reports: of the days that loads touched, of given days, or of all."""
    first, last = _day(from_day, "--from-day"), _day(until_day, "--until-day")
    if full and (first or last):
        raise UsageError("--full rebuilds every day: leave out --from-day and --until-day.")
    if (first is None) != (last is None):
        raise UsageError("--from-day and --until-day go together.")
    days = None
    if first is not None:
        if last < first:
            raise UsageError(f"--until-day {last} is before --from-day {first}.")
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    settings = Settings.from_environment()
    url = warehouse_url(settings)
    result = build_reports(
        lambda: connect(url, REPORTER, "waybill:build"),
        days=days,
        full=full,
        report_timezone=settings.report_timezone,
        code_version=__version__,
        progress=progress(),
    )
    if json:
        print_json(asdict(result))
        return
    what = "every day" if result.days is None else f"{len(result.days)} days"
    say(
        f"Build {result.build_id}: {what} rebuilt, {result.rows_changed} report rows changed, as of "
        f"{result.as_of:%Y-%m-%d %H:%M:%S} UTC."
    )
    for warning in result.warnings:
        say(f"warning: rule {warning} failed; `waybill status` has the counts.")


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r}: expected a date, YYYY-MM-DD.") from None


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(report, name="report")
