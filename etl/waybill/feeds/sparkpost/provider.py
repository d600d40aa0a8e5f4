"""SparkPost: failure codes. `provider_code` is the bounce class.

Source: bounce classification codes.
"""

from waybill.model.provider import Provider

PROVIDER = Provider(
    message_ids=None,
    codes={
        "10": "address_not_found",
        "21": "dns_failure",
        "22": "mailbox_full",
        "23": "message_too_large",
        "24": "timed_out",
        "25": "policy_rejected",
        "30": "address_not_found",
        "52": "content_rejected",
        "53": "content_rejected",
        "54": "relay_denied",
        "90": "prior_unsubscribe",
    },
    general_codes={
        "50": "ip_blocked",
        "51": "ip_blocked",
        "20": "server_unavailable",
        "40": "server_unavailable",
        "70": "server_unavailable",
    },
)
