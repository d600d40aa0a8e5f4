"""The case of resend_webhooks: a click."""

from tests.waybill.feeds.case import Case, array, lines

CASE = Case(
    record={
        "type": "email.clicked",
        "created_at": "2026-03-02T09:15:11.126Z",
        "data": {"email_id": "56761188-7520-42d8-8898-ff6fc54ce618", "to": ["ana@inbox.example"]},
    },
    word="type",
    times=("created_at",),
    message_id="data.email_id",
    recipient="data.to.0",
    files=(lines, array(), array(indent=2)),
)

NAMED_WORDS = (
    "email.sent email.scheduled email.delivered email.delivery_delayed email.complained email.bounced email.opened"
    " email.clicked email.failed email.suppressed email.received contact.created contact.updated contact.deleted"
    " domain.created domain.updated domain.deleted"
)
NAMED_CODES = (
    "Permanent/NoEmail Permanent/Suppressed Permanent/OnAccountSuppressionList Transient/MailboxFull"
    " Transient/MessageTooLarge Transient/ContentRejected Transient/AttachmentRejected"
    " suppressed/OnAccountSuppressionList"
)
CODES_THAT_SAY_NOTHING = "Permanent/General Transient/General Undetermined/Undetermined failed"
