"""The versioned table of failure reasons. DESIGN section 4.

Raise RULES_VERSION with every change that lets a reason come out otherwise; a replay then recomputes the past.
Sources: RFC 3463 and the IANA registry of enhanced status codes; SendGrid's drop reasons and bounce classifications
(Event Webhook reference); Twilio's error dictionary. Patterns are plain alternations: linear in the text.
"""

import re
from collections.abc import Callable

RULES_VERSION = 2

_TWILIO_MESSAGES = {
    "account_suspended": ("30002", "20005"),
    "address_malformed": ("21211", "21217", "30014", "63024"),
    "address_not_found": ("30005", "63003"),
    "carrier_congested": ("30001", "30017", "21611"),
    "carrier_filtered": ("30004", "30007", "30032", "30033", "30034"),
    "content_rejected": ("30019",),
    "expired": ("30036", "30012"),
    "handset_unreachable": ("30003", "21214"),
    "invalid_request": ("30011", "30013", "30015", "30016", "21606", "21612", "63016"),
    "number_not_mobile": ("21614", "30006"),
    "policy_rejected": ("30018", "30024", "30035"),
    "price_limit": ("30010",),
    "prior_unsubscribe": ("21610",),
    "rate_limited": ("30022", "30023", "30027"),
    "recipient_blocked": ("30450",),
    "region_not_permitted": ("21408",),
    "timed_out": ("30410",),
}


def _codes(reasons: dict[str, tuple[str, ...]]) -> tuple[tuple[Callable[[str], bool], str], ...]:
    table = {code: reason for reason, codes in reasons.items() for code in codes}
    return tuple((code.__eq__, reason) for code, reason in table.items())


CODE_RULES: dict[str, tuple[tuple[Callable[[str], bool], str], ...]] = {
    # SendGrid's code is `type/classification` of a bounce, here in lower case.
    "sendgrid": (
        (lambda code: code.startswith("expired/"), "expired"),
        (lambda code: code.endswith("/content"), "content_rejected"),
        (lambda code: code.endswith("/frequency or volume too high"), "rate_limited"),
    ),
    "twilio": _codes(_TWILIO_MESSAGES),
}
"""Provider to (does the code fit, reason)."""

STATUS_RULES: dict[str, str] = {
    "1.1": "address_not_found",
    "1.2": "domain_not_found",
    "1.3": "address_malformed",
    "1.4": "address_malformed",
    "1.6": "address_inactive",
    "1.10": "domain_not_found",
    "2.1": "address_inactive",
    "2.2": "mailbox_full",
    "2.3": "message_too_large",
    "3.1": "mailbox_full",
    "3.2": "server_unavailable",
    "3.4": "message_too_large",
    "4.1": "connection_failed",
    "4.2": "connection_failed",
    "4.3": "dns_failure",
    "4.4": "dns_failure",
    "4.5": "server_unavailable",
    "4.6": "server_unavailable",
    "4.7": "expired",
    "5.3": "rate_limited",
    "6.1": "content_rejected",
    "6.3": "content_rejected",
    "7.13": "address_inactive",
    "7.17": "address_inactive",
    "7.18": "domain_not_found",
    "7.20": "authentication_failed",
    "7.21": "authentication_failed",
    "7.22": "authentication_failed",
    "7.23": "authentication_failed",
    "7.24": "authentication_failed",
    "7.25": "ip_blocked",
    "7.26": "authentication_failed",
    "7.28": "rate_limited",
}
"""Subject and detail of an enhanced status code, whatever its class, to the reason. Codes that say little (x.0.0,
x.7.1) are missing on purpose: the text says more."""

STATUS_IN_TEXT = re.compile(r"(?<![\d.])[245]\.(\d{1,3}\.\d{1,3})(?![\d.]\d)", re.ASCII)

# `full` said of the mailbox, not of what follows it: no full name, no full report, not delivered in full.
_FULL = (
    r"(?<!\bin )\bfull\b(?![\s-]+(?:access|address|body|details?|explanation|headers?|history|information|list|log|"
    r"message|names?|path|reports?|stop|support|text|transcript|url)\b)"
    r"|\bover[ -]?quota\b|\bquota (?:is )?exceeded\b|"
    r"\bexceed(?:s|ed|ing)? (?:its |the |their |your |storage |mailbox |disk ){0,3}quota\b|\bout of storage\b"
)
FULL = re.compile(_FULL, re.IGNORECASE | re.ASCII)
"""What says that a mailbox is full; decides the failure class of a SendGrid bounce too."""

_TEXTS: tuple[tuple[str, str], ...] = (
    # SendGrid's drop reasons are the whole text.
    (r"\Abounced address\Z", "prior_bounce"),
    (r"\Aunsubscribed address\Z", "prior_unsubscribe"),
    (r"\Aspam reporting address\Z", "prior_spam_report"),
    (r"\Arecipient list over package quota\Z", "quota_exceeded"),
    (r"\Ainvalid smtpapi header\Z", "invalid_request"),
    (r"\Aspam content\Z", "content_rejected"),
    (r"\Ainvalid\Z", "address_malformed"),
    # What mail servers say.
    (_FULL, "mailbox_full"),
    (r"message (?:is |size )?(?:too (?:large|big)|exceeds)|size (?:limit )?exceed", "message_too_large"),
    (r"\bdmarc\b|\bdkim\b|\bspf\b|unauthenticated|not authenticated|authentication (?:failed|required)",
     "authentication_failed"),
    (r"rate ?-?limit|too many (?:messages|connections|emails|recipients)|throttl|sending too fast", "rate_limited"),
    (r"spamhaus|barracuda|spamcop|\brbl\b|\bdnsbl\b|block ?-?list|black ?-?list", "ip_blocked"),
    (r"\bip\b.{0,40}(?:blocked|reputation|rejected|denied)|client host .{0,60}blocked", "ip_blocked"),
    (r"domain .{0,60}(?:blocked|reputation)|sender (?:domain )?(?:blocked|rejected)", "domain_blocked"),
    (r"relay(?:ing)? (?:access )?(?:denied|not permitted|not allowed)|unable to relay", "relay_denied"),
    (r"spam|\bvirus\b|malware|phish|content (?:rejected|blocked|not accepted)|unsolicited", "content_rejected"),
    (r"(?:domain|host) (?:name )?(?:not found|does not exist|unknown)|unknown domain|\bnxdomain\b", "domain_not_found"),
    (r"disabled|inactive|deactivated|suspended|no longer (?:active|valid|available|in use|accepts?)",
     "address_inactive"),
    (r"(?:user|mailbox|recipient|address|account|inbox) .{0,60}(?:unknown|not found|does not exist|doesn't exist|"
     r"invalid|not exist|unavailable)", "address_not_found"),
    (r"(?:unknown|no such|invalid|nonexistent) (?:local )?(?:user|mailbox|recipient|address|account|person)",
     "address_not_found"),
    (r"user unknown|does not have an? .{0,30}account|not a valid (?:mailbox|recipient|address)", "address_not_found"),
    (r"\bdns\b|\bmx\b.{0,40}(?:not found|lookup|record)|name (?:service|resolution)", "dns_failure"),
    (r"timed? ?-?out|timeout", "timed_out"),
    (r"connection (?:refused|reset|failed|lost|closed|dropped)|could not connect|unable to connect",
     "connection_failed"),
    (r"expired|retry (?:time|limit)|72 hours|delivery time", "expired"),
    (r"service (?:temporarily )?unavailable|try (?:again )?later|temporar|server (?:busy|down|unavailable)",
     "server_unavailable"),
    (r"policy|prohibited|not allowed|access denied|rejected for|administrative", "policy_rejected"),
)  # fmt: skip
TEXT_RULES = tuple((re.compile(pattern, re.IGNORECASE | re.ASCII), reason) for pattern, reason in _TEXTS)
"""(pattern, reason); the patterns see at most failures.LONGEST_TEXT characters."""

LAST_RESORTS: tuple[tuple[str, Callable[[str, str], bool], str], ...] = (
    ("sendgrid", lambda code, status: code.endswith("/invalid address"), "address_not_found"),
    ("sendgrid", lambda code, status: code.endswith("/mailbox unavailable"), "address_inactive"),
    ("sendgrid", lambda code, status: code.endswith("/reputation"), "ip_blocked"),
    ("sendgrid", lambda code, status: code.endswith(("/technical", "/technical failure")), "server_unavailable"),
    ("*", lambda code, status: status.startswith("1."), "address_malformed"),
    ("*", lambda code, status: status.startswith("3."), "server_unavailable"),
    ("*", lambda code, status: status.startswith("4."), "connection_failed"),
    ("*", lambda code, status: status.startswith("5."), "invalid_request"),
    ("*", lambda code, status: status.startswith("6."), "content_rejected"),
    ("*", lambda code, status: status.startswith("7."), "policy_rejected"),
)
"""(provider, does it fit code and status, reason): general meanings, when nothing finer fits."""
