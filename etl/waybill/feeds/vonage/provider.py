"""Vonage (Nexmo): message ids and failure codes.

`provider_code` is `err-code` of a delivery receipt (up to 99), or the number of an error of the Messages API (1000 and
more). A failed call has no code: its `detail` is a text.

Sources: delivery receipts (developer.vonage.com/en/messaging/sms/guides/delivery-receipts), errors of the Messages API
(developer.vonage.com/en/api-errors/messages), webhooks of the Voice API. Not compared with a real account: the errors
of the Messages API are the least certain.
"""

from waybill.model.provider import MessageIds, Provider

_CODES_OF_REASON = {
    "address_inactive": "3 1190",
    "address_malformed": "9 1170 1240",
    "carrier_filtered": "6 14 50 51 53 1210 1280",
    "content_rejected": "10 52",
    "handset_unreachable": "2 7 12 1180 1260",
    "policy_rejected": "13 54 1270",
    "quota_exceeded": "16 1070",
    "rate_limited": "1000",
    "recipient_blocked": "4 1050",
    "server_unavailable": "8",
}

PROVIDER = Provider(
    message_ids=MessageIds(str.strip, leg_has_recipient=False),
    codes={code: reason for reason, codes in _CODES_OF_REASON.items() for code in codes.split()},
    words=(("address_not_found", "number_out_of_service", "number out of service"),),
)
