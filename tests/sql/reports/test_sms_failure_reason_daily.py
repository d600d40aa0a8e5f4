"""sms_failure_reason_daily: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import rows
from tests.sql.reports.suite import D1, D2, Suite, counted, row
from tests.waybill.reports.facts import Facts, at, key

FILTERED = {"failure_class": "blocked", "failure_reason": "carrier_filtered", "provider_code": "30007"}
LANDLINE = {"failure_class": "invalid", "failure_reason": "number_not_mobile", "provider_code": "21614"}
CANCELED = dict.fromkeys(("failure_class", "failure_reason", "provider_code"), "(none)")

SUITE = Suite(
    (
        row("sms_failure_reason_daily", **FILTERED, message_count=2),
        row("sms_failure_reason_daily", sent_day=D2, **LANDLINE, message_count=1),
    ),
    control=(
        counted("sms_bounced", D1, 2),
        counted("sms_bounced", D2, 1),
        counted("sms_sent", D2, 99),
    ),
    others={
        "sms_activity_daily": (
            row("sms_activity_daily", sent=5, delivered=3, undelivered=2),
            row("sms_activity_daily", country="y", sent=5, delivered=5),
            row("sms_activity_daily", sent_day=D2, sent=1, undelivered=1),
        )
    },
    bad={
        "dimensions_present": [{"provider_code": None}],
        "words_known": [
            {"failure_class": "undelivered"},
            {"failure_reason": "filtered"},
            {"failure_class": "(none)"},
            {"failure_reason": "(none)"},
        ],
        "messages_match_undelivered": [
            {"message_count": 1},
            {"country": "y"},
            {"sent_day": D2},
        ],
        "bounced_match_facts": [CANCELED, FILTERED | {"failure_class": "unknown"}],
    },
    added={
        "messages_counted": [row("sms_failure_reason_daily", account="y", **FILTERED)],
    },
    also={
        "words_known": {"bounced_match_facts"},
        "messages_match_undelivered": {"bounced_match_facts"},
    },
    half={"message_count": 1},
)


def test_sms_failure_reason_daily(warehouse: Warehouse, facts: Facts) -> None:
    day = ["2026-03-02"]

    def failed(name: str, state: str, days: list[str], *why: str | None, **columns: object) -> None:
        """Write a failed message with class, reason and code of its deciding event."""
        facts.message(name, "sms", days, state=state, **columns)
        facts.leg(name, "sms")
        failure_class, failure_reason, code = why
        event_key = facts.event(
            name,
            "undelivered",
            at(f"{days[0]} 10:00"),
            channel="sms",
            failure_class=failure_class,
            failure_reason=failure_reason,
            provider_code=code,
        )
        facts.run("update fact.message set failure_key = %s where message_key = %s", (event_key, key(name)))

    unreachable = ("soft_bounce", "handset_unreachable", "30003")
    failed("a", "bounced", [*day, "2026-03-03"], *unreachable, country="DE")
    failed("b", "bounced", day, *unreachable, country="DE")
    failed("c", "bounced", day, *unreachable, country="FR", campaign_id="spring", provider=None)
    failed("d", "not_delivered", day, "unknown", "unclassified", None, country="DE")
    facts.message("e", "sms", day, state="not_delivered", country="DE")
    failed("f", "bounced", ["2026-03-03"], "blocked", "carrier_filtered", "30007")
    # not counted: delivered in the end, or no text message
    failed("g", "delivered", day, *unreachable, country="DE")
    facts.message("h", "ivr", day, state="not_delivered")
    base = {"sent_day": D1, "account": "acme"}
    german = {**base, "provider": "twilio", "campaign_id": "(none)", "country": "DE"}
    names = ("failure_class", "failure_reason", "provider_code", "message_count")

    def why(*values: object) -> dict:
        return dict(zip(names, values, strict=True))

    expected = [
        {**base, "provider": "(none)", "campaign_id": "spring", "country": "FR", **why(*unreachable, 1)},
        {**german, **why("(none)", "(none)", "(none)", 1)},
        {**german, **why(*unreachable, 2)},
        {**german, **why("unknown", "unclassified", "(none)", 1)},
        {**german, "sent_day": D2, "country": "(none)", **why("blocked", "carrier_filtered", "30007", 1)},
    ]
    assert rows(warehouse, "sms_failure_reason_daily") == expected
    assert rows(warehouse, "sms_failure_reason_daily", [D1]) == expected[:4]
    assert rows(warehouse, "sms_failure_reason_daily", [D2]) == expected[4:]
