"""Why a message failed, finer than its failure class: the first rule that fits, of the table in failure_rules."""

import re
from functools import lru_cache
from typing import NamedTuple

from etl.model.failure_rules import RULES, RULES_VERSION, STATUS_IN_TEXT, Rule

__all__ = [
    "BOUNCE_CLASSES",
    "COLUMNS",
    "LONGEST_TEXT",
    "RULES_VERSION",
    "Verdict",
    "failure_reason",
    "is_temporary",
    "verdict",
]

LONGEST_TEXT = 2000
"""Characters of the provider's text that the rules look at."""

BOUNCE_CLASSES: dict[str, str] = {
    reason: failure_class
    for failure_class, reasons in {
        "invalid": "address_malformed address_not_found domain_not_found",
        "soft_bounce": "mailbox_full message_too_large server_unavailable connection_failed dns_failure timed_out"
        " rate_limited expired",
        "blocked": "ip_blocked domain_blocked content_rejected authentication_failed policy_rejected account_suspended"
        " recipient_blocked",
    }.items()
    for reason in reasons.split()
}
"""Reason to failure class, of a bounce of which the provider says no class itself; a reason that is missing here says
no more than that the bounce is permanent."""

COLUMNS = ("provider_code", "status_code", "provider_reason")
"""What an event says of its failure, in the order in which the table asks for it."""

UNCLASSIFIED = "unclassified"


class Verdict(NamedTuple):
    """What the table says of one failure.

    :ivar rule: the rule that won; None: none fits
    :ivar is_in_text: its status code was found in the text
    """

    reason: str
    rule: Rule | None = None
    is_in_text: bool = False


def is_temporary(status_code: str | None) -> bool:
    """Whether an enhanced status code is of class 4 (persistent transient failure)."""
    return _status(status_code or "").startswith("4.")


def failure_reason(provider: str, provider_code: str | None, status_code: str | None, text: str | None) -> str:
    """A reason of the vocabulary for one failure; `unclassified` where no rule fits.

    :param provider: slug
    :param provider_code: as the provider's feed writes it (failure_codes); any case
    :param status_code: enhanced status code of RFC 3463; anything else counts as none
    :param text: of the provider; its first LONGEST_TEXT characters count
    """
    return verdict(provider, provider_code, status_code, text).reason


def verdict(provider: str, provider_code: str | None, status_code: str | None, text: str | None) -> Verdict:
    """The same, and the rule that says so."""
    return _verdict(provider, provider_code or "", status_code or "", (text or "")[:LONGEST_TEXT])


@lru_cache(maxsize=16_384)
def _verdict(provider: str, provider_code: str, status_code: str, written: str) -> Verdict:
    code, status, text = provider_code.lower(), _status(status_code), written.lower()
    for rule in _CODES.get(provider, ()):
        if _fits(rule.pattern, code):
            return Verdict(rule.reason, rule)
    rule = _status_rule(status, text)
    if rule is not None:
        return Verdict(rule.reason, rule)
    for search, rule in _TEXTS:
        if rule.provider in (provider, "*") and search(text):
            return Verdict(rule.reason, rule)
    found = STATUS_IN_TEXT.search(text)
    in_text = _status(found[1]) if found else ""
    rule = _status_rule(in_text, text)
    if rule is not None:
        return Verdict(rule.reason, rule, is_in_text=True)
    for rule in _GENERAL_CODES.get(provider, ()):
        if _fits(rule.pattern, code):
            return Verdict(rule.reason, rule)
    subject = (status or in_text).split(".")
    rule = _GENERAL_STATUSES.get(f"x.{subject[1]}.*") if len(subject) == 3 else None
    return Verdict(UNCLASSIFIED) if rule is None else Verdict(rule.reason, rule, is_in_text=not status)


def _fits(pattern: str, code: str) -> bool:
    """`*` at one end of a pattern stands for anything."""
    if pattern.startswith("*"):
        return code.endswith(pattern[1:])
    return code.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern


def _status(status_code: str) -> str:
    """`5.1.1` of `5.1.01`: an enhanced status code without leading zeros; empty if it is none."""
    parts = status_code.strip().split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return ""
    return ".".join(str(int(part[:3])) for part in parts)


def _status_rule(status: str, text: str) -> Rule | None:
    """The first rule of a status code: those of its class, with words that must stand in the text, come first."""
    if not status:
        return None
    for pattern in (status, f"x{status[status.index('.') :]}"):
        for words, rule in _STATUSES.get(pattern, ()):
            if words in text:
                return rule
    return None


def _by_provider(kind: str) -> dict[str, tuple[Rule, ...]]:
    rules = [rule for rule in RULES if rule.kind == kind]
    return {provider: tuple(r for r in rules if r.provider == provider) for provider in {r.provider for r in rules}}


def _statuses() -> dict[str, list[tuple[str, Rule]]]:
    found: dict[str, list[tuple[str, Rule]]] = {}
    for rule in RULES:
        if rule.kind == "status":
            status, _, words = rule.pattern.partition(" ")
            found.setdefault(status, []).append((words, rule))
    return found


_CODES = _by_provider("code")
_STATUSES = _statuses()
_TEXTS = tuple((re.compile(rule.pattern, re.ASCII).search, rule) for rule in RULES if rule.kind == "text")
_GENERAL_CODES = _by_provider("general_code")
_GENERAL_STATUSES = {rule.pattern: rule for rule in RULES if rule.kind == "general_status"}
