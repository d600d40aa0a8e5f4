"""Twilio: message ids, access and failure codes. `provider_code` is the error code.

Source: error dictionary (twilio.com/docs/api/errors).
"""

from waybill.model.provider import MessageIds, Provider
from waybill.model.wire import Auth, Wire

_CODES_OF_REASON = {
    "account_suspended": "30002 20005",
    "address_malformed": "21211 21217 30014 63024 13223 13224 13226",
    "address_not_found": "30005 63003",
    "authentication_failed": "20003",
    "carrier_congested": "30001 30017 21611",
    "carrier_filtered": "30007 30032 30033 30034",
    "expired": "30036 30012",
    "handset_unreachable": "30003 21214 32009",
    "invalid_request": "30011 30013 30015 30016 21606 21612 63016 13214 20404",
    "message_too_large": "30019 21617",
    "number_not_mobile": "21614 30006 21635",
    "policy_rejected": "30018 30024 30035 30450 21608",
    "price_limit": "30010",
    "prior_unsubscribe": "21610",
    "rate_limited": "30022 30023 30025 30026 30027 20429",
    "recipient_blocked": "30004 13225 21216",
    "region_not_permitted": "21408 13227 21215",
    "server_unavailable": "30020 30021 20500 20503",
    "timed_out": "30410",
}

PROVIDER = Provider(
    message_ids=MessageIds(str.strip, leg_has_recipient=False),
    codes={code: reason for reason, codes in _CODES_OF_REASON.items() for code in codes.split()},
    credentials=("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    base_url="https://api.twilio.com",
    wire=Wire(Auth("basic", user_setting="TWILIO_API_KEY")),
)
