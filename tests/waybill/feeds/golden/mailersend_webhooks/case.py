"""The case of mailersend_webhooks: a click."""

from collections.abc import Sequence

from tests.waybill.feeds.case import Case, Record, array, lines


def bare(records: Sequence[Record]) -> bytes:
    """Return the activities without the posts around them."""
    return lines([record["data"] for record in records])


CASE = Case(
    record={
        "type": "activity.clicked",
        "data": {
            "type": "clicked",
            "created_at": "2026-03-02T09:15:11.000000Z",
            "email": {
                "message": {"id": "62fb66bef54a112e920b5493"},
                "recipient": {"email": "ana@inbox.example"},
            },
        },
    },
    word="data.type",
    times=("data.created_at",),
    message_id="data.email.message.id",
    recipient="data.email.recipient.email",
    files=(lines, array(), array(indent=2), bare),
)

NAMED_WORDS = (
    "queued sent deferred delivered soft_bounced hard_bounced opened opened_unique clicked clicked_unique unsubscribed"
    " spam_complaint spam_complaints survey_opened survey_submitted sender_identity.verified maintenance.start"
    " maintenance.end inbound.message inbound_forward.failed email_single.verified email_list.verified"
    " bulk_email.completed recipient.on_hold_added recipient.on_hold_removed"
)
