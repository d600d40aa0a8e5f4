"""Invariants of all files: order, batches and repetition do not matter, and the numbers add up."""

import json
from collections import Counter
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference import decode
from tests.reference.model import Model
from tests.reference.traffic import ZONES, File, traffic
from waybill.model.identity import Keyring
from waybill.simulator.truth.outcome import make_messages
from waybill.simulator.truth.reports import report_rows

KEYRING = Keyring(b"a secret for the tests only")
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def loaded(files: list[File], zone: str) -> Model:
    model = Model(KEYRING, zone)
    for file in files:
        counts = model.load(file.account, file.feed, file.data, file.landed_at)
        assert counts.read == counts.mapped + counts.ignored + len(counts.rejected)
    return model


def split(file: File) -> list[File]:
    """Return each record in its own file, in another shape; poison only if it can be a file."""
    parts = []
    for record in decode.records(file.feed, file.data):
        data = record.raw
        if record.value is not None:
            data = json.dumps(record.value).encode()
        elif file.feed == "dispatch_log":
            continue
        if file.feed.startswith("twilio") and record.problem in (None, "not_an_object"):
            data = b'{"' + decode.BODY_KEY[file.feed].encode() + b'":[' + data + b"]}"
        parts.append(File(file.account, file.feed, data, file.landed_at))
    return parts


@FEW
@given(traffic(max_files=20), st.sampled_from(ZONES), st.randoms(use_true_random=False))
def test_order_and_batching_of_files_do_not_matter(files, zone, random):
    straight = loaded(files, zone)
    assert straight.events()
    parts = [part for file in files for part in split(file)]
    random.shuffle(parts)
    shuffled = loaded(parts, zone)
    assert shuffled.happenings() == straight.happenings()
    assert shuffled.report_rows() == straight.report_rows()
    assert shuffled.unattributed() == straight.unattributed()


@FEW
@given(traffic(max_files=20), st.sampled_from(ZONES))
def test_loading_twice_is_loading_once(files, zone):
    once, twice = loaded(files, zone), loaded([*files, *files], zone)
    assert twice.happenings() == once.happenings()
    assert twice.report_rows() == once.report_rows()
    assert twice.rejected() == once.rejected()


@FEW
@given(traffic(), st.sampled_from(ZONES))
def test_every_message_is_counted_once_and_every_sent_one_in_one_state(files, zone):
    model = loaded(files, zone)
    messages = make_messages(model.happenings())
    states = Counter(m.state for m in messages)
    sent = sum(1 for m in messages if m.sent_at)
    assert len(messages) == sent + states["not_sent"] + states["in_progress"]
    assert sent == states["delivered"] + states["bounced"] + states["not_delivered"] + states["in_gateway"]
    reports = model.report_rows()
    for report in ("email_campaign", "sms_activity_daily", "ivr_activity_daily"):
        sent -= sum(cells["sent"] for cells in reports[report].values())
    assert sent == 0
    for cells in reports["email_campaign"].values():
        failed = cells["bounced_hard"] + cells["bounced_soft"] + cells["not_delivered"]
        assert cells["sent"] == cells["delivered"] + failed + cells["in_gateway"]
        assert cells["clicked"] <= cells["opened"] <= cells["delivered"]
        assert cells["clicked_human"] <= cells["opened_human"] <= cells["opened"]
        assert max(cells["spam_reported"], cells["unsubscribed"]) <= cells["delivered"]
        assert cells["invalid"] <= cells["bounced_hard"]
        assert cells["blocked"] <= cells["bounced_soft"]
    for cells in reports["sms_activity_daily"].values():
        assert cells["sent"] == cells["delivered"] + cells["undelivered"] + cells["in_gateway"]
    for cells in reports["ivr_activity_daily"].values():
        assert cells["sent"] == cells["completed"] + cells["no_answer"] + cells["failed"] + cells["in_gateway"]
        assert cells["busy"] <= cells["no_answer"]
        assert cells["canceled"] <= cells["failed"]
        assert cells["human"] + cells["machine"] <= cells["completed"]


def test_the_traffic_reaches_every_state_event_type_and_report():
    states, seen, reports, rejected = set(), set(), set(), set()
    merged_sightings = 0
    joined: set[UUID] = set()
    kinds: Counter[str] = Counter()

    @settings(FEW, database=None, derandomize=True)  # only fixed examples reach a known set
    @given(traffic(min_files=20))
    def draw(files):
        nonlocal merged_sightings
        model = Model(KEYRING, "Europe/Berlin")
        for file in files:
            rejected.update(r.reason for r in model.load(file.account, file.feed, file.data, file.landed_at).rejected)
        happenings = model.happenings()
        merged_sightings += sum(1 for sightings in model.sightings.values() if len(sightings) > 1)
        for h in happenings:
            seen.add((h.channel, h.event_type))
            seen.add(h.failure_class)
        messages = make_messages(happenings)
        of_dispatch = Counter((m.account, m.channel, m.dispatch_id) for m in messages if m.dispatch_id)
        kinds["one of a batch"] += sum(count for count in of_dispatch.values() if count > 1)
        for m in messages:
            states.add((m.channel, m.state))
            if m.is_delivered_then_bounced:
                states.add("delivered_then_bounced")
            recipients = {leg.recipient for leg in m.legs if leg.provider == "dispatch"} - {None}
            assert len(recipients) <= 1
            kinds["copy decides"] += bool(m.copies) and m.deciding_legs == m.legs
            kinds["copy is ignored"] += m.deciding_legs != m.legs
            kinds["joined by the sender's id"] += len(m.legs) > 1 and any(leg.has_own_id_alone for leg in m.legs)
            kinds["known by the sender's id alone"] += all(leg.has_own_id_alone for leg in m.legs)
            if any(e.names_leg for e in m.events) and {leg.provider for leg in m.legs} > {"dispatch"}:
                joined.add(m.events[0].key)
        reports.update(name for name, cells in model.report_rows().items() if cells)

    draw()
    all_states = ("delivered", "not_delivered", "in_gateway", "not_sent", "in_progress")
    assert states >= {(channel, state) for channel in ("email", "sms", "ivr") for state in all_states}
    assert states >= {("email", "bounced"), ("sms", "bounced"), "delivered_then_bounced"}
    assert seen >= {"invalid", "hard_bounce", "soft_bounce", "blocked", "gateway_suppressed", "unknown"}
    words = ("opened", "clicked", "spam_reported", "unsubscribed", "resubscribed", "deferred", "dropped", "unknown")
    assert seen >= {("email", word) for word in words}
    assert reports == set(report_rows([], "UTC"))
    assert rejected >= {"not_json", "not_an_object", "body", "time", "address", "status", "event_word", "dispatch_id"}
    assert merged_sightings > 100
    assert len(kinds) == 5 and min(kinds.values()) > 20, kinds
    assert len(joined) > 20
