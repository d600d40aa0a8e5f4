"""Reasons of failures, in order: provider code, words, status, hints with a general meaning."""

import csv
import hashlib
import re
import time
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import pytest

from tests.waybill.feeds.cases import CASES
from waybill.feeds import FEEDS
from waybill.feeds.failure_rules import RULES, RULES_VERSION, Rule
from waybill.feeds.failures import LONGEST_TEXT, STATUS_IN_TEXT, failure_reason, is_temporary, verdict
from waybill.feeds.providers import PROVIDERS
from waybill.model.failure_general import GENERAL_WORDS
from waybill.model.failure_languages import LANGUAGES
from waybill.model.failure_phrases import phrases
from waybill.model.failure_words import WORDS
from waybill.model.vocabulary import FAILURE_REASONS

DIGEST_OF_VERSION = {5: "16aa2d48845a9464"}
PROVIDERS_OF_VERSION = {5: ("*", "mailgun", "postmark", "sendgrid", "ses", "sparkpost", "twilio")}
"""The feeds of other providers came later. They change no reason of these ones, and need no new version."""

WORDS_OF_PROVIDERS = [row for provider in PROVIDERS.values() for row in provider.words]
EXAMPLE_OF_WORDS = {
    written: example for _, example, written in (*WORDS_OF_PROVIDERS, *WORDS, *LANGUAGES, *GENERAL_WORDS)
}
BOUNCES = list(csv.DictReader(Path(__file__).with_name("bounces.csv").read_text(encoding="utf-8").splitlines()))

NAMED_CODES = {FEEDS[slug].provider: case.NAMED_CODES for slug, case in CASES.items() if hasattr(case, "NAMED_CODES")}
"""Every failure code of the sources; other codes are no failures, or do not explain them."""
SAY_NOTHING = {
    FEEDS[slug].provider: case.CODES_THAT_SAY_NOTHING
    for slug, case in CASES.items()
    if hasattr(case, "CODES_THAT_SAY_NOTHING")
}


def example_of(rule: Rule) -> tuple[str, str | None, str | None, str | None]:
    """The provider, code, status and text of a rule's example."""
    provider = "sendgrid" if rule.provider == "*" else rule.provider
    if rule.kind in ("code", "general_code"):
        return provider, rule.pattern.replace("*", "x"), None, None
    if rule.kind in ("words", "general_words"):
        return provider, None, None, EXAMPLE_OF_WORDS[rule.pattern]
    if rule.kind == "reply":
        return provider, None, None, f"{rule.pattern} hello"
    status, _, words = rule.pattern.partition(" ")
    return provider, None, status.replace("x.", "5.").replace("*", "99"), words


def words(listed: dict[str, str | tuple[str, ...]]) -> list[tuple[str, str]]:
    split = {provider: codes.split() if isinstance(codes, str) else codes for provider, codes in listed.items()}
    return [(provider, code) for provider, codes in split.items() for code in codes]


def test_rules_reach_exactly_the_reasons_of_the_vocabulary():
    reasons = {failure_reason(*example_of(rule)) for rule in RULES}
    assert reasons == set(FAILURE_REASONS) - {"unclassified"}
    assert failure_reason("sendgrid", None, None, None) == "unclassified"


@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.number}-{rule.kind}-{rule.provider}" for rule in RULES])
def test_every_rule_is_the_first_that_fits_its_example(rule: Rule):
    found = verdict(*example_of(rule))
    assert (found.reason, found.rule) == (rule.reason, rule)


def test_rules_are_numbered_in_their_order():
    assert [rule.number for rule in RULES] == list(range(1, len(RULES) + 1))
    kinds = list(dict.fromkeys(rule.kind for rule in RULES))
    assert kinds == ["code", "words", "status", "general_code", "general_words", "general_status", "reply"]


@pytest.mark.parametrize(("provider", "code"), words(NAMED_CODES))
def test_every_code_of_the_sources_has_a_reason(provider: str, code: str):
    assert failure_reason(provider, code, None, None) != "unclassified"


@pytest.mark.parametrize(("provider", "code"), words(SAY_NOTHING))
def test_codes_without_meaning_leave_the_reason_to_status_and_text(provider: str, code: str):
    assert failure_reason(provider, code, None, None) == "unclassified"
    assert failure_reason(provider, code, "5.2.2", "no") == "mailbox_full"
    assert failure_reason(provider, code, None, "552 the mailbox is full") == "mailbox_full"


def test_the_lists_above_contain_every_code_of_a_gateway():
    listed = {provider for provider, _ in words(NAMED_CODES)}
    with_codes = {slug for slug, provider in PROVIDERS.items() if provider.codes}
    # SendGrid's are below, one by one
    assert with_codes == listed | {"sendgrid"}, "write NAMED_CODES in the case of a feed of the provider"


@pytest.mark.parametrize("subject", range(1, 8))
def test_every_subject_of_rfc_3463_has_a_reason(subject: int):
    for status_class in (4, 5):
        for detail in (*range(31), 99):
            assert failure_reason("sendgrid", None, f"{status_class}.{subject}.{detail}", None) != "unclassified"
    assert failure_reason("sendgrid", None, "5.0.0", None) == "unclassified"


def test_a_changed_table_has_a_new_version():
    known = [rule[1:] for rule in RULES if rule.provider in PROVIDERS_OF_VERSION[RULES_VERSION]]
    known.sort(key=itemgetter(0, 1))  # the order of kinds and of rules of a provider is tested above and kept here
    digest = hashlib.sha256(repr((known, STATUS_IN_TEXT.pattern)).encode()).hexdigest()[:16]
    assert DIGEST_OF_VERSION[RULES_VERSION] == digest, "raise RULES_VERSION, and put its digest here"


@pytest.mark.parametrize(
    ("code", "status", "text", "reason"),
    [
        ("expired/", "4.4.7", "mailbox full", "expired"),
        ("blocked/Content", "5.7.1", None, "content_rejected"),
        ("bounce/Frequency or Volume Too High", None, "user unknown", "rate_limited"),
        ("bounce/Invalid Address", "5.1.2", "user unknown", "address_not_found"),
        ("bounce/Invalid Address", "5.1.2", "no", "domain_not_found"),
        ("bounce/Invalid Address", None, None, "address_not_found"),
        ("blocked/Reputation", "5.7.1", "Client host [198.51.100.1] blocked using Spamhaus", "ip_blocked"),
        ("blocked/Reputation", "5.0.0", "no", "ip_blocked"),
        ("bounce/Technical Failure", None, "", "server_unavailable"),
        ("bounce/Mailbox Unavailable", None, "", "address_inactive"),
        (None, "5.1.1", "mailbox full", "mailbox_full"),
        (None, "4.2.2", "user unknown", "address_not_found"),
        (None, "4.2.2", "550 5.1.1 no", "address_not_found"),
        (None, "4.2.2", "no", "mailbox_full"),
        (None, "5.7.26", None, "authentication_failed"),
        (None, "5.7.1", "relaying denied", "relay_denied"),
        (None, "5.7.1", "no", "policy_rejected"),
        (None, "5.4.99", "no", "connection_failed"),
        (None, "5.4.1", "Recipient address rejected: Access denied", "address_not_found"),
        (None, "4.4.1", "access denied", "connection_failed"),
        (None, None, "550 5.4.1 Recipient address rejected: Access denied", "address_not_found"),
        (None, "5.02.002", None, "mailbox_full"),
        (None, None, "550 5.7.99 no", "policy_rejected"),
        (None, None, "451 greylisted", "server_unavailable"),
        (None, None, "Bounced Address", "prior_bounce"),
        (None, None, "Unsubscribed Address", "prior_unsubscribe"),
        (None, None, "Spam Reporting Address", "prior_spam_report"),
        (None, None, "Recipient List over Package Quota", "quota_exceeded"),
        (None, None, "Invalid SMTPAPI header", "invalid_request"),
        (None, None, "Spam Content", "content_rejected"),
        (None, None, "Invalid", "address_malformed"),
        (None, None, "552 user is over quota", "mailbox_full"),
        (None, None, "550 5.1.1 gone", "address_not_found"),
        (None, None, "550 No such user here", "address_not_found"),
        (None, None, "500 unknown recipient", "address_not_found"),
        (None, None, "account disabled", "address_inactive"),
        (None, None, "552 message size exceeds limit", "message_too_large"),
        (None, None, "unable to resolve: DNS error", "dns_failure"),
        (None, None, "connection timed out", "timed_out"),
        (None, None, "connection refused", "connection_failed"),
        (None, None, "421 try again later", "server_unavailable"),
        (None, "not a status", "1.1.1.1 hello", "unclassified"),
        (None, None, None, "unclassified"),
    ],
)
def test_the_first_sendgrid_rule_that_fits_gives_the_reason(
    code: str | None, status: str | None, text: str | None, reason: str
):
    assert failure_reason("sendgrid", code, status, text) == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("21610", "prior_unsubscribe"),
        ("30003", "handset_unreachable"),
        ("30007", "carrier_filtered"),
        ("30004", "recipient_blocked"),
        ("30450", "policy_rejected"),
        ("30019", "message_too_large"),
        ("21614", "number_not_mobile"),
        ("30036", "expired"),
        ("21408", "region_not_permitted"),
        ("30010", "price_limit"),
        ("30008", "unclassified"),
        ("99999", "unclassified"),
        (None, "unclassified"),
    ],
)
def test_a_twilio_code_gives_the_reason(code: str | None, reason: str):
    assert failure_reason("twilio", code, None, None) == reason


@pytest.mark.parametrize("bounce", BOUNCES, ids=[bounce["text"][:40] for bounce in BOUNCES])
def test_a_bounce_has_the_reason_that_a_reader_chose(bounce: dict[str, str]):
    found = failure_reason("sendgrid", None, bounce["status_code"] or None, bounce["text"])
    assert found == bounce["expected_reason"]


def test_a_code_has_no_meaning_for_another_provider():
    assert failure_reason("sendgrid", "21610", None, None) == "unclassified"


@pytest.mark.parametrize(
    "text",
    [
        "mailbox is full",
        "Mailbox FULL",
        "552 full mailbox: full name unknown",
        "the disk is full (in full)",
        "over quota",
        "overquota",
        "quota exceeded",
        "user exceeded their mailbox quota",
    ],
)
def test_phrases_for_a_full_mailbox(text: str):
    assert failure_reason("sendgrid", None, None, text) == "mailbox_full"


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "fully blocked", "see full details", "powerfull", "full_name"),
        *("no such Full Name", "full-name unknown", "not delivered in full", "moreover quotas apply"),
    ],
)
def test_other_uses_of_full_are_no_full_mailbox(text: str | None):
    assert failure_reason("sendgrid", None, None, text) != "mailbox_full"


@pytest.mark.parametrize("status", ["4.2.2", " 4.007.1 "])
def test_a_status_of_class_4_is_temporary(status: str):
    assert is_temporary(status)


@pytest.mark.parametrize("status", [None, "", "5.4.4", "4", "4.4", "42.1.1", "4.x.1", "4.1.1.1"])
def test_any_other_status_is_not_temporary(status: str | None):
    assert not is_temporary(status)


def test_only_the_beginning_of_a_text_is_read():
    assert failure_reason("sendgrid", None, None, "x " * (LONGEST_TEXT // 2) + " user unknown") == "unclassified"


PATTERNS = [STATUS_IN_TEXT.pattern] + [phrase.pattern for written in EXAMPLE_OF_WORDS for phrase in phrases(written)]


def repeats(parsed: object, depth: int = 0) -> Iterator[tuple[int, int, object]]:
    """Yield (depth in other repetitions, maximum, repeated expression) of each repetition in a parsed expression."""
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, inner = argument
            yield depth, most, inner
            yield from repeats(inner, depth + (most > 1))
        elif name == "SUBPATTERN":
            yield from repeats(argument[-1], depth)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from repeats(branch, depth)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from repeats(argument[1], depth)


def test_no_pattern_has_nested_or_unbounded_repetitions():
    for pattern in PATTERNS:
        for depth, most, _ in repeats(re._parser.parse(pattern, re.ASCII)):
            assert depth == 0 or most == 1, f"a repetition in a repetition: {pattern}"
            assert most <= 100, f"something without end: {pattern}"


def test_the_check_of_patterns_finds_bad_patterns():
    nested = list(repeats(re._parser.parse(r"(?:a+b)+")))
    assert [(depth, most > 100) for depth, most, _ in nested] == [(0, True), (1, True)]
    assert [depth for depth, *_ in repeats(re._parser.parse(r"(?!x|(?:a{2,9}b?){3})"))] == [0, 1, 1]
    assert sum(1 for pattern in PATTERNS for _ in repeats(re._parser.parse(pattern))) > 20


@pytest.mark.parametrize(
    "piece",
    [
        *("user ", "mailbox ", "ip ", "domain ", "client host ", "a", "exceeds the ", "5.1.", " ", "full ", "mx ", "@"),
        *(
            "host x[",
            "550-5.1.1 ",
            "=?utf-8?b?",
            "not ",
            "容量",
            "message recipient address ",
            "(in reply to ",
            "\u00e9",
        ),
    ],
)
def test_a_verdict_takes_linear_time(piece: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("waybill.feeds.failures.LONGEST_TEXT", 10 * LONGEST_TEXT)

    def least_seconds(length: int) -> float:
        taken = []
        for number in range(5):
            began = time.process_time()
            failure_reason("sendgrid", None, None, f"{number} " + (piece * length)[:length])
            taken.append(time.process_time() - began)
        return min(taken)

    assert least_seconds(10 * LONGEST_TEXT) < 40 * least_seconds(LONGEST_TEXT)
