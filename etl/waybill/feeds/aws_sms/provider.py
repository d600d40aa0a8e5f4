"""AWS End User Messaging (SMS, voice): message ids and failure codes.

`provider_code` is the event type, with or without the leading `TEXT_`, `MEDIA_`, `RCS_` or `VOICE_`.

Source: event types (docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html).
"""

from waybill.model.provider import MessageIds, Provider

PROVIDER = Provider(
    message_ids=MessageIds(str.strip, leg_has_recipient=False),
    codes={
        "*carrier_blocked": "carrier_filtered",
        "*protect_blocked": "region_not_permitted",
        "*blocked": "recipient_blocked",
        "*carrier_unreachable": "carrier_congested",
        "*unreachable": "handset_unreachable",
        "*invalid_message": "invalid_request",
        "*invalid": "address_malformed",
        "*spam": "content_rejected",
        "*ttl_expired": "expired",
        "*file_size_exceeded": "message_too_large",
        "*file_inaccessible": "invalid_request",
        "*file_type_unsupported": "invalid_request",
    },
)
