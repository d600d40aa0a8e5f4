"""Prints `status --joins`."""

import typer

from waybill.cli.output import print_json, print_table, visible
from waybill.reports import joins
from waybill.reports.joins import Example, Explained, Share
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connected


def warnings(found: list[Share]) -> list[str]:
    """Returns a line for each share above the ceiling."""
    return [f"{one.account}, {one.feed}: {visible(str(one))}" for one in found if one.is_warning]


def show(settings: Settings, url: str, account: str | None, as_json: bool) -> None:
    """Print what did not join, with examples and the likely cause.

    :param account: None: all
    """
    with connected(url, REPORTER) as connection, connection, connection.cursor() as cursor:
        found = joins.explain(cursor, settings.unjoined_ceiling, account)
    if as_json:
        print_json(found)
        return
    if not found:
        typer.echo("Everything that should join has joined.")
    for number, one in enumerate(found):
        if number:
            typer.echo("")
        _print(one)


def _print(one: Explained) -> None:
    typer.echo(f"{one.account}, {one.feed}")
    for share in one.shares:
        typer.echo(f"  {'warning: ' if share.is_warning else ''}{visible(str(share))}")
    if one.cause is not None:
        typer.echo(f"  Likely cause: {visible(one.cause)}")
    typer.echo(f"  Next: {visible(one.advice)}")
    for share in one.shares:
        if examples := one.examples.get(share.kind):
            title = "never seen by the gateway" if share.kind == joins.UNSEEN else "without a row in the dispatch log"
            print_table(
                ["sent_at", "campaign_id", "dispatch_id", "provider_message_id"],
                [_cells(example, share.kind) for example in examples],
                title=f"Examples of {share.newest_day}, {title}",
            )


def _cells(example: Example, kind: str) -> list[object]:
    message_id = example.named_message_id if kind == joins.UNSEEN else example.provider_message_id
    return [f"{example.sent_at:%Y-%m-%d %H:%M:%S}", example.campaign_id, example.dispatch_id, message_id]
