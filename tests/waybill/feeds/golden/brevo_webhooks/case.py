"""The case of brevo_webhooks: a click."""

from tests.waybill.feeds.case import Case, array, lines

CASE = Case(
    record={
        "event": "click",
        "email": "ana@inbox.example",
        "ts_epoch": 1772442911417,
        "message-id": "<202603020914.27287306011@smtp-relay.acme.example>",
    },
    word="event",
    times=("ts_epoch",),
    message_id="message-id",
    recipient="email",
    files=(lines, array(), array(indent=2)),
)

NAMED_WORDS = (
    "request delivered hard_bounce soft_bounce blocked spam complaint invalid_email deferred unique_opened opened"
    " unique_proxy_open proxy_open click unsubscribe error list_addition contact_updated contact_deleted"
)
NAMED_CODES = "blocked invalid_email"
CODES_THAT_SAY_NOTHING = "hard_bounce soft_bounce error"
