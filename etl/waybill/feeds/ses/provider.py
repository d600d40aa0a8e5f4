"""Amazon SES: failure codes. `provider_code` is `bounceType/bounceSubType`.

Source: contents of SES events.
"""

from waybill.model.provider import Provider

PROVIDER = Provider(
    message_ids=None,
    codes={
        "permanent/noemail": "address_not_found",
        "permanent/suppressed": "prior_bounce",
        "permanent/onaccountsuppressionlist": "prior_bounce",
        "permanent/unsubscribedrecipient": "prior_unsubscribe",
        "transient/mailboxfull": "mailbox_full",
        "transient/messagetoolarge": "message_too_large",
        "transient/contentrejected": "content_rejected",
        "transient/attachmentrejected": "content_rejected",
    },
    general_codes={"reject/*": "content_rejected"},
)
