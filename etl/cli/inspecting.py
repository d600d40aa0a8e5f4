"""rejected list | show, status, doctor."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from etl.cli.loading import AccountOption, JsonOption
from etl.cli.output import print_json, print_table, say
from etl.doctor import examine
from etl.model.errors import ConfigurationError, UsageError
from etl.settings import Settings
from etl.warehouse.connection import connected, warehouse_url

RAW_SHOWN = 100

rejected = typer.Typer(help="Records that could not be normalised.", no_args_is_help=True)


def query(statement: str, parameters: object = None) -> list[dict[str, object]]:
    """Rows of the warehouse as dicts."""
    settings = Settings.from_environment()
    with connected(warehouse_url(settings)) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('ops.load')")
        if cursor.fetchone()[0] is None:
            raise ConfigurationError("The warehouse has no tables yet: run `waybill warehouse up`.")
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@rejected.command("list")
def list_rejected(
    feed: Annotated[str | None, typer.Option("--feed", help="Of this feed only.")] = None,
    account: AccountOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that a later load resolved.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")] = 1000,
    json: JsonOption = False,
) -> None:
    """Rejected records with reason, line and raw bytes, the newest first. May show addresses: it is for you alone."""
    rows = query(
        "select r.rejected_id, r.account, r.feed, r.reason, o.path as object, r.position, r.rejected_at, r.load_id,"
        " r.resolved_load_id, r.raw from private.rejected_record as r left join ops.object as o using (object_id)"
        " where (%(all)s or r.resolved_load_id is null) and (%(feed)s::text is null or r.feed = %(feed)s)"
        " and (%(account)s::text is null or r.account = %(account)s) order by r.rejected_id desc limit %(limit)s",
        {"all": everything, "feed": feed, "account": account, "limit": limit},
    )
    for row in rows:
        row["raw"] = bytes(row["raw"]).decode(errors="backslashreplace")
    if json:
        print_json(rows)
        return
    names = ("rejected_id", "account", "feed", "reason", "position", "load_id", "resolved_load_id")
    print_table(
        "Rejected records",
        [*names, "raw"],
        [[row[name] for name in names] + [_shown(row["raw"])] for row in rows],
    )
    if len(rows) == limit:
        say(f"Only the newest {limit} are shown; use --limit.")


@rejected.command("show")
def show_rejected(rejected_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """One rejected record: its bytes as received on stdout, what is known of it on stderr."""
    rows = query(
        "select r.*, o.path from private.rejected_record as r left join ops.object as o using (object_id)"
        " where rejected_id = %s",
        (rejected_id,),
    )
    if not rows:
        raise UsageError(f"There is no rejected record {rejected_id}.")
    row = rows[0]
    for name in (
        "rejected_id",
        "account",
        "feed",
        "reason",
        "path",
        "position",
        "rejected_at",
        "load_id",
        "resolved_load_id",
    ):
        say(f"{name}: {row[name]}")
    sys.stdout.buffer.write(bytes(row["raw"]) + b"\n")


def _shown(raw: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in raw)
    return text if len(text) <= RAW_SHOWN else text[: RAW_SHOWN - 1] + "…"


def status(json: JsonOption = False) -> None:
    """How far each feed has come, what could not be placed, which days wait for a build, and the last loads."""
    freshness = query("select * from report.freshness order by account, feed")
    build = query("select * from report.build order by build_id desc limit 1")
    pending = query("select day, count(*) as load_count from ops.changed_day group by day order by day")
    loads = query(
        "select load_id, account, feed, kind, status, read_count, loaded_count, rejected_count, stop_reason, started_at"
        " from ops.load order by load_id desc limit 10"
    )
    validations = query(
        "select validation_id, subject, suite, success, checked_at from ops.validation"
        " order by validation_id desc limit 10"
    )
    document = {
        "freshness": freshness,
        "last_build": build[0] if build else None,
        "pending_days": [row["day"] for row in pending],
        "loads": loads,
        "validations": validations,
    }
    if json:
        print_json(document)
        return
    print_table("Feeds", list(freshness[0]) if freshness else [], [_times(row) for row in freshness])
    if build:
        say(f"Reports as of {build[0]['as_of']:%Y-%m-%d %H:%M:%S} UTC (build {build[0]['build_id']}).")
    else:
        say("No build of the reports yet: `waybill report rebuild`.")
    days = ", ".join(str(row["day"]) for row in pending[:14])
    say(
        f"Days that wait for a build: {len(pending)}"
        + (f" ({days}{', …' if len(pending) > 14 else ''})" if pending else "")
    )
    print_table("Last loads", list(loads[0]) if loads else [], [_times(row) for row in loads])
    print_table("Last validations", list(validations[0]) if validations else [], [_times(row) for row in validations])


def _times(row: dict[str, object]) -> list[object]:
    return [f"{v:%Y-%m-%d %H:%M:%S}" if isinstance(v, datetime) else v for v in row.values()]


def doctor(json: JsonOption = False) -> None:
    """What is missing or wrong, and how to fix it. Exit code 3 if anything is."""
    findings = list(examine())
    if json:
        print_json(findings)
    else:
        for finding in findings:
            typer.echo(f"{'ok ' if finding.is_ok else 'BAD'}  {finding.subject}: {finding.message}")
    if not all(finding.is_ok for finding in findings):
        raise typer.Exit(ConfigurationError.exit_code)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(rejected, name="rejected")
    app.command()(status)
    app.command()(doctor)
