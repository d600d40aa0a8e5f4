"""erase."""

import getpass
import sys
from typing import Annotated

import msgspec
import typer

from waybill.cli.loading import JsonOption, account_of, opened
from waybill.cli.output import Progress, print_json, say
from waybill.cli.warehouse import loader
from waybill.model.counted import counted
from waybill.model.errors import SourceError, UsageError
from waybill.settings import Settings


def erase(
    recipient: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPIENT",
            help="Address or number. A shell keeps arguments in its history: leave it out to type it, or to pipe one a "
            "line.",
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="PATH|-", help="File with addresses and numbers, one a line.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Everybody who was erased before: searches what was landed since.")
    ] = False,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only in this organisation. [default: in all]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be removed.")] = False,
    json: JsonOption = False,
) -> None:
    """Remove the clear address of a person, and keep all counts.

    From recipients, rejected records and landed files, which are rewritten: a later replay gives the same events and
    counts. It reads every landed file. The address is never printed. Safe to repeat at any time.
    """
    from waybill.flow.erase import erase as erase_from

    if sum((recipient is not None, file is not None, again)) > 1:
        raise UsageError("Give a RECIPIENT, --file or --again, not several of them.")
    recipients = [] if again else _recipients(recipient, file)
    if not recipients and not again:
        raise UsageError("There is no recipient to erase.")
    warehouse = loader(Settings.from_environment())
    with Progress():
        found = erase_from(warehouse, recipients, account_of(account), dry_run)
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        verb = "would be removed" if dry_run else "removed"
        typer.echo(
            f"{verb}: {counted(found.recipient_count, 'clear address', 'clear addresses')}, the bytes of "
            f"{counted(found.rejected_count, 'rejected record', 'rejected records')}; {found.object_count:,} of "
            f"{counted(found.searched_count, 'landed file', 'landed files')} "
            f"{'to rewrite' if dry_run else 'rewritten'}."
        )
    if found.event_count:
        say(
            f"{counted(found.event_count, 'event has', 'events have')} a text with such an address, stored by an older "
            "release: run `waybill replay` for their feeds and time, which redacts it."
        )
    if found.unread:
        raise SourceError(
            "These landed files could not be searched, and may contain the address: " + "; ".join(found.unread)
        )


def _recipients(recipient: str | None, file: str | None) -> list[str]:
    if recipient is not None:
        return [recipient]
    if file is None and sys.stdin.isatty():
        return [getpass.getpass("Address or number (not shown): ")]
    with opened(file or "-") as stream:
        try:
            return [line for line in stream.read().decode("utf-8-sig").splitlines() if line.strip()]
        except UnicodeDecodeError:
            raise UsageError("The file of recipients is not UTF-8.") from None


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(erase)
