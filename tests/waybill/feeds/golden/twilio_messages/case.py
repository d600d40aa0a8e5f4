"""The case of twilio_messages: a message that was not delivered."""

from tests.waybill.feeds.case import Case, body
from tests.waybill.feeds.golden.twilio_paging import twilio_paging

CASE = Case(
    record={
        "sid": "SM01",
        "status": "undelivered",
        "to": "+12025550123",
        "date_created": "Mon, 02 Mar 2026 09:14:40 +0000",
        "date_updated": "Mon, 02 Mar 2026 09:14:58 +0000",
        "direction": "outbound-api",
    },
    word="status",
    times=("date_created", "date_updated"),
    message_id="sid",
    recipient="to",
    files=(body("messages"), body("messages", indent=2)),
)

PAGING = twilio_paging("messages")

NAMED_WORDS = (
    "queued sending sent failed delivered undelivered receiving received accepted scheduled read partially_delivered"
    " canceled"
)
NAMED_CODES = (
    "20003 20404 20429 20500 20503 21211 21214 21215 21216 21217 21408 21606 21608 21610 21611 21612 21614"
    " 21617 21635 30001 30002 30003 30004 30005 30006 30007 30010 30011 30012 30013 30014 30015 30016 30017 30018 30019"
    " 30020 30021 30022 30023 30024 30025 30026 30027 30032 30033 30034 30035 30036 30410 30450 63003 63016 63024 13214"
    " 13223 13224 13225 13226 13227 32009"
)
CODES_THAT_SAY_NOTHING = "30008 30009"  # unknown error; missing segment of an inbound message
