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
