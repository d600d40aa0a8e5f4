"""The case of aws_sms_voice_events: a message that was not delivered."""

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
    return lines([{"version": "0", "source": "aws.sms-voice", "detail": record} for record in records])


CASE = Case(
    record={
        "eventType": "TEXT_CARRIER_UNREACHABLE",
        "eventVersion": "1.0",
        "eventTimestamp": 1772442911123,
        "messageId": "2222bbbb-3333-4ccc-8ddd-000000000001",
        "destinationPhoneNumber": "+12025550123",
    },
    word="eventType",
    times=("eventTimestamp",),
    message_id="messageId",
    recipient="destinationPhoneNumber",
    files=(lines, array(), array(indent=2), firehose, sns, event_bridge),
)

_OF_TEXT = (
    "SENT PENDING QUEUED SUCCESSFUL DELIVERED INVALID INVALID_MESSAGE UNREACHABLE CARRIER_UNREACHABLE BLOCKED"
    " CARRIER_BLOCKED SPAM UNKNOWN TTL_EXPIRED PROTECT_BLOCKED"
)
NAMED_WORDS = (
    *(f"{kind}_{word}" for kind in ("TEXT", "MEDIA") for word in _OF_TEXT.split()),
    *("MEDIA_FILE_INACCESSIBLE", "MEDIA_FILE_TYPE_UNSUPPORTED", "MEDIA_FILE_SIZE_EXCEEDED"),
    *("RCS_QUEUED", "RCS_SENT", "RCS_DELIVERED", "RCS_READ", "RCS_FAILED", "RCS_TTL_EXPIRED", "RCS_PROTECT_BLOCKED"),
    *("RCS_FALLEN_BACK_TO_SMS", "VOICE_INITIATED", "VOICE_RINGING", "VOICE_ANSWERED", "VOICE_COMPLETED", "VOICE_BUSY"),
    *("VOICE_NO_ANSWER", "VOICE_FAILED", "VOICE_TTL_EXPIRED"),
)
NAMED_CODES = (
    "TEXT_INVALID TEXT_INVALID_MESSAGE TEXT_UNREACHABLE TEXT_CARRIER_UNREACHABLE TEXT_BLOCKED TEXT_CARRIER_BLOCKED"
    " TEXT_SPAM TEXT_TTL_EXPIRED TEXT_PROTECT_BLOCKED VOICE_TTL_EXPIRED MEDIA_FILE_INACCESSIBLE"
    " MEDIA_FILE_TYPE_UNSUPPORTED MEDIA_FILE_SIZE_EXCEEDED RCS_PROTECT_BLOCKED"
)
CODES_THAT_SAY_NOTHING = "TEXT_UNKNOWN VOICE_FAILED RCS_FAILED"
