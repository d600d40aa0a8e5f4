"""SparkPost: message ids and failure codes. `provider_code` is the bounce class, or the word `generation_failure`.

Source: bounce classification codes; webhook events (developers.sparkpost.com/api/webhooks).
"""

from waybill.model.provider import MessageIds, Provider
from waybill.model.wire import Wire, header_token

PROVIDER = Provider(
    # The id of a transmission: SparkPost's answer to the sender contains it, and no id of the single messages.
    message_ids=MessageIds(str.strip, leg_has_recipient=True),
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
        "generation_failure": "invalid_request",
    },
    general_codes={
        "50": "ip_blocked",
        "51": "ip_blocked",
        "20": "server_unavailable",
        "40": "server_unavailable",
        "70": "server_unavailable",
    },
    credentials=("SPARKPOST_API_KEY",),
    base_url="https://api.sparkpost.com",
    wire=Wire(header_token("Authorization")),
)
