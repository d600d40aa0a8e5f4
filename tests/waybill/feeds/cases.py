"""The input of the feed contract, found beside the golden files of each feed: golden/<slug>/case.py.

`python -m tests.waybill.feeds.cases` writes the events of the golden files beside them.
"""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.waybill.feeds.case import Case, Paging
from tests.waybill.feeds.outcomes import normalise, readable
from waybill.feeds import FEEDS

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = ".expected.json"

CASES: dict[str, ModuleType] = {
    file.parent.name: import_module(f"{__package__}.golden.{file.parent.name}.case")
    for file in sorted(GOLDEN.glob("*/case.py"))
}
"""The module `case` of each feed."""


def case_of(slug: str) -> Case:
    """Return the case of a feed. Raises LookupError with what to write."""
    if not hasattr(CASES.get(slug), "CASE"):
        raise LookupError(
            f"The feed {slug} has no Case. Write CASE in {GOLDEN.name}/{slug}/case.py: a good record, and which of its "
            "fields are the event word, the times, the message id and the recipient."
        )
    case: Case = CASES[slug].CASE
    if not case.record:
        raise LookupError(f"The case of {slug} has no record. Write a good one in {GOLDEN.name}/{slug}/case.py.")
    return case


def named_words_of(slug: str) -> set[str]:
    """Return every event word of the provider's documentation of a feed. Raises LookupError with what to write."""
    words: str | tuple[str, ...] = getattr(CASES[slug], "NAMED_WORDS", ())
    if not words:
        raise LookupError(
            f"The feed {slug} has no NAMED_WORDS. Write them in {GOLDEN.name}/{slug}/case.py: every event word that "
            "the provider's documentation lists for this feed, whether it is mapped or ignored."
        )
    return set(words.split() if isinstance(words, str) else words)


def paging_of(slug: str) -> Paging:
    """Return the paging of a feed of an API. Raises LookupError with what to write."""
    if not hasattr(CASES.get(slug), "PAGING"):
        raise LookupError(
            f"The feed {slug} has no Paging. Write PAGING in {GOLDEN.name}/{slug}/case.py: how its provider writes a "
            "page, and the link to the next one."
        )
    return CASES[slug].PAGING


def golden_files(slug: str) -> list[Path]:
    """Return the invented logs of a feed; their expected events are beside them. Raises LookupError with what to
    write."""
    found = (path for path in (GOLDEN / slug).glob("*") if path.is_file() and path.suffix != ".py")
    files = sorted(path for path in found if not path.name.endswith(EXPECTED))
    if not files:
        raise LookupError(
            f"The feed {slug} has no golden files. Write records in the provider's shapes, every mapped word among "
            f"them, to a file in {GOLDEN.name}/{slug}/."
        )
    return files


def expected_of(file: Path) -> Path:
    """Return the path of the expected events of a golden file."""
    return file.with_name(file.name + EXPECTED)


def write_expected() -> None:
    """Write the expected files again; then read the difference."""
    for slug in FEEDS:
        for file in golden_files(slug):
            expected = readable(normalise(slug, file.read_bytes()))
            expected_of(file).write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    write_expected()
