"""The case of mailjet_webhooks: a click."""

from tests.waybill.feeds.case import Case, array, lines

CASE = Case(
    record={
        "event": "click",
        "time": 1772442911,
        "MessageID": 20547681647433001,
        "email": "ana@inbox.example",
    },
    word="event",
    times=("time",),
    message_id="MessageID",
    recipient="email",
    files=(lines, array(), array(indent=2)),
)

NAMED_WORDS = "sent open click bounce bounce/hard bounce/soft blocked spam unsub"
NAMED_CODES = (
    *("user unknown", "mailbox inactive", "quota exceeded", "blacklisted", "spam reporter"),
    *("invalid domain", "no mail host", "relay/access denied", "greylisted", "typofix"),
    *("bad or empty template", "error in template language", "sender blocked", "content blocked", "policy issue"),
    *("system issue", "protocol issue", "connection issue", "preblocked", "duplicate in campaign"),
)
