"""doctor."""

import typer

from waybill.cli.loading import JsonOption
from waybill.cli.output import print_json, visible
from waybill.doctor import examine
from waybill.model.errors import ConfigurationError


def doctor(json: JsonOption = False) -> None:
    """Report what is missing or wrong, and how to fix it.

    Ends with exit code 3 if anything is.
    """
    findings = list(examine())
    if json:
        print_json(findings)
    else:
        for finding in findings:
            verdict = "ok " if finding.is_ok else "BAD"
            typer.echo(f"{verdict}  {finding.subject:16}  {visible(finding.message)}")
    if not all(finding.is_ok for finding in findings):
        raise typer.Exit(ConfigurationError.exit_code)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(doctor)
