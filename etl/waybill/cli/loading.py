"""feeds, normalise, load, replay."""

import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, BinaryIO

import msgspec
import typer

from waybill.cli.output import Progress, json_line, print_json, print_table, say
from waybill.cli.warehouse import loader
from waybill.doctor import landing_problem
from waybill.feeds import FEEDS, overview
from waybill.feeds.base import Feed
from waybill.landing.objects import check_account
from waybill.ledger.counts import ObjectCounts
from waybill.ledger.loads import LedgerRow
from waybill.model.counted import counted
from waybill.model.days import parse_instant
from waybill.model.errors import CeilingError, ConfigurationError, RejectRecord, SourceError, UsageError, WaybillError
from waybill.model.event import Event
from waybill.model.vocabulary import DISPATCH, NOT_SENT_REASONS
from waybill.settings import DEFAULT_ACCOUNT, Settings

if TYPE_CHECKING:
    from waybill.flow.results import Loaded, Outcome

PRINTED = tuple(
    name for name in Event.__struct_fields__ if name not in ("recipient_key", "named_leg_key", "own_leg_key")
)
ALWAYS_SHOWN = ("load_id", "account", "feed", "read_count", "loaded_count", "duplicate_count", "rejected_count")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help="Slug of a feed; `waybill feeds` lists them.")]
OwnerOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help=f"Organisation that owns the feed. [default: {DEFAULT_ACCOUNT}]"),
]


def feed_of(slug: str) -> Feed:
    """Returns the feed with a slug. Raises UsageError."""
    if slug not in FEEDS:
        raise UsageError(f"There is no feed {slug!r}. Feeds: {', '.join(FEEDS)}.")
    return FEEDS[slug]


def account_of(name: str | None) -> str | None:
    """Returns the account as given, checked. Raises UsageError."""
    return None if name is None else check_account(name)


def feeds(
    feed: Annotated[str | None, typer.Argument(metavar="FEED", help="The columns and words of this feed.")] = None,
    json: JsonOption = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/feeds.md: routes, events and words of all feeds.")
    ] = False,
) -> None:
    """List the feeds, or print the columns and words of one.

    Slug, channel, kind, lateness (how far back each run reads again) and credentials. docs/feeds has a page for each
    feed.
    """
    if markdown and (feed is not None or json):
        raise UsageError("--markdown prints all feeds, and goes with neither FEED nor --json.")
    if markdown:
        typer.echo(overview.markdown(), nl=False)
        return
    if feed is not None:
        _print_feed(feed_of(feed), json)
        return
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
        print_table(
            list(rows[0]),
            [
                [*list(row.values())[:-1], ", ".join(feed.credentials)]
                for row, feed in zip(rows, FEEDS.values(), strict=True)
            ],
        )


def _print_feed(feed: Feed, json: bool) -> None:
    """Print the columns that records of a feed may have, and the event type of each of its words."""
    words = {word: event_type for word, event_type in feed.event_types.items() if word is not None}
    reasons = NOT_SENT_REASONS if feed.provider == DISPATCH else {}
    if json:
        document = {
            "slug": feed.slug,
            "title": feed.title,
            "columns": feed.columns,
            "words": words,
            "account_words": feed.account_words,
            "not_sent_reasons": reasons,
        }
        print_json(document)
        return
    typer.echo(f"{feed.slug}: {feed.title}. docs/feeds/{feed.slug}.md says more.\n")
    typer.echo(f"Columns: {', '.join(feed.columns)}\n")
    print_table(["word", "event"], [list(pair) for pair in words.items()])
    if feed.account_words:
        typer.echo(f"\nAbout the account, not events; `waybill status` shows them: {', '.join(feed.account_words)}")
    if reasons:
        typer.echo("")
        print_table(["category", "reasons of not_sent"], [[name, ", ".join(of)] for name, of in reasons.items()])


def normalise(
    feed: FeedArgument,
    path: Annotated[str, typer.Argument(metavar="PATH|-", help="File to read; - is stdin.")] = "-",
    account: OwnerOption = None,
) -> None:
    """Print a file as canonical events, without a database.

    Events as NDJSON on stdout (with clear recipients), rejected records as NDJSON on stderr.
    """
    settings = Settings.from_environment()
    source = feed_of(feed).with_options(settings.feed_options)
    owner = account_of(account) or DEFAULT_ACCOUNT
    keyring = settings.keyring
    counts = ObjectCounts("stdin" if path == "-" else path)
    read_at = datetime.now(UTC)
    with opened(path) as stream:
        for raw in source.records(stream):
            counts.record_count += 1
            try:
                events = source.normalise(raw, owner, read_at, keyring)
            except RejectRecord as rejection:
                counts.reject(rejection.reason, len(raw.raw))
                text = raw.raw.decode(errors="replace")
                say(json_line({"position": raw.position, "reason": rejection.reason, "raw": text}))
                continue
            for event in events:
                sys.stdout.write(json_line({name: getattr(event, name) for name in PRINTED}) + "\n")
    _check_ceiling(counts, settings.rejected_ceiling)


def _check_ceiling(counts: ObjectCounts, ceiling: float) -> None:
    """Raise CeilingError if `load` would hold the file back."""
    from waybill.load.ceiling import held_back, reasons_held_back

    if held_back({0: counts}, ceiling):
        raise CeilingError(
            f"{reasons_held_back([counts], ceiling)}. The records are above; `load` would hold this file back. Is it a "
            "file of this feed?"
        )


def opened(path: str) -> BinaryIO:
    """Returns a file, or stdin for `-`, opened for bytes. Raises UsageError, or SourceError if it cannot be read."""
    from waybill.landing.places import failures_as, open_bytes, place

    if path == "-":
        if sys.stdin.isatty():
            say("Reading from the terminal; Ctrl-D ends it.")
        return sys.stdin.buffer
    found = place(path)
    with failures_as(lambda reason: SourceError(f"Cannot read {path}: {reason}."), found):
        try:
            return open_bytes(found)
        except FileNotFoundError:
            raise UsageError(f"{path}: no such file.") from None
        except IsADirectoryError:
            raise UsageError(f"{path} is a folder; expected one file.") from None


def load(
    feed: FeedArgument,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Files or folders (for an API feed: response bodies); table:SCHEMA.NAME for a dispatch log in "
            "DISPATCH_LOG_URL. [default: the inbox, INBOX_URL/<account>/FEED/]",
        ),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="NAME",
            help=f"Organisation that owns the feed. [default: {DEFAULT_ACCOUNT}; in the inbox, all]",
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also files that `waybill unload` took back.")] = False,
    json: JsonOption = False,
) -> None:
    """Load files into facts, and print the ledger row.

    Lands, stages, validates and publishes, in one transaction per batch. Records that are loaded already do not
    change, so you can load the same folder any number of times.
    """
    from waybill.flow.ingest import load_inbox, load_paths
    from waybill.landing import inbox

    settings = Settings.from_environment()
    source = feed_of(feed)
    owner = account_of(account)
    _check_paths(paths or ())
    if (problem := landing_problem(settings)) is not None:
        raise ConfigurationError(f"Nothing was loaded: {problem}.")
    warehouse = loader(settings)
    if not paths and inbox.is_yet_to_be_made(settings):
        raise UsageError(
            f"No PATH was given, and there is no inbox at {settings.inbox_url} (INBOX_URL). Name files or folders, or "
            f"put files into {settings.inbox_url}/<account>/{source.slug}/."
        )
    report = IngestReport()
    with Progress() as progress:
        if paths:
            owner = owner or DEFAULT_ACCOUNT
            report.take(owner, progress, lambda: load_paths(warehouse, source, owner, paths, again))
        else:
            warn_of_misplaced(settings)
            for name in inbox.accounts(settings, source, owner):
                report.take(name, progress, partial(load_inbox, warehouse, source, name, again))
    where = ", ".join(paths) if paths else f"{settings.inbox_url}/{owner or '<account>'}/{source.slug}/"
    report.print(json, f"Nothing to load: there is no file in {where}.")


class IngestReport:
    """The report of `load` and `pull` on what was loaded and what failed."""

    def __init__(self) -> None:
        self.done: list[Loaded] = []
        self.failed: list[WaybillError] = []
        self.unloaded_count = 0

    def take(self, account: str, progress: Progress, ingest: "Callable[[], Outcome]") -> None:
        """Load the files of one account. An error is kept, so that the other accounts are still loaded."""
        skipped_before = progress.skipped_count
        try:
            outcome = ingest()
        except WaybillError as error:
            self.failed.append(error)
            return
        self.say_files(account, outcome.fresh_count, progress.skipped_count - skipped_before + outcome.unread_count)
        self.add(outcome)

    def add(self, outcome: "Outcome") -> None:
        """Add the result of an ingest."""
        self.done += outcome.done
        self.failed += outcome.failed
        self.unloaded_count += outcome.unloaded_count

    def say_files(self, account: str, count: int, skipped_count: int) -> None:
        """Report how many files of an account are new."""
        say(
            f"{account}: {counted(count, 'new file', 'new files')}"
            + (f", {skipped_count:,} skipped" if skipped_count else "")
        )

    def print(self, json: bool, nothing: str) -> None:
        """Print the ledger rows, and raise the first failure.

        :param nothing: the message if nothing was loaded and nothing failed
        """
        if self.unloaded_count:
            files = counted(self.unloaded_count, "file was", "files were")
            nothing = f"Nothing was loaded: {files} unloaded before. `waybill load --again` loads what was unloaded."
        if self.done or not self.failed or json:
            print_loaded(self.done, json, "" if self.failed else nothing)
        for error in self.failed[1:]:
            say(f"waybill: {error}", logging.ERROR)
        if self.failed:
            raise self.failed[0]


def warn_of_misplaced(settings: Settings) -> None:
    """Warn of files in the inbox that belong to no feed."""
    from waybill.landing import inbox

    for sentence in inbox.misplaced(settings):
        logging.getLogger("waybill.cli").warning("%s", sentence)


def _check_paths(paths: Sequence[str]) -> None:
    """Raise UsageError if a path does not exist, before the first one is landed."""
    from waybill.landing.entries import exists

    for path in paths:
        if not path.startswith("table:") and not exists(path):
            raise UsageError(f"{path}: no such file or folder. Nothing was loaded.")


def replay(
    feed: FeedArgument,
    from_at: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Start: ISO 8601 with a zone, or a date (midnight UTC).")
    ],
    until_at: Annotated[str, typer.Option("--until", metavar="TIME", help="End, not included.")],
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only this organisation. [default: all]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Load a time range again from landing.

    Use it after a mapping changed. Reads every landed object of the feed's provider that contains events of the range,
    and replaces those events, in one transaction per account. Takes back an event that no object contains any more.
    """
    from waybill.flow.replay import replay as replay_range

    settings = Settings.from_environment()
    source = feed_of(feed)
    first, until = instant("--from", from_at), instant("--until", until_at)
    if until <= first:
        raise UsageError(f"--until {until_at} must be later than --from {from_at}.")
    owner = account_of(account)
    warehouse = loader(settings)
    with Progress():
        done = replay_range(warehouse, source, first, until, owner)
    print_loaded(done, json, "Nothing to replay: no published object contains events of that time.")


def instant(option: str, text: str) -> datetime:
    """Returns the time of an option, aware. Raises UsageError that names the option."""
    try:
        return parse_instant(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option} {text!r}: {error}. Expected a date, or a time with a zone: 2026-03-01 or 2026-03-01T09:30:00Z."
        ) from None


def print_loaded(done: "Sequence[Loaded]", json: bool, nothing: str) -> None:
    """Print the ledger rows of loads, and remarks on them.

    :param nothing: the message if there are no loads; empty: no message
    """
    if json:
        print_json([{**msgspec.to_builtins(item.row), "is_new": item.is_new} for item in done])
    fresh = [item for item in done if item.is_new]
    new = [item.row for item in fresh]
    if new and not json:
        counts = [name for name in LedgerRow.__struct_fields__ if name.endswith("_count") and name != "mapped_count"]
        names = ["load_id", "account", "feed", *counts]
        shown = [name for name in names if name in ALWAYS_SHOWN or any(getattr(row, name) for row in new)]
        print_table(
            [name.removesuffix("_count").removesuffix("_id") for name in shown],
            [[getattr(row, name) for name in shown] for row in new],
        )
    if not done and nothing:
        say(nothing)
    for remark in (remark for item in fresh for remark in item.summary.remarks):
        say(remark)
    for load_id in sorted({item.row.load_id for item in done if not item.is_new}):
        say(f"Everything was published before, the last part by load {load_id}: nothing was written.")
    if rejected := sum(row.rejected_count or 0 for row in new):
        records = counted(rejected, "record was", "records were")
        say(f"{records} rejected: `waybill rejected list` shows reason and bytes.")
    if unknown := sum(row.unknown_count or 0 for row in new):
        say(f"{counted(unknown, 'event has', 'events have')} a provider word without a mapping: kept as `unknown`.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (feeds, normalise, load, replay):
        app.command()(command)
