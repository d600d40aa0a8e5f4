"""Postmark: message ids and failure codes. `provider_code` is the type of a bounce.

Source: Bounce API (postmarkapp.com/developer/api/bounce-api), with its types of bounces.
"""

from waybill.model.provider import MessageIds, Provider

NO_MESSAGE = "00000000-0000-0000-0000-000000000000"


def postmark_message_id(written: str) -> str:
    """Return the id in lower case, as Postmark writes it; empty for the id of zeros, which names no message."""
    message_id = written.strip().lower()
    return "" if message_id == NO_MESSAGE else message_id


PROVIDER = Provider(
    message_ids=MessageIds(postmark_message_id, leg_has_recipient=True),
    codes={
        "bademailaddress": "address_malformed",
        "blocked": "ip_blocked",
        "dmarcpolicy": "authentication_failed",
        "dnserror": "dns_failure",
        "smtpapierror": "invalid_request",
        "spamcomplaint": "prior_spam_report",
        "spamnotification": "content_rejected",
        "templaterenderingfailed": "invalid_request",
        "unsubscribe": "prior_unsubscribe",
        "virusnotification": "content_rejected",
    },
    general_codes={
        "hardbounce": "address_not_found",
        "softbounce": "server_unavailable",
        "transient": "server_unavailable",
        "manuallydeactivated": "prior_bounce",
        "unconfirmed": "policy_rejected",
    },
)
