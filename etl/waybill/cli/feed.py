"""feed new: writes the files of a new feed into a checkout. The contract suite then says what to fill in."""

import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from waybill import __file__ as package_file
from waybill.cli.output import say
from waybill.feeds.providers import PROVIDERS
from waybill.model.errors import ConfigurationError, UsageError

feed = typer.Typer(help="Write the files of a new feed into a checkout.", no_args_is_help=True)

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")

_SHEET = '''"""$Provider: message ids and failure codes. Say here what `provider_code` is, and name the source.

Source:
"""

from waybill.model.provider import MessageIds, Provider

PROVIDER = Provider(message_ids=MessageIds(str.strip, leg_has_recipient=False))
'''

_FEED = '''"""$title: say here what the provider shows, and how it comes.

Source:
Files:

Quirks
-
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, Record, Sighting
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft


class ${Name}Record(Record):
    """One record, with the provider's own names of fields."""

    event: str | None = None
    timestamp: int | float | str | None = None
    message_id: object = None
    recipient: str | None = None


class $Name(TypedFeed[${Name}Record]):
    slug = "$slug"
    title = "$title"
    provider = "$provider"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = 1 + failures.RULES_VERSION
    record_type = ${Name}Record

    event_types = {}

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="event")

    def sightings(self, record: ${Name}Record) -> Iterable[Sighting]:
        word, message_id = fields.identifier(record.event), fields.identifier(record.message_id)
        if word is None or message_id is None:
            raise RejectRecord("event: missing" if word is None else "message_id: missing")
        if not record.recipient or record.recipient.isspace():
            raise RejectRecord("recipient: missing")
        at = fields.instant("timestamp", record.timestamp)
        sighting = Sighting(
            identity=(message_id, RECIPIENT, word, at.isoformat()),
            key_at=at,
            recipient=record.recipient,
            provider_event=word,
            provider_message_id=message_id,
            extra=record.other or None,
        )
        return (sighting,)

    def classify(self, event: EventDraft) -> None:
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.failure_class = event.failure_reason = None
'''

_CASE = '''"""The case of $slug."""

from tests.waybill.feeds.case import Case

CASE = Case(
    record={},
    word="event",
    times=("timestamp",),
    message_id="message_id",
    recipient="recipient",
)

NAMED_WORDS = ""
'''

_PAGE = """# $slug

What the feed shows, and how it comes.

## At the provider

## Example

```json
```

The result of each record:

```text
```

## Words

| word | event |
|---|---|

Read:

## What joins the two sides of a message

## Ignored, rejected
"""


@feed.command()
def new(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="<provider>_<name>, such as sendgrid_events.")],
) -> None:
    """Write the files of a new feed into a checkout.

    The provider's folder with the feed, the golden folder with its case, and the page. An existing file stays
    as it is. Afterwards the tests of the contract name what is missing.
    """
    root = Path(package_file).resolve().parents[2]
    golden, pages = root / "tests" / "waybill" / "feeds" / "golden", root / "docs" / "feeds"
    if not golden.is_dir():
        raise ConfigurationError(
            "This installation of Waybill is not a checkout, and a new feed is a change of its source. Clone the "
            "repository, run `make setup` there, and call `.venv/bin/waybill feed new` of the clone."
        )
    if not _SLUG.fullmatch(slug):
        raise UsageError(f"{slug!r} is not a slug: <provider>_<name> in lower case, such as sendgrid_events.")
    provider, name = _split(slug)
    title = slug.replace("_", " ").title()
    values = {"slug": slug, "provider": provider, "title": title, "Name": title.replace(" ", "")}
    values["Provider"] = provider.replace("_", " ").title()
    folder = root / "etl" / "waybill" / "feeds" / provider
    wanted = {
        folder / "__init__.py": "",
        folder / "provider.py": _SHEET,
        folder / f"{name}.py": _FEED,
        golden / slug / "case.py": _CASE,
        golden / slug / "records.json": "",
        pages / f"{slug}.md": _PAGE,
    }
    if (folder / f"{name}.py").exists():
        raise UsageError(f"There is a feed {slug} already: {(folder / f'{name}.py').relative_to(root)}.")
    for file, text in wanted.items():
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(Template(text).substitute(values))
            say(f"wrote {file.relative_to(root)}")
    say(
        f"CONTRIBUTING.md explains them. `python -m pytest tests/waybill/feeds tests/docs -k {slug}` says what is "
        "missing."
    )


def _split(slug: str) -> tuple[str, str]:
    """Return the provider and the name: a provider that has a folder, else the first word."""
    known = [provider for provider in PROVIDERS if slug.startswith(f"{provider}_")]
    provider = max(known, key=len, default=slug.partition("_")[0])
    return provider, slug.removeprefix(f"{provider}_")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(feed, name="feed")
