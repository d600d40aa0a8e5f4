"""Why a message failed, finer than its failure class: the first rule that fits, of the table in failure_rules."""

from functools import lru_cache

from etl.model.failure_rules import (
    CODE_RULES,
    FULL,
    LAST_RESORTS,
    RULES_VERSION,
    STATUS_IN_TEXT,
    STATUS_RULES,
    TEXT_RULES,
)

__all__ = ["LONGEST_TEXT", "RULES_VERSION", "failure_reason", "says_full"]

LONGEST_TEXT = 2000
"""Characters of the provider's text that the rules look at."""


def says_full(text: str | None) -> bool:
    """Whether a bounce's text says that the mailbox is full or over quota."""
    return text is not None and FULL.search(text[:LONGEST_TEXT]) is not None


def failure_reason(provider: str, provider_code: str | None, status_code: str | None, text: str | None) -> str:
    """A reason of the vocabulary for one failure.

    The provider's code decides first, then the enhanced status code (RFC 3463), then the text and a status code that
    stands in it; then general meanings of code and status; `unclassified` otherwise.
    """
    return _failure_reason(provider, provider_code or "", status_code or "", (text or "")[:LONGEST_TEXT])


@lru_cache(maxsize=4096)
def _failure_reason(provider: str, provider_code: str, status_code: str, text: str) -> str:
    code, status = provider_code.lower(), _subject_and_detail(status_code)
    for matches, reason in CODE_RULES.get(provider, ()):
        if matches(code):
            return reason
    if status in STATUS_RULES:
        return STATUS_RULES[status]
    for pattern, reason in TEXT_RULES:
        if pattern.search(text):
            return reason
    in_text = STATUS_IN_TEXT.search(text)
    if in_text is not None and in_text[1] in STATUS_RULES:
        return STATUS_RULES[in_text[1]]
    for applies_to, matches, reason in LAST_RESORTS:
        if applies_to in (provider, "*") and matches(code, status or (in_text[1] if in_text else "")):
            return reason
    return "unclassified"


def _subject_and_detail(status_code: str) -> str:
    """`1.1` of `5.1.1`: subject and detail of an enhanced status code; empty if it is none."""
    parts = status_code.strip().split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return ""
    return f"{int(parts[1][:3])}.{int(parts[2][:3])}"
