"""rejected list | show, status, doctor."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli import joins as joins_page
from waybill.cli.loading import JsonOption, account_of, feed_of
from waybill.cli.output import print_json, print_table, say, stdout_bytes, table_width, visible
from waybill.cli.warehouse import ready
from waybill.doctor import examine
from waybill.ledger.replay_due import in_words, replays_due
from waybill.model.errors import ConfigurationError, UsageError
from waybill.pages.validations import write as write_validations_page
from waybill.reports import joins
from waybill.settings import Settings
from waybill.warehouse.connection import LOADER, REPORTER, connected, without_password
from waybill.warehouse.queries import sql_of

RAW_SHOWN = 2_000
"""Characters of a rejected record in a list that goes into a file; on a terminal, what fits."""

DAYS_SHOWN = 7

rejected = typer.Typer(help="List and show records that could not be normalised.", no_args_is_help=True)


def query(url: str, role: str, statement: str, parameters: object = None) -> list[dict[str, object]]:
    """Rows of the warehouse as dicts."""
    with connected(url, role) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@rejected.command("list")
def list_rejected(
    feed: Annotated[str | None, typer.Option("--feed", metavar="FEED", help="Of this feed only.")] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help="Of this account only.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that a later load resolved.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")] = 100,
    json: JsonOption = False,
) -> None:
    """List rejected records, the newest first.

    With reason, file, line and raw bytes; how often, where the same bytes came more than once. The bytes may hold
    addresses: they are for you alone. `line` is the line, row or element in the file.
    """
    if feed is not None:
        feed_of(feed)
    rows = query(
        ready(Settings.from_environment()),
        LOADER,
        sql_of("cli/rejected", "newest"),
        {"rejected_id": None, "all": everything, "feed": feed, "account": account_of(account), "limit": limit + 1},
    )
    more = len(rows) > limit
    rows = [_with_text(row) for row in rows[:limit]]
    if json:
        print_json(rows)
    else:
        _print_rejected(rows)
    if more:
        say(f"These are the newest {limit}; there are more: --limit, --feed, --account.")


def _with_text(row: dict[str, object]) -> dict[str, object]:
    return {**row, "raw": bytes(row["raw"]).decode(errors="backslashreplace")}


def _print_rejected(rows: list[dict[str, object]]) -> None:
    """Two lines each: what is known, and the bytes."""
    width = table_width()
    for row in rows:
        resolved = "" if row["resolved_load_id"] is None else f"  (resolved by load {row['resolved_load_id']})"
        file = row["file"] or row["object"] or "an object that is not known"
        where = f"{row['account']} {row['feed']} load {row['load_id']} {file} line {row['position']}"
        if row["seen_count"] > 1:
            where += f" ({row['seen_count']:,} times)"
        typer.echo(visible(f"{row['rejected_id']:>6}  {where}  {row['reason']}{resolved}"))
        room = RAW_SHOWN if width is None else max(width - 8, 20)
        text = visible(row["raw"])
        typer.echo(f"        {text if len(text) <= room else text[: room - 1] + '…'}")
    if not rows:
        typer.echo("No rejected record waits.")


@rejected.command("show")
def show_rejected(
    rejected_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the record, from `rejected list`.")],
    json: JsonOption = False,
) -> None:
    """Print one rejected record, byte by byte.

    What is known of it goes to stderr.
    """
    rows = query(
        ready(Settings.from_environment()),
        LOADER,
        sql_of("cli/rejected", "newest"),
        {"rejected_id": rejected_id, "all": True, "feed": None, "account": None, "limit": 1},
    )
    if not rows:
        raise UsageError(f"There is no rejected record {rejected_id}; `waybill rejected list --all` shows them.")
    if json:
        print_json(_with_text(rows[0]))
        return
    for name, value in rows[0].items():
        if name != "raw" and value is not None:
            say(f"{'line' if name == 'position' else name}: {visible(str(value))}")
    stdout_bytes().write(bytes(rows[0]["raw"]) + b"\n")
    sys.stdout.buffer.flush()


def status(
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Write the validation results as an HTML page, too."),
    ] = None,
    only_joins: Annotated[
        bool,
        typer.Option("--joins", help="Show hand-overs and gateway messages that did not join: examples, likely cause."),
    ] = False,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="With --joins: of this account only.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show how far each feed has come, and what waits.

    Watermarks, lag, events that could not be placed or have no mapping, rejected records, messages that lack their
    other side; the last build, days that wait for one; the last loads and validations.
    """
    settings = Settings.from_environment()
    if account is not None and not only_joins:
        raise UsageError("--account belongs to --joins; without it `status` shows every account.")
    url = ready(settings)
    if only_joins:
        joins_page.show(settings, url, account_of(account), json)
        return
    if page is not None:
        with connected(url, REPORTER) as connection, connection, connection.cursor() as cursor:
            write_validations_page(cursor, page)
        say(f"Validation results: {page}")
    freshness = query(url, REPORTER, sql_of("cli/status", "feeds"))
    with connected(url, REPORTER) as connection, connection, connection.cursor() as cursor:
        unjoined = joins.shares(cursor, settings.unjoined_ceiling)
    build = query(url, REPORTER, sql_of("cli/status", "last_build"))
    stale = query(url, REPORTER, "select stale_reason, stale_since from ops.report_state")[0]
    pending = [row["day"] for row in query(url, REPORTER, "select distinct day from ops.changed_day order by day")]
    notices = query(url, REPORTER, sql_of("cli/status", "account_notices"))
    loads = query(url, REPORTER, sql_of("cli/status", "last_loads"))
    validations = query(url, REPORTER, sql_of("cli/status", "last_validations"))
    with connected(url, REPORTER) as connection, connection, connection.cursor() as cursor:
        due = replays_due(cursor)
    if json:
        document = {
            "freshness": freshness,
            "joins": unjoined,
            "last_build": build[0] if build else None,
            **stale,
            "pending_days": pending,
            "account_notices": notices,
            "loads": loads,
            "validations": validations,
            "replays_due": [replay._asdict() | {"command": replay.command} for replay in due],
        }
        print_json(document)
        return
    typer.echo(f"Warehouse    {without_password(url)}")
    _print_build(build, stale, pending)
    if due:
        typer.echo(f"Replay       {in_words(due)}")
    failed = [row for row in validations if row["failed_rules"]]
    if validations and not failed:
        typer.echo(f"Validations  the last {len({row['subject'] for row in validations})} passed without a finding")
    typer.echo("")
    _print_feeds(freshness)
    _print_notices(notices)
    warned = joins_page.warnings(unjoined)
    for line in warned:
        typer.echo(f"warning: {line}")
    if warned:
        say("Why, with examples: `waybill status --joins`.")
    _print_loads(loads)
    for row in failed:
        for rule in row["failed_rules"]:
            verdict = "warning" if row["success"] else "failed"
            found = "" if rule["unexpected_count"] is None else f" ({rule['unexpected_count']} found)"
            typer.echo(f"{verdict}: {row['subject']}: {row['suite']}.{rule['rule']}{found}")
    if failed:
        say("What each rule says, and more of them: `waybill status --page FILE`.")


def _print_build(build: list[dict], stale: dict, pending: list) -> None:
    if build:
        last = build[0]
        typer.echo(
            f"Reports      as of {last['as_of']:%Y-%m-%d %H:%M:%S} UTC ({_ago(last['as_of'])}), build "
            f"{last['build_id']}, days of {last['report_timezone']}"
        )
    else:
        typer.echo("Reports      not built yet: `waybill report rebuild`")
    if stale["stale_reason"] is not None:
        typer.echo(f"STALE        since {stale['stale_since']:%Y-%m-%d %H:%M} UTC: {visible(stale['stale_reason'])}")
    days = " ".join(map(str, pending[:DAYS_SHOWN])) + (" …" if len(pending) > DAYS_SHOWN else "")
    told = f"{len(pending)} days wait for `waybill report rebuild`: {days}" if pending else "no day waits for a build"
    typer.echo(f"Changed      {told}")


def _print_feeds(freshness: list[dict]) -> None:
    names = [
        *("unattributed_count", "unknown_count", "rejected_count"),
        *("handed_over_unseen_count", "gateway_message_undispatched_count"),
    ]
    print_table(
        [
            *("account", "feed", "complete_until", "last_loaded", "last_event"),
            *("unattributed", "unknown", "rejected", "unseen", "undispatched"),
        ],
        [
            [
                row["account"],
                row["feed"],
                "" if row["complete_until"] is None else f"{row['complete_until']:%Y-%m-%d %H:%M}",
                _ago(row["last_loaded_at"]),
                _ago(row["last_event_at"]),
                *(row[name] for name in names),
            ]
            for row in freshness
        ],
        title="Feeds" if freshness else "Nothing is loaded yet: `waybill load FEED PATH`.",
    )


def _print_notices(notices: list[dict]) -> None:
    """What providers say about the accounts themselves, such as that one was suspended."""
    if notices:
        typer.echo("")
    for row in notices:
        detail = "" if row["detail"] is None else f": {visible(row['detail'])}"
        typer.echo(
            f"ACCOUNT      {row['account']}, {row['feed']}: {visible(row['word'])}{detail}, "
            f"{row['noticed_at']:%Y-%m-%d %H:%M} UTC ({_ago(row['noticed_at'])})"
        )


def _print_loads(loads: list[dict]) -> None:
    if not loads:
        return
    names = ["load_id", "account", "feed", "kind", "status"]
    counts = ["read_count", "loaded_count", "duplicate_count", "rejected_count"]
    rows = [
        [
            *(row[name] for name in names),
            *(row[name] for name in counts),
            _ago(row["started_at"]),
            None if row["ended_at"] is None else _span((row["ended_at"] - row["started_at"]).total_seconds()),
        ]
        for row in loads
    ]
    typer.echo("")
    headers = ["load", *names[1:], *(name.removesuffix("_count") for name in counts), "started", "took"]
    print_table(headers, rows, title="Last loads")
    for row in loads:
        if row["stop_reason"]:
            typer.echo(f"load {row['load_id']} stopped: {visible(row['stop_reason'])}")


def _ago(at: datetime | None) -> str:
    return "" if at is None else f"{_span((datetime.now(UTC) - at).total_seconds())} ago"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s" if seconds >= 10 else f"{max(seconds, 0):.1f} s"


def doctor(json: JsonOption = False) -> None:
    """Say what is missing or wrong, and how to fix it.

    Exit code 3 if anything is.
    """
    findings = list(examine())
    if json:
        print_json(findings)
    else:
        for finding in findings:
            verdict = "ok " if finding.is_ok else "BAD"
            typer.echo(f"{verdict}  {finding.subject:16}  {visible(finding.message)}")
    if not all(finding.is_ok for finding in findings):
        raise typer.Exit(ConfigurationError.exit_code)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(rejected, name="rejected")
    app.command()(status)
    app.command()(doctor)
