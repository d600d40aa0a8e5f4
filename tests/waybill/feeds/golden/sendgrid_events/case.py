"""The case of sendgrid_events: a click."""

from tests.waybill.feeds.case import Case, array, lines

CASE = Case(
    record={
        "email": "ana@inbox.example",
        "timestamp": 1772442911,
        "event": "click",
        "sg_message_id": "m1.filter",
    },
    word="event",
    times=("timestamp",),
    message_id="sg_message_id",
    recipient="email",
    files=(lines, array(), array(indent=2)),
)

NAMED_WORDS = (
    "processed dropped delivered deferred bounce open click spamreport unsubscribe group_unsubscribe group_resubscribe"
    " cancel_drop account_status_change"
)
