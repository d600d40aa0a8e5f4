"""Postmark: failure codes. `provider_code` is the type of a bounce.

Source: Bounce API.
"""

from waybill.model.provider import Provider

PROVIDER = Provider(
    message_ids=None,
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
