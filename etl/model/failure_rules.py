"""The versioned table of failure reasons, in the order in which it is asked. DESIGN section 4.

The first rule that fits wins: the provider's code, then the enhanced status code (RFC 3463), then the text, then a
status code that stands in the text, then codes and statuses with a general meaning.

Raise RULES_VERSION with every change that lets a reason come out otherwise; a replay then recomputes the past.
Patterns of texts are written in lower case and are linear in the text: nothing repeated holds a repetition, and what
may repeat without end stands in no pattern but for one class of characters.
"""

import re
from typing import NamedTuple

from etl.model.failure_codes import CODES, GENERAL_CODES, GENERAL_STATUSES, STATUSES

RULES_VERSION = 3

# `full` said of the mailbox, not of what follows it: no full name, no full report, not delivered in full.
_FULL = (
    r"(?<!\bin )\bfull\b(?![\s-]+(?:access|address|body|details?|explanation|headers?|history|information|list|log|"
    r"message|names?|path|reports?|stop|support|text|transcript|url)\b)"
    r"|\bover[ -]?quota\b|\bquota (?:is )?exceeded\b|"
    r"\bexceed(?:s|ed|ing)? (?:its |the |their |your |storage |mailbox |disk ){0,3}quota\b|\bout of storage\b"
)
FULL = re.compile(_FULL, re.ASCII)
"""What says, in lower case, that a mailbox is full; decides the failure class of a SendGrid bounce too."""

TEXTS: tuple[tuple[str, str, str, str], ...] = (
    # SendGrid's drop reasons are the whole text.
    ("sendgrid", r"\Abounced address\Z", "prior_bounce", "Bounced Address"),
    ("sendgrid", r"\Aunsubscribed address\Z", "prior_unsubscribe", "Unsubscribed Address"),
    ("sendgrid", r"\Aspam reporting address\Z", "prior_spam_report", "Spam Reporting Address"),
    ("sendgrid", r"\Arecipient list over package quota\Z", "quota_exceeded", "Recipient List over Package Quota"),
    ("sendgrid", r"\Ainvalid smtpapi header\Z", "invalid_request", "Invalid SMTPAPI header"),
    ("sendgrid", r"\Aspam content\Z", "content_rejected", "Spam Content"),
    ("sendgrid", r"\Ainvalid\Z", "address_malformed", "Invalid"),
    # What mail servers say.
    ("*", _FULL, "mailbox_full", "552 mailbox is full"),
    ("*", r"message (?:is |size )?(?:too (?:large|big)|exceeds)|size (?:limit )?exceed", "message_too_large",
     "552 message size exceeds fixed limit"),
    ("*", r"\bdmarc\b|\bdkim\b|\bspf\b|unauthenticated|not authenticated|authentication (?:failed|required)",
     "authentication_failed", "550 rejected by the DMARC policy of the sender"),
    ("*", r"rate ?-?limit|too many (?:messages|connections|emails|recipients)|throttl|sending too fast",
     "rate_limited", "421 too many connections"),
    ("*", r"spamhaus|barracuda|spamcop|\brbl\b|\bdnsbl\b|block ?-?list|black ?-?list", "ip_blocked",
     "554 listed at zen.spamhaus.org"),
    ("*", r"\bip\b.{0,40}(?:blocked|reputation|rejected|denied)|client host .{0,60}blocked", "ip_blocked",
     "550 the IP 198.51.100.24 has a poor reputation"),
    ("*", r"domain .{0,60}(?:blocked|reputation)|sender (?:domain )?(?:blocked|rejected)", "domain_blocked",
     "550 the sending domain has a poor reputation"),
    ("*", r"relay(?:ing)? (?:access )?(?:denied|not permitted|not allowed)|unable to relay", "relay_denied",
     "554 relay access denied"),
    ("*", r"spam|\bvirus\b|malware|phish|content (?:rejected|blocked|not accepted)|unsolicited", "content_rejected",
     "554 this looks like spam"),
    ("*", r"(?:domain|host) (?:name )?(?:not found|does not exist|unknown)|unknown domain|\bnxdomain\b",
     "domain_not_found", "550 host unknown"),
    ("*", r"disabled|inactive|deactivated|suspended|no longer (?:active|valid|available|in use|accepts?)",
     "address_inactive", "550 this account is disabled"),
    ("*", r"5\.4\.1 .{0,60}access denied", "address_not_found", "550 5.4.1 recipient address rejected: access denied"),
    ("*", r"(?:user|mailbox|recipient|address|account|inbox) .{0,60}(?:unknown|not found|does not exist|"
     r"doesn't exist|invalid|not exist|unavailable)", "address_not_found", "550 user unknown"),
    ("*", r"(?:unknown|no such|invalid|nonexistent) (?:local )?(?:user|mailbox|recipient|address|account|person)",
     "address_not_found", "550 no such user here"),
    ("*", r"does not have an? .{0,30}account|not a valid (?:mailbox|recipient|address)", "address_not_found",
     "550 does not have a yahoo.com account"),
    ("*", r"\bdns\b|\bmx\b.{0,40}(?:not found|lookup|record)|name (?:service|resolution)", "dns_failure",
     "unable to get mx info: mx lookup failed"),
    ("*", r"timed? ?-?out|timeout", "timed_out", "connection timed out"),
    ("*", r"connection (?:refused|reset|failed|lost|closed|dropped)|could not connect|unable to connect",
     "connection_failed", "connection refused"),
    ("*", r"expired|retry (?:time|limit)|72 hours|delivery time", "expired", "gave up: retry limit reached"),
    ("*", r"service (?:temporarily )?unavailable|try (?:again )?later|temporar|server (?:busy|down|unavailable)|"
     r"grey-?list|gray-?list", "server_unavailable", "451 try again later"),
    ("*", r"policy|prohibited|not allowed|access denied|rejected for|administrative", "policy_rejected",
     "550 access denied"),
)  # fmt: skip
"""(provider or `*`, pattern, reason, a text that it is meant for); the patterns see the first failures.LONGEST_TEXT
characters, in lower case."""

STATUS_IN_TEXT = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]\d)", re.ASCII)


class Rule(NamedTuple):
    """One row of the table.

    :ivar number: its place, from 1
    :ivar kind: code, status, text, general_code or general_status
    :ivar provider: of whose failures it is asked; `*`: of everybody's
    :ivar pattern: what the code, status or text has to be, as failure_codes writes it, or an expression of `re`
    :ivar reason: a word of the vocabulary
    """

    number: int
    kind: str
    provider: str
    pattern: str
    reason: str


def _rules() -> tuple[Rule, ...]:
    rows = [
        *(("code", provider, code, reason) for provider, codes in CODES.items() for code, reason in codes.items()),
        *(("status", "*", status, reason) for status, reason in STATUSES.items()),
        *(("text", provider, pattern, reason) for provider, pattern, reason, _ in TEXTS),
        *(
            ("general_code", provider, code, reason)
            for provider, codes in GENERAL_CODES.items()
            for code, reason in codes.items()
        ),
        *(("general_status", "*", status, reason) for status, reason in GENERAL_STATUSES.items()),
    ]
    return tuple(Rule(number, *row) for number, row in enumerate(rows, start=1))


RULES: tuple[Rule, ...] = _rules()
"""The table."""
