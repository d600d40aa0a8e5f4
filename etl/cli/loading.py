"""feeds, normalise, load, replay."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from etl.cli.output import print_json, print_table, progress, say
from etl.feeds import FEEDS
from etl.feeds.base import Feed
from etl.load.landing import check_account
from etl.load.ledger import LedgerRow
from etl.load.run import REJECTED_AT_LEAST, Loaded
from etl.load.run import load as load_objects
from etl.load.run import replay as replay_range
from etl.load.sources import landed_inbox, landed_paths
from etl.model.days import parse_instant
from etl.model.errors import CeilingError, RejectRecord, SourceError, UsageError
from etl.model.event import Event
from etl.settings import Settings
from etl.warehouse.connection import warehouse_url

DEFAULT_ACCOUNT = "default"
PRINTED = tuple(
    name for name in Event.__struct_fields__ if name not in ("recipient_key", "named_leg_key", "rules_version")
)

AccountOption = Annotated[str | None, typer.Option("--account", help="Organisation that the feed belongs to.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="Slug of a feed; `waybill feeds` lists them.")]


def feed_of(slug: str) -> Feed:
    """The feed of a slug. Raises UsageError."""
    if slug not in FEEDS:
        raise UsageError(f"There is no feed {slug!r}. Feeds: {', '.join(FEEDS)}.")
    return FEEDS[slug]


def feeds(json: JsonOption = False) -> None:
    """Every feed: slug, channel, kind, lateness, credentials it wants."""
    rows = [
        {
            "slug": feed.slug,
            "title": feed.title,
            "provider": feed.provider,
            "channel": feed.channel,
            "kind": feed.kind,
            "lateness_hours": int(feed.lateness.total_seconds() // 3600),
            "credentials": list(feed.credentials),
        }
        for feed in FEEDS.values()
    ]
    if json:
        print_json(rows)
    else:
        print_table("Feeds", list(rows[0]), [[*list(row.values())[:-1], ", ".join(row["credentials"])] for row in rows])


def normalise(
    feed: FeedArgument,
    path: Annotated[str, typer.Argument(metavar="[PATH|-]", help="File to read; - is stdin.")] = "-",
    account: AccountOption = None,
) -> None:
    """Canonical events as NDJSON on stdout, rejected records as NDJSON on stderr; touches no database."""
    settings = Settings.from_environment()
    source = feed_of(feed)
    owner = check_account(account or DEFAULT_ACCOUNT)
    keyring = settings.keyring
    read = rejected = 0
    landed_at = datetime.now(UTC)
    with _opened(path) as stream:
        for raw in source.records(stream):
            read += 1
            try:
                events = source.normalise(raw, owner, landed_at, keyring)
            except RejectRecord as rejection:
                rejected += 1
                line = {"position": raw.position, "reason": rejection.reason, "raw": raw.raw.decode(errors="replace")}
                say(msgspec.json.encode(line).decode())
                continue
            for event in events:
                sys.stdout.write(msgspec.json.encode({name: getattr(event, name) for name in PRINTED}).decode() + "\n")
    if rejected > REJECTED_AT_LEAST and rejected > settings.rejected_ceiling * read:
        raise CeilingError(f"{rejected} of {read} records were rejected.")


def _opened(path: str) -> BinaryIO:
    if path == "-":
        return sys.stdin.buffer
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise SourceError(f"Cannot read {path}: {error.strerror}.") from error


def load(
    feed: FeedArgument,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH...]",
            help="Files or folders (of an api feed: response bodies); table:SCHEMA.NAME for a dispatch log in "
            "DISPATCH_LOG_URL. Without any: the inbox, INBOX_URL/<account>/FEED/.",
        ),
    ] = None,
    account: AccountOption = None,
    json: JsonOption = False,
) -> None:
    """Land, stage, validate and publish files; prints the ledger row. What is loaded already is left alone."""
    settings = Settings.from_environment()
    source = feed_of(feed)
    if account:
        check_account(account)
    url = warehouse_url(settings)
    landed = (
        landed_paths(settings, source, account or DEFAULT_ACCOUNT, paths)
        if paths
        else landed_inbox(settings, source, account)
    )
    _print_loaded(load_objects(settings, url, source, landed, progress()), json)


def replay(
    feed: FeedArgument,
    from_at: Annotated[str, typer.Option("--from", help="Start: ISO 8601 with zone, or a date (UTC).")],
    until_at: Annotated[str, typer.Option("--until", help="End, not included.")],
    account: AccountOption = None,
    json: JsonOption = False,
) -> None:
    """Load again from landing what holds events of a time range, after a mapping changed; replaces them."""
    settings = Settings.from_environment()
    source = feed_of(feed)
    try:
        first, until = parse_instant(from_at), parse_instant(until_at)
    except ValueError as error:
        raise UsageError(f"--from and --until: {error}.") from None
    done = replay_range(settings, warehouse_url(settings), source, first, until, account, progress())
    _print_loaded(done, json)


def _print_loaded(done: list[Loaded], json: bool) -> None:
    if json:
        print_json([{**msgspec.to_builtins(item.row), "is_new": item.is_new} for item in done])
        return
    if not done:
        say("Nothing to load: no object was found.")
        return
    counts = [name for name in LedgerRow.__struct_fields__ if name.endswith("_count")]
    names = ["load_id", "account", "feed", "status", *counts]
    print_table(
        "Ledger",
        [n.removesuffix("_count") for n in names],
        [[getattr(i.row, n) for n in names] for i in done if i.is_new],
    )
    for item in done:
        if not item.is_new:
            say(f"Published already by load {item.row.load_id}; nothing was written.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (feeds, normalise, load, replay):
        app.command()(command)
