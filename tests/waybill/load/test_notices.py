"""Notices of a provider about the account itself are stored and shown, and are not counted as messages."""

from datetime import UTC, datetime, timedelta

from tests.waybill.load.loading import Loads, counts, sendgrid
from waybill.feeds.options import FeedOptions

FEED = "sendgrid_events"


def notice(when: str, kind: str) -> dict:
    return {"event": "account_status_change", "type": kind, "timestamp": int(seconds(when)), "sg_event_id": kind}


def seconds(when: str) -> float:
    return datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()


def notices(loads: Loads) -> list[tuple]:
    return loads.rows("select account, feed, word, detail, noticed_at from ops.account_notice order by account")


def test_the_latest_notice_of_each_word_is_kept_in_any_order_of_loads(loads: Loads) -> None:
    later = notice("2026-03-02 12:00", "compliance_suspend")
    row = loads.load(FEED, later, sendgrid("delivered", "2026-03-02 10:00"))
    assert counts(row) == {"read": 2, "loaded": 1, "ignored": 1, "mapped": 1, "inserted": 1}
    loads.load(FEED, notice("2026-03-01 12:00", "compliance_warn"), later)
    loads.load(FEED, notice("2026-03-01 12:00", "other"), account="borealis")
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    word = "account_status_change"
    assert notices(loads) == [
        ("acme", FEED, word, "compliance_suspend", at),
        ("borealis", FEED, word, "other", at - timedelta(days=1)),
    ]
    stamps = loads.stamps("ops")["ops.account_notice"]
    loads.replay(FEED, "2026-03-01", "2026-03-03")
    assert loads.stamps("ops")["ops.account_notice"] == stamps


def test_the_text_of_a_notice_is_redacted_and_bounded(loads: Loads) -> None:
    loads.load(FEED, notice("2026-03-02 12:00", "suspended bo@inbox.example " + "x" * 5_000))
    ((*_, detail, _),) = notices(loads)
    assert detail.startswith("suspended <recipient> xxx") and len(detail) == 200


def test_a_replay_applies_new_argument_names_to_old_records(loads: Loads) -> None:
    record = sendgrid("delivered", "2026-03-02 10:00", ref="d7", mailing="spring")
    loads.load(FEED, record)
    query = "select dispatch_id, campaign_id, extra from fact.event"
    assert loads.rows(query) == [(None, None, {"ref": "d7", "mailing": "spring"})]
    loads.use(feed_options=FeedOptions(("ref", "dispatch_id"), ("mailing", "campaign_id")))
    (again,) = loads.load_all(FEED, [loads.land(FEED, record)])
    assert not again.is_new  # a load does not publish an object again
    (row,) = loads.replay(FEED, "2026-03-02", "2026-03-03")
    assert counts(row) == {"read": 1, "loaded": 1, "mapped": 1, "revised": 1}
    assert loads.rows(query) == [("d7", "spring", None)]
    assert loads.rows("select dispatch_id, campaign_id from fact.message") == [("d7", "spring")]


def test_an_invalid_address_gives_a_bounced_message(loads: Loads) -> None:
    bad, good = "ana.inbox.example", "bo@inbox.example"
    row = loads.load(
        FEED,
        sendgrid("processed", "2026-03-02 10:00", "q1", bad, campaign_id="spring"),
        sendgrid("dropped", "2026-03-02 10:01", "q1", bad, reason="Invalid", campaign_id="spring"),
        sendgrid("processed", "2026-03-02 10:00", "q2", good, campaign_id="spring"),
        sendgrid("delivered", "2026-03-02 10:01", "q2", good, campaign_id="spring"),
    )
    assert counts(row) == {"read": 4, "loaded": 4, "mapped": 4, "inserted": 4}
    assert loads.rows("select state, failure_class, failure_reason from fact.message order by state") == [
        ("bounced", "invalid", "address_malformed"),
        ("delivered", None, None),
    ]
    assert loads.rows("select fact.masked(address) from private.recipient order by address") == [
        ("***",),
        ("***@inbox.example",),
    ]
