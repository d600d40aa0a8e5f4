"""Pull, stage, validate, publish: everything that is landed is loaded exactly once, whichever process dies."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Warehouse
from tests.waybill.load.loading import Loads
from tests.waybill.pull.pulling import (
    ACCOUNT,
    DAY,
    HOUR,
    MINUTE,
    MORNING,
    NOON,
    Killed,
    Pulls,
    every,
    message,
    twilio_with,
)
from tests.waybill.pull.servers import Server, reply
from waybill.feeds import FEEDS
from waybill.feeds.api import Window
from waybill.feeds.twilio import lists
from waybill.flow import ingest, steps
from waybill.flow.results import IncompleteError
from waybill.flow.slices import Slice, slices
from waybill.ledger import pulls as journal
from waybill.model.errors import CeilingError, ConfigurationError, QualityGateError, SourceError, UsageError
from waybill.settings import Settings
from waybill.simulator.http import faults, page_faults
from waybill.simulator.twilio.rows import MESSAGES
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.warehouse.connection import Warehouse as Target

FEED = FEEDS[MESSAGES]
SENT = every(HOUR / 2, MORNING.from_at + MINUTE, 6)
NEVER_SENT = message(NOON - 3 * HOUR, sent=None, status="failed")


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with twilio_with(*SENT, NEVER_SENT) as twilio:
        yield twilio


@pytest.fixture
def pulls(warehouse: Warehouse, twilio: TwilioStandIn) -> Pulls:
    return Pulls(warehouse, twilio)


@pytest.fixture
def stamps(warehouse: Warehouse) -> Loads:
    return Loads(warehouse)


# Slices


def sliced(pulls: Pulls, now: datetime = NOON, **wanted: object) -> list[Slice]:
    return slices(Target(pulls.settings, pulls.url), FEED, now, **wanted)


def test_every_account_has_a_slice_from_its_own_watermark(pulls: Pulls) -> None:
    pulls.run()
    pulls.settings = replace(pulls.settings, accounts=(ACCOUNT, "south"))
    later = NOON + HOUR
    assert sliced(pulls, later) == [
        Slice(ACCOUNT, NOON - 3 * DAY, later, NOON - DAY),
        Slice("south", later - 3 * DAY, later, later - 3 * DAY),
    ]
    assert sliced(pulls, later)[0].label == "north 2026-02-27 12:00 to 2026-03-02 13:00 UTC"
    assert [one.account for one in sliced(pulls, account="south")] == ["south"]


def test_a_given_window_is_the_same_for_every_account(pulls: Pulls) -> None:
    pulls.settings = replace(pulls.settings, accounts=(ACCOUNT, "south"))
    assert sliced(pulls, window=MORNING) == [Slice(name, *MORNING, MORNING.from_at) for name in pulls.settings.accounts]
    (one, _) = sliced(pulls, window=MORNING, is_dated_only=True)
    assert one.swept_from is None


@pytest.mark.parametrize(
    "window", [Window(NOON, NOON), Window(NOON, NOON - HOUR), Window(NOON - HOUR, NOON + timedelta(seconds=1))]
)
def test_an_invalid_window_is_refused(pulls: Pulls, window: Window) -> None:
    with pytest.raises(UsageError, match=r"is not a valid window: it must end after its start, and not in the future"):
        sliced(pulls, window=window)


def test_an_account_that_is_not_in_accounts_is_refused(pulls: Pulls) -> None:
    """The names of credentials may be in upper case, so `North` would get those of `north`."""
    with pytest.raises(UsageError, match="There is no account 'North' in ACCOUNTS: north"):
        sliced(pulls, account="North")


def test_without_accounts_the_account_must_be_given(pulls: Pulls) -> None:
    pulls.settings = replace(pulls.settings, accounts=())
    with pytest.raises(UsageError, match="No account is given"):
        sliced(pulls)
    assert [one.account for one in sliced(pulls, account="anyone")] == ["anyone"]


def test_no_slice_ends_after_the_time_of_the_warehouse(pulls: Pulls) -> None:
    """If the clock of this machine were ahead, the warehouse could not commit a pull of the latest time."""
    ahead = datetime.now(UTC) + HOUR
    (default,) = sliced(pulls, ahead)
    (given,) = sliced(pulls, ahead, window=Window(ahead - DAY, ahead))
    assert default.until_at < ahead - HOUR / 2 and given.until_at < ahead - HOUR / 2
    with pytest.raises(UsageError, match="not in the future"):
        sliced(pulls, ahead, window=Window(ahead - MINUTE, ahead))
    pulls.now = ahead
    pulls.load(pulls.pull(Window(default.from_at, default.until_at)))
    assert pulls.watermark() == (default.from_at, default.until_at)


def test_a_feed_of_files_has_one_slice_for_every_folder_and_no_window(warehouse: Warehouse) -> None:
    feed, settings = FEEDS["sendgrid_events"], warehouse.settings
    assert slices(Target(settings, warehouse.url), feed, NOON) == []
    for name in ("b", "a"):
        (settings.var / "inbox" / name / feed.slug).mkdir(parents=True)
    (settings.var / "inbox" / "c" / "dispatch_log").mkdir(parents=True)
    found = slices(Target(settings, warehouse.url), feed, NOON)
    assert found == [Slice("a"), Slice("b")]
    assert [one.label for one in found] == ["a", "b"]
    assert slices(Target(settings, warehouse.url), feed, NOON, account="b") == [Slice("b")]
    with pytest.raises(UsageError, match="no folder c/sendgrid_events in the inbox"):
        slices(Target(settings, warehouse.url), feed, NOON, account="c")
    with pytest.raises(UsageError, match="has files, not windows"):
        slices(Target(settings, warehouse.url), feed, NOON, window=MORNING)


# Runs


def test_a_run_loads_its_pull_and_moves_the_watermark(pulls: Pulls) -> None:
    one, pulled = pulls.run()
    assert pulled.record_count == 6 + 7
    assert pulls.rows("select count(*) from fact.leg") == [(7,)]
    assert pulls.watermark() == (one.from_at, one.until_at) == (NOON - 3 * DAY, NOON)
    assert pulls.rows("select count(*) from ops.load where pull_id = %s", (pulled.pull_id,)) == [(1,)]
    assert pulls.rows("select committed_at is not null from ops.pull") == [(True,)]


def test_a_second_run_of_the_same_window_writes_nothing(pulls: Pulls, stamps: Loads) -> None:
    pulls.run()
    before, objects = stamps.stamps("fact", "private", "report"), stamps.rows("select count(*) from ops.object")
    files = sorted(Path(pulls.settings.landing_url).rglob("*"))
    assert before["fact.leg"] and objects[0][0] > 2 and files
    asked_count = len(pulls.asked())
    _, again = pulls.run()
    assert len(pulls.asked()) == 2 * asked_count
    assert again.record_count == 13
    assert stamps.stamps("fact", "private", "report") == before
    assert stamps.rows("select count(*) from ops.object") == objects
    assert sorted(Path(pulls.settings.landing_url).rglob("*")) == files
    assert pulls.rows("select count(*), count(committed_at) from ops.pull") == [(2, 2)]
    assert pulls.rows("select count(*) from ops.load") == [(1,)]


def test_a_later_run_lands_only_changed_pages(pulls: Pulls) -> None:
    pulls.run()
    ((before,),) = pulls.rows("select count(*) from ops.object")
    pulls.now = NOON + HOUR
    _, pulled = pulls.run()
    assert pulled.page_count == 13 + 1
    ((after,),) = pulls.rows("select count(*) from ops.object")
    assert after - before == 1, "the stretch that begins at noon"


def test_the_next_run_continues_a_run_that_died(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    pulls.run()
    whole_count = len(pulls.asked())
    pulls.now = pulls.twilio.clock.at = NOON + HOUR
    note_page, noted = journal.note_page, []

    def deadly(*arguments: object) -> None:
        note_page(*arguments)
        noted.append(arguments)
        if len(noted) == 5:
            raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(journal, "note_page", deadly)
        pulls.run()
    pulls.now = NOON + 2 * HOUR
    before_count = len(pulls.asked())
    one, pulled = pulls.run()
    assert one.until_at == NOON + HOUR
    assert len(pulls.asked()) - before_count == whole_count + 1 - 5
    assert pulled.page_count == whole_count + 1
    assert pulls.watermark() == (NOON - 3 * DAY, NOON + HOUR)
    one, _ = pulls.run()
    assert (one.from_at, one.until_at) == (NOON + HOUR - 3 * DAY, NOON + 2 * HOUR)
    assert pulls.watermark() == (NOON - 3 * DAY, NOON + 2 * HOUR)


def test_one_run_after_an_outage_of_days_finds_everything(warehouse: Warehouse) -> None:
    rows = every(DAY / 2, NOON - 2 * DAY, 20)
    lost = message(NOON + 2 * DAY, sent=None, status="canceled")
    with twilio_with(*rows, lost, at=NOON) as twilio:
        pulls = Pulls(warehouse, twilio)
        pulls.run()
        pulls.now = twilio.clock.at = NOON + 8 * DAY
        pulls.run()
        assert pulls.rows("select count(*) from fact.leg") == [(21,)]


def test_an_old_window_is_swept_from_today_unless_only_dated_rows_are_requested(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that no window contains are only in a list that begins with the newest row, which grows with the years."""
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    day = Window(NOON - 20 * DAY, NOON - 19 * DAY)
    lost = message(day.from_at + HOUR, sent=None, status="failed")
    with twilio_with(*every(DAY / 2, NOON - 21 * DAY, 42), lost) as twilio:
        pulls = Pulls(warehouse, twilio)
        (one,) = sliced(pulls, window=day, is_dated_only=True)
        dated = pulls.pull(Window(one.from_at, one.until_at), one.swept_from)
        assert (len(pulls.asked()), lost.sid in pulls.sids(dated.pull_id)) == (4, False)
        (one,) = sliced(pulls, window=day)
        swept = pulls.pull(Window(one.from_at, one.until_at), one.swept_from)
        assert (len(pulls.asked()) - 4, lost.sid in pulls.sids(swept.pull_id)) == (4 + 22, True)


# Runs that died after their pull


def test_the_next_run_loads_pages_that_the_last_run_only_landed(pulls: Pulls, twilio: TwilioStandIn) -> None:
    """The provider no longer has these versions of the rows."""
    twilio.clock.at = MORNING.from_at + MINUTE + MINUTE / 2  # the first message exists and is queued
    pulls.pull(Window(MORNING.from_at - HOUR, MORNING.from_at), swept_from=MORNING.from_at - HOUR)
    twilio.clock.at = NOON
    _, pulled = pulls.run()
    loads = pulls.rows("select pull_id, status from ops.load order by load_id")
    assert loads == [(pulled.pull_id, "published"), (pulled.pull_id - 1, "published")]
    assert pulls.rows("select object_id from ops.pull_page except select object_id from ops.load_object") == []
    assert pulls.rows("select committed_at is not null from ops.pull order by pull_id") == [(True,), (True,)]
    assert pulls.watermark() == (NOON - 3 * DAY, NOON)
    pulls.run()
    assert pulls.rows("select count(*) from ops.load") == [(2,)]


def test_pages_of_a_pull_that_never_ended_are_loaded_too(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    note_page = journal.note_page
    with monkeypatch.context() as patched, pytest.raises(Killed):

        def deadly(*arguments: object) -> None:
            note_page(*arguments)
            raise Killed

        patched.setattr(journal, "note_page", deadly)
        pulls.pull()
    monkeypatch.setattr(lists, "PAGE_SIZE", 3)
    pulls.pull(Window(MORNING.from_at, NOON - HOUR))
    pulled = pulls.pull(Window(MORNING.from_at, NOON - 2 * HOUR))
    pulls.load(pulled)
    published = "select count(*) from ops.load_object where object_id in (select object_id from ops.pull_page)"
    assert pulls.rows(published) == pulls.rows("select count(distinct object_id) from ops.pull_page") == [(3,)]
    assert pulls.rows("select committed_at is null from ops.pull where pull_id = 1") == [(True,)]
    assert pulls.watermark() == (MORNING.from_at, NOON - 2 * HOUR)


@pytest.mark.parametrize("step", ["validate_load", "publish_load"])
def test_a_load_that_died_is_staged_again_by_the_next_run(
    pulls: Pulls, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(ingest, step, die)
        pulls.run()
    assert pulls.watermark() is None
    pulls.run()
    statuses = pulls.rows("select status, stop_reason from ops.load order by load_id")
    assert statuses == [("stopped", "its process died"), ("published", None)]
    assert pulls.rows("select count(*) from fact.leg") == [(7,)]
    assert pulls.watermark() == (NOON - 3 * DAY, NOON)


def test_objects_of_a_stopped_load_are_not_tried_again_in_every_run(
    pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise QualityGateError("stopped here")

    with monkeypatch.context() as patched:
        patched.setattr(steps.gate, "gate", stop)
        _, failed = pulls.try_to_load(pulls.pull(Window(MORNING.from_at, NOON - HOUR)))
        assert [str(error) for error in failed] == ["stopped here"]
    pulls.twilio.clock.at = NOON - 4 * HOUR  # the next page is another one
    pulls.load(pulls.pull(Window(MORNING.from_at, NOON - 2 * HOUR)))
    assert pulls.rows("select pull_id, status from ops.load order by load_id") == [(1, "stopped"), (2, "published")]
    assert pulls.watermark() == (MORNING.from_at, NOON - 2 * HOUR)


def test_a_run_does_not_stage_objects_that_wait_in_another_load(pulls: Pulls) -> None:
    first = pulls.pull(Window(MORNING.from_at, NOON - HOUR))
    (waiting,) = ingest.stage_pull(Target(pulls.settings, pulls.url), FEED, first.pull_id)
    pulls.twilio.clock.at = NOON - 4 * HOUR
    pulls.load(pulls.pull(Window(MORNING.from_at, NOON - 2 * HOUR)))
    assert pulls.rows("select pull_id, status from ops.load order by load_id") == [(1, "staged"), (2, "published")]
    ingest.validate_loads(Target(pulls.settings, pulls.url), [waiting])
    ingest.publish_loads(Target(pulls.settings, pulls.url), first.pull_id, [waiting])
    assert pulls.watermark() == (MORNING.from_at, NOON - HOUR)


# Several processes


def test_one_process_does_not_drop_the_staged_loads_of_another(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second command drops dead loads, but not the staged loads of the first command, which is running."""
    pulled = pulls.pull()
    validate = ingest.validate_load

    def meanwhile(*arguments: object) -> None:
        ingest.stage_pull(Target(pulls.settings, pulls.url), FEEDS["twilio_calls"], pulled.pull_id)
        validate(*arguments)

    monkeypatch.setattr(ingest, "validate_load", meanwhile)
    assert [row.status for row in pulls.load(pulled)] == ["published"]


def test_single_steps_give_the_same_result(pulls: Pulls) -> None:
    pulled = pulls.pull(swept_from=MORNING.from_at)
    load_ids = ingest.stage_pull(Target(pulls.settings, pulls.url), FEED, pulled.pull_id)
    assert len(load_ids) == 1
    assert pulls.rows("select kept_until > now() + interval '35 hours' from ops.load") == [(True,)]
    ingest.validate_loads(Target(pulls.settings, pulls.url), load_ids)
    assert pulls.watermark() is None
    for is_new in (True, False):
        done = ingest.publish_loads(Target(pulls.settings, pulls.url), pulled.pull_id, load_ids)
        assert [item.row.status for item in done] == ["published"], is_new
    assert pulls.watermark() == tuple(MORNING)
    assert ingest.stage_pull(Target(pulls.settings, pulls.url), FEED, pulled.pull_id) == []


def test_a_pull_without_new_objects_is_complete_after_stage(pulls: Pulls) -> None:
    pulls.load(pulls.pull())
    again = pulls.pull(Window(MORNING.from_at, NOON - MINUTE))
    assert ingest.stage_pull(Target(pulls.settings, pulls.url), FEED, again.pull_id) == []
    assert pulls.rows("select committed_at is not null from ops.pull order by pull_id") == [(True,), (True,)]


# Failures, and the loads that continue


@pytest.fixture
def small_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each object a separate load."""
    monkeypatch.setattr("waybill.flow.batches.BATCH_OBJECTS", 1)
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)


def test_a_failed_load_stops_the_watermark_but_not_the_other_loads(
    pulls: Pulls, small_loads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled = pulls.pull()
    gate, looked_at = steps.gate.gate, []

    def second_fails(outcomes: object, subject: str) -> None:
        looked_at.append(subject)
        if len(looked_at) == 2:
            raise QualityGateError("stopped here")
        gate(outcomes, subject)

    monkeypatch.setattr(steps.gate, "gate", second_fails)
    done, failed = pulls.try_to_load(pulled)
    assert [row.status for row in done] == ["published"] * 2
    assert [type(error) for error in failed] == [QualityGateError]
    assert pulls.rows("select count(*) from fact.leg") == [(4,)]
    assert pulls.watermark() is None


def test_the_first_error_of_a_step_is_raised_with_the_others_as_notes(
    pulls: Pulls, small_loads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled = pulls.pull()
    load_ids = ingest.stage_pull(Target(pulls.settings, pulls.url), FEED, pulled.pull_id)

    def fail(outcomes: object, subject: str) -> None:
        raise QualityGateError(f"{subject} fails")

    monkeypatch.setattr(steps.gate, "gate", fail)
    with pytest.raises(QualityGateError, match=f"^load {load_ids[0]} fails") as caught:
        ingest.validate_loads(Target(pulls.settings, pulls.url), load_ids)
    assert caught.value.__notes__ == [f"load {number} fails" for number in load_ids[1:]]
    with pytest.raises(UsageError, match=f"Load {load_ids[0]} is stopped"):
        ingest.publish_loads(Target(pulls.settings, pulls.url), pulled.pull_id, load_ids)


def test_a_missing_landed_page_is_named_and_the_others_are_loaded(
    pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)
    pulled = pulls.pull()
    ((path,),) = pulls.rows(
        "select o.path from ops.object as o inner join ops.pull_page as p on p.object_id = o.object_id"
        " where p.page_no = 2"
    )
    Path(pulls.settings.landing_url, path).unlink()
    done, (error,) = pulls.try_to_load(pulled)
    assert isinstance(error, IncompleteError) and path in str(error) and "is gone from" in str(error)
    assert [row.loaded_count for row in done] == [4]
    assert pulls.watermark() is None
    pulls.run()  # lands it again
    assert pulls.rows("select count(*) from fact.leg") == [(7,)]
    assert pulls.watermark() == (NOON - 3 * DAY, NOON)


def test_too_many_rejected_records_stop_the_load_and_the_watermark(pulls: Pulls, server: Server) -> None:
    poison = [{"sid": f"SM{number}"} for number in range(30)]
    body = json.dumps({"messages": poison, "next_page_uri": None}).encode()
    server.replies = [reply(200, body)]
    pulls.settings = replace(
        pulls.settings,
        rejected_ceiling=0.05,
        provider_settings={**pulls.settings.provider_settings, "TWILIO_BASE_URL": server.url},
    )
    pulled = pulls.pull()
    assert pulled.record_count == 30
    done, (error,) = pulls.try_to_load(pulled)
    assert done == [] and isinstance(error, CeilingError)
    assert pulls.watermark() is None


def test_an_unreadable_file_of_the_inbox_is_an_error_after_the_others_are_loaded(warehouse: Warehouse) -> None:
    feed, settings, url = FEEDS["sendgrid_events"], warehouse.settings, warehouse.url
    inbox = settings.var / "inbox" / "acme" / feed.slug
    inbox.mkdir(parents=True)
    (inbox / "a.json").symlink_to(inbox / "gone")
    (inbox / "b.json").write_text('{"event": "open", "timestamp": 1772442851, "email": "ann@example.com"}')
    (one,) = slices(Target(settings, url), feed, NOON)
    pulled = ingest.pull(Target(settings, url), feed, one)
    outcome = ingest.load_pull(Target(settings, url), feed, pulled.pull_id)
    done, (error,) = outcome.done, outcome.failed
    assert [item.row.loaded_count for item in done] == [1]
    assert isinstance(error, IncompleteError) and "a.json" in str(error)


# Credentials


def test_a_pull_opens_a_client_with_the_credentials_of_its_account(pulls: Pulls) -> None:
    (one,) = sliced(pulls)
    assert ingest.pull(Target(pulls.settings, pulls.url), FEED, one, now=lambda: NOON).record_count == 13


def test_another_key_is_refused_before_any_request(pulls: Pulls) -> None:
    pulls.run()
    asked_count = len(pulls.asked())
    pulls.settings = replace(pulls.settings, recipient_hmac_key="another key of thirty-two bytes!")
    with pytest.raises(ConfigurationError, match="RECIPIENT_HMAC_KEY is not the key of this warehouse"):
        pulls.run()
    assert len(pulls.asked()) == asked_count


def test_no_secret_is_in_errors_notes_manifests_or_progress(pulls: Pulls, server: Server, capsys) -> None:
    secret, user = (pulls.settings.provider_settings[f"TWILIO_{name}"] for name in ("AUTH_TOKEN", "ACCOUNT_SID"))
    pulls.run()
    texts = [*pulls.said]
    for fault in (faults.Unauthorized(), faults.ServerError(), faults.NotFound(), page_faults.ForeignLink()):
        pulls.twilio.faults.set(fault)
        with pytest.raises((SourceError, ConfigurationError)) as caught:
            pulls.run()
        texts += [str(caught.value), repr(caught.value), *pulls.said]
    echo = json.dumps({"code": 20003, "message": f"no {user}:{secret} here"}).encode()
    server.replies = [reply(401, echo)] * 2
    pulls.settings = replace(
        pulls.settings, provider_settings={**pulls.settings.provider_settings, "TWILIO_BASE_URL": server.url}
    )
    with pytest.raises(ConfigurationError) as caught:
        pulls.run()
    texts += [str(caught.value), str(pulls.rows("select p::text from ops.pull as p"))]
    texts += [str(pulls.rows("select p::text from ops.pull_page as p"))]
    texts += [path.read_text() for path in Path(pulls.settings.landing_url).rglob("*.json")]
    assert len(texts) > 10
    assert not any(secret in text for text in texts)
    assert repr(pulls.settings.access_of(FEED, ACCOUNT)) == f"Access({user!r}, {server.url!r})"
    assert secret not in repr(pulls.settings)


def test_the_settings_determine_the_requests_to_the_provider(warehouse: Warehouse, twilio: TwilioStandIn) -> None:
    pulls = Pulls(warehouse, twilio)
    pulls.settings = Settings.from_environment(
        {
            "WAREHOUSE_URL": warehouse.url,
            "WAYBILL_VAR": str(warehouse.settings.var),
            "RECIPIENT_HMAC_KEY": warehouse.settings.recipient_hmac_key,
            "ACCOUNTS": "north,south",
            **{f"{name}__NORTH": value for name, value in pulls.settings.provider_settings.items()},
        }
    )
    assert pulls.pull().record_count == 6
    pulls.account = "south"
    with pytest.raises(ConfigurationError, match="of account south cannot be pulled"):
        pulls.pull()
