"""rejected list | show | dismiss."""

import sys
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import typer

from waybill.cli.loading import JsonOption, account_of, feed_of
from waybill.cli.output import print_json, say, stdout_bytes, table_width, visible
from waybill.cli.taking_back import BecauseOption, ByOption, by_of
from waybill.cli.warehouse import ready
from waybill.model.counted import counted
from waybill.model.errors import UsageError
from waybill.model.redaction import mask_everyone
from waybill.settings import Settings
from waybill.warehouse.connection import LOADER, connected
from waybill.warehouse.queries import records, sql_of

RAW_SHOWN = 2_000
"""Characters of a rejected record in a list that is not for a terminal; a terminal shows what fits on a line."""

rejected = typer.Typer(help="List, show and dismiss records that could not be mapped.", no_args_is_help=True)


class Rejected(NamedTuple):
    """One row of the query `newest` of sql/cli/rejected.sql."""

    rejected_id: int
    account: str
    feed: str
    reason: str
    file: str | None
    object: str | None
    position: int
    seen_count: int
    rejected_at: datetime
    load_id: int
    acceptable_at: datetime | None
    resolved_load_id: int | None
    dismissed_at: datetime | None
    dismissed_by: str | None
    dismissed_because: str | None
    raw: memoryview

    @property
    def text(self) -> str:
        """The bytes of the record as text."""
        return bytes(self.raw).decode(errors="backslashreplace")

    def document(self) -> dict[str, Any]:
        """Returns the record for JSON."""
        return self._asdict() | {"raw": self.text}


def _newest(
    rejected_id: int | None = None,
    everything: bool = True,
    feed: str | None = None,
    account: str | None = None,
    limit: int = 1,
) -> list[Rejected]:
    parameters = {"rejected_id": rejected_id, "all": everything, "feed": feed, "account": account, "limit": limit}
    with connected(ready(Settings.from_environment()), LOADER) as connection, connection.cursor() as cursor:
        return records(cursor, Rejected, sql_of("cli/rejected", "newest"), parameters)


@rejected.command("list")
def list_rejected(
    feed: Annotated[str | None, typer.Option("--feed", metavar="FEED", help="Only this feed.")] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help="Only this account.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also records that were resolved or dismissed.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 100,
    json: JsonOption = False,
) -> None:
    """List rejected records, the newest first.

    With reason, file, line and raw bytes, and a count if the same bytes came more than once. The bytes may contain
    addresses: do not pass them on. `line` is the line, row or element in the file.
    """
    if feed is not None:
        feed_of(feed)
    found = _newest(None, everything, feed, account_of(account), limit + 1)
    shown = found[:limit]
    if json:
        print_json([row.document() for row in shown])
    else:
        _print_rejected(shown)
    if len(found) > limit:
        say(f"These are the newest {limit}; there are more: --limit, --feed, --account.")


def _print_rejected(rows: list[Rejected]) -> None:
    """Print two lines for each record: what is known, and the bytes."""
    width = table_width()
    room = RAW_SHOWN if width is None else max(width - 8, 20)
    for row in rows:
        resolved = "" if row.resolved_load_id is None else f"  (resolved by load {row.resolved_load_id})"
        if row.dismissed_at is not None:
            resolved += f"  (dismissed by {row.dismissed_by}: {row.dismissed_because})"
        file = row.file or row.object or "an unknown object"
        where = f"{row.account} {row.feed} load {row.load_id} {file} line {row.position}"
        if row.seen_count > 1:
            where += f" ({row.seen_count:,} times)"
        typer.echo(visible(f"{row.rejected_id:>6}  {where}  {row.reason}{resolved}"))
        text = visible(row.text)
        typer.echo(f"        {text if len(text) <= room else text[: room - 1] + '…'}")
    if not rows:
        typer.echo("There is no rejected record.")


@rejected.command("show")
def show_rejected(
    rejected_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the record, from `rejected list`.")],
    json: JsonOption = False,
) -> None:
    """Print one rejected record, byte by byte.

    Its reason, file and line go to stderr.
    """
    found = _newest(rejected_id)
    if not found:
        raise UsageError(f"There is no rejected record {rejected_id}; `waybill rejected list --all` shows them.")
    document = found[0].document()
    if json:
        print_json(document)
        return
    for name, value in document.items():
        if name != "raw" and value is not None:
            say(f"{'line' if name == 'position' else name}: {visible(str(value))}")
    stdout_bytes().write(bytes(found[0].raw) + b"\n")
    sys.stdout.buffer.flush()


@rejected.command()
def dismiss(
    because: BecauseOption,
    rejected_ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help="Numbers of records, from `rejected list`.")
    ] = None,
    load_id: Annotated[int | None, typer.Option("--load", metavar="LOAD", help="All that this load rejected.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="All with this reason.")] = None,
    by: ByOption = None,
) -> None:
    """Mark rejected records as needing no care.

    They are not counted as unresolved any more. Reason and bytes stay in the warehouse, and `rejected list --all` shows
    them. Options together mean records that meet all of them.
    """
    if not rejected_ids and load_id is None and reason is None:
        raise UsageError("Which records? Give an ID, --load or --reason.")
    parameters = {
        "rejected_ids": rejected_ids or None,
        "load_id": load_id,
        "reason": reason,
        "by": mask_everyone(by_of(by)),
        "because": mask_everyone(because),
    }
    with connected(ready(Settings.from_environment()), LOADER) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql_of("cli/rejected", "dismiss"), parameters)
        say(f"{counted(cursor.rowcount, 'record was', 'records were')} dismissed.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(rejected, name="rejected")
