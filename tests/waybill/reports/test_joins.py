"""Why messages did not join: shares, warnings, examples, and the most likely cause."""

from datetime import date

import pytest

from tests.conftest import Warehouse
from tests.waybill.load.loading import Loads, at, dispatched, sendgrid, sms
from waybill.reports import joins
from waybill.reports.joins import UNDISPATCHED, UNSEEN, Explained, Share
from waybill.warehouse.connection import REPORTER, connect

NAMING = {"provider": "sendgrid", "campaign_id": "spring"}


@pytest.fixture
def loads(warehouse: Warehouse) -> Loads:
    return Loads(warehouse)


def shares(loads: Loads, ceiling: float = 0.02, account: str | None = None) -> list[Share]:
    with connect(loads.url, REPORTER) as connection, connection.cursor() as cursor:
        return joins.shares(cursor, ceiling, account)


def explain(loads: Loads, account: str | None = None) -> list[Explained]:
    with connect(loads.url, REPORTER) as connection, connection.cursor() as cursor:
        return joins.explain(cursor, 0.02, account)


def recipient(dispatch_id: str | None) -> str:
    return f"p{''.join(filter(str.isdigit, dispatch_id or ''))}@example.com"


def hand_over(loads: Loads, *dispatch_ids: str, **fields: object) -> None:
    rows = [
        dispatched("handed_over", "2026-03-01T10:00", name, **{"recipient": recipient(name)} | NAMING | fields)
        for name in dispatch_ids
    ]
    loads.load("dispatch_log", *rows)


def deliver(loads: Loads, *dispatch_ids: str | None, day: str = "2026-03-01") -> None:
    events = [
        sendgrid("delivered", f"{day} 10:01", f"m{day}-{number}", recipient(name))
        | ({} if name is None else {"dispatch_id": name})
        for number, name in enumerate(dispatch_ids)
    ]
    loads.load("sendgrid_events", *events, landed_at=at(f"{day} 12:00"))


def test_there_are_no_shares_if_everything_joins(loads: Loads) -> None:
    hand_over(loads, "d1", "d2")
    deliver(loads, "d1", "d2")
    assert shares(loads) == explain(loads) == []


def test_shares_are_of_the_newest_days_and_of_one_account_if_given(loads: Loads) -> None:
    hand_over(loads, "d1", "d2", "d3", "d4")
    deliver(loads, "d1", "d2", "d3", None, None)
    unseen, undispatched = shares(loads, account="acme")
    assert (unseen.account, unseen.feed, unseen.channel, unseen.gateway) == (
        "acme",
        "sendgrid_events",
        "email",
        "sendgrid",
    )
    assert (unseen.kind, unseen.count, unseen.of_count, unseen.share) == (UNSEEN, 1, 4, 0.25)
    assert (undispatched.kind, undispatched.count, undispatched.of_count) == (UNDISPATCHED, 2, 5)
    assert undispatched.newest_day == undispatched.from_day == date(2026, 3, 1)
    assert not unseen.is_warning and not undispatched.is_warning
    assert shares(loads, account="beta") == []


@pytest.mark.parametrize(("lost", "ceiling", "is_warning"), [(21, 0.02, True), (20, 0.02, False), (21, 0.5, False)])
def test_a_share_above_the_ceiling_with_more_than_twenty_messages_is_a_warning(
    loads: Loads, lost: int, ceiling: float, is_warning: bool
) -> None:
    names = [f"d{number}" for number in range(60)]
    hand_over(loads, *names)
    deliver(loads, *names[lost:])
    (share,) = shares(loads, ceiling)
    assert (share.kind, share.count, share.is_warning) == (UNSEEN, lost, is_warning)


def test_old_unjoined_messages_do_not_warn_for_ever(loads: Loads) -> None:
    hand_over(loads, *(f"d{number}" for number in range(60)))
    deliver(loads, "d0")
    assert [share.is_warning for share in shares(loads)] == [True]
    deliver(loads, None, day="2026-04-15")
    assert [(share.kind, share.count) for share in shares(loads)] == [(UNDISPATCHED, 1)]


def test_examples_have_unchanged_ids_and_no_address(loads: Loads) -> None:
    hand_over(loads, "D-1", provider_message_id="abc")
    deliver(loads, "x/77")
    (found,) = explain(loads)
    (unseen,) = found.examples[UNSEEN]
    assert (unseen.dispatch_id, unseen.named_message_id, unseen.campaign_id) == ("D-1", "abc", "spring")
    assert unseen.provider_message_id is None
    (undispatched,) = found.examples[UNDISPATCHED]
    assert (undispatched.dispatch_id, undispatched.provider_message_id) == ("x/77", "m2026-03-01-0")
    assert undispatched.sent_at.isoformat() == "2026-03-01T10:01:00+00:00"
    assert found.cause is None and "nothing in common" in found.advice
    assert "example.com" not in repr(found)


@pytest.mark.parametrize(
    ("own", "other", "word"),
    [
        ("Camp-00017", "camp-00017", "upper and lower case"),
        ("0017", "17", "leading zeros"),
        ("camp17", "<camp17>", "around the id"),
        ("camp17", "camp17.0", "a suffix of the id"),
    ],
)
def test_different_forms_of_dispatch_ids_are_the_likely_cause(loads: Loads, own: str, other: str, word: str) -> None:
    hand_over(loads, own, "other")
    deliver(loads, other)
    (found,) = explain(loads)
    assert word in found.cause and own in found.cause and other in found.cause
    assert "(1 such pairs among 2 and 1 ids)" in found.cause
    assert "Write the same id on both sides" in found.advice


def test_different_forms_of_message_ids_are_the_likely_cause(loads: Loads) -> None:
    sid = "SM" + "0a" * 16
    row = dispatched("handed_over", "2026-03-01T10:00", "d1", "sms", provider="twilio", provider_message_id=sid.lower())
    loads.load("dispatch_log", row)
    loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01", sid=sid))
    (found,) = explain(loads)
    assert "(provider_message_id) differ only by upper and lower case" in found.cause


def test_events_without_dispatch_ids_need_the_custom_argument(loads: Loads) -> None:
    hand_over(loads, "d1")
    deliver(loads, None)
    (found,) = explain(loads)
    assert found.cause == (
        "SendGrid Event Webhook: events carry no dispatch_id, and the dispatch log names no provider_message_id: is the"
        " custom argument set? See docs/feeds/sendgrid_events.md."
    )
    assert "Send dispatch_id with each message" in found.advice


def test_rows_of_an_api_need_a_message_id_in_the_dispatch_log(loads: Loads) -> None:
    loads.load("dispatch_log", dispatched("handed_over", "2026-03-01T10:00", "d1", "sms", provider="twilio"))
    loads.load("twilio_messages", sms("delivered", "2026-03-01T10:00", "2026-03-01T10:01"))
    (found,) = explain(loads)
    assert "docs/feeds/twilio_messages.md" in found.cause and "custom argument" not in found.cause
    assert found.advice.startswith("Write provider_message_id")


def test_a_feed_that_ends_before_the_hand_overs_is_the_likely_cause(loads: Loads) -> None:
    deliver(loads, "d0", day="2026-02-20")
    hand_over(loads, "d1")
    (found,) = explain(loads)
    assert "sendgrid_events ends before them: its newest event is from 2026-02-20 10:01 UTC" in found.cause
    assert "Load or pull sendgrid_events of account acme" in found.advice


def test_a_gateway_without_a_feed_is_named(loads: Loads) -> None:
    hand_over(loads, "d1", provider="pigeon_post")
    (found,) = explain(loads)
    assert (found.feed, found.gateway) == ("dispatch_log", "pigeon_post")
    assert "no events of pigeon_post" in found.cause


def test_messages_known_to_one_side_should_be_looked_up_on_the_other(loads: Loads) -> None:
    hand_over(loads, "d1", "d2")
    deliver(loads, "d2", day="2026-03-02")
    (found,) = explain(loads)
    assert found.cause is None and "Look up one of these ids at sendgrid" in found.advice
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-01 10:01", "m9", recipient("d1"), dispatch_id="d1"))
    loads.load("sendgrid_events", sendgrid("delivered", "2026-03-03 10:01", "m10", dispatch_id="d7"))
    (found,) = explain(loads)
    assert found.cause is None and "Look up one of these ids in the campaign system" in found.advice


def test_another_recipient_than_in_the_dispatch_log_is_the_likely_cause(loads: Loads) -> None:
    hand_over(loads, "d1", recipient="ann+news@example.com")
    deliver(loads, "d1")
    (found,) = explain(loads)
    assert [share.kind for share in found.shares] == [UNSEEN]
    assert "with these dispatch ids went to other recipients than the dispatch log names" in found.cause
    assert "recipient" in found.advice and "@" not in found.advice
