"""verify."""

from dataclasses import asdict

import typer

from waybill.cli.loading import JsonOption
from waybill.cli.output import Progress, json_line, print_json, print_table, say, visible
from waybill.cli.warehouse import ready
from waybill.model.counted import counted
from waybill.model.errors import QualityGateError
from waybill.reports.verify import Verification
from waybill.reports.verify import verify as compare
from waybill.settings import Settings
from waybill.warehouse.connection import REPORTER, connected


def verify(json: JsonOption = False) -> None:
    """Derive facts and reports again, and report differences.

    Derives legs and messages from all events, and every report and live monitoring from those, in one snapshot.
    Writes nothing. Leaves out report rows of days that wait to be rebuilt. Ends with exit code 5 if anything differs.
    It reads the whole history, so it takes about as long as a full rebuild and a replay.
    """
    with (
        connected(ready(Settings.from_environment()), REPORTER, "waybill:verify") as connection,
        Progress(),
    ):
        found = compare(connection)
    if json:
        print_json({"is_equal": found.is_equal, **asdict(found)})
    else:
        _print(found)
    if not found.is_equal:
        names = ", ".join(finding.table for finding in found.findings if not finding.is_equal)
        raise QualityGateError(
            f"Stored rows differ from their sources: {names}. For reports and live monitoring run `waybill report "
            "rebuild --full`. For fact.leg or fact.message restore a backup, or load the landed objects into a new "
            "warehouse; a replay does not correct rows whose events stay the same."
        )


def _print(found: Verification) -> None:
    print_table(
        ["table", "compared", "missing", "surplus", "different"],
        [[f.table, f.compared, f.missing, f.surplus, f.different] for f in found.findings],
    )
    for finding in found.findings:
        for example in finding.examples:
            typer.echo(visible(f"{finding.table}: [stored, expected] {json_line(example)}"))
    if found.pending_days:
        days = counted(found.pending_days, "day waits", "days wait")
        say(f"{days} for `waybill report rebuild`; report rows of that time were not compared.")
    if found.is_equal:
        say("All stored rows agree with their sources.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(verify)
