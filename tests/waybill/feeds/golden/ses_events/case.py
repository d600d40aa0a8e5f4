"""The case of ses_events: a click."""

import json
from collections.abc import Sequence

from tests.waybill.feeds.case import Case, Record, array, lines


def firehose(records: Sequence[Record]) -> bytes:
    """Return an object of Firehose, which puts no line breaks between records."""
    return b"".join(json.dumps(record).encode() for record in records)


def sns(records: Sequence[Record]) -> bytes:
    """Return bodies as SNS posts them."""
    return lines([{"Type": "Notification", "MessageId": "n", "Message": json.dumps(record)} for record in records])


def event_bridge(records: Sequence[Record]) -> bytes:
    return lines([{"version": "0", "source": "aws.ses", "detail": record} for record in records])


CASE = Case(
    record={
        "eventType": "Click",
        "mail": {
            "timestamp": "2026-03-02T09:14:40Z",
            "messageId": "0102018f-1",
            "destination": ["ana@inbox.example"],
        },
        "click": {"timestamp": "2026-03-02T09:15:11Z", "link": "https://acme.example/offer"},
    },
    word="eventType",
    times=("click.timestamp",),
    message_id="mail.messageId",
    recipient="mail.destination.0",
    files=(lines, array(), array(indent=2), firehose, sns, event_bridge),
)

NAMED_WORDS = (
    *("Bounce", "Complaint", "Delivery", "Send", "Reject", "Open", "Click", "DeliveryDelay", "Subscription"),
    "Rendering Failure",
)
NAMED_CODES = (
    "Permanent/NoEmail Permanent/Suppressed Permanent/OnAccountSuppressionList Permanent/UnsubscribedRecipient"
    " Transient/MailboxFull Transient/MessageTooLarge Transient/ContentRejected Transient/AttachmentRejected reject/"
    " complaint/OnAccountSuppressionList failure"
)
CODES_THAT_SAY_NOTHING = "Permanent/General Transient/General Undetermined/Undetermined"
