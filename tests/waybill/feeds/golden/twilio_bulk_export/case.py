"""The case of twilio_bulk_export: a message that was not delivered."""

from tests.waybill.feeds.case import Case, array, lines

CASE = Case(
    record={
        "sid": "SM01",
        "status": "undelivered",
        "to": "+12025550123",
        "date_created": "2026-03-02T09:14:40Z",
        "date_updated": "2026-03-02T09:14:58Z",
        "direction": "outbound-api",
    },
    word="status",
    times=("date_created", "date_updated"),
    message_id="sid",
    recipient="to",
    files=(lines, array(), array(indent=2)),
)

NAMED_WORDS = (
    "queued sending sent failed delivered undelivered receiving received accepted scheduled read partially_delivered"
    " canceled ringing in-progress completed busy no-answer"
)
