"""The case of twilio_status_callbacks: a message that was not delivered."""

from collections.abc import Sequence
from urllib.parse import urlencode

from tests.waybill.feeds.case import Case, Record, array, lines


def forms(records: Sequence[Record]) -> bytes:
    """Return bodies as Twilio posts them, one on a line."""
    return b"\n".join(urlencode(record).encode() for record in records)


CASE = Case(
    record={
        "AccountSid": "AC01",
        "MessageSid": "SM01",
        "MessageStatus": "undelivered",
        "To": "+12025550123",
        "ErrorCode": "30003",
        "received_at": "2026-03-02T09:14:58Z",
    },
    word="MessageStatus",
    times=("received_at",),
    message_id="MessageSid",
    recipient="To",
    files=(lines, array(), array(indent=2), forms),
)

NAMED_WORDS = (
    "queued sending sent failed delivered undelivered receiving received accepted scheduled read partially_delivered"
    " canceled initiated ringing in-progress completed busy no-answer"
)
