"""pull."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from waybill.cli.loading import FeedArgument, IngestReport, JsonOption, account_of, feed_of, instant, warn_of_misplaced
from waybill.cli.output import Progress, say
from waybill.cli.warehouse import loader
from waybill.doctor import landing_problem
from waybill.feeds.api import ApiFeed, Window
from waybill.model.counted import counted
from waybill.model.errors import ConfigurationError, UsageError, WaybillError
from waybill.settings import Settings


def pull(
    feed: FeedArgument,
    from_at: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Start of the window: ISO 8601 with a zone, or a date (midnight UTC). [default: the watermark of the "
            "feed, less its lateness]",
        ),
    ] = None,
    until_at: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="End of the window, not included. [default: now]"),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="NAME", help="Only this organisation. [default: all of ACCOUNTS]"),
    ] = None,
    dated_only: Annotated[
        bool,
        typer.Option(
            "--dated-only",
            help="With --from: leave out records without a send time (never sent, canceled). The provider lists them "
            "only from the newest on, so for an old window that takes long.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Pull a feed, and load its records.

    An API feed pulls the window from the provider, a file feed takes every file of the inbox. To continue an
    interrupted pull, run the same command again. If one organisation fails, the others are still pulled.
    """
    from waybill.flow import ingest
    from waybill.flow.slices import slices

    settings = Settings.from_environment()
    source = feed_of(feed)
    owner = account_of(account)
    now = datetime.now(UTC)
    window = None
    if from_at is None and (until_at is not None or dated_only):
        raise UsageError(f"{'--dated-only' if until_at is None else '--until'} needs --from as well.")
    if from_at is not None:
        window = Window(instant("--from", from_at), now if until_at is None else instant("--until", until_at))
    if (problem := landing_problem(settings)) is not None:
        raise ConfigurationError(f"Nothing was pulled: {problem}.")
    warehouse = loader(settings)
    report = IngestReport()
    with Progress() as progress:
        found = slices(warehouse, source, now, window, owner, dated_only)
        if not isinstance(source, ApiFeed):
            warn_of_misplaced(settings)
        for one in found:
            skipped_before = progress.skipped_count
            try:
                pulled = ingest.pull(warehouse, source, one)
            except WaybillError as error:
                report.failed.append(error)
                continue
            if one.from_at:
                say(
                    f"{one.label}: {counted(pulled.page_count, 'page', 'pages')}, "
                    f"{counted(pulled.record_count, 'record', 'records')}"
                )
            else:
                skipped_count = progress.skipped_count - skipped_before + len(pulled.broken)
                report.say_files(one.label, pulled.page_count, skipped_count)
            report.add(ingest.load_pull(warehouse, source, pulled.pull_id))
    where = f" The inbox has no folder <account>/{source.slug}/ with files." if not found else ""
    report.print(json, f"Nothing new.{where}")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(pull)
