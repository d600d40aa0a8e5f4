"""Amazon SES: message ids and failure codes.

`provider_code` is `bounceType/bounceSubType` of a bounce; for other words `complaint/…` with the subtype or the type of
feedback, `reject/…` with the reason, `failure`, the type of a delay, or OptIn and OptOut of a subscription.

Source: contents of SES events (Amazon SES developer guide).
"""

from waybill.model.provider import MessageIds, Provider


def ses_message_id(written: str) -> str:
    """Return SES's id from `mail.messageId`, or from the Message-ID header, `<id@region.amazonses.com>`."""
    whole = written.strip().removeprefix("<").removesuffix(">").strip()
    local, at, host = whole.rpartition("@")
    return local if at and f".{host.lower()}".endswith(".amazonses.com") else whole


PROVIDER = Provider(
    message_ids=MessageIds(ses_message_id, leg_has_recipient=True),
    codes={
        "permanent/noemail": "address_not_found",
        "permanent/suppressed": "prior_bounce",
        "permanent/onaccountsuppressionlist": "prior_bounce",
        "permanent/unsubscribedrecipient": "prior_unsubscribe",
        "transient/mailboxfull": "mailbox_full",
        "transient/messagetoolarge": "message_too_large",
        "transient/contentrejected": "content_rejected",
        "transient/attachmentrejected": "content_rejected",
        "complaint/onaccountsuppressionlist": "prior_spam_report",
        "failure": "invalid_request",
    },
    general_codes={"reject/*": "content_rejected"},
)
