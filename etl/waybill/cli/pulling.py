"""pull."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from waybill.cli.loading import FeedArgument, JsonOption, account_of, feed_of, instant, print_loaded
from waybill.cli.output import Progress, Warnings, say
from waybill.cli.warehouse import ready
from waybill.doctor import landing_problem
from waybill.feeds.api import ApiFeed, Window
from waybill.model.errors import ConfigurationError, UsageError, WaybillError
from waybill.settings import Settings


def pull(
    feed: FeedArgument,
    from_at: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Start of the window: ISO 8601 with a zone, or a date (midnight UTC). [default: where the feed is "
            "complete, less its lateness]",
        ),
    ] = None,
    until_at: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Its end, not included; written likewise. [default: now]"),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="NAME", help="Of this organisation only. [default: each one of ACCOUNTS]"),
    ] = None,
    dated_only: Annotated[
        bool,
        typer.Option(
            "--dated-only",
            help="With --from: leave out records that have no time to ask for them by (never sent, canceled). They are "
            "found in a list that begins with the newest, so for a window long ago that list is long.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Pull a feed, and load what it shows.

    An api feed: everything of the window, from the provider. A file feed: everything in the inbox. A pull that was
    interrupted goes on where it stopped when the same command is given again. An organisation that fails keeps no
    other away.
    """
    from waybill.flow import ingest
    from waybill.flow.loads import Loaded
    from waybill.landing import inbox

    settings = Settings.from_environment()
    source = feed_of(feed)
    owner = account_of(account)
    now = datetime.now(UTC)
    window = None
    if from_at is None and (until_at is not None or dated_only):
        raise UsageError(f"{'--dated-only' if until_at is None else '--until'} asks for --from as well.")
    if from_at is not None:
        window = Window(instant("--from", from_at), now if until_at is None else instant("--until", until_at))
    if (problem := landing_problem(settings)) is not None:
        raise ConfigurationError(f"Nothing was pulled: {problem}.")
    url = ready(settings)
    done: list[Loaded] = []
    failed: list[WaybillError] = []
    warn = Warnings()
    with Progress() as progress:
        slices = ingest.slices(settings, url, source, now, window, owner, dated_only)
        if not isinstance(source, ApiFeed):
            for sentence in inbox.misplaced(settings):
                warn(sentence)
        for one in slices:
            warned = warn.count
            try:
                pulled = ingest.pull(settings, url, source, one, progress, warn=warn)
            except WaybillError as error:
                failed.append(error)
                continue
            records = f", {pulled.record_count:,} records" if one.from_at else ""
            skipped_count = warn.count - warned + len(pulled.broken)
            skipped = f", {skipped_count:,} skipped" if skipped_count else ""
            say(f"{one.label}: {pulled.page_count:,} {'pages' if one.from_at else 'new files'}{records}{skipped}")
            loaded, not_loaded = ingest.load_pull(settings, url, source, pulled.pull_id, progress)
            done += loaded
            failed += not_loaded
    if done or not failed or json:
        where = f" The inbox has no folder <account>/{source.slug}/ with files." if not slices else ""
        print_loaded(done, json, f"Nothing new.{where}")
    for error in failed[1:]:
        say(f"waybill: {error}")
    if failed:
        raise failed[0]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(pull)
