"""report list | show | rebuild."""

import json as json_library
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.cli.loading import JsonOption, account_of
from waybill.cli.output import Progress, print_json, print_table, say, stdout_bytes
from waybill.cli.warehouse import ready
from waybill.flow.rebuild import rebuild as build_reports
from waybill.model.counted import counted
from waybill.model.days import days_between
from waybill.model.errors import UsageError
from waybill.reports import catalogue
from waybill.reports.show import ROWS_OF_A_TABLE
from waybill.reports.show import show as write_report
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connect, connected
from waybill.warehouse.queries import only_value

EARLIEST, LATEST = date(2005, 1, 1), date(2100, 12, 31)

report = typer.Typer(help="List, show and rebuild the reports.", no_args_is_help=True)

FromDay = Annotated[str | None, typer.Option("--from-day", metavar="DAY", help="First local day, YYYY-MM-DD.")]
UntilDay = Annotated[str | None, typer.Option("--until-day", metavar="DAY", help="Last local day, included.")]


class Format(StrEnum):
    """How a report is written to stdout."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@report.command("list")
def list_reports(json: JsonOption = False) -> None:
    """List the reports: what each is, its grain and its measures."""
    reports = catalogue.all_reports()
    if json:
        print_json(
            [
                {"name": r.name, "comment": r.comment, "grain": list(r.grain), "measures": list(r.measures)}
                for r in reports
            ]
        )
        return
    for found in reports:
        typer.echo(f"{found.name}\n    {found.sentence}\n    per {', '.join(found.grain)}")
        line = "   "
        for word in found.measures:
            if len(line) + len(word) > 96:
                typer.echo(line)
                line = "   "
            line += f" {word}"
        typer.echo(line)


@report.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A report; `waybill report list` lists them.")],
    from_day: FromDay = None,
    until_day: UntilDay = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="COLUMN=VALUE", help="Only rows with this value; may be given several times."),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="json: one array. csv: cells cannot run as formulas."),
    ] = Format.TABLE,
) -> None:
    """Print the rows of one report, in the order of its grain.

    A view with one row per message is in order of time, with masked recipients; its day is sent_day, which messages
    that were never sent do not have. A table of such a view ends after 1,000 rows.
    """
    settings = Settings.from_environment()
    found = catalogue.find(name)
    first, last = _days(from_day, until_day)
    kept = dict(map(_pair, only or []))
    if form is Format.PARQUET and sys.stdout.isatty():
        raise UsageError("Parquet is binary: redirect stdout into a file.")
    with connected(ready(settings), REPORTER) as connection:
        if form is Format.TABLE and sys.stdout.isatty():
            count = print_report(connection, name, first, last, only=kept)
        else:
            stream = sys.stdout.buffer if form is Format.PARQUET else stdout_bytes()
            count = write_report(connection, name, first, last, form.value, stream, only=kept)
            sys.stdout.buffer.flush()
        left_out = ""
        if found.is_detail and form is Format.TABLE and count == ROWS_OF_A_TABLE:
            left_out += " A table ends here: use --only, --from-day and --until-day, or --format csv."
        if found.is_detail and (first or last):
            left_out += " Messages that were never sent have no sent_day and are left out."
        say(f"{count:,} {'row' if count == 1 else 'rows'} of {name}.{left_out}{_what_is_missing(connection)}")


@report.command("page")
def page(
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The HTML file to write.")],
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help="Only this account.")] = None,
    from_day: FromDay = None,
    until_day: UntilDay = None,
) -> None:
    """Write the reports as one HTML page, for mail and shares.

    What was meant to go out, what was lost on the way and why, by day, channel and campaign; deliverability, text
    messages, calls, live monitoring, feeds. The file loads nothing else. It names no recipients.
    """
    from waybill.pages.reports import write

    settings = Settings.from_environment()
    first, last = _days(from_day, until_day)
    name = account_of(account) if account is not None else None
    with connected(ready(settings), REPORTER) as connection, connection.cursor() as cursor:
        write(cursor, output, datetime.now(UTC), name, first, last)
    say(f"Report page: {output}")


def print_report(
    connection: Connection,
    name: str,
    from_day: date | None,
    until_day: date | None,
    limit: int | None = None,
    width: int | None = None,
    only: Mapping[str, str] | None = None,
) -> int:
    """Print a report as a table, folded to the width of the page; returns the number of rows."""
    exact, found = BytesIO(), catalogue.find(name)
    columns, limit = found.columns_of_a_table, limit or (ROWS_OF_A_TABLE if found.is_detail else None)
    count = write_report(connection, name, from_day, until_day, "json", exact, limit, columns, only)
    rows = json_library.loads(exact.getvalue(), parse_float=Decimal)
    print_table(columns, [list(row.values()) for row in rows], width=width)
    return count


def _what_is_missing(connection: Connection) -> str:
    """Returns a hint if the reports are older than the facts."""
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(distinct day) from ops.changed_day")
        pending = only_value(cursor, int)
        cursor.execute("select stale_reason is not null from ops.report_state")
        is_stale = only_value(cursor, bool)
    if is_stale:
        return " They are stale: the last build failed; `waybill status` says why."
    return (
        f" {counted(pending, 'changed day waits', 'changed days wait')} for `waybill report rebuild`."
        if pending
        else ""
    )


@report.command()
def rebuild(
    from_day: FromDay = None,
    until_day: UntilDay = None,
    full: Annotated[bool, typer.Option("--full", help="Every day; also after a change of the time zone.")] = False,
    json: JsonOption = False,
) -> None:
    """Rebuild the reports of changed days, given days, or all.

    Without options it rebuilds the days that changed since the last build. Builds, validates and publishes. Readers
    see the old reports until the new ones are complete.
    """
    if full and (from_day or until_day):
        raise UsageError("--full rebuilds every day: leave out --from-day and --until-day.")
    if (from_day is None) != (until_day is None):
        raise UsageError("--from-day and --until-day go together.")
    first, last = _days(from_day, until_day)
    days = days_between(first, last) if first and last else None
    settings = Settings.from_environment()
    url = ready(settings)
    with Progress():
        result = build_reports(
            lambda: connect(url, REPORTER, "waybill:build"),
            days=days,
            full=full,
            report_timezone=settings.report_timezone,
        )
    if json:
        print_json(asdict(result))
    else:
        changed = [[name, count] for name, count in result.rows_changed_by_report.items()]
        if changed:
            print_table(["report", "rows_changed"], changed)
        what = "Every day was" if result.days is None else counted(len(result.days), "day was", "days were")
        say(f"Build {result.build_id}: {what} rebuilt, as of {result.as_of:%Y-%m-%d %H:%M:%S} UTC.")
    for warning in result.warnings:
        say(f"warning: rule {warning} failed; `waybill status` has the counts.")


def _pair(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"--only {text!r}: expected COLUMN=VALUE, such as --only account=acme.")
    return column.strip(), value


def _days(from_day: str | None, until_day: str | None) -> tuple[date | None, date | None]:
    first, last = _day("--from-day", from_day), _day("--until-day", until_day)
    if first and last and last < first:
        raise UsageError(f"--until-day {last} is before --from-day {first}.")
    return first, last


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r}: expected a date, YYYY-MM-DD.") from None
    if not EARLIEST <= day <= LATEST:
        raise UsageError(f"{option} {day}: events are from {EARLIEST} to {LATEST}.")
    return day


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(report, name="report")
