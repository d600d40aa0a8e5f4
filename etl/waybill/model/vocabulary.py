"""The words of Waybill: channels, event types, failure classes and reasons, Not Sent reasons.

Every word is defined once, here, with its meaning. Reports, tables and tests use these definitions.
"""

import re

ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""The form of an account: it is part of paths, keys and reports."""

NONE = "(none)"
"""What a report shows for a missing dimension."""

CHANNELS = ("email", "sms", "ivr")

EVENT_TYPES: dict[str, tuple[str, ...]] = {
    # the campaign system has the message and has not yet handed it over
    "queued": ("email", "sms", "ivr"),
    # passed to the sending module, about to be sent
    "scheduled": ("email", "sms", "ivr"),
    # the campaign system decided not to send, with a reason
    "suppressed": ("email", "sms", "ivr"),
    # given to a gateway, which has not answered yet
    "handed_over": ("email", "sms", "ivr"),
    # the gateway accepted it and will try to deliver
    "processed": ("email", "sms", "ivr"),
    # handed to the carrier, no receipt yet
    "sent": ("sms",),
    # refused for now; the gateway will try again
    "deferred": ("email",),
    # accepted by the recipient's mail server, or confirmed by carrier or handset
    "delivered": ("email", "sms"),
    # refused finally by the receiving side; has a failure_class
    "bounced": ("email",),
    # the gateway refused to send it; has a failure_class
    "dropped": ("email", "sms"),
    # receipt says not delivered, or sending failed; has a failure_class
    "undelivered": ("sms",),
    # tracking pixel loaded, or a read receipt
    "opened": ("email", "sms"),
    # a link in the message was followed
    "clicked": ("email",),
    # the recipient marked the message as spam
    "spam_reported": ("email",),
    # the recipient unsubscribed, or subscribed again; `scope` says from what
    "unsubscribed": ("email", "sms"),
    "resubscribed": ("email", "sms"),
    # the call is in progress
    "ringing": ("ivr",),
    "answered": ("ivr",),
    # the call was connected and ended
    "completed": ("ivr",),
    # nobody answered; line busy; could not be placed (has a failure_class)
    "no_answer": ("ivr",),
    "busy": ("ivr",),
    "failed": ("ivr",),
    # withdrawn before it was sent
    "canceled": ("sms", "ivr"),
    # a provider event without a mapping: stored, counted and reported, never dropped
    "unknown": ("email", "sms", "ivr"),
}
"""Event type to the channels it can occur on."""

FAILURE_EVENTS = ("bounced", "dropped", "undelivered", "failed")
"""Events that have a failure_class."""

ENGAGEMENT_EVENTS = ("opened", "clicked")
"""Events that a machine may have made instead of the recipient."""

CAMPAIGN_SYSTEM_EVENTS = ("queued", "scheduled", "suppressed")
"""Events before the hand-over. All others come from a gateway, and their message counts as sent."""

FAILURE_CLASSES = (
    "invalid",  # address or number malformed, or does not exist
    "hard_bounce",  # permanent, other than the address
    "soft_bounce",  # temporary: full, down, too large, expired
    "blocked",  # reputation, policy, content, carrier filter
    "gateway_suppressed",  # the gateway's own list: earlier bounce, unsubscribe, spam report, quota
    "unknown",
)

BOUNCE_CLASSES = ("invalid", "hard_bounce", "soft_bounce", "blocked")
"""Classes whose failure makes a message `bounced`; the others make it `not_delivered`."""

FAILURE_REASONS = (
    "address_malformed",
    "address_not_found",
    "domain_not_found",
    "address_inactive",
    "mailbox_full",
    "message_too_large",
    "server_unavailable",
    "connection_failed",
    "dns_failure",
    "timed_out",
    "rate_limited",
    "ip_blocked",
    "domain_blocked",
    "content_rejected",
    "authentication_failed",
    "policy_rejected",
    "relay_denied",
    "carrier_filtered",
    "recipient_blocked",
    "number_not_mobile",
    "handset_unreachable",
    "carrier_congested",
    "expired",
    "account_suspended",
    "price_limit",
    "region_not_permitted",
    "prior_bounce",
    "prior_unsubscribe",
    "prior_spam_report",
    "quota_exceeded",
    "invalid_request",
    "unclassified",
)

NOT_SENT_REASONS: dict[str, tuple[str, ...]] = {
    "internally_suppressed": (
        "unsubscribed",
        "ndnc",
        "out_of_credit",
        "frequency_capped",
        "organisation_disabled",
        "configuration_issue",
        "repeatedly_bounced",
    ),
    "incomplete_or_invalid": (
        "email_missing",
        "mobile_missing",
        "mobile_invalid",
        "not_in_loyalty_program",
        "coupon_configuration_issue",
        "coupon_expired",
        "coupon_id_missing",
        "coupon_date_invalid",
        "coupon_redeemed",
        "data_missing",
        "gateway_configuration_issue",
    ),
    "system_error": (
        "system_timeout",
        "handler_not_found",
        "coupon_issue_error",
        "referral_service_error",
        "subscription_service_error",
    ),
    "other": ("unclassified",),
}
"""Not Sent category to its reasons; an unknown reason counts as other/unclassified."""

NOT_SENT_CATEGORY: dict[str, str] = {
    reason: category for category, reasons in NOT_SENT_REASONS.items() for reason in reasons
}

SOURCES = ("dispatch_log", "custom_argument", "provider", "category")
"""Sources of a campaign or template, best first (the first character of a leg's choice is this rank, from 1)."""

DISPATCH = "dispatch"
"""The provider of events of the campaign system's own log."""

STATES = ("delivered", "bounced", "not_delivered", "in_gateway", "not_sent", "in_progress")
"""States of a message (docs/model.md)."""
