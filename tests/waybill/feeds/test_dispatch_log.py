"""The dispatch log: the events of its rows."""

import csv
import io
import json
from zoneinfo import ZoneInfo

import pyarrow
import pyarrow.parquet as parquet
import pytest

from tests.waybill.feeds.outcomes import ACCOUNT, KEYRING, normalise, normalise_with, only_event, reasons_of
from waybill.feeds import FEEDS
from waybill.feeds.options import FeedOptions
from waybill.model.event import Event
from waybill.model.vocabulary import NOT_SENT_REASONS

GOOD = {
    "dispatch_id": "d-1",
    "occurred_at": "2026-03-02T09:14:40.250Z",
    "channel": "email",
    "status": "handed_over",
    "recipient": "ana@inbox.example",
}


def event(**values: object) -> Event:
    return only_event("dispatch_log", json.dumps(GOOD | values).encode())


def reason(**values: object) -> str:
    (found,) = reasons_of("dispatch_log", json.dumps(GOOD | values).encode())
    return found


@pytest.mark.parametrize(
    ("status", "event_type"),
    [
        ("queued", "queued"),
        ("about_to_be_sent", "scheduled"),
        ("handed_over", "handed_over"),
        ("not_sent", "suppressed"),
    ],
)
def test_each_status_has_its_event_type(status: str, event_type: str):
    found = event(status=status)
    assert (found.event_type, found.provider_event, found.provider) == (event_type, status, "dispatch")
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    assert found.leg_key == KEYRING.leg_key(ACCOUNT, "dispatch", ("email", "d-1", key))
    nobody = event(status=status, recipient=None)
    assert nobody.leg_key == KEYRING.leg_key(ACCOUNT, "dispatch", ("email", "d-1"))


def test_recipients_of_one_dispatch_id_are_different_messages():
    rows = [event(), event(recipient="bo@inbox.example"), event(recipient=None)]
    assert len({row.event_key for row in rows}) == len({row.leg_key for row in rows}) == 3
    again = event(recipient=" ANA@inbox.example ")
    assert (again.event_key, again.leg_key) == (rows[0].event_key, rows[0].leg_key)


def test_the_key_is_the_hash_of_the_documented_tuple():
    found = event(provider=" SendGrid ", provider_message_id="m1.filter")
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    identity = ("email", "d-1", key, "handed_over", "2026-03-02T09:14:40.250000Z", "sendgrid", "m1")
    assert found.event_key == KEYRING.event_key(1772442880250, ACCOUNT, "dispatch", identity)
    assert (found.gateway, found.provider_message_id) == ("sendgrid", "m1")
    bare = ("email", "d-1", "", "handed_over", "2026-03-02T09:14:40.250000Z", "", "")
    assert event(provider=" ", recipient=None).event_key == KEYRING.event_key(1772442880250, ACCOUNT, "dispatch", bare)


def test_a_row_names_the_leg_of_a_gateway_if_it_has_all_its_parts():
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    named = event(provider="sendgrid", provider_message_id="<m1.x@geopod>")
    assert named.named_leg_key == KEYRING.leg_key(ACCOUNT, "sendgrid", ("m1.x", key))
    assert event(provider="sendgrid", provider_message_id="m1", recipient=None).named_leg_key is None
    assert event(provider="sendgrid").named_leg_key is None
    sms = event(channel="sms", recipient=None, provider="twilio", provider_message_id=" SM01 ")
    assert sms.named_leg_key == KEYRING.leg_key(ACCOUNT, "twilio", ("SM01",))
    unknown = event(provider="carrierpigeon", provider_message_id="p.1")
    assert (unknown.named_leg_key, unknown.gateway, unknown.provider_message_id) == (None, "carrierpigeon", "p.1")


@pytest.mark.parametrize(("category", "reasons"), list(NOT_SENT_REASONS.items()))
def test_every_reason_has_its_category(category: str, reasons: tuple[str, ...]):
    for word in reasons:
        assert event(status="not_sent", reason=word).not_sent_category == category
        shouted = event(status="not_sent", reason=f" {word.upper()} ")
        assert (shouted.not_sent_category, shouted.not_sent_reason) == (category, word)


def test_an_unknown_or_missing_reason_is_other():
    for word, kept in (("the moon", "the moon"), (None, None), ("", None)):
        found = event(status="not_sent", reason=word)
        assert (found.not_sent_category, found.not_sent_reason) == ("other", kept)


def test_a_reason_of_another_status_is_not_a_not_sent_reason():
    found = event(status="queued", reason="ndnc")
    assert (found.not_sent_category, found.not_sent_reason, found.extra) == (None, None, {"reason": "ndnc"})


def test_campaign_and_template_have_the_best_source():
    found = event(campaign_id=7, template_id=" t ")
    assert (found.campaign_id, found.campaign_source) == ("7", "dispatch_log")
    assert (found.template_id, found.template_source) == ("t", "dispatch_log")
    assert event(campaign_id=" ").campaign_source is None


def test_the_account_of_a_row_overrides_the_account_of_the_feed():
    other = event(account="other-brand")
    assert other.account == "other-brand"
    assert other.recipient_key == KEYRING.recipient_key("other-brand", "ana@inbox.example")
    assert len({other.event_key, event().event_key}) == len({other.leg_key, event().leg_key}) == 2


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02T09:14:40.250Z",
        "2026-03-02 10:14:40.25+01:00",
        "2026-03-02T09:14:40.250000999Z",
        1772442880250,
        "1772442880250",
        "Mon, 02 Mar 2026 09:14:40 GMT",
    ],
)
def test_forms_of_a_time(written: object):
    found = event(occurred_at=written)
    assert found.event_at.replace(microsecond=0).isoformat() == "2026-03-02T09:14:40+00:00"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"dispatch_id": None}, "dispatch_id: missing"),
        ({"dispatch_id": " "}, "dispatch_id: missing"),
        ({"status": "delivered"}, "status: not queued, about_to_be_sent, handed_over or not_sent"),
        ({"status": None}, "status: not queued, about_to_be_sent, handed_over or not_sent"),
        ({"channel": "fax"}, "channel: not email, sms or ivr"),
        ({"occurred_at": "2026-03-02T09:14:40"}, "occurred_at: time without zone"),
        ({"occurred_at": None}, "occurred_at: missing"),
        ({"recipient": "ana@inbox.example;bo@inbox.example"}, "recipient: two addresses"),
        ({"occurred_at": True}, "mistyped: Expected `int | float | str | null`, got `bool` - at `$.occurred_at`"),
        ({"channel": "sms", "recipient": "ana"}, "recipient: no digits"),
    ],
)
def test_a_meaningless_row_is_rejected_with_its_reason(values: dict, expected: str):
    assert reason(**values) == expected


def test_csv_json_lines_and_parquet_give_the_same_events():
    records = [
        GOOD
        | {
            "provider": "twilio",
            "provider_message_id": "SM01",
            "channel": "sms",
            "recipient": "+12025550123",
            "note": "x",
        },
        GOOD | {"status": "not_sent", "reason": "ndnc", "campaign_id": "c", "template_id": "t", "account": "b"},
    ]
    names = sorted({name for record in records for name in record})
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(records)
    as_lines = b"\n".join(json.dumps(record).encode() for record in records)
    packed = io.BytesIO()
    table = pyarrow.table({name: pyarrow.array([record.get(name) for record in records]) for name in names})
    parquet.write_table(table, packed)
    from_lines = normalise("dispatch_log", as_lines)
    assert len(from_lines) == 2 and all(isinstance(events, list) for events in from_lines)
    assert normalise("dispatch_log", out.getvalue().encode()) == from_lines
    assert normalise("dispatch_log", packed.getvalue()) == from_lines


def test_a_parquet_timestamp_needs_a_zone():
    def outcome(zone: str | None) -> object:
        columns = {name: pyarrow.array([value]) for name, value in GOOD.items()}
        columns["occurred_at"] = pyarrow.array([1772442880250000000], pyarrow.timestamp("ns", zone))
        packed = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), packed)
        return normalise("dispatch_log", packed.getvalue())[0]

    assert outcome("Europe/Berlin") == [event()] == outcome("UTC")
    assert outcome(None) == "occurred_at: time without zone"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-02 10:14:40", "2026-03-02T09:14:40+00:00"),
        ("2026-03-02T10:14:40.250", "2026-03-02T09:14:40.250000+00:00"),
        ("2026-03-02 10:14:40 UTC", "2026-03-02T10:14:40+00:00"),
        ("2026-03-02 10:14:40+02", "2026-03-02T08:14:40+00:00"),
    ],
)
def test_times_without_a_zone_have_the_zone_of_the_installation(written: str, expected: str):
    feed = FEEDS["dispatch_log"].with_options(FeedOptions(dispatch_log_zone=ZoneInfo("Europe/Berlin")))
    ((found,),) = normalise_with(feed, json.dumps(GOOD | {"occurred_at": written}).encode())
    assert found.event_at.isoformat() == expected


@pytest.mark.parametrize(("written", "how_often"), [("2025-10-26 02:30:00", "twice"), ("2025-03-30 02:30:00", "never")])
def test_a_local_time_that_is_repeated_or_skipped_is_rejected(written: str, how_often: str):
    feed = FEEDS["dispatch_log"].with_options(FeedOptions(dispatch_log_zone=ZoneInfo("Europe/Berlin")))
    (found,) = normalise_with(feed, json.dumps(GOOD | {"occurred_at": written}).encode())
    assert how_often in found


@pytest.mark.parametrize(
    "values",
    [
        {"occurred_at": "2026-03-02 09:14:40.250 UTC"},
        {"occurred_at": "2026-03-02 10:14:40.250 +0100"},
        {"occurred_at": "2026-03-02 10:14:40.250+01"},
        {"occurred_at": 1772442880.25},
        {"occurred_at": "1772442880.25"},
        {"channel": " EMAIL", "status": "Handed Over"},
        {"status": "HANDED-OVER"},
        {"dispatch_id": "'d-1", "recipient": '="ana@inbox.example"'} | {"dispatch_id": "\u200bd-1\ufeff"},
        {"campaign_id": "NULL", "template_id": "\\N", "reason": "nan", "provider": "None", "note": "NULL"},
        {"recipient": "Ana <ana@inbox.example>"},
    ],
)
def test_unambiguous_spellings_are_read(values: dict):
    assert event(**values) == event()


@pytest.mark.parametrize("field", ["dispatch_id", "recipient", "campaign_id", "template_id", "provider_message_id"])
@pytest.mark.parametrize("rounded", ["1.23457E+17", "1,23457E+17", "4E+11", 1.2345678901234568e17, 1.5])
def test_a_rounded_number_is_no_id(field: str, rounded: object):
    assert reason(**{field: rounded}).startswith(f"{field}: a number")


@pytest.mark.parametrize(
    ("written", "expected"),
    [(4711.0, "4711"), ("4711.0000000000", "4711"), ('="000123"', "000123"), ("'000123", "000123"), ("1e5", "1e5")],
)
def test_spellings_of_an_id(written: object, expected: str):
    assert event(dispatch_id=written).dispatch_id == expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("sep", [False, True])
def test_tables_may_have_any_common_delimiter(delimiter: str, sep: bool):
    rows = [["Dispatch ID", "OccurredAt", "CHANNEL", "Status", "recipient"], list(GOOD.values())]
    lines = [delimiter.join(row) for row in rows] + [delimiter * 4]
    data = "\r\n".join([f"sep={delimiter}"] * sep + lines).encode("utf-8-sig")
    assert normalise("dispatch_log", data) == [[event()]]
    if not sep:
        assert normalise("dispatch_log", data.replace(b"\r\n", b"\r")) == [[event()]]


def test_rows_may_be_json_with_names_in_any_case():
    shouted = {name.upper().replace("_", " "): value for name, value in GOOD.items()}
    for data in (json.dumps([GOOD, shouted]), json.dumps(GOOD, indent=1) + json.dumps(shouted, indent=1)):
        assert normalise("dispatch_log", data.encode()) == [[event()], [event()]]


@pytest.mark.parametrize(
    "written", ["+12025550123;+12025550124", "12025550123, 12025550124", "+1 202 555 0123,2025550124"]
)
def test_two_numbers_in_one_cell_are_rejected(written: str):
    assert reason(channel="sms", recipient=written) == "recipient: two numbers"


@pytest.mark.parametrize("written", ["+12025550123,,5", "+1 (202) 555-0123;ext=17", "+\uff11202\uff155550123"])
def test_an_extension_and_wide_digits_are_no_second_number(written: str):
    assert event(channel="sms", recipient=written).event_type == "handed_over"


def test_a_number_may_have_only_wide_digits():
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in "12025550123")
    assert event(channel="sms", recipient=wide).recipient == "+12025550123"
