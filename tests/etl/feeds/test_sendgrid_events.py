"""SendGrid: what one event means."""

import json

import pytest

from etl.model.event import Event
from etl.model.vocabulary import FAILURE_CLASSES
from tests.etl.feeds.outcomes import ACCOUNT, KEYRING, only_event, reasons_of

GOOD = {"email": "ana@inbox.example", "timestamp": 1772442911, "event": "delivered", "sg_message_id": "m1.filter.x"}


def event(**values: object) -> Event:
    return only_event("sendgrid_events", json.dumps(GOOD | values).encode())


def reason(**values: object) -> str:
    (found,) = reasons_of("sendgrid_events", json.dumps(GOOD | values).encode())
    return found


@pytest.mark.parametrize(
    ("values", "failure_class"),
    [
        ({"type": "blocked", "bounce_classification": "Invalid Address", "status": "5.1.1"}, "blocked"),
        ({"type": "Blocked", "reason": "mailbox full"}, "blocked"),
        ({"type": "expired", "status": "5.1.1"}, "soft_bounce"),
        ({"bounce_classification": "Invalid Address", "status": "4.2.2"}, "soft_bounce"),
        ({"bounce_classification": "Invalid Address", "status": "5.2.2"}, "invalid"),
        ({"status": "5.1.1"}, "invalid"),
        ({"status": "4.1.10"}, "soft_bounce"),
        ({"status": "5.1.10"}, "invalid"),
        ({"type": "bounce", "status": "5.2.2"}, "soft_bounce"),
        ({"reason": "552 mailbox is full"}, "soft_bounce"),
        ({"response": "452 over quota"}, "soft_bounce"),
        ({"status": "4.7.1", "bounce_classification": "Reputation"}, "soft_bounce"),
        ({"bounce_classification": "Technical"}, "soft_bounce"),
        ({"bounce_classification": "Technical Failure"}, "soft_bounce"),
        ({"bounce_classification": "Content"}, "blocked"),
        ({"bounce_classification": "Reputation", "status": "5.7.1"}, "blocked"),
        ({"bounce_classification": "Frequency or Volume Too High"}, "blocked"),
        ({"bounce_classification": "Mailbox Unavailable"}, "hard_bounce"),
        ({"bounce_classification": "Unclassified"}, "hard_bounce"),
        ({"reason": "550 5.7.1 your network is on our block list"}, "blocked"),
        ({"reason": "554 relay access denied"}, "hard_bounce"),
        ({"reason": "unable to get mx info: mx lookup failed"}, "soft_bounce"),
        ({"reason": "552 mailbox is full", "bounce_classification": "Content"}, "blocked"),
        ({"type": "bounce", "status": "5.0.0", "reason": "500 no"}, "hard_bounce"),
        ({"status": "11.1.1.1"}, "hard_bounce"),
        ({"reason": "550 no mailbox by this full name"}, "invalid"),
        ({"status": "5.1.8", "reason": "550 5.1.8 Access denied, bad outbound sender"}, "blocked"),
        ({"reason": "550 unknown host"}, "invalid"),
        ({"status": 5, "type": ["blocked"]}, "hard_bounce"),
        ({}, "hard_bounce"),
    ],
)
def test_the_first_row_that_fits_gives_a_bounce_its_class(values: dict, failure_class: str):
    assert failure_class in FAILURE_CLASSES
    assert event(event="bounce", **values).failure_class == failure_class


@pytest.mark.parametrize(
    ("text", "failure_class", "failure_reason"),
    [
        ("Invalid", "invalid", "address_malformed"),
        ("Invalid SMTPAPI header", "gateway_suppressed", "invalid_request"),
        ("Bounced Address", "gateway_suppressed", "prior_bounce"),
        ("Unsubscribed Address", "gateway_suppressed", "prior_unsubscribe"),
        ("Spam Reporting Address", "gateway_suppressed", "prior_spam_report"),
        ("Recipient List over Package Quota", "gateway_suppressed", "quota_exceeded"),
        (None, "gateway_suppressed", "unclassified"),
    ],
)
def test_a_drop_is_invalid_by_its_reason_alone(text: str | None, failure_class: str, failure_reason: str):
    dropped = event(event="dropped", reason=text)
    assert (dropped.failure_class, dropped.failure_reason) == (failure_class, failure_reason)


def test_a_canceled_drop_of_the_email_logs_is_a_drop():
    dropped = event(event="cancel_drop", reason="Bounced Address")
    assert (dropped.event_type, dropped.provider_event) == ("dropped", "cancel_drop")
    assert (dropped.failure_class, dropped.failure_reason) == ("gateway_suppressed", "prior_bounce")
    assert event(event="cancel_drop", reason="Invalid").failure_class == "invalid"


def test_spaces_around_a_word_make_no_other_event():
    assert event(event=" open\n") == event(event="open")


def test_only_failures_have_a_class():
    assert event(event="deferred", response="452 mailbox full", status="4.2.2").failure_class is None


@pytest.mark.parametrize(
    ("values", "message_id"),
    [
        ({"sg_message_id": "m1.filter0001.16648.5515E0B88.0"}, "m1"),
        ({"sg_message_id": " m1 "}, "m1"),
        ({"sg_message_id": "", "smtp-id": "<m2.x@geopod>"}, "m2"),
        ({"sg_message_id": None, "smtp-id": "<m2@geopod.x>"}, "m2"),
        ({"sg_message_id": "  ", "smtp-id": "<m2@geopod.x>"}, "m2"),
        ({"sg_message_id": None, "smtp-id": ""}, None),
        ({"sg_message_id": None, "smtp-id": "m2@geopod"}, None),
        ({"sg_message_id": None, "smtp-id": "<@geopod>"}, None),
        ({"sg_message_id": {"a": 1}}, None),
        ({"sg_message_id": None}, None),
    ],
)
def test_the_message_is_named_by_either_id_or_by_none(values: dict, message_id: str | None):
    found = event(**values)
    assert found.provider_message_id == message_id
    assert (found.leg_key is None) == (message_id is None)


def test_a_leg_is_a_message_and_its_recipient():
    ana, bo = event(), event(email="bo@inbox.example")
    assert ana.leg_key != bo.leg_key and ana.event_key != bo.event_key
    assert event(event="open").leg_key == ana.leg_key


def test_what_tells_two_events_apart_is_their_content_and_not_their_id():
    def keys(word: str, *variants: dict) -> int:
        return len({event(event=word, **variant).event_key for variant in variants})

    assert keys("open", {}, {"sg_event_id": "x"}, {"url": "u"}, {"category": "c"}, {"ip": None}, {"ip": 5}) == 1
    assert keys("open", {}, {"ip": "192.0.2.1"}, {"useragent": "u"}) == 3
    assert keys("click", {}, {"ip": "i"}, {"useragent": "i"}, {"url": "i"}, {"url_offset": {"index": 1}}) == 5
    assert (
        keys("click", {"url_offset": {"index": 1, "type": "html"}}, {"url_offset": {"type": "html", "index": 1}}) == 1
    )
    assert keys("delivered", {}, {"ip": "i", "useragent": "u", "url": "u", "asm_group_id": 1}) == 1
    assert keys("group_unsubscribe", {}, {"asm_group_id": 1}, {"asm_group_id": "1"}, {"asm_group_id": 2}) == 3
    assert keys("delivered", {}, {"timestamp": 1772442911999}, {"timestamp": 1772442912}) == 2


def test_the_key_is_that_of_the_tuple_of_the_design():
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    identity = ("m1", key, "group_resubscribe", "1772442911", "7")
    expected = KEYRING.event_key(1772442911000, ACCOUNT, "sendgrid", identity)
    assert event(event="group_resubscribe", asm_group_id=7, timestamp=1772442911500).event_key == expected
    assert event(event="open", sg_message_id=None).event_key == KEYRING.event_key(
        1772442911000, ACCOUNT, "sendgrid", ("", key, "open", "1772442911", "", "")
    )


def test_the_campaign_comes_from_the_best_source_that_names_one():
    sources = {"campaign_id": 7, "singlesend_id": "s", "marketing_campaign_id": 9, "category": ["", "c"]}
    expected = [("7", "custom_argument"), ("s", "provider"), ("9", "provider"), ("c", "category"), (None, None)]
    for name, pair in zip([*sources, "none"], expected, strict=True):
        found = event(**sources)
        assert (found.campaign_id, found.campaign_source) == pair
        sources = {**sources, name: {"campaign_id": " ", "singlesend_id": True, "category": []}.get(name)}
    assert event(category="").tags is None and event(category=["a", 5, None, {}]).tags == ["a", "5"]


def test_the_template_is_the_custom_argument_or_the_providers():
    both = event(template_id="t", sg_template_id="s")
    assert (both.template_id, both.template_source, both.extra) == ("t", "custom_argument", {"sg_template_id": "s"})
    own = event(sg_template_id="s")
    assert (own.template_id, own.template_source, own.extra) == ("s", "provider", None)


def test_only_the_flag_makes_a_machine():
    assert event(event="open").is_machine is None
    assert event(event="open", sg_machine_open=True).is_machine is True
    assert event(event="open", sg_machine_open=False).is_machine is False
    assert event(event="open", sg_machine_open="true").is_machine is None
    assert event(event="delivered", sg_machine_open=True).is_machine is None


def test_scopes_say_what_was_left():
    assert event(event="unsubscribe").scope == "global"
    assert event(event="group_unsubscribe", asm_group_id=21).scope == "group:21"
    assert event(event="group_unsubscribe").scope is None
    assert event(asm_group_id=21).scope is None and event(asm_group_id=21).extra == {"asm_group_id": 21}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"event": None}, "event: missing"),
        ({"event": " "}, "event: missing"),
        ({"event": 5}, "mistyped: Expected `str | null`, got `int` - at `$.event`"),
        ({"email": None}, "email: missing"),
        ({"email": ""}, "email: missing"),
        ({"email": ["ana@inbox.example"]}, "mistyped: Expected `str | null`, got `array` - at `$.email`"),
        ({"email": "ana"}, "recipient: no @"),
        ({"timestamp": None}, "timestamp: missing"),
        ({"timestamp": "1772442911"}, "mistyped: Expected `int | null`, got `str` - at `$.timestamp`"),
        ({"timestamp": 1104537599}, "time outside 2005-2100"),
    ],
)
def test_a_record_that_means_nothing_is_rejected_with_its_reason(values: dict, expected: str):
    assert reason(**values) == expected


def test_fields_of_another_type_than_documented_are_absent():
    odd = event(event="click", ip=5, useragent=["u"], url={}, reason=1, status=[], sg_event_id=True, dispatch_id=[1])
    assert (odd.ip, odd.user_agent, odd.url, odd.provider_reason, odd.status_code) == (None,) * 5
    assert odd.provider_event_id is None and odd.dispatch_id is None


def test_published_shapes_are_read():
    legacy = {"email": "john.doe@inbox.example", "timestamp": 1337966815, "category": ["newuser"], "event": "open"}
    found = only_event("sendgrid_events", json.dumps([legacy]).encode())
    assert found.leg_key is None and found.campaign_id == "newuser"
    single_send = GOOD | {
        "timestamp": 1591726752372,
        "send_at": "1591726752372",
        "singlesend_id": "s",
        "template_id": "t",
    }
    found = only_event("sendgrid_events", json.dumps(single_send).encode())
    assert found.event_at.isoformat() == "2020-06-09T18:19:12+00:00" and found.extra == {"send_at": "1591726752372"}


def test_a_suspected_machine_is_told_by_its_user_agent_and_changes_no_flag():
    apple, person = "Mozilla/5.0", "Mozilla/5.0 (X11; Linux x86_64) Firefox/136.0"
    for flag in ({}, {"sg_machine_open": False}, {"sg_machine_open": True}):
        suspected = event(event="open", useragent=apple, **flag)
        assert (suspected.machine_rule, suspected.is_machine) == ("mozilla_alone", flag.get("sg_machine_open"))
        found = event(event="open", useragent=person, **flag)
        assert (found.machine_rule, found.is_machine) == (None, flag.get("sg_machine_open"))
    assert event(event="click", useragent="curl/8.5.0").machine_rule == "http_client"
    assert event(event="group_unsubscribe", useragent="curl/8.5.0").machine_rule is None
    assert event(event="open").machine_rule is None


def test_the_own_recipient_is_the_only_thing_replaced_in_an_identity():
    """Frozen: these keys must come out for ever."""
    click = event(
        event="click",
        ip="192.0.2.1",
        useragent="U bo@other.example",
        url="https://x.example/?e=ANA%2540inbox%2Eexample&f=bo%40other.example",
        url_offset={"type": "html", "index": 0},
    )
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    identity = (
        "m1",
        key,
        "click",
        "1772442911",
        "192.0.2.1",
        "U bo@other.example",
        f"https://x.example/?e={key}&f=bo%40other.example",
        '{"index":0,"type":"html"}',
    )
    assert click.event_key == KEYRING.event_key(1772442911000, ACCOUNT, "sendgrid", identity)
    assert click.leg_key == KEYRING.leg_key(ACCOUNT, "sendgrid", ("m1", key))
    assert click.url == "https://x.example/?e=<recipient>&f=<recipient>"
    assert click.user_agent == "U <recipient>"
