"""Resend: message ids and failure codes.

`provider_code` is `type/subType` of a bounce, `suppressed/…` with the type of a suppression, or `failed`.

Sources: event types of webhooks (resend.com/docs/webhooks/event-types), Resend's OpenAPI description 1.5.
"""

from waybill.model.provider import MessageIds, Provider

PROVIDER = Provider(
    message_ids=MessageIds(str.strip, leg_has_recipient=True),
    codes={
        "permanent/noemail": "address_not_found",
        "permanent/suppressed": "prior_bounce",
        "permanent/onaccountsuppressionlist": "prior_bounce",
        "transient/mailboxfull": "mailbox_full",
        "transient/messagetoolarge": "message_too_large",
        "transient/contentrejected": "content_rejected",
        "transient/attachmentrejected": "content_rejected",
        "suppressed/*": "prior_bounce",
    },
    words=(("quota_exceeded", "reached_daily_quota", "reached|exceeded daily|monthly|sending quota"),),
)
