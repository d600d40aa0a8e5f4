"""The case of sparkpost_webhooks: a click."""

import json
from collections.abc import Sequence

from tests.waybill.feeds.case import Case, Record, array, lines


def posted(records: Sequence[Record]) -> bytes:
    """Return a body as SparkPost posts it."""
    return json.dumps([{"msys": {"track_event": record}} for record in records]).encode()


CASE = Case(
    record={
        "type": "click",
        "timestamp": "1772442911",
        "transmission_id": "7300000000000000001",
        "rcpt_to": "ana@inbox.example",
    },
    word="type",
    times=("timestamp",),
    message_id="transmission_id",
    recipient="rcpt_to",
    files=(lines, array(), array(indent=2), posted),
)

NAMED_WORDS = (
    "injection delivery bounce delay policy_rejection out_of_band spam_complaint generation_failure"
    " generation_rejection open initial_open click amp_open amp_initial_open amp_click list_unsubscribe"
    " link_unsubscribe sms_status relay_injection relay_rejection relay_delivery relay_tempfail relay_permfail"
    " ab_test_completed ab_test_cancelled success error"
)
NAMED_CODES = "10 20 21 22 23 24 25 30 40 50 51 52 53 54 70 90 generation_failure"
CODES_THAT_SAY_NOTHING = "1 60 80 100"  # undetermined; replies and subscriptions, no failures
