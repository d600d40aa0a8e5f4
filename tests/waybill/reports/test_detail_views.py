"""The detail views have one row per message, with readable texts; `show` prints them."""

import csv
import io
import json
from datetime import date, timedelta

import pytest
from pyarrow import parquet

from tests.conftest import Warehouse
from tests.waybill.reports.facts import Facts, at, key
from waybill.model.vocabulary import FAILURE_REASONS, NOT_SENT_REASONS, STATES
from waybill.reports import show as module
from waybill.reports.catalogue import all_reports
from waybill.reports.show import show


def shown(warehouse: Warehouse, view: str, columns: str, condition: str = "true") -> list[tuple]:
    connection = warehouse.connect("waybill_bi_reader")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"select {columns} from report.{view} where {condition} order by message_key")
        rows = cursor.fetchall()
    connection.close()
    return rows


def a_failed_email(facts: Facts, name: str, failures: list[tuple[str, str, str]], **message: object) -> None:
    """Write an email with failures (event_type, failure_class, failure_reason), an hour apart."""
    keys = [
        facts.event(
            name,
            event_type,
            at(f"2026-03-02 {10 + hour}:00"),
            failure_class=failure_class,
            failure_reason=reason,
            provider_reason=f"text of {reason}",
            status_code="5.0.0",
        )
        for hour, (event_type, failure_class, reason) in enumerate(failures)
    ]
    bounces = [number for number, (_, of, _) in enumerate(failures) if of not in ("gateway_suppressed", "unknown")]

    def last(number: int, prefix: str) -> dict[str, object]:
        return {f"last_{prefix}_at": at(f"2026-03-02 {10 + number}:00"), f"last_{prefix}_key": keys[number]}

    facts.message(name, "email", ["2026-03-02"], **{"state": "bounced"} | message)
    facts.leg(
        name,
        "email",
        first_event_at=at("2026-03-02 09:00"),
        first_bounced_at=at("2026-03-02 10:00"),
        **last(len(failures) - 1, "failure"),
        **(last(bounces[-1], "bounce") if bounces else {}),
    )


def test_every_reason_has_a_readable_text(warehouse: Warehouse) -> None:
    found = warehouse.rows("select kind, reason, words from fact.reason")
    not_sent = {reason for reasons in NOT_SENT_REASONS.values() for reason in reasons}
    states = set(STATES) - {"bounced", "not_sent", "in_progress"} | {"queued", "about_to_be_sent"}
    assert {(kind, reason) for kind, reason, _ in found} == (
        {("failure", reason) for reason in FAILURE_REASONS}
        | {("not_sent", reason) for reason in not_sent}
        | {("unanswered", reason) for reason in ("no_answer", "busy", "canceled")}
        | {("state", state) for state in states}
    )
    assert all(words.endswith(".") and len(words) < 100 for *_, words in found)


def test_the_failure_shown_is_the_latest_bounce_or_else_the_latest_failure(warehouse: Warehouse, facts: Facts) -> None:
    full, blocked = ("bounced", "soft_bounce", "mailbox_full"), ("bounced", "blocked", "ip_blocked")
    dropped = ("dropped", "gateway_suppressed", "prior_bounce")
    a_failed_email(facts, "a", [full, blocked, dropped])
    a_failed_email(facts, "b", [dropped], state="not_delivered")
    a_failed_email(facts, "c", [full], state="delivered", is_opened=True)
    columns = "message_key, state, failure_class, failure_reason, reason_in_words, provider_reason, status_code"
    found = {row[0]: row[1:] for row in shown(warehouse, "email_activity", columns)}
    assert found == {
        key("a"): ("bounced", "blocked", "ip_blocked", "The sending IP address is blocked or on a blacklist.",
                   "text of ip_blocked", "5.0.0"),
        key("b"): ("not_delivered", "gateway_suppressed", "prior_bounce",
                   "The provider did not send it, because an earlier one bounced.", "text of prior_bounce", "5.0.0"),
        # it was delivered in the end, but the reason of its first failure is still shown
        key("c"): ("delivered", "soft_bounce", "mailbox_full", "It was delivered.", "text of mailbox_full", "5.0.0"),
    }  # fmt: skip


def test_a_message_stays_in_the_view_of_an_earlier_status(warehouse: Warehouse, facts: Facts) -> None:
    a_failed_email(facts, "a", [("bounced", "soft_bounce", "mailbox_full")], state="delivered")
    assert shown(warehouse, "bounced_email", "message_key, state, words") == [(key("a"), "delivered", ["Bounced"])]
    for view in ("blocked_email", "invalid_email", "spam_email"):
        assert shown(warehouse, view, "message_key") == [], view


def test_unsent_messages_are_shown_with_their_reason(warehouse: Warehouse, facts: Facts) -> None:
    reasons = {
        "known": ("incomplete_or_invalid", "mobile_missing", "mobile_missing"),
        "unknown": ("other", "solar flare", "unclassified"),
        "missing": ("other", None, "unclassified"),
    }
    for name, (category, reason, _) in reasons.items():
        facts.message(name, "sms", [], state="not_sent", not_sent_category=category, not_sent_reason=reason)
        facts.leg(name, "sms", provider="dispatch", first_event_at=at("2026-03-02 09:00"))
        facts.event(name, "suppressed", at("2026-03-02 09:00"), channel="sms", not_sent_reason=reason)
    for name, is_scheduled in (("queued", False), ("about", True)):
        facts.message(name, "sms", [], state="in_progress", is_scheduled=is_scheduled)
        facts.leg(name, "sms", provider="dispatch", first_event_at=at("2026-03-02 09:00"))
    columns = "message_key, not_sent_reason, progress, reason_in_words, sent_day, first_event_at, timeline"
    found = {row[0]: row[1:] for row in shown(warehouse, "sms_activity", columns)}
    assert len(found) == 5
    for name, (_, written, word) in reasons.items():
        not_sent_reason, progress, words, sent_day, first_event_at, (event,) = found[key(name)]
        assert (not_sent_reason, progress, sent_day, first_event_at) == (word, None, None, at("2026-03-02 09:00"))
        assert words.startswith("Not sent")
        assert event.get("reason") == written
    assert found[key("queued")][:3] == (None, "queued", "It waits in the campaign system.")
    assert found[key("about")][:3] == (None, "about_to_be_sent", "The campaign system is about to send it.")


@pytest.mark.parametrize(
    ("hours", "state", "is_stale"),
    [(72, "in_gateway", True), (71.999, "in_gateway", False), (-5, "in_gateway", False), (100, "bounced", False)],
)
def test_a_message_is_stale_after_72_hours_in_the_gateway(
    warehouse: Warehouse, facts: Facts, hours: float, state: str, is_stale: bool
) -> None:
    as_of = at("2026-03-05 12:00")
    facts.message("a", "email", ["2026-03-02"], state=state, sent_at=as_of - timedelta(hours=hours))
    facts.leg("a", "email")
    assert shown(warehouse, "email_activity", "is_stale") == [(False,)], "before the first build"
    for status, of_build in (("published", as_of - timedelta(days=9)), ("published", as_of), ("failed", None)):
        facts.run(
            "insert into ops.build (status, as_of, report_timezone, is_full, code_version)"
            " values (%s, %s, 'UTC', true, '1')",
            (status, of_build or as_of + timedelta(days=9)),
        )
    assert shown(warehouse, "email_activity", "is_stale") == [(is_stale,)]


def test_a_timeline_has_the_events_of_all_gateways_in_order(warehouse: Warehouse, facts: Facts) -> None:
    facts.message("a", "email", ["2026-03-02"], state="delivered", dispatch_id="d1")
    facts.leg("a", "email", "log", provider="dispatch", first_event_at=at("2026-03-02 09:00"))
    facts.leg("a", "email", "first", first_event_at=at("2026-03-02 10:00"), provider_message_id="m1")
    facts.leg("a", "email", "second", first_event_at=at("2026-03-02 12:00"), provider_message_id="m2")
    facts.event("second", "opened", at("2026-05-02 13:00"), is_machine=True, user_agent="x", ip="192.0.2.1")
    facts.event("first", "bounced", at("2026-03-02 11:00"), failure_class="blocked", provider_reason="550 no")
    facts.event("log", "handed_over", at("2026-03-02 09:00:00.25"), provider="dispatch", gateway="sendgrid")
    facts.event("b", "opened", at("2026-03-02 13:00"))
    ((timeline, provider_message_id),) = shown(warehouse, "email_activity", "timeline, provider_message_id")
    assert provider_message_id == "m2"
    assert timeline == [
        {"at": "2026-03-02T09:00:00.25+00:00", "event_type": "handed_over", "provider": "dispatch",
         "gateway": "sendgrid"},
        {"at": "2026-03-02T11:00:00+00:00", "event_type": "bounced", "provider": "sendgrid",
         "failure_class": "blocked", "reason": "550 no"},
        {"at": "2026-05-02T13:00:00+00:00", "event_type": "opened", "provider": "sendgrid", "is_machine": True},
    ]  # fmt: skip
    connection = warehouse.connect("waybill_bi_reader")
    with connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'Asia/Kolkata'")
        cursor.execute("select timeline from report.email_activity")
        assert cursor.fetchone() == (timeline,), "times are UTC in every session"
    connection.close()


def test_the_cost_of_several_gateways_is_summed_only_in_one_currency(warehouse: Warehouse, facts: Facts) -> None:
    facts.message("a", "sms", ["2026-03-02"])
    facts.leg("a", "sms", "a1", price="0.01", currency="USD")
    facts.leg("a", "sms", "a2", price="0.025", currency="USD")
    facts.message("b", "sms", ["2026-03-02"])
    facts.leg("b", "sms", "b1", price="0.01", currency="USD")
    facts.leg("b", "sms", "b2", price="0.025", currency="EUR")
    facts.message("c", "sms", ["2026-03-02"])
    facts.leg("c", "sms", "c1", currency="EUR")
    found = {row[0]: row[1:] for row in shown(warehouse, "sms_activity", "message_key, cost::text, currency")}
    assert found == {key("a"): ("0.035", "USD"), key("b"): (None, None), key("c"): (None, None)}


@pytest.fixture
def three(warehouse: Warehouse, facts: Facts) -> Warehouse:
    """Write two emails that were sent, the later one first, and one that was never sent."""
    for name, day in (("late", "2026-03-04"), ("early", "2026-03-02")):
        facts.message(name, "email", [day], state="delivered", dispatch_id=name)
        times = {"first_event_at": at(f"{day} 12:00"), "first_opened_at": at(f"{day} 13:00")}
        facts.leg(name, "email", first_delivered_at=at(f"{day} 12:00"), **times)
        facts.event(name, "delivered", at(f"{day} 12:00"))
    facts.message("never", "email", [], state="in_progress", dispatch_id="never")
    facts.leg("never", "email", provider="dispatch")
    return warehouse


def printed(warehouse: Warehouse, form: str, *days: date | None) -> tuple[int, bytes]:
    connection, stream = warehouse.connect("waybill_reporter"), io.BytesIO()
    count = show(connection, "email_activity", *(days or (None, None)), form, stream)
    connection.close()
    return count, stream.getvalue()


def test_show_prints_messages_by_time_and_unsent_messages_last(three: Warehouse) -> None:
    count, data = printed(three, "json")
    rows = json.loads(data)
    assert (count, [row["dispatch_id"] for row in rows]) == (3, ["early", "late", "never"])
    assert rows[0]["words"] == ["Delivered", "Open"]
    assert [event["event_type"] for event in rows[0]["timeline"]] == ["delivered"]
    assert rows[2]["timeline"] is None
    header, *lines = csv.reader(io.StringIO(printed(three, "csv")[1].decode()))
    row = dict(zip(header, lines[0], strict=True))
    assert (row["message_key"], row["words"]) == (str(key("early")), "Delivered Open")
    assert json.loads(row["timeline"]) == rows[0]["timeline"]
    (first, *_) = parquet.read_table(io.BytesIO(printed(three, "parquet")[1])).to_pylist()
    assert (first["message_key"], first["words"]) == (str(key("early")), ["Delivered", "Open"])
    assert json.loads(first["timeline"]) == rows[0]["timeline"]


def test_given_days_exclude_unsent_messages(three: Warehouse) -> None:
    days = (date(2026, 3, 1), date(2026, 3, 3))
    assert [row["dispatch_id"] for row in json.loads(printed(three, "json", *days)[1])] == ["early"]


def test_a_table_of_messages_is_limited_and_has_no_timeline(three: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_OF_A_TABLE", 2)
    count, data = printed(three, "table")
    assert count == 2 and "early" in data.decode() and "never" not in data.decode()
    assert "timeline" not in data.decode()
    assert printed(three, "csv")[0] == 3, "the formats for programs have no limit"


def test_the_views_of_emails_have_the_columns_of_email_activity(warehouse: Warehouse) -> None:
    columns = {report.name: report.columns for report in all_reports() if report.is_detail}
    emails = [view for view in columns if view.endswith("_email")]
    assert len(emails) == 4
    assert all(columns[view] == columns["email_activity"] for view in emails)


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("recipient = 'anna@example.com'", "recipient_address"),
        ("dispatch_id = 'd1'", "message_dispatch"),
        ("account = 'acme' and sent_day = '2026-03-02'", "message_sent_day"),
        ("message_key = '00000000-0000-0000-0000-000000000000'", "message_pkey"),
    ],
)
def test_searches_of_support_staff_use_an_index(warehouse: Warehouse, facts: Facts, condition: str, index: str) -> None:
    facts.message("a", "email", ["2026-03-02"])
    facts.run(
        "insert into private.recipient (recipient_key, account, address)"
        " select sha256(n::text::bytea), 'acme', n || '@example.com' from generate_series(1, 2000) as n"
    )
    facts.run(
        "insert into fact.message (message_key, account, channel, dispatch_id, recipient_key, state, sent_day,"
        " is_scheduled, is_delivered_then_bounced, is_opened, is_opened_human, is_clicked, is_clicked_human,"
        " is_spam_reported, is_unsubscribed, ignores_copies, days)"
        " select gen_random_uuid(), 'acme', 'email', n::text, sha256(n::text::bytea), 'in_gateway',"
        " date '2026-01-01' + n, false, false, false, false, false, false, false, false, false, '{}'"
        " from generate_series(1, 2000) as n"
    )
    facts.run("analyze fact.message, private.recipient")
    connection = warehouse.connect("waybill_support_reader")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"explain select * from report.email_activity where {condition}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    connection.close()
    assert index in plan
