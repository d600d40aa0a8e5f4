"""A text that is too long for a key rejects only its record, and stops neither the load nor a later build."""

import json
import random
import string
from functools import cache
from io import BytesIO

import pytest

from tests.waybill.load.loading import Loads, call, dispatched, sendgrid, sms
from waybill.feeds import FEEDS
from waybill.flow.rebuild import rebuild
from waybill.landing.objects import land
from waybill.model.bounds import LONGEST_BYTES
from waybill.reports.verify import verify
from waybill.warehouse.connection import REPORTER, connect, connected

LETTERS = string.ascii_letters + string.digits
WIDE = tuple(chr(0x20000 + number) for number in range(40_000))
"""Characters of four bytes."""
WHEN = "2026-03-02 10:00"
GOOD = {
    "sendgrid_events": lambda number: sendgrid("click", WHEN, f"m{number}", url="https://a.example/x"),
    "twilio_messages": lambda number: sms(
        "undelivered", "2026-03-02T10:00", "2026-03-02T10:05", f"SM{number}", error_code="30003", price="-0.01",
        price_unit="USD", account_sid="AC1",
    ),
    "twilio_calls": lambda number: call(
        "completed", "2026-03-02T10:00", "2026-03-02T10:05", f"CA{number}", price="-0.01", price_unit="USD"
    ),
    "dispatch_log": lambda number: dispatched(
        "handed_over", "2026-03-02T10:00", f"d{number}", provider="sendgrid", provider_message_id=f"m{number}",
        campaign_id="spring", template_id="t",
    ),
}  # fmt: skip
COLUMN_OF = {"email": "recipient", "to": "recipient", "category": "campaign_id", "error_code": "provider_code"}
COLUMN_OF |= {"price_unit": "currency", "sid": "provider_message_id", "account_sid": "provider_account"}
SENDGRID = {"sg_message_id": "provider_message_id", "sg_event_id": "provider_event_id", "sg_template_id": "template_id"}
SENDGRID |= {"singlesend_id": "campaign_id", "marketing_campaign_id": "campaign_id"}
COLUMN_OF |= SENDGRID


Letters = str | tuple[str, ...]


@cache
def random_text(letters: Letters) -> str:
    return "".join(random.Random(7).choices(letters, k=200_000))


def incompressible(byte_count: int, seed: int, letters: Letters = LETTERS) -> str:
    """Return a text of so many bytes that cannot be compressed."""
    start = seed * 7_919 % 100_000
    return random_text(letters)[start : start + byte_count // len(letters[0].encode())]


def fields_of(feed: str) -> list[str]:
    """Return the names of the fields in a feed's records."""
    return list(FEEDS[feed].record_type.__struct_encode_fields__)


def rebuild_all(loads: Loads) -> None:
    rebuild(lambda: connect(loads.url, REPORTER), None, True, None)


def rebuilt_replayed_verified(loads: Loads, *feeds: str) -> None:
    rebuild_all(loads)
    for feed in feeds:
        loads.replay(feed, "2026-03-01 00:00", "2026-03-04 00:00")
    rebuild_all(loads)
    with connected(loads.url, REPORTER) as connection:
        found = verify(connection)
    assert found.findings and found.is_equal and found.pending_days == 0


@pytest.mark.parametrize("letters", [LETTERS, WIDE], ids=["narrow", "wide"])
def test_a_long_text_in_any_field_stops_neither_the_load_nor_a_build(loads: Loads, letters: Letters) -> None:
    for kind, (feed, make) in enumerate(GOOD.items()):
        records = [make(0)]
        for number, name in enumerate(fields_of(feed), 1 + 100 * kind):
            for size in (200, 201, 1_000, 1_004, 2_600, 2_752, 5_000, 100_000):
                records.append(make(f"{number}-{size}") | {name: incompressible(size, number + size, letters)})
        row = loads.load(feed, *records)
        assert row.loaded_count > len(records) / 5 and row.rejected_count > 8, feed
    good = {"sendgrid_events": "m0", "twilio_messages": "SM0", "twilio_calls": "CA0", "dispatch_log": "m0"}
    found = loads.rows("select feed, provider_message_id from fact.event where provider_message_id = any(%s)",
                       (list(good.values()),))  # fmt: skip
    assert set(found) == set(good.items())
    rebuilt_replayed_verified(loads, *GOOD)


NAMES_OF_TEXTS = {
    "sendgrid_events": (
        *("email", "campaign_id", "category", "template_id", "dispatch_id", "sg_message_id"),
        *("sg_event_id", "sg_template_id", "singlesend_id"),
    ),
    "twilio_messages": ("to", "sid", "error_code", "price_unit", "account_sid"),
    "twilio_calls": ("to", "sid", "price_unit", "account_sid"),
    "dispatch_log": ("dispatch_id", "campaign_id", "template_id", "provider_message_id"),
}


@pytest.mark.parametrize("feed", GOOD)
def test_the_rejection_names_the_field_without_its_value(loads: Loads, feed: str) -> None:
    text = incompressible(1_500, 7)
    values = {"email": f"{text}@example.com", "to": "+" + "1" * 1_500}
    names = NAMES_OF_TEXTS[feed]
    make = GOOD[feed]
    row = loads.load(feed, make(0), *(make(n) | {name: values.get(name, text)} for n, name in enumerate(names, 1)))
    assert (row.loaded_count, row.rejected_count) == (1, len(names))
    columns = [COLUMN_OF.get(name, name) for name in names]
    assert [reason for (reason,) in loads.rows("select reason from private.rejected_record order by position")] == [
        f"{column}: longer than {LONGEST_BYTES[column]} bytes" for column in columns
    ]


def test_the_length_of_a_provider_in_the_dispatch_log_is_bounded(loads: Loads) -> None:
    row = loads.load("dispatch_log", *(GOOD["dispatch_log"](size) | {"provider": "p" * size} for size in (200, 201)))
    assert (row.loaded_count, row.rejected_count) == (1, 1)
    assert loads.rows("select reason from private.rejected_record") == [("gateway: longer than 200 bytes",)]


@pytest.mark.parametrize("letters", [LETTERS, WIDE], ids=["narrow", "wide"])
def test_texts_that_are_all_at_their_bounds_are_loaded_and_built(loads: Loads, letters: Letters) -> None:
    def at_bound(column: str) -> str:
        return incompressible(LONGEST_BYTES[column], sum(map(ord, column)), letters)

    shared = {"dispatch_id": at_bound("dispatch_id"), "campaign_id": at_bound("campaign_id")}
    shared["template_id"] = at_bound("template_id")
    account = "a" * 63
    link = "https://a.example/" + incompressible(8_000, 3, letters)
    address = incompressible(984, 4, LETTERS) + "@example.com"
    events = [
        sendgrid(word, WHEN, at_bound("provider_message_id")[:-8], address, url=link, reason="550 5.1.1 unknown")
        | shared
        | {"sg_event_id": at_bound("provider_event_id"), "type": "bounce"}
        for word in ("processed", "bounce", "click", "open")
    ]
    assert loads.load("sendgrid_events", *events, account=account).rejected_count == 0
    log = [
        dispatched("handed_over", "2026-03-02T10:00", channel=channel, provider=at_bound("gateway").lower()) | shared
        for channel in ("email", "sms", "ivr")
    ]
    log.append(dispatched("not_sent", "2026-03-02T10:00", "d2", reason=incompressible(3_000, 5, letters)))
    assert loads.load("dispatch_log", *log, account=account).rejected_count == 0
    text = GOOD["twilio_messages"](1) | {
        "error_code": at_bound("provider_code"),
        "sid": at_bound("provider_message_id"),
    }
    text |= {"price_unit": at_bound("currency").upper(), "account_sid": at_bound("provider_account")}
    assert loads.load("twilio_messages", text, account=account).rejected_count == 0
    joined = dispatched("handed_over", "2026-03-02T10:00", channel="sms", provider="twilio")
    joined |= shared | {"provider_message_id": at_bound("provider_message_id")}
    assert loads.load("dispatch_log", joined, account=account).rejected_count == 0
    rebuilt_replayed_verified(loads, "sendgrid_events", "dispatch_log", "twilio_messages")
    reports = ("email_campaign", "email_link", "sms_failure_reason_daily", "message_cost_daily", "live_monitoring")
    for report in reports:
        assert loads.one(f"select count(*) from report.{report} where octet_length(campaign_id) = 1000")[0] > 0, report
    assert max(loads.rows("select octet_length(url) from report.email_link")) <= (1_500,)


def test_long_texts_from_an_older_release_are_cut_in_reports(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("waybill.feeds.typed_feed.check_bounds", lambda event: None)
        long = {name: incompressible(5_000, number) for number, name in enumerate(("template_id", "type"))}
        events = [sendgrid(word, WHEN, f"m{tail}", **long | {"template_id": long["template_id"] + tail})
                  for word in ("processed", "bounce") for tail in "ab"]  # fmt: skip
        assert loads.load("sendgrid_events", *events).rejected_count == 0
        other = {"error_code": incompressible(5_000, 3), "price_unit": incompressible(5_000, 4).upper()}
        assert loads.load("twilio_messages", GOOD["twilio_messages"](1) | other).rejected_count == 0
        named = dispatched("handed_over", "2026-03-02T10:00", provider=incompressible(5_000, 5).lower())
        assert loads.load("dispatch_log", named).rejected_count == 0
    rebuild_all(loads)
    with connected(loads.url, REPORTER) as connection:
        assert verify(connection).is_equal
    cut = [text for (text,) in loads.rows("select template_id from report.email_campaign where sent > 0 order by 1")]
    assert len(cut) >= 2 and max(len(text.encode()) for text in cut) <= 1_000
    assert sum(text.startswith(long["template_id"][:200]) for text in cut) == 2  # they differ only at their ends
    (row,) = loads.replay("sendgrid_events", "2026-03-01 00:00", "2026-03-04 00:00")
    assert (row.rejected_count, row.removed_count) == (4, 4)  # this release rejects them


def test_a_long_path_is_accepted(loads: Loads) -> None:
    source = "/".join([incompressible(250, 1)] * 15)
    landed = land(
        BytesIO(json.dumps(GOOD["sendgrid_events"](1)).encode()), "acme", "sendgrid_events",
        loads.settings.landing_url, source=source,
    )  # fmt: skip
    (done,) = loads.load_all("sendgrid_events", [landed])
    assert done.row.loaded_count == 1
    assert loads.rows("select source from ops.object") == [(source,)]
