"""Validation results as one HTML file that loads nothing else.

It contains the rows of ops.validation: names and descriptions of rules, and counts; never values of records. It also
names the feed of each load, the days of each build, and the provider words without a mapping.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.load import findings
from waybill.model.counted import counted
from waybill.pages.file import replace_file
from waybill.quality.gate import RuleResult
from waybill.warehouse.queries import sql_of

WORD_RULE = "event_type_mapped"

SUBJECTS = 50
"""How many loads and builds are on the page, the newest first."""


class Validation(NamedTuple):
    """One row of ops.validation.

    :ivar subject: what was validated: `load 7`, `build 3`
    :ivar about: the feed of the load or the days of the build, in words; empty: unknown
    :ivar words: provider words without a mapping, as one text; empty: there are none
    """

    subject: str
    suite: str
    success: bool
    checked_at: datetime
    results: Sequence[RuleResult]
    about: str = ""
    words: str = ""


def recent(cursor: Cursor) -> list[Validation]:
    """Returns the last validation of each suite for the newest loads and builds, the newest first."""
    cursor.execute(sql_of("pages/validations", "recent"), {"count": SUBJECTS})
    found = [
        Validation(subject, suite, success, checked_at, msgspec.convert(results, list[RuleResult]))
        for subject, suite, success, checked_at, results in cursor.fetchall()
    ]
    about = {subject: _about(cursor, subject) for subject in dict.fromkeys(row.subject for row in found)}
    return [row._replace(about=about[row.subject], words=_words(cursor, row)) for row in found]


def _about(cursor: Cursor, subject: str) -> str:
    """Returns the content of a load, such as `sendgrid_events of south, 157 events`, or the days of a build."""
    kind, _, number = subject.partition(" ")
    if not number.isdecimal():
        return ""
    query = sql_of("pages/validations", "load") if kind == "load" else sql_of("pages/validations", "build")
    cursor.execute(query, {"number": number})
    row = cursor.fetchone()
    if row is None or row[0] is None:
        return ""
    return row[0] if row[1] is None else f"{row[0]}, {row[1]:,} {row[2]}"


def _words(cursor: Cursor, validation: Validation) -> str:
    """Returns the words that rule event_type_mapped has counted, if the load is published."""
    kind, _, number = validation.subject.partition(" ")
    has_unmapped = any(rule.rule == WORD_RULE and not rule.success for rule in validation.results)
    if kind != "load" or not has_unmapped or not number.isdecimal():
        return ""
    return findings.in_words(findings.words_published(cursor, int(number)))


def render(validations: Iterable[Validation]) -> str:
    """Returns the page. Loads and builds with a finding are open, the others closed."""
    sections = []
    for subject, group in groupby(validations, key=lambda validation: validation.subject):
        sections.append(_subject(subject, list(group)))
    body = "\n".join(sections) or "<p>Nothing was validated yet.</p>"
    return _PAGE.format(style=_STYLE, body=body)


def write(cursor: Cursor, file: Path) -> None:
    """Write the page of the newest results. A reader always gets a complete page, the old or the new one."""
    replace_file(file, render(recent(cursor)))


def _subject(subject: str, validations: Sequence[Validation]) -> str:
    counts = dict.fromkeys(("failed", "warning", "passed"), 0)
    for validation in validations:
        for rule in validation.results:
            counts[_verdict(rule)] += 1
    worst = next((word for word, count in counts.items() if count), "passed")
    summary = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    title = ", ".join(filter(None, (subject, validations[0].about)))
    at = max(validation.checked_at for validation in validations)
    suites = "\n".join(_suite(validation, is_only=len(validations) == 1) for validation in validations)
    return (
        f'<details{" open" if worst != "passed" else ""}><summary><b class="{worst}">{_mark(worst)}</b> '
        f"<strong>{escape(title)}</strong> <span>{summary} · {at:%Y-%m-%d %H:%M:%S} UTC</span></summary>\n"
        f"{suites}\n</details>"
    )


def _suite(validation: Validation, is_only: bool) -> str:
    rules = sorted(validation.results, key=lambda rule: ("failed", "warning", "passed").index(_verdict(rule)))
    rows = "\n".join(_rule(rule, validation.words if rule.rule == WORD_RULE else "") for rule in rules)
    title = f"expectations/{escape(validation.suite)}.sql"
    bad = any(_verdict(rule) != "passed" for rule in rules)
    count = counted(len(rules), "rule", "rules")
    return (
        f"<details{' open' if bad or is_only else ''}><summary>{title} <span>{count}</span></summary>\n"
        "<table><thead><tr><th>result</th><th>rule</th><th>description</th><th>severity</th><th>found</th></tr>"
        f"</thead><tbody>\n{rows}\n</tbody></table></details>"
    )


def _rule(rule: RuleResult, words: str) -> str:
    verdict = _verdict(rule)
    count = rule.unexpected_count
    found = escape(rule.description or "")
    if words:
        found += f"<br>without a mapping: {escape(words)}"
    if rule.message:
        found += f"<br><em>could not be evaluated: {escape(rule.message)}</em>"
    return (
        f'<tr><td><b class="{verdict}">{_mark(verdict)}</b> {verdict}</td><td><code>{escape(rule.rule)}</code>'
        f"</td><td>{found}</td><td>{escape(rule.severity)}</td>"
        f"<td>{'' if count is None else f'{count:,}'}</td></tr>"
    )


def _verdict(rule: RuleResult) -> str:
    if rule.success:
        return "passed"
    return "failed" if rule.is_failure else "warning"


def _mark(verdict: str) -> str:
    return {"passed": "✓", "warning": "!", "failed": "✗"}[verdict]


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Validation results</title>
<style>{style}</style>
</head>
<body>
<h1>Validation results</h1>
<p>The results of the rules in <code>expectations/</code> for the newest loads and builds, the newest first. If a
critical rule fails, the load or build is stopped before it changes facts or reports. A warning stops nothing. "found"
is the number of rows, or of other things that the rule counts, that break the rule.</p>
{body}
</body>
</html>
"""
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --odd: #9a6700; --bad: #cf222e }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --odd: #d29922; --bad: #f85149 } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem }
details details { border-width: 1px 0 0; border-radius: 0; margin: .4rem 0 0; padding: .4rem 0 0 }
summary { cursor: pointer } summary span { opacity: .7; margin-left: .5rem }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line) }
th:last-child, td:last-child { text-align: right; padding-right: 0 } td:first-child { white-space: nowrap }
.passed { color: var(--good) } .warning { color: var(--odd) } .failed { color: var(--bad) }
"""
