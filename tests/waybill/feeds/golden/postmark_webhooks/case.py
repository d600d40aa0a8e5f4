"""The case of postmark_webhooks: a click."""

from tests.waybill.feeds.case import Case, array, lines

CASE = Case(
    record={
        "RecordType": "Click",
        "MessageID": "0f4c1d2e-1111-4222-8333-944444444401",
        "Recipient": "ana@inbox.example",
        "ReceivedAt": "2026-03-02T09:15:11.2735393Z",
    },
    word="RecordType",
    times=("ReceivedAt",),
    message_id="MessageID",
    recipient="Recipient",
    files=(lines, array(), array(indent=2)),
)

NAMED_WORDS = (
    "Delivery Open Click SpamComplaint SubscriptionChange SubscriptionChange/HardBounce"
    " SubscriptionChange/SpamComplaint SubscriptionChange/ManualSuppression Inbound HardBounce Transient Unsubscribe"
    " Subscribe AutoResponder AddressChange DnsError SpamNotification OpenRelayTest Unknown"
    " SoftBounce VirusNotification ChallengeVerification BadEmailAddress ManuallyDeactivated Unconfirmed Blocked"
    " SMTPApiError InboundError DMARCPolicy TemplateRenderingFailed"
)
NAMED_CODES = (
    "HardBounce SoftBounce Transient Unsubscribe DnsError SpamNotification VirusNotification BadEmailAddress"
    " SpamComplaint ManuallyDeactivated Unconfirmed Blocked SMTPApiError DMARCPolicy TemplateRenderingFailed"
)
CODES_THAT_SAY_NOTHING = (
    "Unknown AutoResponder AddressChange Subscribe OpenRelayTest ChallengeVerification InboundError"
)
