"""status."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NamedTuple, TypedDict

import typer

from waybill.cli import joins as joins_page
from waybill.cli.loading import JsonOption, account_of
from waybill.cli.output import print_json, print_table, say, visible
from waybill.cli.warehouse import ready
from waybill.ledger.replay_due import in_words, replays_due
from waybill.model.counted import counted
from waybill.model.errors import UsageError
from waybill.pages.validations import write as write_validations_page
from waybill.reports import joins
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connected, without_password
from waybill.warehouse.queries import records, sql_of

DAYS_SHOWN = 7


class Freshness(NamedTuple):
    """One row of the query `feeds` of sql/cli/status.sql; the classes below are rows of its other queries."""

    account: str
    feed: str
    complete_until: datetime | None
    last_loaded_at: datetime | None
    last_event_at: datetime | None
    lag_seconds: int | None
    unattributed_count: int
    unknown_count: int
    rejected_count: int
    handed_over_count: int | None
    handed_over_unseen_count: int | None
    gateway_message_count: int | None
    gateway_message_undispatched_count: int | None


class Build(NamedTuple):
    """A row of `last_build`; `days_built` is None if every day was built."""

    build_id: int
    started_at: datetime
    as_of: datetime
    report_timezone: str
    days_built: list[date] | None
    rows_changed: int
    code_version: str


class Stale(NamedTuple):
    """The row of ops.report_state: why the last build failed, and when; None: it did not fail."""

    stale_reason: str | None
    stale_since: datetime | None


class Notice(NamedTuple):
    """A row of `account_notices`."""

    account: str
    feed: str
    word: str
    detail: str | None
    noticed_at: datetime


class Load(NamedTuple):
    """A row of `last_loads`."""

    load_id: int
    account: str
    feed: str
    kind: str
    status: str
    read_count: int | None
    loaded_count: int | None
    duplicate_count: int | None
    rejected_count: int | None
    started_at: datetime
    ended_at: datetime | None
    stop_reason: str | None


class FailedRule(TypedDict):
    """The keys of a failed rule that are printed."""

    rule: str
    unexpected_count: int | None


class Validation(NamedTuple):
    """A row of `last_validations`."""

    validation_id: int
    subject: str
    suite: str
    success: bool
    checked_at: datetime
    failed_rules: list[FailedRule]


def status(
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Also write the validation results as an HTML page."),
    ] = None,
    only_joins: Annotated[
        bool,
        typer.Option(
            "--joins",
            help="Show hand-overs and gateway messages that did not join, with examples and cause.",
        ),
    ] = False,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="With --joins: only this account.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show how far each feed has come, and what needs care.

    Watermarks and lag; events without a message or a mapping; rejected records; messages that did not join; the last
    build and the days that changed since; the last loads and validations.
    """
    settings = Settings.from_environment()
    if account is not None and not only_joins:
        raise UsageError("--account belongs to --joins; without it `status` shows every account.")
    url = ready(settings)
    if only_joins:
        joins_page.show(settings, url, account_of(account), json)
        return
    with connected(url, REPORTER) as connection, connection, connection.cursor() as cursor:
        if page is not None:
            write_validations_page(cursor, page)
            say(f"Validation results: {page}")
        freshness = records(cursor, Freshness, sql_of("cli/status", "feeds"))
        unjoined = joins.shares(cursor, settings.unjoined_ceiling)
        builds = records(cursor, Build, sql_of("cli/status", "last_build"))
        (stale,) = records(cursor, Stale, "select stale_reason, stale_since from ops.report_state")
        cursor.execute("select distinct day from ops.changed_day order by day")
        pending: list[date] = [day for (day,) in cursor.fetchall()]
        notices = records(cursor, Notice, sql_of("cli/status", "account_notices"))
        loads = records(cursor, Load, sql_of("cli/status", "last_loads"))
        validations = records(cursor, Validation, sql_of("cli/status", "last_validations"))
        due = replays_due(cursor)
    last_build = builds[0] if builds else None
    if json:
        document = {
            "freshness": [row._asdict() for row in freshness],
            "joins": unjoined,
            "last_build": last_build and last_build._asdict(),
            **stale._asdict(),
            "pending_days": pending,
            "account_notices": [row._asdict() for row in notices],
            "loads": [row._asdict() for row in loads],
            "validations": [row._asdict() for row in validations],
            "replays_due": [replay._asdict() | {"command": replay.command} for replay in due],
        }
        print_json(document)
        return
    typer.echo(f"Warehouse    {without_password(url)}")
    _print_build(last_build, stale, pending)
    if due:
        typer.echo(f"Replay       {in_words(due)}")
    failed = [row for row in validations if row.failed_rules]
    if validations and not failed:
        typer.echo(f"Validations  the last {len({row.subject for row in validations})} passed without a finding")
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
        for rule in row.failed_rules:
            verdict = "warning" if row.success else "failed"
            found = "" if rule["unexpected_count"] is None else f" ({rule['unexpected_count']} found)"
            typer.echo(f"{verdict}: {row.subject}: {row.suite}.{rule['rule']}{found}")
    if failed:
        say("What each rule checks, and earlier results: `waybill status --page FILE`.")


def _print_build(build: Build | None, stale: Stale, pending: Sequence[date]) -> None:
    if build:
        typer.echo(
            f"Reports      as of {build.as_of:%Y-%m-%d %H:%M:%S} UTC ({_ago(build.as_of)}), build "
            f"{build.build_id}, days of {build.report_timezone}"
        )
    else:
        typer.echo("Reports      not built yet: `waybill report rebuild`")
    if stale.stale_reason is not None:
        typer.echo(f"STALE        since {stale.stale_since:%Y-%m-%d %H:%M} UTC: {visible(stale.stale_reason)}")
    days = " ".join(map(str, pending[:DAYS_SHOWN])) + (" …" if len(pending) > DAYS_SHOWN else "")
    changed = (
        f"{counted(len(pending), 'day waits', 'days wait')} for `waybill report rebuild`: {days}"
        if pending
        else "no day waits for a build"
    )
    typer.echo(f"Changed      {changed}")


def _print_feeds(freshness: Sequence[Freshness]) -> None:
    print_table(
        [
            *("account", "feed", "complete_until", "last_loaded", "last_event"),
            *("unattributed", "unknown", "rejected", "unseen", "undispatched"),
        ],
        [
            [
                row.account,
                row.feed,
                "" if row.complete_until is None else f"{row.complete_until:%Y-%m-%d %H:%M}",
                _ago(row.last_loaded_at),
                _ago(row.last_event_at),
                *(row.unattributed_count, row.unknown_count, row.rejected_count),
                *(row.handed_over_unseen_count, row.gateway_message_undispatched_count),
            ]
            for row in freshness
        ],
        title="Feeds" if freshness else "Nothing is loaded yet: `waybill load FEED PATH`.",
    )


def _print_notices(notices: Sequence[Notice]) -> None:
    """Print what providers report about the accounts, such as a suspension."""
    if notices:
        typer.echo("")
    for row in notices:
        detail = "" if row.detail is None else f": {visible(row.detail)}"
        typer.echo(
            f"ACCOUNT      {row.account}, {row.feed}: {visible(row.word)}{detail}, "
            f"{row.noticed_at:%Y-%m-%d %H:%M} UTC ({_ago(row.noticed_at)})"
        )


def _print_loads(loads: Sequence[Load]) -> None:
    if not loads:
        return
    rows = [
        [
            *(row.load_id, row.account, row.feed, row.kind, row.status),
            *(row.read_count, row.loaded_count, row.duplicate_count, row.rejected_count),
            _ago(row.started_at),
            None if row.ended_at is None else _span((row.ended_at - row.started_at).total_seconds()),
        ]
        for row in loads
    ]
    typer.echo("")
    headers = [
        *("load", "account", "feed", "kind", "status"),
        *("read", "loaded", "duplicate", "rejected", "started", "took"),
    ]
    print_table(headers, rows, title="Last loads")
    for row in loads:
        if row.stop_reason:
            typer.echo(f"load {row.load_id} stopped: {visible(row.stop_reason)}")


def _ago(at: datetime | None) -> str:
    return "" if at is None else f"{_span((datetime.now(UTC) - at).total_seconds())} ago"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s" if seconds >= 10 else f"{max(seconds, 0):.1f} s"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(status)
