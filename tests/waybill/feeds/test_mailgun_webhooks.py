"""Mailgun: the canonical events of its posts."""

import json

import pytest

from tests.waybill.feeds.cases import CASES
from tests.waybill.feeds.outcomes import events_of, keys_of, only_event, reasons_of
from waybill.feeds.providers import MESSAGE_IDS
from waybill.model.event import Event

SLUG = "mailgun_webhooks"
GOOD = {
    "event": "opened",
    "timestamp": 1772442911.417233,
    "recipient": "ana@inbox.example",
    "message": {"headers": {"message-id": "20260302091411.1.11AB@mg.acme.example"}},
}
FAILED = GOOD | {"event": "failed", "severity": "permanent", "reason": "generic"}


def event(record: dict[str, object] = GOOD, **values: object) -> Event:
    return only_event(SLUG, json.dumps(record | values).encode())


def failed(reason: str, code: int, status: str = "", text: str = "") -> Event:
    return event(FAILED, reason=reason, **{"delivery-status": {"code": code, "enhanced-code": status, "message": text}})


def test_an_event_is_the_same_with_and_without_its_envelope() -> None:
    (posted,) = events_of(SLUG, CASES[SLUG].posts([GOOD]))
    assert posted == event()


def test_fractions_of_a_second_and_the_id_of_the_event_do_not_change_the_key() -> None:
    one, other = event(id="a"), event(id="b", timestamp="2026-03-02T09:15:11.999Z")
    assert one.event_key == other.event_key
    assert (one.event_at.microsecond, other.event_at.microsecond) == (417233, 999000)


@pytest.mark.parametrize(
    "change", [{"client-info": {"user-agent": "other"}}, {"ip": "192.0.2.51"}, {"recipient": "b@c.example"}]
)
def test_another_reader_is_another_open(change: dict[str, object]) -> None:
    assert event().event_key != event(**change).event_key


@pytest.mark.parametrize(("bot", "is_machine"), [("", False), ("apple", True), ("gmail", True), (None, None)])
def test_the_kind_of_program_is_the_machine_flag(bot: str | None, is_machine: bool | None) -> None:
    assert event(**{"client-info": {"bot": bot}}).is_machine is is_machine


@pytest.mark.parametrize(
    ("written", "message_id"),
    [
        ("<20260302091411.1.11AB@mg.acme.example>", "20260302091411.1.11AB"),
        (" 20160306015544.116301.25145@acme.example", "20160306015544.116301.25145"),
        ("<order-7@acme.example>", "order-7@acme.example"),
        ("20260302091411.ana@inbox@acme.example", "20260302091411.ana@inbox@acme.example"),
        ("", ""),
    ],
)
def test_an_id_that_mailgun_made_loses_its_domain(written: str, message_id: str) -> None:
    assert MESSAGE_IDS["mailgun"].message_id(written) == message_id


@pytest.mark.parametrize(
    ("found", "event_type", "failure_class", "failure_reason"),
    [
        (failed("suppress-unsubscribe", 606), "dropped", "gateway_suppressed", "prior_unsubscribe"),
        (failed("generic", 605), "dropped", "gateway_suppressed", "prior_bounce"),
        (failed("espblock", 550, "5.1.1"), "bounced", "blocked", "address_not_found"),
        (failed("old", 602), "bounced", "soft_bounce", "expired"),
        (failed("bounce", 550, "4.1.1"), "bounced", "soft_bounce", "address_not_found"),
        (failed("generic", 450, text="user unknown"), "bounced", "soft_bounce", "address_not_found"),
        (failed("bounce", 550, "5.1.1"), "bounced", "invalid", "address_not_found"),
        (failed("bounce", 550, text="no"), "bounced", "hard_bounce", "unclassified"),
        (event(FAILED, severity="temporary"), "deferred", None, None),
        (event(FAILED, severity="strange"), "unknown", None, None),
    ],
)
def test_the_class_of_a_failure(
    found: Event, event_type: str, failure_class: str | None, failure_reason: str | None
) -> None:
    assert (found.event_type, found.failure_class, found.failure_reason) == (event_type, failure_class, failure_reason)


@pytest.mark.parametrize("to", ['Ana <ana@inbox.example>, "Bo, B." <bo@nowhere.example>, ana@inbox.example'])
def test_a_rejected_message_gives_an_event_for_each_recipient(to: str) -> None:
    headers = {"message-id": "m", "to": to}
    record = {"event": "rejected", "timestamp": 1772442911, "message": {"headers": headers}}
    found = events_of(SLUG, json.dumps(record).encode())
    assert [one.recipient for one in found] == ["ana@inbox.example", "bo@nowhere.example"]
    assert len(set(keys_of(found))) == len({one.leg_key for one in found}) == 2
    record["message"] = {"headers": {"to": " "}}
    assert reasons_of(SLUG, json.dumps(record).encode()) == ["recipient: missing"]


@pytest.mark.parametrize("variables", [{"dispatch_id": "d1", "order": "7"}, '{"dispatch_id":"d1","order":"7"}'])
def test_ids_leave_the_user_variables_and_the_rest_stays(variables: object) -> None:
    found = event(**{"user-variables": variables, "tags": ["invoice"]})
    assert (found.dispatch_id, found.campaign_id, found.campaign_source) == ("d1", "invoice", "category")
    assert found.extra == {"user-variables": {"order": "7"}}


def test_user_variables_that_are_no_object_are_kept() -> None:
    assert event(**{"user-variables": "not JSON"}).extra == {"user-variables": "not JSON"}


def test_the_provider_s_campaign_comes_before_tags() -> None:
    found = event(campaigns=[{"id": "c9", "name": "Nine"}], tags=["invoice"])
    assert (found.campaign_id, found.campaign_source, found.tags) == ("c9", "provider", ["invoice"])


def test_addresses_and_subject_of_the_message_are_not_kept() -> None:
    headers = GOOD["message"]["headers"] | {"subject": "Dear Ana", "from": "a@b.example"}
    found = event(message={"headers": headers, "size": 10}, envelope={"sender": "a@b.example", "transport": "smtp"})
    assert found.extra == {"message": {"size": 10}, "envelope": {"transport": "smtp"}}
