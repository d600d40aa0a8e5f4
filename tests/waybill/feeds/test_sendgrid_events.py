"""SendGrid: the canonical events of its records."""

import io
import json

import pytest

from tests.waybill.feeds.outcomes import ACCOUNT, KEYRING, normalise, normalise_with, only_event, reasons_of
from waybill.feeds import FEEDS
from waybill.feeds.options import FeedOptions
from waybill.feeds.sendgrid.record import ACCOUNT_WORDS, FIELDS_OF_WORD
from waybill.model.event import Event
from waybill.model.vocabulary import FAILURE_CLASSES

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
        ({"reason": "452 over quota"}, "soft_bounce"),
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
def test_the_class_of_a_bounce(values: dict, failure_class: str):
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
def test_only_its_reason_makes_a_drop_invalid(text: str | None, failure_class: str, failure_reason: str):
    dropped = event(event="dropped", reason=text)
    assert (dropped.failure_class, dropped.failure_reason) == (failure_class, failure_reason)


def test_a_canceled_drop_of_the_email_logs_is_a_drop():
    dropped = event(event="cancel_drop", reason="Bounced Address")
    assert (dropped.event_type, dropped.provider_event) == ("dropped", "cancel_drop")
    assert (dropped.failure_class, dropped.failure_reason) == ("gateway_suppressed", "prior_bounce")
    assert event(event="cancel_drop", reason="Invalid").failure_class == "invalid"


def test_spaces_around_a_word_do_not_change_the_key():
    assert event(event=" open\n") == event(event="open")


def test_only_failures_have_a_class():
    assert event(event="deferred", response="452 mailbox full", status="4.2.2").failure_class is None


@pytest.mark.parametrize(
    ("values", "message_id"),
    [
        ({"sg_message_id": "m1.filter0001.16648.5515E0B88.0"}, "m1"),
        ({"sg_message_id": " m1 "}, "m1"),
        ({"sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"}, "14c5d75ce93.dfd.64b469"),
        ({"sg_message_id": "m1.recvd-canary-5d4f7c9b8-x7k2p-1-65F1A2B3-12.0"}, "m1"),
        ({"sg_message_id": "m1.a.b"}, "m1.a.b"),
        ({"sg_message_id": "", "smtp-id": "<m2.x@geopod>"}, "m2.x"),
        ({"sg_message_id": None, "smtp-id": "<m2@GEOPOD-ismtpd-9>"}, "m2"),
        ({"sg_message_id": "  ", "smtp-id": "<m2@ismtpd0006p1sjc2.sendgrid.net>"}, "m2"),
        ({"sg_message_id": ".recvd-1", "smtp-id": "<m2@ismtpd-5>"}, "m2"),
        ({"sg_message_id": "m1.recvd-1", "smtp-id": "<m2@ismtpd-5>"}, "m1"),
        ({"sg_message_id": "filter0093p1las1.9128.69A41A10.0", "smtp-id": "<m2@ismtpd-5>"}, "m2"),
        ({"sg_message_id": "filter0093p1las1.9128.69A41A10.0"}, "filter0093p1las1.9128.69A41A10.0"),
        ({"sg_message_id": "filter0093.9128.6", "smtp-id": "<1.2@acme.example>"}, "filter0093.9128.6"),
        ({"sg_message_id": None, "smtp-id": ""}, None),
        ({"sg_message_id": None, "smtp-id": "<>"}, None),
        ({"sg_message_id": None, "smtp-id": "m2@geopod"}, "m2"),
        ({"sg_message_id": None, "smtp-id": "<@geopod>"}, None),
        ({"sg_message_id": {"a": 1}}, None),
        ({"sg_message_id": None}, None),
    ],
)
def test_either_id_names_the_message(values: dict, message_id: str | None):
    found = event(**values)
    assert found.provider_message_id == message_id
    assert (found.leg_key is None) == (message_id is None)


def test_an_event_with_only_the_senders_message_id_has_its_own_leg():
    own_id, key = "1772359200.85680@acme.example", KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    bounce = event(event="bounce", sg_message_id="", **{"smtp-id": f" <{own_id}> "})
    assert bounce.provider_message_id is None
    assert bounce.leg_key == bounce.own_leg_key == KEYRING.leg_key(ACCOUNT, "sendgrid", ("own", own_id, key))
    identity = (f"<{own_id}>", key, "bounce", "1772442911")
    assert bounce.event_key == KEYRING.event_key(1772442911000, ACCOUNT, "sendgrid", identity)
    carrier = event(**{"smtp-id": f"<{own_id}>"})
    assert (carrier.provider_message_id, carrier.own_leg_key) == ("m1", bounce.leg_key) != ("m1", carrier.leg_key)
    assert event().own_leg_key is None and event(**{"smtp-id": "<m1@geopod-ismtpd-1>"}).own_leg_key is None


def test_message_ids_of_senders_with_one_beginning_are_different():
    written = [f"<177235920034.8568{number}.ana@inbox.example>" for number in (0, 1)]
    found = [event(event="bounce", sg_message_id=None, **{"smtp-id": one}) for one in written]
    assert len({one.leg_key for one in found}) == len({one.event_key for one in found}) == 2
    again = event(event="bounce", sg_message_id=None, email="ANA@inbox.example", **{"smtp-id": written[0]})
    assert (again.leg_key, again.event_key) == (found[0].leg_key, found[0].event_key)
    assert "85680" not in str(found)


def test_a_leg_is_a_message_and_its_recipient():
    ana, bo = event(), event(email="bo@inbox.example")
    assert ana.leg_key != bo.leg_key and ana.event_key != bo.event_key
    assert event(event="open").leg_key == ana.leg_key


def test_the_identity_is_the_content_and_not_the_event_id():
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


def test_the_key_is_the_hash_of_the_documented_tuple():
    key = KEYRING.recipient_key(ACCOUNT, "ana@inbox.example").hex()
    identity = ("m1", key, "group_resubscribe", "1772442911", "7")
    expected = KEYRING.event_key(1772442911000, ACCOUNT, "sendgrid", identity)
    assert event(event="group_resubscribe", asm_group_id=7, timestamp=1772442911500).event_key == expected
    assert event(event="open", sg_message_id=None).event_key == KEYRING.event_key(
        1772442911000, ACCOUNT, "sendgrid", ("", key, "open", "1772442911", "", "")
    )


def test_the_campaign_comes_from_the_best_source():
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


def test_only_the_flag_sets_is_machine():
    assert event(event="open").is_machine is None
    assert event(event="open", sg_machine_open=True).is_machine is True
    assert event(event="open", sg_machine_open=False).is_machine is False
    assert event(event="open", sg_machine_open="true").is_machine is None
    assert event(event="delivered", sg_machine_open=True).is_machine is None


def test_the_scope_of_an_unsubscribe():
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
        ({"email": "ana@inbox.example, bo@inbox.example"}, "recipient: two addresses"),
        ({"email": "ana@inbox.example bo@inbox.example"}, "recipient: two addresses"),
        ({"timestamp": None}, "timestamp: missing"),
        ({"timestamp": ""}, "timestamp: missing"),
        ({"timestamp": "1.77E+9"}, "timestamp: not a time with a zone"),
        ({"timestamp": "2026-03-02T09:14:40"}, "timestamp: time without zone"),
        ({"timestamp": True}, "mistyped: Expected `int | float | str | null`, got `bool` - at `$.timestamp`"),
        ({"timestamp": 1104537599}, "time outside 2005-2100"),
    ],
)
def test_a_meaningless_record_is_rejected_with_its_reason(values: dict, expected: str):
    assert reason(**values) == expected


def test_fields_of_another_type_than_documented_are_absent():
    odd = event(event="click", ip=5, useragent=["u"], url={}, sg_event_id=True, dispatch_id=[1])
    assert (odd.ip, odd.user_agent, odd.url) == (None,) * 3
    assert odd.provider_event_id is None and odd.dispatch_id is None
    odd = event(event="bounce", reason=1, status=[])
    assert (odd.provider_reason, odd.status_code) == (None, None)


@pytest.mark.parametrize(
    "timestamp",
    [
        "1772442911",
        " 1772442911 ",
        "1772442911.999",
        1772442911.5,
        1772442911999,
        "1772442911999",
        1772442911999.5,
        "2026-03-02T09:15:11Z",
        "2026-03-02T10:15:11.75+01:00",
        "Mon, 02 Mar 2026 09:15:11 +0000",
    ],
)
def test_forms_of_a_time(timestamp: object):
    assert event(timestamp=timestamp).event_key == event().event_key
    assert event(timestamp=timestamp).event_at.isoformat() == "2026-03-02T09:15:11+00:00"


# Fields and arguments

OWN_FIELDS = ("type", "bounce_classification", "status", "reason", "response", "ip", "useragent", "url", "asm_group_id")


@pytest.mark.parametrize("word", sorted({*FIELDS_OF_WORD, "levitated"} - set(ACCOUNT_WORDS)))
def test_a_field_of_another_word_is_an_argument(word: str):
    found = event(event=word, **dict.fromkeys(OWN_FIELDS, "gold"))
    arguments = set(OWN_FIELDS) - set(FIELDS_OF_WORD.get(word, ()))
    assert arguments and found.extra == dict.fromkeys(arguments, "gold")
    columns = (found.provider_code, found.status_code, found.provider_reason, found.ip, found.user_agent, found.url)
    has = [{"type"}, {"status"}, {"reason", "response"}, {"ip"}, {"useragent"}, {"url"}]
    assert [column is not None for column in columns] == [not names <= arguments for names in has]


def test_an_argument_named_like_a_field_of_another_word_has_no_effect():
    dropped = event(event="dropped", reason="Bounced Address", type="expired", status="5.2.2")
    assert (dropped.failure_class, dropped.failure_reason) == ("gateway_suppressed", "prior_bounce")
    assert (dropped.provider_code, dropped.status_code) == (None, None)
    assert dropped.extra == {"type": "expired", "status": "5.2.2"}
    deferred = event(event="deferred", response="421 4.7.0 try again later", reason="signup", status="gold")
    assert (deferred.provider_reason, deferred.status_code) == ("421 4.7.0 try again later", None)
    assert deferred.extra == {"reason": "signup", "status": "gold"}
    bounced = event(event="bounce", reason="550 no such user", url="https://shop.example/?mail=ana@inbox.example")
    assert bounced.failure_reason == "address_not_found" and bounced.url is None
    assert bounced.extra == {"url": "https://shop.example/?mail=<recipient>"}


@pytest.mark.parametrize("outer", ["unique_args", "custom_args"])
def test_arguments_may_be_nested(outer: str):
    nested = {
        "dispatch_id": "d1",
        "campaign_id": "spring",
        "template_id": "t",
        "order": 7,
        "type": "gold",
        "email": "x",
    }
    found = event(event="bounce", reason="550 5.1.1 unknown", **{outer: nested})
    assert (found.dispatch_id, found.campaign_id, found.template_id) == ("d1", "spring", "t")
    assert found.campaign_source == found.template_source == "custom_argument"
    assert found.extra == {"order": 7, "type": "gold", "email": "x"} and found.provider_code is None
    assert found.recipient == "ana@inbox.example"
    assert event(dispatch_id="top", **{outer: nested}).dispatch_id == "top"
    assert event(**{outer: "text"}).extra == {outer: "text"}


def with_names(values: dict, **names: tuple[str, ...]) -> Event:
    feed = FEEDS["sendgrid_events"].with_options(FeedOptions(**names))
    ((found,),) = normalise_with(feed, json.dumps(GOOD | values).encode())
    return found


def test_the_installation_names_the_arguments():
    names = {"dispatch_id_arguments": ("ref", "Message Ref", "dispatch_id"), "campaign_id_arguments": ("mailing",)}
    both = with_names({"Message Ref": 7, "ref": " ", "dispatch_id": "d", "mailing": "spring"}, **names)
    assert (both.dispatch_id, both.campaign_id, both.campaign_source) == ("7", "spring", "custom_argument")
    assert both.extra == {"dispatch_id": "d"}
    assert with_names({"dispatch_id": "d"}, **names).dispatch_id == "d"
    assert with_names({"custom_args": {"ref": "nested"}}, **names).dispatch_id == "nested"
    assert with_names({"tpl": "t"}, template_id_arguments=("tpl",)).template_source == "custom_argument"
    assert event(ref="r").dispatch_id is None and event(ref="r").extra == {"ref": "r"}
    assert with_names({"ref": "r"}, **names).event_key == event(ref="r").event_key


# Words about the account


def test_a_word_about_the_account_is_a_notice_and_no_event():
    notice = {"event": "account_status_change", "type": "compliance_suspend", "timestamp": 1772442911}
    data = json.dumps(notice).encode()
    assert normalise("sendgrid_events", data) == [[]]
    feed = FEEDS["sendgrid_events"]
    (raw,) = feed.records(io.BytesIO(data))
    found = feed.account_notice(feed.decode(raw))
    assert found[:2] == ("account_status_change", "compliance_suspend")
    assert found.noticed_at.isoformat() == "2026-03-02T09:15:11+00:00"
    assert feed.account_notice(feed.decode(next(feed.records(io.BytesIO(json.dumps(GOOD).encode()))))) is None


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (None, "timestamp: missing"),
        (4102444800, "time more than a day after its landing"),
    ],
)
def test_a_notice_without_a_valid_time_is_rejected(timestamp: object, expected: str):
    data = json.dumps({"event": "account_status_change", "timestamp": timestamp}).encode()
    assert reasons_of("sendgrid_events", data) == [expected]


# Malformed addresses


@pytest.mark.parametrize("written", ["ana.inbox.example", "ana@", "@inbox.example", "none", "x", "ana inbox example"])
def test_a_malformed_address_is_a_recipient(written: str):
    dropped = event(email=written, event="dropped", reason="Invalid")
    assert (dropped.event_type, dropped.failure_class) == ("dropped", "invalid")
    assert (dropped.failure_reason, dropped.provider_reason) == ("address_malformed", "Invalid")
    assert dropped.recipient == written and dropped.leg_key is not None
    assert dropped.recipient_key == KEYRING.recipient_key(ACCOUNT, written)
    again = event(email=f" {written.upper()} ", event="dropped", reason="Invalid")
    assert (again.event_key, again.leg_key) == (dropped.event_key, dropped.leg_key)


@pytest.mark.parametrize("word", ["invalid", "dropped", "bounced address", "address"])
def test_a_recipient_that_is_a_word_of_the_provider_does_not_mask_the_word(word: str):
    dropped = event(email=word, event="dropped", reason="Invalid")
    assert (dropped.event_type, dropped.failure_class) == ("dropped", "invalid")
    dropped = event(email=word, event="dropped", reason="Bounced Address")
    assert (dropped.event_type, dropped.failure_reason) == ("dropped", "prior_bounce")
    bounced = event(email=word, event="bounce", bounce_classification="Invalid Address", reason="550 no")
    assert bounced.failure_class == "invalid"


def test_no_stored_column_contains_a_malformed_address():
    found = event(
        email="Ana.Inbox.Example",
        event="dropped",
        reason="550 5.1.3 <ana.inbox.example>: bad address",
        campaign_id="for ana.inbox.example",
        category=["ana.inbox.example"],
        link="https://x.example/?to=%22ana%2Einbox.example%22&q=1",
    )
    assert found.provider_reason == "550 5.1.3 <recipient>: bad address"
    assert found.tags == ["<recipient>"] and found.extra == {"link": "https://x.example/?to=%22<recipient>%22&q=1"}
    assert len(found.campaign_id) == 64


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


def test_a_user_agent_makes_a_suspect_and_changes_no_flag():
    apple, person = "Mozilla/5.0", "Mozilla/5.0 (X11; Linux x86_64) Firefox/136.0"
    for flag in ({}, {"sg_machine_open": False}, {"sg_machine_open": True}):
        suspected = event(event="open", useragent=apple, **flag)
        assert (suspected.machine_rule, suspected.is_machine) == ("mozilla_alone", flag.get("sg_machine_open"))
        found = event(event="open", useragent=person, **flag)
        assert (found.machine_rule, found.is_machine) == (None, flag.get("sg_machine_open"))
    assert event(event="click", useragent="curl/8.5.0").machine_rule == "http_client"
    assert event(event="group_unsubscribe", useragent="curl/8.5.0").machine_rule is None
    assert event(event="open").machine_rule is None


def test_only_the_own_recipient_is_replaced_in_an_identity():
    """Frozen: these keys must never change."""
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


@pytest.mark.parametrize("rounded", [1.2345678901234567e17, "1.23457E+17", "1,23457e17"])
@pytest.mark.parametrize("name", ["dispatch_id", "campaign_id", "template_id"])
def test_a_rounded_argument_is_no_id_and_is_kept(name: str, rounded: object):
    found = event(**{name: rounded})
    assert getattr(found, name) is None and found.extra == {name: rounded}
    nested = event(unique_args={name: rounded})
    assert getattr(nested, name) is None


@pytest.mark.parametrize(
    ("written", "expected"), [(4711, "4711"), (4711.0, "4711"), ("12E5", "12E5"), ("4E-2", "4E-2")]
)
def test_spellings_of_an_id_argument(written: object, expected: str):
    assert event(dispatch_id=written).dispatch_id == expected


@pytest.mark.parametrize("written", ["\u200bana@inbox.example", "ana@inbox.example\ufeff", "mailto:ana@inbox.example"])
def test_invisible_characters_around_an_address_are_ignored(written: str):
    assert event(email=written).recipient_key == event().recipient_key
    assert reason(email="\u200b") == "recipient: missing"
