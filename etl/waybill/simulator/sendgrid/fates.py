"""The fates of an email at SendGrid, as data. Failure classes and reasons are written by hand from docs/model.md."""

from typing import NamedTuple

from waybill.simulator.message import Fate


class Failure(NamedTuple):
    """A bounce as SendGrid writes it, with the expected class and reason; `{email}` is replaced by the recipient."""

    failure_class: str
    failure_reason: str
    fields: dict[str, str]


class Step(NamedTuple):
    """One event: SendGrid's word, seconds after the step before, and a detail (read in `sendgrid.py`)."""

    word: str
    least_seconds: float
    most_seconds: float
    detail: str = ""


BOUNCES: dict[str, Failure] = {
    "invalid_address": Failure(
        "invalid",
        "address_not_found",
        {
            "type": "bounce",
            "bounce_classification": "Invalid Address",
            "status": "5.1.1",
            "reason": "550 5.1.1 <{email}>: user unknown",
        },
    ),
    "invalid_by_classification": Failure(
        "invalid",
        "address_not_found",
        {
            "type": "bounce",
            "bounce_classification": "Invalid Address",
            "status": "5.0.0",
            "reason": "550 No such recipient here",
        },
    ),
    "invalid_by_status": Failure(
        "invalid",
        "domain_not_found",
        {"type": "bounce", "status": "5.1.2", "reason": "550 5.1.2 bad destination system"},
    ),
    "content_despite_status": Failure(
        "blocked",
        "content_rejected",
        {
            "type": "bounce",
            "bounce_classification": "Content",
            "status": "5.1.10",
            "reason": "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
        },
    ),
    "mailbox_full": Failure(
        "soft_bounce",
        "mailbox_full",
        {
            "type": "bounce",
            "bounce_classification": "Mailbox Unavailable",
            "status": "5.2.2",
            "reason": "552 5.2.2 The mailbox of {email} is full",
        },
    ),
    "over_quota": Failure("soft_bounce", "mailbox_full", {"type": "bounce", "reason": "552 the account is over quota"}),
    "temporary_reputation": Failure(
        "soft_bounce",
        "connection_failed",
        {
            "type": "bounce",
            "bounce_classification": "Reputation",
            "status": "4.4.2",
            "reason": "421 4.4.2 connection dropped",
        },
    ),
    "technical": Failure(
        "soft_bounce",
        "dns_failure",
        {
            "type": "bounce",
            "bounce_classification": "Technical",
            "status": "5.4.4",
            "reason": "unable to get mx info: failed to resolve the name",
        },
    ),
    "technical_failure": Failure(
        "soft_bounce",
        "server_unavailable",
        {
            "type": "bounce",
            "bounce_classification": "Technical Failure",
            "status": "5.3.0",
            "reason": "554 5.3.0 local error in processing",
        },
    ),
    "content": Failure(
        "blocked",
        "content_rejected",
        {
            "type": "bounce",
            "bounce_classification": "Content",
            "status": "5.7.1",
            "reason": "554 5.7.1 message content rejected",
        },
    ),
    "reputation": Failure(
        "blocked",
        "authentication_failed",
        {
            "type": "bounce",
            "bounce_classification": "Reputation",
            "status": "5.7.26",
            "reason": "550 5.7.26 unauthenticated mail is not accepted",
        },
    ),
    "frequency": Failure(
        "blocked",
        "rate_limited",
        {
            "type": "bounce",
            "bounce_classification": "Frequency or Volume Too High",
            "status": "5.7.0",
            "reason": "550 5.7.0 too many messages from your network",
        },
    ),
    "blocked": Failure(
        "blocked",
        "ip_blocked",
        {
            "type": "blocked",
            "bounce_classification": "Reputation",
            "status": "5.7.1",
            "reason": "550 5.7.1 [198.51.100.24] is on our block list",
        },
    ),
    "domain_listed": Failure(
        "blocked",
        "domain_blocked",
        {
            "type": "blocked",
            "bounce_classification": "Reputation",
            "status": "5.7.1",
            "reason": "550 5.7.1 the sender domain is blocked here",
        },
    ),
    "blocked_despite_status": Failure(
        "blocked", "address_not_found", {"type": "blocked", "status": "5.1.1", "reason": "550 5.1.1 rejected by policy"}
    ),
    "expired": Failure(
        "soft_bounce",
        "expired",
        {"type": "expired", "status": "5.4.7", "reason": "delivery attempts ended after 72 hours"},
    ),
    "mailbox_unavailable": Failure(
        "hard_bounce",
        "address_inactive",
        {
            "type": "bounce",
            "bounce_classification": "Mailbox Unavailable",
            "status": "5.2.1",
            "reason": "550 5.2.1 this mailbox is disabled",
        },
    ),
    "unclassified": Failure(
        "hard_bounce",
        "unclassified",
        {
            "type": "bounce",
            "bounce_classification": "Unclassified",
            "status": "5.0.0",
            "reason": "554 transaction failed",
        },
    ),
    "no_type": Failure("hard_bounce", "invalid_request", {"status": "5.5.0", "reason": "554 5.5.0 protocol error"}),
    "bare": Failure("hard_bounce", "unclassified", {"type": "bounce", "reason": "554 refused"}),
}

DROPS: dict[str, tuple[str, str]] = {
    "Invalid": ("invalid", "address_malformed"),
    "Bounced Address": ("gateway_suppressed", "prior_bounce"),
    "Unsubscribed Address": ("gateway_suppressed", "prior_unsubscribe"),
    "Spam Reporting Address": ("gateway_suppressed", "prior_spam_report"),
    "Spam Content": ("gateway_suppressed", "content_rejected"),
    "Invalid SMTPAPI header": ("gateway_suppressed", "invalid_request"),
    "Recipient List over Package Quota": ("gateway_suppressed", "quota_exceeded"),
}
"""Reason of a drop, as SendGrid writes it, to the expected class and reason."""

MINUTE, HOUR, DAY = 60, 3600, 86_400

PROCESSED = Step("processed", 0, 2)
DELIVERED = Step("delivered", 1, 25)
DEFERRED = Step("deferred", 1, 15)
DELIVERED_LATER = Step("delivered", 5 * MINUTE, 3 * HOUR)
MACHINE_OPEN = Step("open", 4, 3 * MINUTE, "machine")
OPEN = Step("open", 2 * MINUTE, 9 * HOUR)
OPEN_NEXT_DAYS = Step("open", 1.2 * DAY, 3.5 * DAY)
CLICK = Step("click", 5, 4 * MINUTE)
ACCEPTED = (PROCESSED, DELIVERED)


def _bounce(kind: str) -> Step:
    return Step("bounce", 1, 40, kind)


JOURNEYS: dict[str, tuple[float, tuple[Step, ...]]] = {
    "processed_only": (1.5, (PROCESSED,)),
    "deferred_still": (1.5, (PROCESSED, DEFERRED, Step("deferred", 300, 900))),
    "delivered": (26, ACCEPTED),
    "delivered_after_deferral": (4, (PROCESSED, DEFERRED, DELIVERED_LATER)),
    "delivered_first_word": (0.5, (DELIVERED,)),
    "opened_by_machine": (8, (*ACCEPTED, MACHINE_OPEN)),
    "opened_by_person": (12, (*ACCEPTED, OPEN)),
    "opened_by_both": (7, (*ACCEPTED, MACHINE_OPEN, OPEN)),
    "opened_often": (4, (*ACCEPTED, OPEN, OPEN, OPEN_NEXT_DAYS)),
    "opened_late": (4, (*ACCEPTED, OPEN_NEXT_DAYS)),
    "opened_with_flag_false": (1, (*ACCEPTED, Step("open", 60, HOUR, "flag_false"))),
    "open_flagged_in_one_sighting": (2, (*ACCEPTED, Step("open", 5, HOUR, "flagged_once"))),
    "clicked": (8, (*ACCEPTED, OPEN, CLICK)),
    "clicked_twice": (3, (*ACCEPTED, OPEN, CLICK, CLICK)),
    "clicked_without_open": (2, (*ACCEPTED, Step("click", MINUTE, DAY))),
    "clicked_late": (1.5, (*ACCEPTED, OPEN, Step("click", DAY, 3 * DAY))),
    "spam_reported": (0.8, (*ACCEPTED, Step("spamreport", HOUR, DAY))),
    "unsubscribed": (1.2, (*ACCEPTED, OPEN, Step("unsubscribe", 10, 90))),
    "unsubscribed_unseen": (0.6, (PROCESSED, Step("unsubscribe", HOUR, DAY))),
    "group_unsubscribed": (1, (*ACCEPTED, Step("group_unsubscribe", MINUTE, DAY))),
    "resubscribed": (
        0.5,
        (*ACCEPTED, OPEN, Step("group_unsubscribe", 5, 60), Step("group_resubscribe", MINUTE, DAY)),
    ),
    **{f"bounced:{kind}": (0.18, (PROCESSED, _bounce(kind))) for kind in BOUNCES},
    "blocked_after_deferral": (0.6, (PROCESSED, DEFERRED, Step("bounce", HOUR, DAY, "blocked"))),
    "expired_after_deferral": (0.6, (PROCESSED, DEFERRED, Step("bounce", 1.5 * DAY, 3 * DAY, "expired"))),
    **{f"dropped:{reason}": (0.15, (Step("dropped", 0, 3, reason),)) for reason in DROPS},
    "dropped_after_processed": (0.4, (PROCESSED, Step("dropped", 1, 9, "Spam Content"))),
    "delivered_then_bounced": (0.8, (*ACCEPTED, Step("bounce", MINUTE, 8 * HOUR, "mailbox_unavailable"))),
    "delivered_then_blocked": (0.4, (*ACCEPTED, Step("bounce", MINUTE, 8 * HOUR, "content"))),
    "bounced_then_delivered": (0.4, (PROCESSED, _bounce("temporary_reputation"), DELIVERED_LATER)),
    "opened_after_bounce": (0.6, (PROCESSED, _bounce("reputation"), OPEN)),
    "asynchronous_bounce": (1.0, (*ACCEPTED, Step("bounce", MINUTE, 9 * HOUR, "asynchronous"))),
    "asynchronous_bounce_by_smtp_id": (
        0.5,
        (*ACCEPTED, Step("bounce", MINUTE, 9 * HOUR, "asynchronous_with_smtp_id")),
    ),
    # the sender's own program gives the Message-ID, and a delayed bounce has no other id
    "asynchronous_bounce_by_own_id": (0.5, (*ACCEPTED, Step("bounce", MINUTE, 9 * HOUR, "asynchronous_with_own_id"))),
    "unknown_word": (0.3, (*ACCEPTED, Step("teleported", MINUTE, HOUR))),
}
"""Fate to its weight and its events. `{kind}` after a colon is a key of BOUNCES or of DROPS."""

SECOND_JOURNEYS: dict[str, tuple[Step, ...]] = {
    # the first gateway message fails, the same email is handed over again and gets a second one
    "retried_and_delivered": (Step("processed", 2, 9), DELIVERED, OPEN),
    "retried_in_vain": (Step("processed", 2, 9), _bounce("content")),
    "retried_and_silent": (Step("processed", 2, 9),),
}

PLURAL_FATES: dict[str, tuple[float, tuple[Step, ...]]] = {
    "retried_and_delivered": (1.2, (PROCESSED, _bounce("blocked"))),
    "retried_in_vain": (0.6, (PROCESSED, DEFERRED, _bounce("reputation"))),
    "retried_and_silent": (0.4, (PROCESSED, _bounce("technical"))),
    # handed over again to a gateway without a feed
    "retried_through_unknown_gateway": (0.5, (PROCESSED, _bounce("blocked"))),
    # then a text message with the same dispatch id is sent: another message
    "followed_by_text_message": (0.6, (PROCESSED, _bounce("invalid_address"))),
    # several recipients share one dispatch id: one message for each
    "sent_in_batch": (1.5, (*ACCEPTED, OPEN)),
    # a blind copy goes to an archive, with the custom arguments of the message
    "bounced_with_copy": (0.7, (PROCESSED, _bounce("invalid_address"))),
    "delivered_with_copy": (0.7, ACCEPTED),
}

BATCH = "sent_in_batch"
WITH_COPY = ("bounced_with_copy", "delivered_with_copy")
COPY_JOURNEY = (PROCESSED, DELIVERED, OPEN, CLICK)
"""The events of a copy; only some of them have the custom argument with the dispatch id."""

UNKNOWN_GATEWAY_ONLY = "handed_over_to_unknown_gateway"

FATES: dict[str, Fate] = {
    **{name: Fate(weight) for name, (weight, _) in JOURNEYS.items()},
    **{name: Fate(weight, is_linked=True) for name, (weight, _) in PLURAL_FATES.items()},
    UNKNOWN_GATEWAY_ONLY: Fate(0.5, needs_log=True),
}
