"""reasons test | list: tests the rules for failure reasons on a file, and prints them."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from waybill.cli.loading import JsonOption, opened
from waybill.cli.output import print_json, print_table, say
from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.feeds.failure_rules import RULES, RULES_VERSION
from waybill.feeds.failures import Verdict, verdict
from waybill.model.errors import QualityGateError, UsageError
from waybill.model.event import EventDraft
from waybill.model.redaction import mask_everyone
from waybill.model.vocabulary import CHANNELS, FAILURE_CLASSES, FAILURE_EVENTS, FAILURE_REASONS

TEXT_SHOWN = 60
LINES_NAMED = 20
EVERYBODY = "*"
"""The provider of a line that names no provider: only rules for every provider apply."""

reasons = typer.Typer(help="Test and list the rules for failure reasons.", no_args_is_help=True)


class Failure(msgspec.Struct, forbid_unknown_fields=True):
    """One failure in a file; an absent value is None."""

    feed: str | None = None
    provider: str | None = None
    provider_event: str | None = None
    provider_code: str | int | None = None
    status_code: str | None = None
    text: str | None = None
    expected_class: str | None = None
    expected_reason: str | None = None


COLUMNS = Failure.__struct_fields__
_decode = msgspec.json.Decoder(Failure).decode


class Judged(msgspec.Struct):
    """The result of the rules for one failure.

    :ivar failure_class: None if the provider has no feed, because feeds give the classes
    :ivar is_as_expected: None if the line expects nothing
    """

    line: int
    provider: str
    provider_code: str | None
    status_code: str | None
    text: str | None
    failure_class: str | None
    failure_reason: str
    rule: int | None
    rule_kind: str | None
    expected_class: str | None
    expected_reason: str | None
    is_as_expected: bool | None


@reasons.command("test")
def test_reasons(
    path: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help=f"NDJSON or CSV with some of {', '.join(COLUMNS)}; or texts, one on a line. - is stdin.",
        ),
    ],
    provider: Annotated[
        str | None,
        typer.Option("--provider", metavar="NAME", help="For lines that name no provider and no feed."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show the class and reason that the rules give to failures.

    Also shows the rule that gave the reason, by its number in `waybill reasons list`. Ends with exit code 5 if a line
    expects another class or reason. Uses no database.
    """
    if provider is not None:
        _check_provider("--provider", provider)
    judged = [_judge(path, line, failure, provider) for line, failure in _failures(path)]
    if not judged:
        raise UsageError(f"{path} has no line. Expected NDJSON or CSV with some of {', '.join(COLUMNS)}, or texts.")
    if json:
        print_json(judged)
    else:
        _print(judged)
    others = [str(item.line) for item in judged if item.is_as_expected is False]
    expecting = sum(item.is_as_expected is not None for item in judged)
    as_expected = f"; {expecting - len(others)} of {expecting} as expected" if expecting else ""
    say(f"{len(judged)} failures by rules version {RULES_VERSION}{as_expected}.")
    if others:
        named = ", ".join(others[:LINES_NAMED]) + (", …" if len(others) > LINES_NAMED else "")
        raise QualityGateError(
            f"{len(others)} of {expecting} have another result than expected: line {named}. Change the rule or what "
            "the line expects; CONTRIBUTING.md explains how to change rules."
        )


@reasons.command("list")
def list_rules(json: JsonOption = False) -> None:
    """Print the rules for failure reasons, in order.

    The first rule that fits gives the reason. `*` as provider means every provider. Long patterns are cut short; --json
    prints them whole.
    """
    if json:
        print_json([rule._asdict() for rule in RULES])
        return
    columns = ("number", "kind", "provider", "reason", "pattern")
    rows = [(rule.number, rule.kind, rule.provider, rule.reason, _short(rule.pattern)) for rule in RULES]
    print_table(columns, rows, f"Rules version {RULES_VERSION}")


def _failures(path: str) -> Iterator[tuple[int, Failure]]:
    """Returns the failures of a file with their line numbers; its name or first line decides the format."""
    with opened(path) as stream:
        data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}.") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    header = [name.strip() for name in first.split(",")]
    if path.endswith(".csv") or set(header) <= set(COLUMNS):
        return _of_csv(path, text)
    if first.lstrip().startswith("{"):
        return _of_ndjson(path, text)
    lines = enumerate(text.split("\n"), start=1)
    return ((number, Failure(text=line.strip())) for number, line in lines if line.strip())


def _of_ndjson(path: str, text: str) -> Iterator[tuple[int, Failure]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, _decode(line)
            except msgspec.ValidationError as error:
                raise UsageError(f"{path} line {number}: {error}. Keys: {', '.join(COLUMNS)}.") from None
            except msgspec.DecodeError:
                raise UsageError(f"{path} line {number}: not a JSON object, but the first line is one.") from None


def _of_csv(path: str, text: str) -> Iterator[tuple[int, Failure]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    unknown = [name for name in reader.fieldnames if name not in COLUMNS]
    if unknown:
        raise UsageError(f"{path}: there is no column {unknown[0]!r}. Columns: {', '.join(COLUMNS)}.")
    try:
        for row in reader:
            if None in row:
                raise UsageError(f"{path} line {reader.line_num}: more values than columns.")
            yield reader.line_num, Failure(**{name: value or None for name, value in row.items()})
    except csv.Error as error:
        raise UsageError(f"{path} after line {reader.line_num}: not CSV: {error}.") from None


def _judge(path: str, line: int, failure: Failure, default_provider: str | None) -> Judged:
    """Returns the result of the rules for one failure. Raises UsageError that names the line."""
    where = f"{path} line {line}"
    feed = _feed_of(where, failure, default_provider)
    provider = feed.provider if feed else failure.provider or default_provider or EVERYBODY
    for word, vocabulary in (
        (failure.expected_class, FAILURE_CLASSES),
        (failure.expected_reason, FAILURE_REASONS),
    ):
        if word is not None and word not in vocabulary:
            raise UsageError(f"{where}: {word!r} is not one of {', '.join(vocabulary)}.")
    event = EventDraft(
        provider_event=_word(where, failure, feed),
        provider_code=None if failure.provider_code is None else str(failure.provider_code),
        status_code=failure.status_code,
        provider_reason=None if failure.text is None else mask_everyone(failure.text),
    )
    found = _verdict(event, feed, provider)
    if failure.expected_class is not None and event.failure_class is None:
        raise UsageError(f"{where} expects a class, but no feed of {provider} gives classes.")
    expected = (failure.expected_class or event.failure_class, failure.expected_reason or found.reason)
    is_expecting = failure.expected_class is not None or failure.expected_reason is not None
    return Judged(
        line=line,
        provider=provider,
        provider_code=event.provider_code,
        status_code=event.status_code,
        text=event.provider_reason,
        failure_class=event.failure_class,
        failure_reason=found.reason,
        rule=found.rule and found.rule.number,
        rule_kind=found.rule and (f"{found.rule.kind} in text" if found.is_in_text else found.rule.kind),
        expected_class=failure.expected_class,
        expected_reason=failure.expected_reason,
        is_as_expected=expected == (event.failure_class, found.reason) if is_expecting else None,
    )


def _verdict(event: EventDraft, feed: Feed | None, provider: str) -> Verdict:
    """Set the class of the event; returns its reason and the rule that gives it."""
    if feed is None:
        return verdict(provider, event.provider_code, event.status_code, event.provider_reason)
    feed.classify(event)
    return feed.verdict(event)


def _feed_of(where: str, failure: Failure, default_provider: str | None) -> Feed | None:
    """Returns the feed that reports a failure: the named one, or the first of its provider: email, sms, ivr, all."""
    reporting = {slug: feed for slug, feed in FEEDS.items() if _failure_words(feed)}
    if failure.feed is not None:
        if failure.feed not in reporting:
            raise UsageError(f"{where}: no feed {failure.feed!r} reports failures. Feeds: {', '.join(reporting)}.")
        return reporting[failure.feed]
    provider = failure.provider or default_provider
    if provider is None:
        return None
    _check_provider(where, provider)
    feeds = [feed for feed in reporting.values() if feed.provider == provider]
    return min(feeds, key=lambda feed: (*CHANNELS, "all").index(feed.channel), default=None)


def _check_provider(where: str, provider: str) -> None:
    known = sorted({rule.provider for rule in RULES} - {EVERYBODY})
    if provider not in known:
        raise UsageError(f"{where}: there is no rule for a provider {provider!r}. Providers: {', '.join(known)}.")


def _word(where: str, failure: Failure, feed: Feed | None) -> str | None:
    """Returns the provider's word for the failure; if the line has no word, the most common one: the feed's first."""
    if feed is None:
        return None
    words = _failure_words(feed)
    if failure.provider_event is not None and failure.provider_event not in words:
        raise UsageError(f"{where}: {failure.provider_event!r} is not a failure of {feed.slug}: {', '.join(words)}.")
    return failure.provider_event or words[0]


def _failure_words(feed: Feed) -> list[str]:
    """Returns the provider's words for events that have a failure class."""
    return [word for word, event in feed.event_types.items() if word is not None and event in FAILURE_EVENTS]


def _print(judged: list[Judged]) -> None:
    columns = ("line", "provider", "code", "status", "text", "class", "reason", "rule", "kind", "as_expected")
    rows = [
        (
            item.line,
            item.provider,
            item.provider_code,
            item.status_code,
            item.text and _short(item.text),
            item.failure_class,
            item.failure_reason,
            item.rule,
            item.rule_kind,
            _expectation(item),
        )
        for item in judged
    ]
    is_expecting = any(item.is_as_expected is not None for item in judged)
    width = len(columns) if is_expecting else len(columns) - 1
    print_table(columns[:width], [row[:width] for row in rows])


def _short(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"


def _expectation(item: Judged) -> str | None:
    if item.is_as_expected is not False:
        return item.is_as_expected and "yes"
    return "no: " + " ".join(filter(None, (item.expected_class, item.expected_reason)))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(reasons, name="reasons")
