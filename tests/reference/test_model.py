"""The model itself, with small files whose results were computed by hand."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.reference import decode
from tests.reference.model import Model
from tests.reference.sighting import hide_recipient
from waybill.model.identity import Keyring
from waybill.simulator.truth.outcome import make_messages

KEYRING = Keyring(b"a secret for the tests only")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LANDED = NOON + timedelta(days=2)
SECONDS = int(NOON.timestamp())


def email(event: str = "delivered", **fields: object) -> dict:
    return {
        "email": "ana@gmail.com",
        "event": event,
        "timestamp": SECONDS,
        "sg_message_id": "m1.recvd-1.0",
        **fields,
    }


def sms(status: str = "delivered", **fields: object) -> dict:
    return {
        "sid": "SM1",
        "status": status,
        "date_created": "Mon, 02 Mar 2026 12:00:00 +0000",
        "date_updated": "Mon, 02 Mar 2026 12:00:09 +0000",
        "direction": "outbound-api",
        "to": "+4915228817386",
        **fields,
    }


def row(**fields: object) -> dict:
    at = "2026-03-02T11:00:00Z"
    return {"dispatch_id": "d1", "occurred_at": at, "channel": "email", "status": "handed_over", **fields}


def file_of(feed: str, *records: dict) -> bytes:
    if feed.startswith("twilio"):
        return json.dumps({decode.BODY_KEY[feed]: records}).encode()
    return b"\n".join(json.dumps(record).encode() for record in records)


def model_of(feed: str = "sendgrid_events", *records: dict, zone: str = "UTC") -> Model:
    model = Model(KEYRING, zone)
    load(model, feed, *records)
    return model


def load(model: Model, feed: str, *records: dict):
    return model.load("acme", feed, file_of(feed, *records), LANDED)


def types(model: Model) -> list[str]:
    return sorted(h.event_type for h in model.happenings())


def only(model: Model):
    (happening,) = model.happenings()
    return happening


# --- SendGrid --------------------------------------------------------------------------------------------------------


def test_a_repeated_event_with_another_id_and_case_is_one_event():
    model = model_of("sendgrid_events", email(sg_event_id="a"), email(sg_event_id="b", email=" ANA@Gmail.com "))
    assert len(model.happenings()) == 1


def test_keys_are_the_documented_ones():
    recipient = KEYRING.recipient_key("acme", "ana@gmail.com").hex()
    click = email(
        "click", ip="192.0.2.1", url="https://x.example/?u=ANA%40gmail.com", url_offset={"type": "a", "index": 1}
    )
    identity = ("m1", recipient, "click", str(SECONDS), "192.0.2.1", "", f"https://x.example/?u={recipient}")
    identity += ('{"index":1,"type":"a"}',)
    happening = only(model_of("sendgrid_events", click))
    assert happening.key == KEYRING.event_key(SECONDS * 1000, "acme", "sendgrid", identity)
    assert happening.leg_key == KEYRING.leg_key("acme", "sendgrid", ("m1", recipient))
    assert happening.at == NOON


def test_milliseconds_are_cut_to_the_second():
    model = model_of("sendgrid_events", email(timestamp=SECONDS * 1000 + 999), email())
    assert only(model).at == NOON


def test_either_id_names_the_message():
    by_smtp = email("open", sg_message_id="", **{"smtp-id": "<m1@geopod>"})
    assert len(make_messages(model_of("sendgrid_events", email(), by_smtp).happenings())) == 1


def test_a_bounce_without_ids_is_unattributed():
    model = model_of("sendgrid_events", email("bounce", sg_message_id=None))
    assert model.unattributed() == {("acme", "sendgrid_events"): 1}
    assert not any(model.report_rows().values())


def test_the_flag_of_any_sighting_makes_a_machine_open():
    assert only(model_of("sendgrid_events", email("open"), email("open", sg_machine_open=True))).is_machine
    assert only(model_of("sendgrid_events", email("open", sg_machine_open=False))).is_machine is False


def test_sightings_merge_to_the_least_dispatch_id_and_the_best_campaign():
    sightings = [
        email(dispatch_id="d2", category="a"),
        email(dispatch_id="d1", campaign_id="z"),
        email(campaign_id="y"),
    ]
    happening = only(model_of("sendgrid_events", *sightings))
    assert (happening.dispatch_id, happening.campaign) == ("d1", (2, "y"))


def test_campaigns_come_by_source_and_ids_are_texts():
    def campaign(**fields: object):
        return only(model_of("sendgrid_events", email(**fields))).campaign

    assert campaign(campaign_id=" c ", singlesend_id="s", category=["n"]) == (2, "c")
    assert campaign(campaign_id=True, marketing_campaign_id=7, category="n") == (3, "7")
    assert campaign(campaign_id="", category=["", "n"]) == (4, "n")
    assert campaign(category=[]) is None


@pytest.mark.parametrize("campaign_id", ["Sale/ana.gmail.com", "Sale/ANA.gmail%2Ecom"])
def test_a_campaign_with_a_recipient_that_is_no_address_is_hashed(campaign_id: str):
    fields = {"campaign_id": campaign_id, "dispatch_id": "d1/ana.gmail.com"}
    happening = only(model_of("sendgrid_events", email("dropped", email="ana.gmail.com", **fields)))
    assert happening.campaign == (2, KEYRING.recipient_key("acme", campaign_id).hex())
    assert happening.dispatch_id == "d1/ana.gmail.com"  # a part of keys: the same whoever the recipient is


@pytest.mark.parametrize(
    ("fields", "failure_class"),
    [
        ({"type": "blocked", "bounce_classification": "Invalid Address"}, "blocked"),
        ({"type": "expired"}, "soft_bounce"),
        ({"bounce_classification": "Invalid Address", "status": "4.2.2"}, "soft_bounce"),
        ({"bounce_classification": "Invalid Address", "status": "5.2.2"}, "invalid"),
        ({"status": "4.1.1"}, "soft_bounce"),
        ({"status": "5.1.1"}, "invalid"),
        ({"status": "5.2.2"}, "soft_bounce"),
        ({"reason": "Mailbox FULL", "bounce_classification": "Content"}, "blocked"),
        ({"reason": "Mailbox FULL"}, "soft_bounce"),
        ({"status": "4.7.1", "bounce_classification": "Reputation"}, "soft_bounce"),
        ({"bounce_classification": "Technical Failure"}, "soft_bounce"),
        ({"bounce_classification": "Frequency or Volume Too High"}, "blocked"),
        ({"bounce_classification": "Mailbox Unavailable", "status": "5.7.1"}, "hard_bounce"),
        ({"bounce_classification": "Mailbox Unavailable"}, "hard_bounce"),
    ],
)
def test_the_class_of_a_bounce(fields, failure_class):
    assert only(model_of("sendgrid_events", email("bounce", **fields))).failure_class == failure_class


def test_only_its_reason_makes_a_drop_invalid():
    assert only(model_of("sendgrid_events", email("dropped", reason="Invalid"))).failure_class == "invalid"
    dropped = email("dropped", reason="Invalid SMTPAPI header")
    assert only(model_of("sendgrid_events", dropped)).failure_class == "gateway_suppressed"


def test_the_own_recipient_is_replaced_in_every_form():
    key = b"\x01\x02"
    for form in ("cy+n@x.example", "CY%2bN%40X.example", "Cy+n%40x.EXAMPLE"):
        assert hide_recipient(f"a/{form}/b", "Cy+n@x.example", "cy+n@x.example", key) == "a/0102/b"
    assert hide_recipient("a/bo@x.example", "cy@x.example", "cy@x.example", key) == "a/bo@x.example"


# --- Twilio ----------------------------------------------------------------------------------------------------------


def test_a_row_gives_its_creation_and_its_own_status():
    model = model_of("twilio_messages", sms("queued", date_updated=None), sms("sent", date_sent=None), sms())
    assert {h.event_type: (h.at - NOON).seconds for h in model.happenings()} == {
        "processed": 0,
        "sent": 9,
        "delivered": 9,
    }
    keys = {h.event_type: h.key for h in model.happenings()}
    assert keys["delivered"] == KEYRING.event_key(SECONDS * 1000, "acme", "twilio", ("SM1", "delivered"))


def test_a_message_was_sent_at_its_date_sent():
    model = model_of("twilio_messages", sms("sent", date_sent="Mon, 02 Mar 2026 12:00:01 +0000"))
    assert {h.event_type: (h.at - NOON).seconds for h in model.happenings()} == {"processed": 0, "sent": 1}


def test_the_sign_of_the_price_and_a_late_error_code():
    model = model_of("twilio_messages", sms("failed"))
    (failed,) = [h for h in model.happenings() if h.failure_class]
    assert (failed.event_type, failed.failure_class, failed.country) == ("undelivered", "unknown", "DE")
    load(model, "twilio_messages", sms("failed", error_code=30007, price="-0.0100", price_unit="usd"))
    (failed,) = [h for h in model.happenings() if h.failure_class]
    assert (failed.failure_class, failed.price, failed.currency) == ("blocked", Decimal("0.0100"), "USD")
    load(model, "twilio_messages", sms("failed", error_code=21610, sid="SM2"))
    assert "dropped" in types(model)


def test_an_event_moves_to_the_day_before():
    late = sms(date_created="Sun, 01 Mar 2026 23:59:00 +0000", date_updated="Mon, 02 Mar 2026 00:00:01 +0000")
    model = model_of("twilio_messages", late)
    early = late | {"date_updated": "Sun, 01 Mar 2026 23:59:59 +0000"}
    load(model, "twilio_messages", early)
    assert list(model.report_rows()["communication_activity_daily"]) == [(date(2026, 3, 1), "acme", "sms", "Delivered")]


def test_inbound_rows_and_child_legs_are_ignored():
    counts = load(Model(KEYRING, "UTC"), "twilio_messages", sms(direction="inbound"), sms("received"), sms())
    assert (counts.read, counts.ignored, counts.mapped) == (3, 2, 1)
    child, inbound = sms("completed", parent_call_sid="CA9"), sms("completed", direction="trunking-originating")
    assert load(Model(KEYRING, "UTC"), "twilio_calls", child, inbound).ignored == 2


def test_the_time_of_a_call_by_its_status():
    at = {"start_time": "Mon, 02 Mar 2026 12:00:04 +0000", "end_time": "Mon, 02 Mar 2026 12:00:08 +0000"}
    records = [sms(status, **at) for status in ("ringing", "in-progress", "completed")]
    records.append(sms("busy", end_time="", start_time=None))
    seconds = {h.event_type: (h.at - NOON).seconds for h in model_of("twilio_calls", *records).happenings()}
    assert seconds == {"processed": 0, "ringing": 4, "answered": 4, "completed": 8, "busy": 9}


# --- dispatch log ----------------------------------------------------------------------------------------------------


def test_a_late_row_joins_the_message_that_it_names():
    model = model_of("sendgrid_events", email())
    named = row(provider="sendgrid", provider_message_id="<m1@geopod>", campaign_id="c")
    load(model, "dispatch_log", named)
    assert len(make_messages(model.happenings())) == 2  # the row names no recipient
    load(model, "dispatch_log", named | {"recipient": "Ana@gmail.com"})
    assert len(make_messages(model.happenings())) == 1
    assert len(model.happenings()) == 3
    assert [grain[3] for grain in model.report_rows()["email_campaign"]] == ["c"]


def test_an_unknown_provider_is_kept_and_joins_nothing():
    model = model_of("twilio_messages", sms())
    load(model, "dispatch_log", row(channel="sms", provider="acme_gateway", provider_message_id="SM1"))
    assert sorted(grain[2] for grain in model.report_rows()["sms_activity_daily"]) == ["acme_gateway", "twilio"]


def test_the_account_of_a_row_overrides_the_account_of_the_feed():
    model = model_of("dispatch_log", row(account="borealis"))
    assert only(model).account == "borealis"


def test_reasons_have_categories_and_unknown_reasons_are_other():
    def reason_of(reason: str | None):
        suppressed = only(model_of("dispatch_log", row(status="not_sent", reason=reason)))
        return suppressed.not_sent_category, suppressed.not_sent_reason

    assert reason_of("ndnc") == ("internally_suppressed", "ndnc")
    assert reason_of("no idea") == ("other", "no idea")
    assert reason_of(None) == ("other", None)


def test_a_row_is_the_same_with_every_form_of_its_time():
    seconds = [row(occurred_at=SECONDS), row(occurred_at=SECONDS * 1000), row(occurred_at="2026-03-02T14:00:00+02:00")]
    model = model_of("dispatch_log", *seconds)
    text = f"dispatch_id,occurred_at,channel,status,recipient\nd1,{SECONDS},email,handed_over,\n"
    model.load("acme", "dispatch_log", text.encode(), LANDED)
    identity = ("email", "d1", "", "handed_over", "2026-03-02T12:00:00.000000Z", "", "")
    assert only(model).key == KEYRING.event_key(SECONDS * 1000, "acme", "dispatch", identity)


# --- files and rejected records --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feed", "record", "reason"),
    [
        ("sendgrid_events", email(timestamp="soon"), "time"),
        ("sendgrid_events", email(timestamp=SECONDS + 3 * 86400 + 1), "time"),
        ("sendgrid_events", email(timestamp=1104537599), "time"),
        ("sendgrid_events", email(None), "event_word"),
        ("sendgrid_events", email(email=" "), "address"),
        ("twilio_messages", sms(sid=None), "sid"),
        ("twilio_messages", sms(None), "status"),
        ("twilio_messages", sms(date_updated=None), "time"),
        ("twilio_messages", sms(date_created="Mon, 02 Mar 2026 12:00:00"), "time"),
        ("dispatch_log", row(status="delivered"), "status"),
        ("dispatch_log", row(channel="fax"), "channel"),
        ("dispatch_log", row(dispatch_id=" "), "dispatch_id"),
        ("dispatch_log", row(occurred_at="2026-03-02T12:00:00"), "time"),
        ("dispatch_log", row(recipient="nobody", channel="sms"), "address"),
    ],
)
def test_a_meaningless_record_is_rejected_with_its_reason(feed, record, reason):
    model = Model(KEYRING, "UTC")
    assert [rejection.reason for rejection in load(model, feed, record).rejected] == [reason]
    assert model.happenings() == []


def test_every_shape_of_a_sendgrid_file_gives_the_same_records():
    one, two = (json.dumps(record).encode() for record in (email("open"), email("click")))
    shapes = [one + b"\n\n" + two, b"[" + one + b"]\n[" + two + b", 42]", b"[" + one + b" ,\n" + two + b"\n]\n"]
    for data in [*shapes, *map(gzip.compress, shapes)]:
        raws = [raw.raw for raw in decode.records("sendgrid_events", data) if raw.problem is None]
        assert raws == [one, two]


def test_poison_is_one_record_and_affects_no_other():
    data = b'{broken\n[1, "x"]\n{"a":NaN}\n\n' + file_of("sendgrid_events", email()) + b'\n{"a":"\\ud800"}\n{"a":1}{}'
    counts = Model(KEYRING, "UTC").load("acme", "sendgrid_events", data, LANDED)
    assert [(r.position, r.reason) for r in counts.rejected] == [
        (1, "not_json"),
        (2, "not_an_object"),
        (2, "not_an_object"),
        (3, "not_json"),
        (6, "not_json"),
        (7, "event_word"),  # objects one after another are separate records
        (7, "event_word"),
    ]
    assert (counts.read, counts.mapped) == (8, 1)


def test_a_body_without_its_list_is_one_rejected_record():
    data = b'{"code": 20429}\n' + file_of("twilio_calls", sms("busy"))
    counts = Model(KEYRING, "UTC").load("acme", "twilio_calls", data, LANDED)
    assert [(r.position, r.reason) for r in counts.rejected] == [(1, "body")]
    assert counts.mapped == 1
