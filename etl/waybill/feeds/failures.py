"""The failure reason of a message, finer than its failure class: the first matching rule of failure_rules."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import NamedTuple

from waybill.feeds.failure_rules import RULES, RULES_VERSION, Rule
from waybill.model.failure_phrases import Phrase, folded, phrases, words_of

__all__ = [
    "BOUNCE_CLASSES",
    "COLUMNS",
    "LONGEST_TEXT",
    "RULES_VERSION",
    "Verdict",
    "class_among",
    "failure_reason",
    "is_temporary",
    "verdict",
]

LONGEST_TEXT = 2000
"""Characters of the provider's text that the rules read."""

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
"""Reason to failure class, for a bounce to which the provider gives no class. With any other reason the bounce is just
permanent."""

COLUMNS = ("provider_code", "status_code", "provider_reason")
"""The columns of an event that describe its failure, in the order of `verdict`'s parameters."""

UNCLASSIFIED = "unclassified"

STATUS_IN_TEXT = re.compile(r"(?<![\d.])([245]\.[0-7]\.\d{1,3})(?!\d|\.\d)", re.ASCII)
REPLY = re.compile(r"[45]\d\d(?!\d)", re.ASCII)


class Verdict(NamedTuple):
    """What the table says about one failure.

    :ivar rule: the first rule that fits; None if no rule does
    :ivar is_in_text: whether the status code was found in the text
    """

    reason: str
    rule: Rule | None = None
    is_in_text: bool = False


def is_temporary(status_code: str | None) -> bool:
    """Whether an enhanced status code is of class 4 (persistent transient failure)."""
    return _status(status_code or "").startswith("4.")


def class_among(classes: Sequence[str], reason: str) -> str:
    """Return the class that a reason has, if it is one of these classes; else the first of them."""
    by_reason = BOUNCE_CLASSES.get(reason, "")
    return by_reason if by_reason in classes else classes[0]


def failure_reason(provider: str, provider_code: str | None, status_code: str | None, text: str | None) -> str:
    """Return the reason of one failure; `unclassified` if no rule fits.

    :param provider: slug
    :param provider_code: as the provider's feeds write it (its sheet); any case
    :param status_code: enhanced status code of RFC 3463; any other text is ignored
    :param text: of the provider; its first LONGEST_TEXT characters count
    """
    return verdict(provider, provider_code, status_code, text).reason


def verdict(provider: str, provider_code: str | None, status_code: str | None, text: str | None) -> Verdict:
    """Return the reason and its rule. Parameters as for `failure_reason`."""
    return _verdict(provider, provider_code or "", status_code or "", (text or "")[:LONGEST_TEXT])


@lru_cache(maxsize=16_384)
def _verdict(provider: str, provider_code: str, status_code: str, written: str) -> Verdict:
    code, text = provider_code.lower(), folded(written)
    given, found = _status(status_code), [_status(status) for status in STATUS_IN_TEXT.findall(written)]
    if code and (rule := _code_rule("code", provider, code)):
        return Verdict(rule.reason, rule)
    words = words_of(text)
    said, spoken = set(words), f" {' '.join(words)} "
    if rule := _searched("words").first(provider, spoken, said):
        return Verdict(rule.reason, rule)
    for status in (*found, given):
        if rule := _status_rule(status, text):
            return Verdict(rule.reason, rule, is_in_text=status != given)
    if code and (rule := _code_rule("general_code", provider, code)):
        return Verdict(rule.reason, rule)
    if rule := _searched("general_words").first(provider, spoken, said):
        return Verdict(rule.reason, rule)
    for status in (*found, given):
        if rule := _GENERAL_STATUSES.get(f"x.{status[2:3]}.*"):
            return Verdict(rule.reason, rule, is_in_text=status != given)
    rule = _REPLIES.get(text[:3]) if REPLY.match(text) else None
    return Verdict(UNCLASSIFIED) if rule is None else Verdict(rule.reason, rule, is_in_text=True)


class _Searched:
    """Rules of one kind whose patterns are words, found by the words of a text."""

    def __init__(self, kind: str) -> None:
        self.by_word: dict[str, list[tuple[int, Phrase, Rule]]] = {}
        self.by_part: list[tuple[str, tuple[int, Phrase, Rule]]] = []
        place = 0
        for rule in RULES:
            for phrase in phrases(rule.pattern) if rule.kind == kind else ():
                place += 1
                for word in phrase.words:
                    self.by_word.setdefault(word, []).append((place, phrase, rule))
                self.by_part += ((part, (place, phrase, rule)) for part in phrase.parts)

    def first(self, provider: str, text: str, said: set[str]) -> Rule | None:
        """Return the first rule that fits a text with these words."""
        possible = [row for word in said for row in self.by_word.get(word, ())]
        possible += [row for part, row in self.by_part if part in text]
        possible.sort(key=_PLACE)
        for _, phrase, rule in possible:
            for words in phrase.others:
                if words.isdisjoint(said):
                    break
            else:
                if phrase.fits(text) and rule.provider in (provider, "*"):
                    return rule
        return None


@lru_cache(maxsize=1024)
def _code_rule(kind: str, provider: str, code: str) -> Rule | None:
    """Return the first rule of a kind that fits a provider's code."""
    return next((rule for rule in _CODE_RULES[kind].get(provider, ()) if _fits(rule.pattern, code)), None)


def _fits(pattern: str, code: str) -> bool:
    """Whether a pattern fits a code. `*` at one end of the pattern matches any text."""
    if pattern.startswith("*"):
        return code.endswith(pattern[1:])
    return code.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern


@lru_cache(maxsize=1024)
def _status(status_code: str) -> str:
    """Return an enhanced status code without leading zeros (`5.1.1` of `5.1.01`); empty for any other text."""
    parts = status_code.strip().split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return ""
    return ".".join(str(int(part[:3])) for part in parts)


def _status_rule(status: str, text: str) -> Rule | None:
    """Return the first rule of a status code. Rules of its class come before rules of any class."""
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


_CODE_RULES = {kind: _by_provider(kind) for kind in ("code", "general_code")}
_STATUSES = _statuses()
_PLACE = itemgetter(0)
_searched = cache(_Searched)  # made at the first failure: most commands see none
_GENERAL_STATUSES = {rule.pattern: rule for rule in RULES if rule.kind == "general_status"}
_REPLIES = {rule.pattern: rule for rule in RULES if rule.kind == "reply"}
