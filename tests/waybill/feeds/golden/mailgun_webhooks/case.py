"""The case of mailgun_webhooks: a click."""

import json
from collections.abc import Sequence

from tests.waybill.feeds.case import Case, Record, array, lines

SIGNATURE = {"timestamp": "1772442911", "token": "t0ken", "signature": "5igned"}


def posts(records: Sequence[Record]) -> bytes:
    """Return posts on lines, each with the envelope of Mailgun."""
    return b"\n".join(json.dumps({"signature": SIGNATURE, "event-data": record}).encode() for record in records)


CASE = Case(
    record={
        "event": "clicked",
        "timestamp": 1772442911.417233,
        "recipient": "ana@inbox.example",
        "message": {"headers": {"message-id": "20260302091411.1.11AB@mg.acme.example"}},
    },
    word="event",
    times=("timestamp",),
    message_id="message.headers.message-id",
    recipient="recipient",
    files=(posts, lines, array(), array(indent=2)),
)

NAMED_WORDS = (
    "accepted rejected delivered failed/temporary failed/permanent opened clicked unsubscribed complained stored"
    " list_member_uploaded list_member_upload_error list_uploaded email_validation"
)
NAMED_CODES = (
    "suppress-bounce/605 suppress-complaint/607 suppress-unsubscribe/ old/ generic/498 generic/499 generic/680"
    " espblock/ blacklisted/ greylisted/ hardfail/"
)
CODES_THAT_SAY_NOTHING = "generic/ bounce/550"
