"""The case of mandrill_webhooks: a click."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from tests.waybill.feeds.case import Case, Record, array, lines


def form(records: Sequence[Record]) -> bytes:
    """Return a body as Mandrill posts it."""
    return urlencode({"mandrill_events": json.dumps(records)}).encode()


def parsed_form(records: Sequence[Record]) -> bytes:
    """Return the form as a receiver writes it that has decoded it."""
    return json.dumps({"mandrill_events": json.dumps(records)}).encode()


CASE = Case(
    record={
        "event": "click",
        "ts": 1772442911,
        "msg": {"email": "ana@inbox.example", "_id": "exampleaaaaaaaaaaaaaaaaaaaaaaaaa"},
    },
    word="event",
    times=("ts",),
    message_id="msg._id",
    recipient="msg.email",
    files=(lines, array(), array(indent=2), form, parsed_form),
)

NAMED_WORDS = "send deferral delivered hard_bounce soft_bounce open click spam unsub reject whitelist blacklist inbound"
NAMED_CODES = (
    "bad_mailbox invalid_domain mailbox_full reject/hard-bounce reject/soft-bounce reject/spam reject/unsub"
    " reject/invalid-sender reject/invalid reject/test-mode-limit reject/unsigned reject/rule"
)
CODES_THAT_SAY_NOTHING = "general reject/custom"
