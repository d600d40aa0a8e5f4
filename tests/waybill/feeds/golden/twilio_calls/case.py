"""The case of twilio_calls: a call that was completed."""

from tests.waybill.feeds.case import Case, body
from tests.waybill.feeds.golden.twilio_paging import twilio_paging

CASE = Case(
    record={
        "sid": "CA01",
        "status": "completed",
        "to": "+12025550123",
        "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
        "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
        "direction": "outbound-api",
    },
    word="status",
    times=("date_created", "date_updated"),
    message_id="sid",
    recipient="to",
    files=(body("calls"), body("calls", indent=2)),
)

PAGING = twilio_paging("calls")

NAMED_WORDS = "queued ringing in-progress canceled completed failed busy no-answer"
