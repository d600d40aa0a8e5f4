"""unload, give-up."""

import getpass
from typing import Annotated

import msgspec
import typer

from waybill.cli.loading import JsonOption, print_loaded
from waybill.cli.output import Progress, print_json, say
from waybill.cli.warehouse import loader
from waybill.ledger.loads import LedgerRow
from waybill.model.errors import UsageError
from waybill.settings import Settings


def _reason(text: str) -> str:
    """Returns the reason without blanks around it. Raises UsageError if nothing is left."""
    if not text.strip():
        raise UsageError("--because is empty. Write the reason: the ledger keeps it.")
    return text.strip()


BecauseOption = Annotated[
    str, typer.Option("--because", metavar="TEXT", help="The reason, for the ledger.", callback=_reason)
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who does it, for the ledger. [default: the user of this system]"),
]


def by_of(name: str | None) -> str:
    """Returns the name of who does it."""
    return name or getpass.getuser()


def unload(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="Number of a load; `waybill status` lists them.")],
    because: BecauseOption,
    by: ByOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    json: JsonOption = False,
) -> None:
    """Take a load back, as if its files had never been loaded.

    For files of the wrong account, or wrong files. In one transaction. Events that another file contains, too, stay.
    The landed files stay, and later loads skip them: `load --again` loads them. To correct the reports, run `report
    rebuild` after it.
    """
    from waybill.flow.unload import unload as take_back
    from waybill.load.publish import DryRunError

    warehouse = loader(Settings.from_environment())
    try:
        with Progress():
            done = take_back(warehouse, load_id, by_of(by), because, dry_run)
    except DryRunError as dry:
        if json:
            print_json(dry.counts)
        else:
            removed, revised = dry.counts.get("removed", 0), dry.counts.get("revised", 0)
            typer.echo(f"{removed:,} events would be removed and {revised:,} revised. Nothing was changed.")
        return
    if isinstance(done, LedgerRow):
        if json:
            print_json([{**msgspec.to_builtins(done), "is_new": False}])
        say(f"Load {load_id} was {done.stop_reason} before: nothing was written.")
        return
    print_loaded([done], json, "")
    if not json:
        say(f"Load {load_id} was unloaded. Run `waybill report rebuild` to correct the reports.")


def give_up(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Landed path, as in messages: <account>/<feed>/<xx>/<SHA-256>."),
    ],
    because: BecauseOption,
    by: ByOption = None,
) -> None:
    """Stop waiting for landed files that cannot be loaded.

    For landed files whose bytes are gone or damaged, or which are held back because of rejected records. Their feed
    counts as complete without them. Load the same file again at any time: then it counts.
    """
    from waybill.flow.give_up import give_up as leave_out

    warehouse = loader(Settings.from_environment())
    for path in paths:
        was_given_up = leave_out(warehouse, path, by_of(by), because)
        say(f"{path}: given up." if was_given_up else f"{path}: left out before; nothing was written.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(unload)
    app.command("give-up")(give_up)
