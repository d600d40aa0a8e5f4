"""The reports as one HTML file that loads nothing else, for managers and operators: `waybill report page`.

The page has no script. Every text of the warehouse is escaped. Every number is a sum of a report table (`figures`).
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.pages import sections
from waybill.pages.figures import STILL_FILLING_DAYS, Measure, Scope, Table
from waybill.pages.file import replace_file
from waybill.pages.sections import Section
from waybill.warehouse.queries import only_row, sql_of

STALE_AFTER = timedelta(hours=36)
"""A build is due every night; the reports are late after this time."""
LATE_AFTER = timedelta(hours=36)
"""A feed that was not loaded for this time is late."""
TEMPLATES = Path(__file__).parent / "templates"


class State(NamedTuple):
    """The row of the query `state` of sql/pages/reports.sql."""

    as_of: datetime | None
    report_timezone: str | None
    as_of_day: date | None
    stale_reason: str | None
    pending_count: int


def render(
    cursor: Cursor,
    now: datetime,
    account: str | None = None,
    from_day: date | None = None,
    until_day: date | None = None,
) -> str:
    """Return the page.

    :param now: the time (aware); it decides what is late
    :param account: only this account; None: all
    :param from_day: the first local day; None: the first of the reports
    :param until_day: the last local day, included; None: the last of the reports
    """
    state = State(*_row(cursor, sql_of("pages/reports", "state")))
    first, last = _row(cursor, sql_of("pages/reports", "days"), account)
    first_day, last_day = from_day or first or until_day, until_day or last or from_day
    is_empty = first_day is None or last_day is None or last_day < first_day
    scope = Scope(account, first_day or date.min, last_day or date.min)
    found = _sections(cursor, scope, state, is_empty)
    reports = sorted({part.table.report for section in found for part in section.parts})
    comments = {
        report: _pairs(cursor, sql_of("pages/reports", "comments"), {"report": f"report.{report}"})
        for report in reports
    }
    found = [_with_notes(section, comments) for section in found]
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "reports.css").read_text()
    return environment.get_template("reports.html").render(
        style=Markup(style),  # noqa: S704 - a file of this package
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        scope=None if is_empty else scope,
        account=account,
        state=state,
        now=now.astimezone(UTC),
        warnings=_warnings(cursor, state, account, now, is_empty),
        alarms=_texts(cursor, sql_of("pages/reports", "notices"), account)
        + _texts(cursor, sql_of("pages/reports", "failed_rules"), account),
        sections=found,
    )


def write(
    cursor: Cursor,
    file: Path,
    now: datetime,
    account: str | None = None,
    from_day: date | None = None,
    until_day: date | None = None,
) -> None:
    """Write the page that `render` returns."""
    replace_file(file, render(cursor, now, account, from_day, until_day))


def _sections(cursor: Cursor, scope: Scope, state: State, is_empty: bool) -> list[Section]:
    live = sections.live(cursor, scope)
    operations = sections.operations(cursor, scope, _rows(cursor, sql_of("pages/reports", "feeds"), scope.account))
    if is_empty:
        return [section for section in (live, operations) if section.parts]
    filling = None if state.as_of_day is None else state.as_of_day - timedelta(days=STILL_FILLING_DAYS - 1)
    words = {
        ("failure_reason" if kind == "failure" else "reason", reason): text
        for kind, reason, text in _rows(cursor, sql_of("pages/reports", "words"))
        if kind in ("failure", "not_sent")
    }
    found = [
        sections.overview(cursor, scope, filling),
        sections.campaigns(cursor, scope, words),
        sections.deliverability(cursor, scope, filling, words),
        sections.text_messages(cursor, scope, filling, words),
        sections.calls(cursor, scope, filling),
        live,
        operations,
    ]
    return [section for section in found if section.parts]


def _with_notes(section: Section, comments: Mapping[str, Mapping[str, str]]) -> Section:
    """Return the section, with a note below each table on what its numbers are made of."""
    parts = (
        replace(part, table=replace(part.table, notes=_notes(part.table, comments[part.table.report])))
        for part in section.parts
    )
    return replace(section, parts=tuple(parts))


def _warnings(cursor: Cursor, state: State, account: str | None, now: datetime, is_empty: bool) -> list[str]:
    """Return what a reader must know before the numbers, in sentences."""
    found = []
    if state.as_of is None:
        found.append("The reports were not built yet. `waybill report rebuild` builds them.")
    elif now - state.as_of > STALE_AFTER:
        found.append(f"The reports are old: they are as of {sections.utc(state.as_of)} UTC.")
    if state.stale_reason is not None:
        found.append(f"The last build failed, so the reports are stale: {state.stale_reason}")
    if is_empty:
        found.append("There are no messages to show: nothing is loaded and built for this account and these days.")
    late = [
        f"{feed} of {name} was last loaded at {sections.utc(loaded_at)} UTC"
        for name, feed, _, loaded_at, _ in _rows(cursor, sql_of("pages/reports", "feeds"), account)
        if loaded_at is not None and now - loaded_at > LATE_AFTER
    ]
    if late:
        more = f", and {len(late) - 5} more feeds" if len(late) > 5 else ""
        found.append(f"Counts of the last days may be too low: {'; '.join(late[:5])}{more}.")
    return found


def _notes(table: Table, comments: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what each number of a table is made of: the comments of its columns."""
    return tuple((measure.label, _made_of(measure, comments)) for measure in table.measures)


def _made_of(measure: Measure, comments: Mapping[str, str]) -> str:
    if measure.per:
        return f"{' + '.join(measure.columns)}, divided by {' + '.join(measure.per)} (rate of sums)."
    return " ".join(f"{column}: {comments[column]}" for column in measure.columns)


def _rows(cursor: Cursor, query: str, account: str | None = None) -> list[tuple[Any, ...]]:
    cursor.execute(query, {"account": account})
    return cursor.fetchall()


def _row(cursor: Cursor, query: str, account: str | None = None) -> tuple[Any, ...]:
    cursor.execute(query, {"account": account})
    return only_row(cursor)


def _pairs(cursor: Cursor, query: str, parameters: Mapping[str, object]) -> dict[str, str]:
    cursor.execute(query, parameters)
    return dict(cursor.fetchall())


def _texts(cursor: Cursor, query: str, account: str | None) -> list[str]:
    return [text for (text,) in _rows(cursor, query, account)]
