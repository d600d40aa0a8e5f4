"""The case of dispatch_log: a decision that no message is sent."""

from tests.waybill.feeds.case import Case

CASE = Case(
    record={
        "dispatch_id": "d-1",
        "occurred_at": "2026-03-02T09:14:40Z",
        "channel": "email",
        "status": "not_sent",
        "recipient": "ana@inbox.example",
    },
    word="status",
    times=("occurred_at",),
    message_id="dispatch_id",
    recipient="recipient",
)

NAMED_WORDS = "queued about_to_be_sent handed_over not_sent"
