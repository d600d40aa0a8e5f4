"""Mandrill (Mailchimp Transactional): message ids and failure codes.

`provider_code` is the description of a bounce, or `reject/…` with the reason of a rejection.

Sources: webhook format (mailchimp.com/developer/transactional/docs/webhooks); reasons of rejections in the answer of
messages/send (Mailchimp's OpenAPI description of the API 1.4).
"""

from waybill.model.provider import MessageIds, Provider

PROVIDER = Provider(
    message_ids=MessageIds(str.strip, leg_has_recipient=False),  # each recipient of a send call has an _id
    codes={
        "bad_mailbox": "address_not_found",
        "invalid_domain": "domain_not_found",
        "mailbox_full": "mailbox_full",
        "reject/hard-bounce": "prior_bounce",
        "reject/soft-bounce": "prior_bounce",
        "reject/spam": "prior_spam_report",
        "reject/unsub": "prior_unsubscribe",
        "reject/invalid": "address_malformed",
        "reject/invalid-sender": "invalid_request",
        "reject/test-mode-limit": "quota_exceeded",
        "reject/unsigned": "authentication_failed",
        "reject/rule": "policy_rejected",
    },
)
