"""Mailjet: message ids and failure codes. `provider_code` is the `error` of an event.

Source: Event API, with its list of errors (dev.mailjet.com/email/guides/webhooks).
"""

from waybill.model.provider import MessageIds, Provider

PROVIDER = Provider(
    message_ids=MessageIds(str.strip, leg_has_recipient=False),  # each recipient of a send call has a MessageID
    codes={
        "user unknown": "address_not_found",
        "mailbox inactive": "address_inactive",
        "quota exceeded": "mailbox_full",
        "blacklisted": "prior_unsubscribe",
        "spam reporter": "prior_spam_report",
        "invalid domain": "domain_not_found",
        "typofix": "domain_not_found",
        "content blocked": "content_rejected",
        "bad or empty template": "invalid_request",
        "error in template language": "invalid_request",
        "preblocked": "prior_bounce",
        "duplicate in campaign": "invalid_request",
    },
    general_codes={
        "no mail host": "connection_failed",
        "relay/access denied": "relay_denied",
        "greylisted": "server_unavailable",
        "sender blocked": "domain_blocked",
        "policy issue": "policy_rejected",
        "system issue": "server_unavailable",
        "protocol issue": "server_unavailable",
        "connection issue": "connection_failed",
    },
)
