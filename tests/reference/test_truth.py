"""The outcome of a message and the cells of reports, for examples that were computed by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from waybill.simulator.truth.cells import rate, seconds
from waybill.simulator.truth.outcome import Message, make_messages
from waybill.simulator.truth.reports import Happening, percentiles, report_rows

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHANNEL_OF = {"sendgrid": "email", "twilio": "sms"}


def happening(event_type: str, minute: int = 0, **columns: object) -> Happening:
    """Return an event, by default of an email through SendGrid."""
    provider = columns.setdefault("provider", "sendgrid")
    channel = columns.setdefault("channel", CHANNEL_OF.get(provider, "email"))
    if provider == "dispatch":
        columns.setdefault("dispatch_id", "d")
    leg = columns.setdefault("leg", (channel, columns["dispatch_id"]) if provider == "dispatch" else ("m",))
    columns.setdefault("leg_key", UUID(int=abs(hash(leg))))
    columns.setdefault("key", UUID(int=minute + 1))
    columns.setdefault("account", "acme")
    return Happening(at=NOON + timedelta(minutes=minute), event_type=event_type, **columns)


def message(*happenings: Happening) -> Message:
    (only,) = make_messages(happenings)
    return only


def rows(report: str, *happenings: Happening, zone: str = "UTC") -> dict:
    """Return the measures that are not zero, by grain."""
    return {
        grain: {name: value for name, value in row.items() if value}
        for grain, row in report_rows(happenings, zone)[report].items()
    }


def row(report: str, *happenings: Happening) -> dict:
    ((_, only),) = rows(report, *happenings).items()
    return only


BOUNCE = happening("bounced", 5, failure_class="hard_bounce")

# --- state -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["opened", "clicked", "spam_reported", "unsubscribed"])
def test_engagement_means_delivered(word):
    assert message(BOUNCE, happening(word, 1)).state == "delivered"


def test_an_unsubscribe_does_not_make_an_sms_delivered():
    reply = happening("unsubscribed", provider="twilio")
    assert message(reply).state == "in_gateway"
    assert not message(reply).is_opened


def test_a_bounce_after_a_delivery_is_a_bounce():
    bounced = message(happening("delivered", 4), BOUNCE)
    assert bounced.state == "bounced"
    assert bounced.is_delivered_then_bounced


def test_a_delivery_after_a_bounce_is_a_delivery():
    assert message(BOUNCE, happening("delivered", 6)).state == "delivered"


def test_at_the_same_instant_the_failure_wins():
    assert message(BOUNCE, happening("delivered", 5, key=UUID(int=99))).state == "bounced"


def test_the_latest_failure_decides_and_at_the_same_instant_the_greater_key():
    soft = happening("bounced", 5, failure_class="soft_bounce", key=UUID(int=99))
    blocked = happening("dropped", 4, failure_class="invalid", key=UUID(int=100))
    assert message(blocked, soft, BOUNCE).deciding_failure is soft
    assert message(blocked, BOUNCE, soft).deciding_failure is soft


@pytest.mark.parametrize("failure_class", ["gateway_suppressed", "unknown"])
def test_other_failures_are_not_delivered(failure_class):
    assert message(happening("dropped", failure_class=failure_class)).state == "not_delivered"


def test_a_delivery_beats_other_failures_even_earlier_ones():
    assert message(happening("delivered"), happening("dropped", 3, failure_class="unknown")).state == "delivered"


@pytest.mark.parametrize("word", ["no_answer", "busy", "canceled"])
def test_unanswered_calls_are_not_delivered(word):
    assert message(happening(word, provider="twilio", channel="ivr")).state == "not_delivered"


@pytest.mark.parametrize("word", ["handed_over", "processed", "deferred", "unknown", "resubscribed"])
def test_any_other_gateway_event_is_in_gateway(word):
    assert message(happening("suppressed", provider="dispatch"), happening(word, dispatch_id="d")).state == "in_gateway"


def test_suppressed_is_not_sent_and_other_events_are_in_progress():
    queued, suppressed = happening("queued", provider="dispatch"), happening("suppressed", 1, provider="dispatch")
    assert message(queued, suppressed).state == "not_sent"
    assert message(queued, happening("scheduled", 1, provider="dispatch")).state == "in_progress"
    assert message(queued).sent_at is None


def test_machine_opens_are_not_human_and_an_unsubscribe_is_a_human_click():
    by_machine = message(happening("opened", is_machine=True), happening("clicked", 1, is_machine=True))
    assert (by_machine.is_opened, by_machine.is_opened_human, by_machine.is_clicked_human) == (True, False, False)
    left = message(happening("unsubscribed"))
    assert left.is_opened
    assert left.is_opened_human
    assert left.is_clicked
    assert left.is_clicked_human
    assert message(happening("clicked")).is_opened_human


# --- legs and messages -----------------------------------------------------------------------------------------------


def test_legs_with_one_dispatch_id_are_one_message():
    one, other = happening("processed", dispatch_id="d"), happening("processed", 9, leg=("n",), dispatch_id="d")
    assert len(make_messages([one, other])) == 1
    assert len(make_messages([one, replace(other, dispatch_id=None)])) == 2


def test_a_dispatch_id_is_shared_within_one_account_and_channel_only():
    email, sms = happening("processed", dispatch_id="d"), happening("sent", provider="twilio", dispatch_id="d")
    assert len(make_messages([email, sms, replace(email, account="borealis")])) == 3


def test_a_row_of_the_dispatch_log_joins_the_leg_that_it_names():
    row = happening("handed_over", provider="dispatch", names_leg=("sendgrid", "m"))
    delivered = happening("delivered", 1)
    assert len(make_messages([row, delivered])) == 1
    assert len(make_messages([replace(row, account="borealis"), delivered])) == 2
    assert len(make_messages([replace(row, names_leg=("twilio", "m")), delivered])) == 2


def test_the_least_dispatch_id_in_bytes_wins():
    own, named = happening("delivered", dispatch_id="é"), happening("queued", provider="dispatch", dispatch_id="z")
    messages = make_messages([own, replace(named, names_leg=("sendgrid", "m"))])
    assert [sorted(leg.provider for leg in m.legs) for m in messages] == [["dispatch", "sendgrid"]]


def test_an_event_without_a_message_is_not_counted():
    lost = happening("bounced", failure_class="invalid", leg=None, leg_key=None, dispatch_id="d")
    assert make_messages([lost]) == []
    assert all(not cells for cells in report_rows([lost], "UTC").values())


def test_the_provider_is_that_of_the_latest_gateway_leg():
    old = happening("delivered", 0, dispatch_id="d")
    new = happening("processed", 1, provider="twilio", channel="email", dispatch_id="d")
    late_open = happening("opened", 9, dispatch_id="d")
    assert message(old, new, late_open).provider == "twilio"
    tie = replace(new, at=old.at, leg_key=UUID(int=0))
    assert message(replace(old, leg_key=UUID(int=1)), tie).provider == "sendgrid"


def test_without_a_gateway_leg_the_latest_hand_over_names_the_provider():
    first = happening("handed_over", provider="dispatch", gateway="sendgrid")
    second = happening("handed_over", 1, provider="dispatch", gateway="Acme Gateway")
    assert message(first, second).provider == "Acme Gateway"
    assert message(first, replace(second, gateway=None)).provider == "(none)"


def test_the_campaign_comes_from_the_best_source_then_the_least():
    category = happening("opened", campaign=(4, "a"))
    custom = happening("clicked", campaign=(2, "z"))
    assert message(category).campaign == "a"
    assert message(category, custom, happening("delivered", campaign=(2, "y"))).campaign == "y"
    assert message(happening("opened")).campaign == "(none)"


def test_the_mailbox_provider_of_the_dispatch_log_has_priority():
    gateway = happening("delivered", dispatch_id="d", mailbox_provider="apple")
    assert message(gateway, happening("queued", provider="dispatch", mailbox_provider="gmail")).mailbox_provider == (
        "gmail"
    )
    assert message(gateway, happening("queued", provider="dispatch")).mailbox_provider == "apple"


# --- reports ---------------------------------------------------------------------------------------------------------

DIMENSIONS = ("acme", "sendgrid", "(none)", "(none)")


def test_opens_count_on_their_day_and_a_leg_on_the_day_of_its_first():
    opens = [happening("opened", is_machine=True), happening("opened", 24 * 60), happening("opened", 24 * 60 + 1)]
    assert rows("email_engagement_daily", *opens, happening("unsubscribed", 1)) == {
        (date(2026, 3, 2), *DIMENSIONS): {
            "open_count": 1,
            "machine_open_count": 1,
            "unique_open_count": 1,
            "unsubscribe_count": 1,
        },
        (date(2026, 3, 3), *DIMENSIONS): {"open_count": 2, "unique_human_open_count": 1},
    }


def test_a_failed_leg_counts_in_the_class_of_its_latest_failure_despite_engagement():
    assert row("email_deliverability_daily", happening("dropped", failure_class="invalid"), BOUNCE) == {
        "dropped_count": 1,
        "hard_bounce_count": 1,
        "bounced_count": 1,
    }
    blocked = happening("bounced", failure_class="blocked")
    assert row("email_deliverability_daily", blocked, happening("opened")) == {"blocked_count": 1}
    odd = happening("dropped", failure_class="unknown")
    assert row("email_deliverability_daily", odd) == {"dropped_count": 1, "unclassified_count": 1}


def test_a_failed_leg_counts_by_the_reason_of_its_latest_failure():
    full = happening("bounced", 1, failure_class="soft_bounce", failure_reason="mailbox_full", dispatch_id="d")
    disabled = replace(
        full, at=full.at + timedelta(days=1), failure_class="hard_bounce", failure_reason="address_inactive"
    )
    other_leg = replace(full, leg=("n",), provider="mailgun")
    assert rows("email_failure_reason_daily", full, disabled, other_leg, happening("opened", 9)) == {
        (date(2026, 3, 3), *DIMENSIONS, "hard_bounce", "address_inactive"): {"leg_count": 1},
        (date(2026, 3, 2), "acme", "mailgun", "(none)", "(none)", "soft_bounce", "mailbox_full"): {"leg_count": 1},
    }


def test_the_funnel_of_a_campaign_and_its_rates():
    legs = [
        (happening("delivered"), happening("opened", 1), happening("clicked", 2), happening("spam_reported", 3)),
        (happening("delivered"), happening("unsubscribed", 4)),
        (happening("bounced", failure_class="invalid"),),
        (happening("bounced", failure_class="blocked"),),
        (happening("dropped", failure_class="gateway_suppressed"),),
        (happening("processed"),),
    ]
    happenings = [replace(h, leg=(str(number),)) for number, leg in enumerate(legs) for h in leg]
    suppressed = happening("suppressed", provider="dispatch", not_sent_category="other")
    assert row("email_campaign", *happenings, suppressed) == {
        "sent": 6,
        "delivered": 2,
        "bounced_hard": 1,
        "bounced_soft": 1,
        "blocked": 1,
        "invalid": 1,
        "not_delivered": 1,
        "in_gateway": 1,
        "opened": 2,
        "opened_human": 2,
        "clicked": 2,
        "clicked_human": 2,
        "spam_reported": 1,
        "unsubscribed": 1,
        "delivery_rate": Decimal("0.333333"),
        "bounce_rate": Decimal("0.333333"),
        "open_rate": Decimal(1),
        "click_rate": Decimal(1),
        "spam_rate": Decimal("0.5"),
        "unsubscribe_rate": Decimal("0.5"),
        "click_to_open_rate": Decimal(1),
    }


def test_a_link_counts_without_query_and_fragment_on_the_day_of_sending():
    delivered = happening("delivered", dispatch_id="d")
    clicks = [
        happening("clicked", 1, url="https://acme.example/offer?u=1#top", is_machine=True),
        happening("clicked", 2, url="https://acme.example/offer#top?u=2", is_machine=True),
        happening("clicked", 9 * 24 * 60, leg=("n",), dispatch_id="d", url="https://acme.example/offer"),
        happening("clicked", 3, url="https://acme.example/news", is_machine=True),
        happening("clicked", 4, url="?u=1"),
        happening("clicked", 5),
    ]
    clicks = [replace(click, dispatch_id="d") for click in clicks]
    left = happening("unsubscribed", 6, dispatch_id="d")
    other = happening("clicked", 7, leg=("o",), url="https://acme.example/news", is_machine=True)
    day = (date(2026, 3, 2), "acme", "(none)")
    assert rows("email_link", delivered, *clicks, left, other) == {
        (*day, "https://acme.example/offer"): {
            "click_count": 3,
            "unique_click_count": 1,
            "unique_human_click_count": 1,
        },
        (*day, "https://acme.example/news"): {"click_count": 2, "unique_click_count": 2},
        (*day, "(none)"): {"click_count": 2, "unique_click_count": 1, "unique_human_click_count": 1},
    }


def test_a_link_ends_after_500_characters():
    long = "https://acme.example/" + "ü" * 500
    (grain,) = rows("email_link", happening("clicked", url=long + "a"), happening("clicked", 1, url=long + "b"))
    assert grain[-1] == long[:500]


def test_rates_round_half_away_from_zero_and_are_null_without_a_base():
    assert rate(1, 2_000_000) == Decimal("0.000001")
    assert str(rate(2, 3)) == "0.666667"
    assert rate(0, 0) is None


def test_an_sms_of_two_legs_is_one_message_with_the_segments_and_costs_of_both():
    columns = {"provider": "twilio", "dispatch_id": "d", "country": "DE", "currency": "USD"}
    first = happening("undelivered", 0, failure_class="blocked", segments=2, price=Decimal("0.0079"), **columns)
    revised = happening("processed", 0, segments=1, price=Decimal("0.0158"), **columns)
    second = happening("delivered", 9, leg=("n",), segments=1, price=Decimal("0.01"), **columns)
    assert row("sms_activity_daily", first, revised, second) == {"sent": 1, "delivered": 1, "segments": 3}
    assert rows("message_cost_daily", first, revised, second) == {
        (date(2026, 3, 2), "acme", "sms", "twilio", "(none)", "DE", "USD"): {
            "priced_leg_count": 2,
            "cost": Decimal("0.0258"),
        }
    }


def test_an_undelivered_sms_counts_by_its_decisive_failure():
    def failing(code: str, minute: int, failure_class: str, failure_reason: str, **columns: object) -> Happening:
        why = {"failure_class": failure_class, "failure_reason": failure_reason, "provider_code": code}
        return happening("undelivered", minute, provider="twilio", dispatch_id="d", leg=(code,), **(why | columns))

    def failures(*happenings: Happening) -> set[tuple]:
        found = rows("sms_failure_reason_daily", *happenings)
        undelivered = sum(cells.get("undelivered", 0) for cells in rows("sms_activity_daily", *happenings).values())
        assert sum(cells["message_count"] for cells in found.values()) == undelivered
        return {grain[5:] for grain in found}

    unreachable = failing("30003", 1, "soft_bounce", "handset_unreachable")
    filtered = failing("30007", 2, "blocked", "carrier_filtered")
    suspended = failing("30002", 3, "gateway_suppressed", "account_suspended")
    silent = failing("x", 4, "unknown", "unclassified", provider_code=None)
    canceled = happening("canceled", 9, provider="twilio", dispatch_id="d")
    assert failures(unreachable, filtered, suspended, silent, canceled) == {("blocked", "carrier_filtered", "30007")}
    assert failures(suspended, canceled) == {("gateway_suppressed", "account_suspended", "30002")}
    assert failures(silent, suspended, canceled) == {("unknown", "unclassified", "(none)")}
    assert failures(canceled) == {("(none)", "(none)", "(none)")}
    assert failures(filtered, happening("delivered", 5, provider="twilio", dispatch_id="d")) == set()
    assert failures(happening("sent", 5, provider="twilio")) == set()


def test_a_call_counts_by_its_latest_unanswered_word_unless_completed():
    def call(word: str, minute: int, **columns: object) -> Happening:
        return happening(word, minute, provider="twilio", channel="ivr", dispatch_id="d", leg=(word,), **columns)

    busy, failed = call("busy", 1), call("failed", 2, failure_class="unknown")
    assert row("ivr_activity_daily", busy) == {"sent": 1, "no_answer": 1, "busy": 1}
    assert row("ivr_activity_daily", busy, failed) == {"sent": 1, "failed": 1}
    assert row("ivr_activity_daily", busy, call("canceled", 3)) == {"sent": 1, "failed": 1, "canceled": 1}
    completed = call("completed", 0, answered_by="machine_end_beep", duration_seconds=27)
    assert row("ivr_activity_daily", busy, failed, completed) == {
        "sent": 1,
        "completed": 1,
        "machine": 1,
        "duration_seconds": 27,
    }
    assert row("ivr_activity_daily", call("ringing", 0)) == {"sent": 1, "in_gateway": 1}


def test_event_statuses_overlap_and_count_messages_on_the_day_of_the_first():
    def words(*happenings: Happening) -> set[str]:
        return {grain[-1] for grain in rows("communication_activity_daily", *happenings)}

    assert words(happening("bounced", failure_class="blocked")) == {"Bounced", "Blocked"}
    assert words(happening("bounced", failure_class="invalid")) == {"Invalid"}
    assert words(happening("dropped", failure_class="invalid")) == {"Dropped", "Invalid"}
    assert words(happening("canceled", provider="twilio")) == set()
    assert words(happening("busy", provider="twilio", channel="ivr")) == {"No-Answer"}
    resent = happening("delivered", 24 * 60, leg=("n",), dispatch_id="d")
    assert rows("communication_activity_daily", happening("delivered", dispatch_id="d"), resent) == {
        (date(2026, 3, 2), "acme", "email", "Delivered"): {"message_count": 1}
    }


def test_waits_begin_with_the_first_gateway_event_of_a_message():
    def of_gateway(word: str, minute: int, leg: str = "m", **columns: object) -> Happening:
        return happening(word, minute, leg=(leg,), dispatch_id="d", **columns)

    handed_over = happening("handed_over", 0, provider="dispatch", gateway="sendgrid")
    message = [
        handed_over,
        of_gateway("processed", 1),
        of_gateway("bounced", 2, failure_class="blocked"),
        of_gateway("delivered", 3, "n", provider="mailgun"),
        of_gateway("delivered", 4, "n", provider="mailgun"),
        of_gateway("opened", 5, "n", provider="mailgun", is_machine=True),
        of_gateway("opened", 6, "n", provider="mailgun"),
    ]
    minutes = {(word, n): Decimal(60 * n) for word, n in (("delivery", 2), ("human_open", 5))}
    assert rows("delivery_latency_daily", *message) == {
        (date(2026, 3, 2), "acme", "email", "mailgun", "(none)"): {
            f"{word}_{measure}": value
            for (word, _), wait in minutes.items()
            for measure, value in (("count", 1), ("p50_seconds", wait), ("p90_seconds", wait), ("p99_seconds", wait))
        }
    }
    assert rows("delivery_latency_daily", *message[:3], happening("completed", provider="twilio", channel="ivr")) == {}
    # Nothing came before it, so the wait is zero.
    ((_, cells),) = report_rows([of_gateway("opened", 0)], "UTC")["delivery_latency_daily"].items()
    assert (cells["human_open_count"], cells["human_open_p99_seconds"]) == (1, 0)
    assert (cells["delivery_count"], cells["delivery_p50_seconds"]) == (0, None)


def test_a_percentile_is_an_observed_wait():
    def p(*waits: int) -> tuple:
        return tuple(percentiles("x", [Decimal(wait) for wait in waits]).values())

    assert p() == (0, None, None, None)
    assert p(7) == (1, 7, 7, 7)
    assert p(4, 1) == (2, 1, 4, 4)
    assert p(*range(10, 0, -1)) == (10, 5, 9, 10)
    assert p(*range(1, 101)) == (100, 50, 90, 99)
    assert p(*range(1, 102)) == (101, 51, 91, 100)
    assert str(seconds(timedelta(seconds=1, microseconds=500))) == "1.001"


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29T21:59:59"),  # 23 hours
        ("Europe/Berlin", "2025-10-25T22:00:00", "2025-10-26T22:59:59"),  # 25 hours
        ("America/New_York", "2026-03-08T05:00:00", "2026-03-09T03:59:59"),
        ("America/New_York", "2025-11-02T04:00:00", "2025-11-03T04:59:59"),
    ],
)
def test_a_local_day_is_one_report_day_even_with_a_clock_change(zone, first, last):
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    instants = (start - timedelta(seconds=1), start, end, end + timedelta(seconds=1))
    opens = [replace(happening("opened"), at=at, key=UUID(int=n)) for n, at in enumerate(instants)]
    day = date.fromisoformat(last[:10]) if zone == "Europe/Berlin" else date.fromisoformat(first[:10])
    counts = {
        grain[0]: cells["open_count"] for grain, cells in rows("email_engagement_daily", *opens, zone=zone).items()
    }
    assert counts == {day - timedelta(days=1): 1, day: 2, day + timedelta(days=1): 1}


# --- live monitoring -------------------------------------------------------------------------------------------------


def decision(word: str, minute: int = 0, dispatch_id: str = "d", **columns: object) -> Happening:
    return happening(word, minute, provider="dispatch", dispatch_id=dispatch_id, campaign=(1, "spring"), **columns)


def not_sent(category: str, reason: str, minute: int = 0, dispatch_id: str = "d") -> Happening:
    return decision("suppressed", minute, dispatch_id, not_sent_category=category, not_sent_reason=reason)


def test_live_monitoring_counts_each_message_in_one_part_of_targeted():
    events = (
        decision("queued", 0, "q"),
        decision("queued", 0, "s"),
        decision("scheduled", 1, "s"),
        not_sent("other", "a word of theirs", 0, "n"),
        decision("handed_over", 0, "h"),
    )
    assert rows("live_monitoring", *events) == {
        ("acme", "spring", "email"): {
            "targeted": 4,
            "sent": 1,
            "in_gateway": 1,
            "not_sent": 1,
            "not_sent_other": 1,
            "in_progress_queued": 1,
            "in_progress_about_to_be_sent": 1,
        }
    }
    assert rows("live_monitoring_reason", *events) == {
        ("acme", "spring", "email", "other", "unclassified"): {"message_count": 1}
    }


def test_live_monitoring_counts_blocked_as_bounced_soft_and_an_unsubscribe_as_a_click():
    assert row("live_monitoring", happening("bounced", failure_class="blocked")) == {
        "targeted": 1,
        "sent": 1,
        "bounced_soft": 1,
    }
    assert row("live_monitoring", BOUNCE, happening("unsubscribed", 9)) == {
        "targeted": 1,
        "sent": 1,
        "delivered": 1,
        "opened": 1,
        "clicked": 1,
        "marked_unsubscribed": 1,
    }


def test_the_latest_not_sent_decision_gives_the_reason_until_the_hand_over():
    first = not_sent("system_error", "system_timeout", 1)
    second = not_sent("internally_suppressed", "ndnc", 2)
    assert list(rows("live_monitoring_reason", second, first)) == [
        ("acme", "spring", "email", "internally_suppressed", "ndnc")
    ]
    assert rows("live_monitoring_reason", first, second, decision("handed_over", 3)) == {}
