"""Derives from the merged columns of an event its type, its failure class and the dimensions of its recipient.

The tables of docs/model.md, written a second time.
"""

import re

import phonenumbers
from publicsuffixlist import PublicSuffixList

from tests.reference.sighting import Sighting
from waybill.feeds.failures import failure_reason
from waybill.model.machine_rules import machine_rule
from waybill.model.vocabulary import NOT_SENT_CATEGORY
from waybill.simulator.truth.reports import Happening

EVENT_TYPES = {
    "sendgrid_events": {
        "processed": "processed",
        "deferred": "deferred",
        "delivered": "delivered",
        "bounce": "bounced",
        "dropped": "dropped",
        "cancel_drop": "dropped",
        "open": "opened",
        "click": "clicked",
        "spamreport": "spam_reported",
        "unsubscribe": "unsubscribed",
        "group_unsubscribe": "unsubscribed",
        "group_resubscribe": "resubscribed",
    },
    "twilio_messages": {
        "processed": "processed",
        "sent": "sent",
        "delivered": "delivered",
        "partially_delivered": "delivered",
        "undelivered": "undelivered",
        "failed": "undelivered",
        "canceled": "canceled",
        "read": "opened",
    },
    "twilio_calls": {
        "processed": "processed",
        "ringing": "ringing",
        "in-progress": "answered",
        "completed": "completed",
        "busy": "busy",
        "no-answer": "no_answer",
        "failed": "failed",
        "canceled": "canceled",
    },
    "dispatch_log": {
        "queued": "queued",
        "about_to_be_sent": "scheduled",
        "handed_over": "handed_over",
        "not_sent": "suppressed",
    },
}

TWILIO_CLASSES = {
    "invalid": "21211 21214 21217 21614 30005 30006 30014 63003 63024",
    "soft_bounce": "30003 30001 30008 30017 30022 30023 30027 30036 30012 30410 21611",
    "blocked": "30004 30007 30032 30033 30034 30450 21408",
    "gateway_suppressed": "21610 30002 30010",
}
TWILIO_CLASS_OF = {code: name for name, codes in TWILIO_CLASSES.items() for code in codes.split()}
REASONS_OF_BOUNCE_CLASS = {
    "invalid": {"address_malformed", "address_not_found", "domain_not_found"},
    "soft_bounce": {
        *("mailbox_full", "message_too_large", "server_unavailable", "connection_failed", "dns_failure", "timed_out"),
        *("rate_limited", "expired"),
    },
    "blocked": {
        *("ip_blocked", "domain_blocked", "content_rejected", "authentication_failed", "policy_rejected"),
        *("account_suspended", "recipient_blocked"),
    },
}

PUBLIC_SUFFIXES = PublicSuffixList()
MAILBOX_DOMAINS = {
    "gmail.com": "gmail",
    "googlemail.com": "gmail",
    "ymail.com": "yahoo",
    "aol.com": "yahoo",
    "msn.com": "microsoft",
    "icloud.com": "apple",
    "me.com": "apple",
    "mac.com": "apple",
}
MAILBOX_NAMES = {"yahoo": "yahoo", "outlook": "microsoft", "hotmail": "microsoft", "live": "microsoft"}


def event_type(event: Sighting) -> str:
    if event.feed == "twilio_messages" and event.word in ("failed", "undelivered") and event.code == "21610":
        return "dropped"
    return EVENT_TYPES[event.feed].get(event.word, "unknown")


def failure_class(event: Sighting) -> str | None:
    """Return the class of a failure event; None for any other event."""
    kind = event_type(event)
    if kind == "bounced":
        return sendgrid_bounce_class(event)
    if event.feed == "sendgrid_events" and kind == "dropped":
        return "invalid" if (event.reason or "").strip() == "Invalid" else "gateway_suppressed"
    if kind in ("undelivered", "dropped"):
        return TWILIO_CLASS_OF.get(event.code, "unknown")
    return "unknown" if kind == "failed" else None


def sendgrid_bounce_class(event: Sighting) -> str:
    """Return the class of the first row that fits."""
    bounce_type, _, classification = (event.code or "").partition("/")
    status = event.status_code or ""
    if bounce_type == "blocked":
        return "blocked"
    if bounce_type == "expired":
        return "soft_bounce"
    if re.fullmatch(r"4\.\d+\.\d+", status) or classification in ("Technical", "Technical Failure"):
        return "soft_bounce"
    if classification == "Invalid Address":
        return "invalid"
    if classification in ("Content", "Reputation", "Frequency or Volume Too High"):
        return "blocked"
    reason = failure_reason(event.provider, event.code, event.status_code, event.reason)
    for failure_class, reasons in REASONS_OF_BOUNCE_CLASS.items():
        if reason in reasons:
            return failure_class
    return "hard_bounce"


def mailbox_provider(address: str) -> str:
    """Return the mailbox provider of a whole domain; mail.yahoo.com is another domain."""
    domain = address.rpartition("@")[2]
    name, _, rest = domain.partition(".")
    if name in MAILBOX_NAMES and rest and PUBLIC_SUFFIXES.publicsuffix(domain) == rest:
        return MAILBOX_NAMES[name]
    return MAILBOX_DOMAINS.get(domain, "other")


def country(number: str) -> str | None:
    """Return the country (ISO alpha-2) of a number; None if it has none."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return region if region and region.isalpha() else None


def named_leg(event: Sighting) -> tuple[str, ...] | None:
    """Return the gateway leg that a row of the dispatch log names; None if a part of it is missing."""
    if event.provider != "dispatch" or not event.names_message:
        return None
    if event.gateway == "sendgrid" and event.recipient:
        return "sendgrid", event.names_message, event.recipient[0].hex()
    if event.gateway == "twilio":
        return "twilio", event.names_message
    return None


def happening(event: Sighting) -> Happening:
    """Return a merged event with its derived columns."""
    kind = event_type(event)
    address = event.recipient[1] if event.recipient else None
    is_email = event.channel == "email"
    reason = event.not_sent_reason or "unclassified"
    category = NOT_SENT_CATEGORY.get(reason, "other") if kind == "suppressed" else None
    return Happening(
        key=event.key,
        at=event.at,
        account=event.account,
        channel=event.channel,
        provider=event.provider,
        event_type=kind,
        leg=event.leg,
        leg_key=event.leg_key,
        own_leg_key=event.own_leg_key,
        recipient=event.recipient[0].hex() if event.recipient else None,
        names_leg=named_leg(event),
        gateway=event.gateway,
        dispatch_id=event.dispatch_id,
        campaign=event.campaign,
        template=event.template,
        mailbox_provider=mailbox_provider(address) if address and is_email else None,
        country=country(address) if address and not is_email else None,
        failure_class=failure_class(event),
        # The tables of reasons and of machines are shared with the product, like the vocabulary. Only their input is
        # computed a second time.
        failure_reason=failure_reason(event.provider, event.code, event.status_code, event.reason)
        if failure_class(event)
        else None,
        provider_code=event.code,
        not_sent_category=category,
        not_sent_reason=event.not_sent_reason,
        url=event.url if kind == "clicked" else None,
        is_machine=event.is_machine,
        machine_rule=machine_rule(event.user_agent) if kind in ("opened", "clicked") else None,
        price=event.price,
        currency=event.currency,
        segments=event.segments,
        duration_seconds=event.duration_seconds,
        answered_by=event.answered_by,
    )
