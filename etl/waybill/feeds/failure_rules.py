"""The versioned table of failure reasons in its order. See docs/model.md.

The first rule that fits wins. The order is: the provider's code, words with one meaning, the enhanced status code (RFC
3463) in the text, the one that the provider gives, codes with a general meaning, words with a general meaning, subjects
of status codes, and last the SMTP reply code alone.

Raise RULES_VERSION with every change that can change a reason; a replay then recomputes the past.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from waybill.feeds.providers import PROVIDERS
from waybill.model.failure_general import GENERAL_STATUSES, GENERAL_WORDS, REPLIES
from waybill.model.failure_languages import LANGUAGES
from waybill.model.failure_statuses import STATUSES
from waybill.model.failure_words import WORDS

RULES_VERSION = 5


class Rule(NamedTuple):
    """One row of the table.

    :ivar number: its place, from 1
    :ivar kind: code, words, status, general_code, general_words, general_status or reply
    :ivar provider: the provider of the failures that it is for; `*` for all providers
    :ivar pattern: of the code, status or text, as in the provider's sheet, failure_statuses and failure_words
    :ivar reason: a word of the vocabulary
    """

    number: int
    kind: str
    provider: str
    pattern: str
    reason: str


Row = tuple[str, str, str, str]
EVERY_PROVIDER = "*"
SHEETS = sorted(PROVIDERS.items(), key=lambda sheet: (sheet[1].message_ids is None, sheet[0]))
"""Slugs and sheets; providers with a feed come first."""


def _coded(kind: str, provider: str, table: Mapping[str, str]) -> list[Row]:
    return [(kind, provider, pattern, reason) for pattern, reason in table.items()]


def _worded(kind: str, provider: str, table: tuple[tuple[str, str, str], ...]) -> list[Row]:
    return [(kind, provider, written, reason) for reason, _, written in table]


def _rows() -> Iterator[Row]:
    for slug, provider in SHEETS:
        yield from _coded("code", slug, provider.codes)
    for slug, provider in SHEETS:
        yield from _worded("words", slug, provider.words)
    yield from _worded("words", EVERY_PROVIDER, (*WORDS, *LANGUAGES))
    yield from _coded("status", EVERY_PROVIDER, STATUSES)
    for slug, provider in SHEETS:
        yield from _coded("general_code", slug, provider.general_codes)
    yield from _worded("general_words", EVERY_PROVIDER, GENERAL_WORDS)
    yield from _coded("general_status", EVERY_PROVIDER, GENERAL_STATUSES)
    yield from _coded("reply", EVERY_PROVIDER, REPLIES)


RULES: tuple[Rule, ...] = tuple(Rule(number, *row) for number, row in enumerate(_rows(), start=1))
"""The table."""
