"""Mailgun: failure codes. `provider_code` is `reason/code`: the event's reason and the code of its delivery status.

Source: events manual.
"""

from waybill.model.provider import Provider

PROVIDER = Provider(
    message_ids=None,
    codes={
        "suppress-bounce/*": "prior_bounce",
        "suppress-unsubscribe/*": "prior_unsubscribe",
        "suppress-complaint/*": "prior_spam_report",
        "old/*": "expired",
        "*/605": "prior_bounce",
        "*/607": "prior_spam_report",
        "*/498": "dns_failure",
        "*/499": "timed_out",
        "*/680": "connection_failed",
    },
    general_codes={
        "espblock/*": "ip_blocked",
        "blacklisted/*": "ip_blocked",
        "greylisted/*": "server_unavailable",
        "hardfail/*": "address_not_found",
    },
)
