"""Reasons of failures: provider code, then status, then text."""

import time

import pytest

from etl.model.failure_rules import CODE_RULES, LAST_RESORTS, RULES_VERSION, STATUS_RULES, TEXT_RULES
from etl.model.failures import LONGEST_TEXT, failure_reason, says_full
from etl.model.vocabulary import FAILURE_REASONS


def test_every_rule_ends_in_a_word_of_the_vocabulary():
    reasons = [reason for rules in CODE_RULES.values() for _, reason in rules]
    reasons += [*STATUS_RULES.values(), *(reason for _, reason in TEXT_RULES), *(rule[2] for rule in LAST_RESORTS)]
    assert reasons and set(reasons) <= set(FAILURE_REASONS) - {"unclassified"}
    assert RULES_VERSION >= 1


@pytest.mark.parametrize(
    ("code", "status", "text", "reason"),
    [
        ("expired/", "4.4.7", "mailbox full", "expired"),
        ("blocked/Content", "5.7.1", None, "content_rejected"),
        ("bounce/Frequency or Volume Too High", None, "user unknown", "rate_limited"),
        ("bounce/Invalid Address", "5.1.2", "user unknown", "domain_not_found"),
        ("bounce/Invalid Address", None, None, "address_not_found"),
        ("blocked/Reputation", "5.7.1", "Client host [198.51.100.1] blocked using Spamhaus", "ip_blocked"),
        ("blocked/Reputation", "5.0.0", "no", "ip_blocked"),
        ("bounce/Technical Failure", None, "", "server_unavailable"),
        ("bounce/Mailbox Unavailable", None, "", "address_inactive"),
        (None, "5.1.1", "mailbox full", "address_not_found"),
        (None, "4.2.2", "user unknown", "mailbox_full"),
        (None, "5.7.26", None, "authentication_failed"),
        (None, "5.7.1", "relaying denied", "relay_denied"),
        (None, "5.7.1", "no", "policy_rejected"),
        (None, "5.4.99", "no", "connection_failed"),
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


def test_a_code_means_nothing_at_another_provider():
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
def test_full_is_said_in_several_ways(text: str):
    assert says_full(text)


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "fully blocked", "see full details", "powerfull", "full_name"),
        *("no such Full Name", "full-name unknown", "not delivered in full", "moreover quotas apply"),
    ],
)
def test_full_is_not_said_by_chance(text: str | None):
    assert not says_full(text)


def test_only_the_beginning_of_a_text_is_looked_at():
    assert failure_reason("sendgrid", None, None, "x" * LONGEST_TEXT + " user unknown") == "unclassified"


@pytest.mark.parametrize(
    "piece", ["user ", "mailbox ", "ip ", "domain ", "client host ", "a", "exceeds the ", "5.1.", " "]
)
def test_hostile_text_is_looked_at_quickly(piece: str):
    began = time.process_time()
    for number in range(20):
        failure_reason("sendgrid", None, None, f"{number} " + piece * LONGEST_TEXT)
    assert time.process_time() - began < 2
