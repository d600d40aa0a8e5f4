"""The case of vonage_webhooks: the receipt of a message that was not delivered."""

from collections.abc import Sequence
from urllib.parse import urlencode

from tests.waybill.feeds.case import Case, Record, array, lines


def forms(records: Sequence[Record]) -> bytes:
    """Return receipts as Vonage posts them, one on a line."""
    return b"\n".join(urlencode(record).encode() for record in records)


CASE = Case(
    record={
        "messageId": "0A0000001234567B",
        "status": "failed",
        "msisdn": "+12025550123",
        "to": "ACME",
        "err-code": "2",
        "price": "0.03330000",
        "message-timestamp": "2026-03-02 09:14:58 +0000",
    },
    word="status",
    times=("message-timestamp",),
    message_id="messageId",
    recipient="msisdn",
    files=(lines, array(), array(indent=2), forms),
)

NAMED_WORDS = (
    "delivered expired failed rejected accepted buffered unknown deleted submitted undeliverable read started ringing"
    " answered busy cancelled unanswered disconnected human machine timeout completed record input transfer"
)
NAMED_CODES = "2 3 4 6 7 8 9 10 12 13 14 16 50 51 52 53 54 1000 1050 1070 1170 1180 1190 1210 1240 1260 1270 1280"
CODES_THAT_SAY_NOTHING = "0 1 5 11 15 99"
