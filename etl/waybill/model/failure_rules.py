"""The versioned table of failure reasons in its order. See docs/model.md.

The first rule that fits wins. The order is: the provider's code, words with one meaning, the enhanced status code (RFC
3463) in the text, the one that the provider gives, codes with a general meaning, words with a general meaning, subjects
of status codes, and last the SMTP reply code alone.

Raise RULES_VERSION with every change that can change a reason; a replay then recomputes the past.
"""

from typing import NamedTuple

from waybill.model.failure_codes import CODES, STATUSES
from waybill.model.failure_general import GENERAL_CODES, GENERAL_STATUSES, GENERAL_WORDS, REPLIES
from waybill.model.failure_languages import LANGUAGES
from waybill.model.failure_words import WORDS

RULES_VERSION = 5


class Rule(NamedTuple):
    """One row of the table.

    :ivar number: its place, from 1
    :ivar kind: code, words, status, general_code, general_words, general_status or reply
    :ivar provider: the provider of the failures that it is for; `*` for all providers
    :ivar pattern: of the code, status or text, as in failure_codes and failure_words
    :ivar reason: a word of the vocabulary
    """

    number: int
    kind: str
    provider: str
    pattern: str
    reason: str


def _rules() -> tuple[Rule, ...]:
    def codes(kind: str, table: dict[str, dict[str, str]]) -> list[tuple[str, str, str, str]]:
        return [(kind, name, code, reason) for name, found in table.items() for code, reason in found.items()]

    def of_all_providers(kind: str, table: dict[str, str]) -> list[tuple[str, str, str, str]]:
        return [(kind, "*", pattern, reason) for pattern, reason in table.items()]

    rows = [
        *codes("code", CODES),
        *(("words", provider, written, reason) for provider, reason, _, written in (*WORDS, *LANGUAGES)),
        *of_all_providers("status", STATUSES),
        *codes("general_code", GENERAL_CODES),
        *(("general_words", provider, written, reason) for provider, reason, _, written in GENERAL_WORDS),
        *of_all_providers("general_status", GENERAL_STATUSES),
        *of_all_providers("reply", REPLIES),
    ]
    return tuple(Rule(number, *row) for number, row in enumerate(rows, start=1))


RULES: tuple[Rule, ...] = _rules()
"""The table."""
