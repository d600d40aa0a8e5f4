"""Twilio: the events of rows of the Messages list and of the Calls list."""

import json
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest

from tests.waybill.feeds.outcomes import ACCOUNT, KEYRING, events_of, normalise, reasons_of
from waybill.feeds import FEEDS
from waybill.feeds.twilio.messages import TwilioMessages
from waybill.model.event import Event, merge_all
from waybill.model.vocabulary import FAILURE_CLASSES

MESSAGE = {
    "sid": "SM01",
    "account_sid": "AC01",
    "status": "delivered",
    "direction": "outbound-api",
    "to": "+12025550123",
    "date_created": "Mon, 02 Mar 2026 09:15:00 +0000",
    "date_sent": "Mon, 02 Mar 2026 09:15:01 +0000",
    "date_updated": "Mon, 02 Mar 2026 09:15:09 +0000",
}
CALL = {
    "sid": "CA01",
    "account_sid": "AC01",
    "status": "completed",
    "direction": "outbound-api",
    "to": "+12025550123",
    "date_created": "Mon, 02 Mar 2026 09:15:00 +0000",
    "start_time": "Mon, 02 Mar 2026 09:15:05 +0000",
    "end_time": "Mon, 02 Mar 2026 09:15:30 +0000",
    "date_updated": "Mon, 02 Mar 2026 09:15:40 +0000",
}
CREATED = 1772442900000


def message(**values: object) -> list[Event]:
    return events_of("twilio_messages", json.dumps({"messages": [MESSAGE | values]}).encode())


def call(**values: object) -> list[Event]:
    return events_of("twilio_calls", json.dumps({"calls": [CALL | values]}).encode())


def message_reason(**values: object) -> str:
    (reason,) = reasons_of("twilio_messages", json.dumps({"messages": [MESSAGE | values]}).encode())
    return reason


def test_a_row_gives_its_creation_and_its_own_status():
    processed, own = message(price="-0.0079", price_unit="usd", num_segments="2", error_code=None)
    assert (processed.event_type, processed.provider_event, own.event_type) == ("processed", None, "delivered")
    assert processed.event_key == KEYRING.event_key(CREATED, ACCOUNT, "twilio", ("SM01", "processed"))
    assert own.event_key == KEYRING.event_key(CREATED, ACCOUNT, "twilio", ("SM01", "delivered"))
    assert processed.leg_key == own.leg_key == KEYRING.leg_key(ACCOUNT, "twilio", ("SM01",))
    assert (processed.event_at.second, own.event_at.second) == (0, 9)
    assert (processed.price, processed.segments, processed.extra) == (None, None, None)
    assert (own.price, own.currency, own.segments) == (Decimal("0.0079"), "USD", 2)
    assert own.provider_account == processed.provider_account == "AC01"
    assert own.recipient == "+12025550123" and own.country == "US" and own.mailbox_provider is None


@pytest.mark.parametrize("status", ["accepted", "queued", "scheduled", "sending"])
def test_an_accepted_row_gives_only_its_creation_with_its_details(status: str):
    (processed,) = message(
        status=status, date_sent=None, date_updated=None, price="-1", price_unit="EUR", num_segments="0"
    )
    assert (processed.event_type, processed.provider_event) == ("processed", status)
    assert (processed.price, processed.currency, processed.segments) == (Decimal(1), "EUR", 0)


def test_a_message_was_sent_at_its_date_sent():
    assert message(status="sent")[1].event_at.second == 1
    assert message(status="sent", date_sent=None)[1].event_at.second == 9
    assert message(status="sent", date_sent="")[1].event_at.second == 9


def test_a_read_receipt_is_an_open_without_a_machine_flag():
    own = message(status="read")[1]
    assert (own.event_type, own.is_machine) == ("opened", None)


def test_every_code_of_the_table_has_its_class():
    count = 0
    for failure_class, codes in TwilioMessages.failure_classes.items():
        assert failure_class in FAILURE_CLASSES
        for code in codes.split():
            own = message(status="undelivered", error_code=int(code), error_message="text")[1]
            assert (own.failure_class, own.provider_code) == (failure_class, code)
            assert own.event_type == ("dropped" if code == "21610" else "undelivered")
            count += 1
    assert count == 30 and len(TwilioMessages.class_of_code) == 30


@pytest.mark.parametrize("code", [None, "", 0, 99999, "abc"])
def test_any_other_code_has_the_class_unknown(code: object):
    own = message(status="failed", error_code=code)[1]
    assert (own.failure_class, own.failure_reason) == ("unknown", "unclassified")


def test_inbound_rows_and_child_legs_are_ignored():
    def ignored(slug: str, row: dict) -> bool:
        key = "messages" if slug == "twilio_messages" else "calls"
        return normalise(slug, json.dumps({key: [row]}).encode()) == [[]]

    assert ignored("twilio_messages", MESSAGE | {"direction": "inbound"})
    assert ignored("twilio_messages", MESSAGE | {"status": "received"})
    assert ignored("twilio_messages", MESSAGE | {"status": "receiving", "direction": None})
    assert ignored("twilio_calls", CALL | {"direction": "inbound", "sid": None})
    assert ignored("twilio_calls", CALL | {"direction": "trunking-originating"})
    assert ignored("twilio_calls", CALL | {"parent_call_sid": "CA00"})
    for direction in ("outbound-api", "outbound-dial", "trunking-terminating", "sideways", None):
        assert len(call(direction=direction, parent_call_sid="")) == 2


@pytest.mark.parametrize(
    ("status", "event_type", "second"),
    [
        ("ringing", "ringing", 5),
        ("in-progress", "answered", 5),
        ("completed", "completed", 30),
        ("busy", "busy", 30),
        ("no-answer", "no_answer", 30),
        ("failed", "failed", 30),
        ("canceled", "canceled", 30),
        ("floating", "unknown", 40),
    ],
)
def test_the_time_of_a_call_by_its_status(status: str, event_type: str, second: int):
    own = call(status=status, duration="7", answered_by="human")[1]
    assert (own.event_type, own.event_at.second, own.answered_by) == (event_type, second, "human")
    assert own.duration_seconds == 7 and call(status=status, duration="")[1].duration_seconds is None
    assert call(status=status, start_time="", end_time=None)[1].event_at.second == 40


def test_a_queued_call_gives_only_its_creation():
    (processed,) = call(status="queued", date_updated=None, start_time=None, end_time=None, answered_by=None)
    assert (processed.event_type, processed.provider_event) == ("processed", "queued")


def test_a_failed_call_has_the_class_unknown():
    own = call(status="failed", duration="")[1]
    assert (own.failure_class, own.failure_reason, own.duration_seconds) == ("unknown", "unclassified", None)


@pytest.mark.parametrize(
    ("price", "cost"),
    [
        ("-0.00750", "0.0075"),
        ("-0.0075", "0.0075"),
        ("-100", "100"),
        ("-1e2", None),
        ("0.0100", "-0.01"),
        ("-0.0000", "0"),
        ("0", "0"),
        (-1, "1"),
        (-0.25, "0.25"),
        ("+3.", "-3"),
        ("-0.000000000000001", "0.000000000000001"),
    ],
)
def test_the_price_is_exact_with_the_opposite_sign(price: object, cost: str | None):
    if cost is None:
        assert message_reason(price=price) == "price: not a decimal"
    else:
        assert f"{message(price=price)[1].price:f}" == cost


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-1,5", "free", "1" * 40, "--1", "٣"])
def test_a_price_that_is_not_a_decimal_is_rejected(price: str):
    assert message_reason(price=price) == "price: not a decimal"


@pytest.mark.parametrize("count", ["-1", "1.5", "many", 2**31, -1, True, "9" * 30])
def test_a_count_that_is_not_a_whole_number_is_rejected(count: object):
    assert message_reason(num_segments=count) in (
        "num_segments: not a whole number",
        "mistyped: Expected `int | float | str | null`, got `bool` - at `$.num_segments`",
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"sid": None}, "sid: missing"),
        ({"sid": " "}, "sid: missing"),
        ({"status": ""}, "status: missing"),
        ({"date_created": None}, "date_created: missing"),
        ({"date_created": ""}, "date_created: missing"),
        ({"date_updated": None}, "date_updated: missing"),
        ({"date_updated": "soon"}, "date_updated: not a time with a zone"),
        ({"date_created": "1772442900"}, "date_created: not a time with a zone"),
        ({"date_created": "2026-03-02T09:15:00"}, "date_created: time without zone"),
        ({"date_created": "Mon, 02 Mar 2026 09:15:00"}, "date_created: not a time with a zone"),
        ({"to": 12025550123}, "mistyped: Expected `str | null`, got `int` - at `$.to`"),
    ],
)
def test_a_meaningless_row_is_rejected_as_a_whole(values: dict, reason: str):
    assert message_reason(**values) == reason


@pytest.mark.parametrize(
    "written",
    [
        "Mon, 02 Mar 2026 09:15:00 +0000",
        "mon, 2 mar 2026 09:15:00 +0000",
        "02 Mar 2026 10:15:00 +0100",
        "Mon, 02 Mar 2026 04:15:00 -0500",
        "Mon, 02 Mar 2026 09:15:00 GMT",
        "Mon, 02 Mar 2026 09:15 +0000",
        "2026-03-02T09:15:00Z",
        "2026-03-02 10:15:00+01:00",
    ],
)
def test_forms_of_a_time(written: str):
    assert [event.event_key for event in message(date_created=written)] == [event.event_key for event in message()]


def test_a_row_without_a_recipient_is_kept():
    own = message(to="")[1]
    assert own.recipient_key is None and own.country is None and own.leg_key is not None
    assert message(to="client:Alice")[1].recipient == "client:alice"


def test_content_and_sender_are_not_stored():
    own = message(body="your code is 1", uri="/x", subresource_uris={"media": "/y"}, **{"from": "+15005550006"})[1]
    assert own.extra == {"direction": "outbound-api"}
    own = call(caller_name="ANA", to_formatted="(202) 555-0123", queue_time="5", group_sid=None, trunk_sid="")[1]
    assert own.extra == {"direction": "outbound-api", "queue_time": "5"}


@pytest.mark.parametrize(
    ("row_of", "slug", "failed_at"),
    [(message, "twilio_messages", "date_updated"), (call, "twilio_calls", "end_time")],
)
def test_snapshots_of_a_row_merge_to_the_same_events_in_any_order(
    row_of: Callable[..., list[Event]], slug: str, failed_at: str
):
    snapshots = [
        row_of(status="queued", price=None, num_segments="0"),
        row_of(status="failed", price=None, **{failed_at: "Mon, 02 Mar 2026 09:16:00 +0000"}),
        row_of(status="failed", error_code=30007, price="-0.5", duration="7"),
    ]
    one, other = merged(slug, snapshots), merged(slug, snapshots[::-1])
    assert one == other and sorted(event.event_type for event in one) == sorted(
        ["processed", "undelivered" if slug == "twilio_messages" else "failed"]
    )
    failed = next(event for event in one if event.provider_event == "failed")
    assert failed.event_at.minute == 15 and failed.price == Decimal("0.5")


def merged(slug: str, snapshots: list[list[Event]]) -> list[Event]:
    by_key: dict[UUID, list[Event]] = {}
    for events in snapshots:
        for event in events:
            by_key.setdefault(event.event_key, []).append(event)
    return [FEEDS[slug].derive(merge_all(by_key[key]), KEYRING) for key in sorted(by_key)]


@pytest.mark.parametrize("written", [3, 3.0, "3", "3.0", " 3 "])
def test_spellings_of_a_whole_number(written: object):
    assert message(num_segments=written)[1].segments == call(duration=written)[1].duration_seconds == 3
    assert message(status="failed", error_code=30003.0)[1].provider_code == "30003"


def test_a_small_price_may_be_a_number():
    assert message(price=-0.00000075)[1].price == Decimal("0.00000075")


@pytest.mark.parametrize(
    "data", [[MESSAGE, MESSAGE | {"sid": "SM02"}], [{"messages": [MESSAGE, MESSAGE | {"sid": "SM02"}]}]]
)
def test_rows_alone_and_bodies_in_an_array_are_read(data: object):
    found = events_of("twilio_messages", json.dumps(data).encode())
    assert [event.provider_message_id for event in found] == ["SM01", "SM01", "SM02", "SM02"]
