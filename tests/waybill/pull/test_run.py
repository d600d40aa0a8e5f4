"""A pull lands every page once, continues after it died, and refuses pages that contradict each other."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from tests.conftest import Warehouse
from tests.waybill.pull.pulling import (
    ACCOUNT,
    DAY,
    HOUR,
    MINUTE,
    MORNING,
    NOON,
    Killed,
    Pulls,
    call,
    every,
    message,
    twilio_with,
)
from tests.waybill.pull.servers import Reply, Server, reply
from waybill.feeds import FEEDS
from waybill.feeds.api import Window
from waybill.feeds.twilio import lists
from waybill.flow import ingest
from waybill.framing.limits import LONGEST_BODY
from waybill.landing import objects as landing
from waybill.ledger import pulls as journal
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.pull.client import Client
from waybill.pull.limits import Limits
from waybill.pull.run import pull_inbox
from waybill.simulator.http import faults, page_faults
from waybill.simulator.twilio.rows import CALLS, MESSAGES, account_sid
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.warehouse.connection import LOADER, connect
from waybill.warehouse.connection import Warehouse as Target

EXPIRED = " Its link may have expired: the same command again starts from the first page."
SENT = every(HOUR / 2, MORNING.from_at + MINUTE, 7)
"""Seven messages in one stretch: four pages of two."""

NEVER_SENT = message(NOON - 3 * HOUR, sent=None, status="failed")


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 2)


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with twilio_with(*SENT, NEVER_SENT) as twilio:
        yield twilio


@pytest.fixture
def pulls(warehouse: Warehouse, twilio: TwilioStandIn) -> Pulls:
    return Pulls(warehouse, twilio)


def newest_first(rows: list) -> list[str]:
    return [row.sid for row in reversed(rows)]


# What a pull lands and records


def test_every_page_is_requested_once_landed_and_recorded(pulls: Pulls) -> None:
    pulled = pulls.pull()
    assert pulled == (pulled.pull_id, 4, 7, ())
    assert pulls.sids() == newest_first(SENT)
    assert len(pulls.asked()) == len(set(pulls.asked())) == 4
    assert pulls.pages() == [(pulled.pull_id, "DateSent 2026-03-02T06:00:00Z", number) for number in (1, 2, 3, 4)]
    links = pulls.rows("select next_link from ops.pull_page order by page_no")
    assert [link for (link,) in links] == [*pulls.asked()[1:], None]


def test_the_result_of_a_pull_is_recorded(pulls: Pulls) -> None:
    pulled = pulls.pull()
    assert pulls.rows(
        "select account, feed, from_at, until_at, record_count, broken, pulled_at is null, committed_at from ops.pull"
        " where pull_id = %s",
        (pulled.pull_id,),
    ) == [(ACCOUNT, MESSAGES, *MORNING, 7, [], False, None)]
    assert pulls.rows("select feed, kind from ops.feed") == [(MESSAGES, "api")]
    assert pulls.watermark() is None


def test_a_manifest_contains_the_request_of_its_page(pulls: Pulls) -> None:
    pulls.pull()
    paths = [path for (path,) in pulls.rows("select path from ops.object order by object_id")]
    manifests = [landing.read_manifest(pulls.settings.landing_url, path) for path in paths]
    assert [found.request for found in manifests] == pulls.asked()
    assert [found.record_count for found in manifests] == [2, 2, 2, 1]
    for found in manifests:
        assert (found.account, found.feed, found.landed_at) == (ACCOUNT, MESSAGES, NOON)
        assert (found.window, found.source) == (tuple(MORNING), None)


def test_rows_that_no_window_contains_are_pulled_by_the_sweep(pulls: Pulls) -> None:
    pulled = pulls.pull(swept_from=NOON - 4 * HOUR)
    stretch, sweep = "DateSent 2026-03-02T06:00:00Z", "newest down to 2026-03-02T08:00:00Z"
    assert {listing for _, listing, _ in pulls.pages()} == {stretch, sweep}
    assert pulls.sids().count(NEVER_SENT.sid) == 1
    assert pulled.page_count == 4 + 3  # its fourth page is not requested: all rows of the third are before 8:00
    assert pulls.rows("select next_link from ops.pull_page where listing = %s and page_no = 3", (sweep,)) == [(None,)]


def test_messages_that_were_never_sent_are_found_behind_scheduled_ones(warehouse: Warehouse) -> None:
    """A campaign that was scheduled days ago and sent just now fills whole pages before it."""
    campaign = every(MINUTE, NOON - 3 * DAY, 6, lambda created: message(created, sent=3 * DAY - 10 * MINUTE))
    with twilio_with(*campaign, NEVER_SENT) as twilio:
        pulls = Pulls(warehouse, twilio)
        pulls.pull(swept_from=NOON - DAY)
        assert NEVER_SENT.sid in pulls.sids()


def test_calls_are_pulled_by_their_start(warehouse: Warehouse) -> None:
    rows = every(HOUR / 2, MORNING.from_at + MINUTE, 3, call)
    with twilio_with(*rows) as twilio:
        pulls = Pulls(warehouse, twilio, CALLS)
        assert pulls.pull().record_count == 3
        assert pulls.sids() == newest_first(rows)


def test_an_empty_window_is_one_empty_page(warehouse: Warehouse) -> None:
    with twilio_with() as twilio:
        pulled = Pulls(warehouse, twilio).pull()
    assert pulled == (pulled.pull_id, 1, 0, ())


def test_a_window_that_ends_in_the_future_is_refused_before_any_request(pulls: Pulls) -> None:
    with pytest.raises(UsageError, match=r"ends at 2026-03-02T12:00:01\+00:00, which is in the future"):
        pulls.pull(Window(MORNING.from_at, NOON + timedelta(seconds=1)))
    assert pulls.asked() == []


def test_missing_credentials_are_an_error_before_any_request(pulls: Pulls) -> None:
    pulls.account = "south"
    with pytest.raises(ConfigurationError, match="TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set"):
        pulls.pull()
    assert pulls.asked() == [] and pulls.rows("select * from ops.pull") == []


def test_the_error_of_refused_credentials_names_feed_and_account(pulls: Pulls) -> None:
    pulls.twilio.faults.set(faults.Unauthorized())
    with pytest.raises(ConfigurationError, match=r"twilio_messages of account north, DateSent .*, page 1: 401 from"):
        pulls.pull()


# A pull continues one that died


def die(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, at: int, *, before: bool) -> None:
    """Die at the n-th call of a function, before or after it."""
    function, count = getattr(owner, name), 0

    def deadly(*arguments: object, **named: object) -> object:
        nonlocal count
        count += 1
        if count == at and before:
            raise Killed
        result = function(*arguments, **named)
        if count == at:
            raise Killed
        return result

    monkeypatch.setattr(owner, name, deadly)


MOMENTS = {
    "before it is asked for": (Client, "get", True, 0),
    "before it is landed": (landing, "land", True, 1),
    "before it is noted": (journal, "note_page", True, 1),
    "when it is noted": (journal, "note_page", False, 0),
}


@pytest.mark.parametrize("page", [1, 2, 4, 5, 7], ids="page {}".format)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_pull_that_died_at_any_page_continues_there(pulls: Pulls, moment: str, page: int) -> None:
    owner, name, before, again_count = MOMENTS[moment]
    swept_from = NOON - 4 * HOUR
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        die(patched, owner, name, page, before=before)
        pulls.pull(swept_from=swept_from)
    noted_count = page - (moment != "when it is noted")
    assert len(pulls.pages()) == noted_count
    before_count = len(pulls.asked())
    pulled = pulls.pull(swept_from=swept_from)
    assert len(pulls.asked()) - before_count == 7 - noted_count
    assert len(pulls.asked()) == 7 + again_count
    assert (pulled.page_count, pulled.record_count) == (7, 13)
    assert pulls.rows("select count(*) from ops.pull") == [(1,)]
    assert set(pulls.sids()) == {row.sid for row in (*SENT, NEVER_SENT)}
    assert len(pulls.sids()) == 13


def test_a_pull_that_ended_starts_again(pulls: Pulls) -> None:
    first, second = pulls.pull(), pulls.pull()
    assert first.pull_id != second.pull_id
    assert len(pulls.asked()) == 8
    assert pulls.rows("select count(*) from ops.object") == [(4,)]


def test_only_a_pull_of_the_same_window_is_continued(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        die(patched, journal, "note_page", 2, before=False)
        pulls.pull()
    assert pulls.pull(Window(MORNING.from_at, NOON - MINUTE)).page_count == 4
    assert pulls.rows("select count(*) from ops.pull") == [(2,)]


def test_a_pull_that_died_long_ago_starts_again(pulls: Pulls) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        die(patched, journal, "note_page", 2, before=False)
        pulls.pull()
    pulls.rows("update ops.pull set started_at = started_at - interval '12 hours 1 second' returning pull_id")
    assert pulls.pull().page_count == 4
    assert pulls.rows("select count(*) from ops.pull") == [(2,)]


def test_a_longer_sweep_does_not_continue_one_that_died(pulls: Pulls) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        die(patched, journal, "note_page", 5, before=False)
        pulls.pull(swept_from=NOON - MINUTE)  # all rows of the window are on its first page
    pulls.pull(swept_from=MORNING.from_at)
    assert NEVER_SENT.sid in pulls.sids()


def test_an_expired_link_ends_the_pull_and_the_next_pull_starts_again(pulls: Pulls) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        die(patched, journal, "note_page", 2, before=False)
        pulls.pull()
    pulls.rows("update ops.pull_page set next_link = replace(next_link, 'PASM', 'PAXX') returning pull_id")
    with pytest.raises(
        SourceError, match=r"page 3: 400 from .*Invalid PageToken.*starts from the first page"
    ) as caught:
        pulls.pull()
    assert pulls.rows(
        "select pulled_at is null, broken[1] = any(%s) from ops.pull",
        ([str(caught.value).removesuffix(EXPIRED)],),
    ) == [(False, True)]
    assert pulls.pull().page_count == 4
    assert pulls.rows("select count(*) from ops.pull") == [(2,)]


def test_a_pull_continues_after_any_outage(pulls: Pulls) -> None:
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
        die(patched, journal, "note_page", 2, before=False)
        pulls.pull()
    pulls.twilio.faults.set(faults.ServerError())
    for _ in range(journal.MOST_FAILURES + 1):
        with pytest.raises(SourceError, match=r"page 3: 500 .*asked 6 times in"):
            pulls.pull()
    pulls.twilio.faults.clear()
    before_count = len(pulls.asked())
    assert pulls.pull().page_count == 4
    assert len(pulls.asked()) - before_count == 2


# Pages that contradict each other


def without_fault(count: int) -> list[faults.Fault]:
    """Return faults that let so many requests pass."""
    return [faults.TimePasses(seconds=0, times=count)] if count else []


REFUSED = {
    "an error body under 200": (faults.ErrorAsSuccess(times=1), r"not a page of messages \(error 20500\)"),
    "HTML under 200": (faults.HtmlAsSuccess(times=1), "not a page of messages"),
    "JSON that is cut": (faults.CutJson(times=1), "not a page of messages"),
    "a link to itself": (page_faults.LoopingLink(times=1), "names itself or the first page"),
    "a link to the first page": (page_faults.LoopingLink(times=1, to="first"), "names itself or the first page"),
    "a foreign host": (page_faults.ForeignLink(times=1), "another scheme, host or port"),
    "a foreign port": (page_faults.ForeignLink(times=1, form="other_port"), "another scheme, host or port"),
    "a foreign scheme": (page_faults.ForeignLink(times=1, form="other_scheme"), "another scheme, host or port"),
    "a link without scheme": (page_faults.ForeignLink(times=1, form="no_scheme"), "leads"),
    "a user before the host": (page_faults.ForeignLink(times=1, form="userinfo"), "can be read as a scheme"),
    "another list": (page_faults.ForeignLink(times=1, form="other_path"), "a page of another list"),
}


@pytest.mark.parametrize("page", [1, 4], ids="page {}".format)
@pytest.mark.parametrize("name", REFUSED)
def test_a_contradictory_page_is_refused_and_requested_again(pulls: Pulls, name: str, page: int) -> None:
    fault, reason = REFUSED[name]
    pulls.twilio.faults.set(*without_fault(page - 1), fault)
    with pytest.raises(SourceError, match=reason) as caught:
        pulls.pull()
    assert f"twilio_messages of account north, DateSent 2026-03-02T06:00:00Z, page {page}: " in str(caught.value)
    landed = re.search(
        r"This page was landed as (\S+), but is not loaded; the same command again continues with this page.",
        str(caught.value),
    )
    assert landed is not None
    refused = landing.read_manifest(pulls.settings.landing_url, landed[1])
    assert refused.record_count is None and re.search(reason, refused.refused)
    assert pulls.rows("select count(*) from ops.object where path = %s", (landed[1],)) == [(0,)]
    assert len(pulls.pages()) == page - 1
    assert len(pulls.asked()) == page, "the pull requested another page"
    assert pulls.pull().page_count == 4
    assert len(pulls.asked()) == 5
    assert pulls.sids() == newest_first(SENT)
    assert pulls.rows("select broken from ops.pull") == [([],)]


@pytest.mark.parametrize("form", ["other_host", "other_port", "no_scheme", "userinfo"])
def test_a_link_to_another_server_is_never_followed(pulls: Pulls, other: Server, form: str) -> None:
    pulls.twilio.faults.set(page_faults.ForeignLink(form=form, elsewhere=f"127.0.0.1:{other.port}"))
    for _ in range(journal.MOST_FAILURES):
        with pytest.raises(SourceError, match="Nothing was sent to it"):
            pulls.pull()
    assert other.connection_count == 0
    assert len(pulls.asked()) == journal.MOST_FAILURES


def test_a_page_that_is_always_contradictory_ends_the_pull(pulls: Pulls) -> None:
    pulls.twilio.faults.set(faults.HtmlAsSuccess(where="PageToken"))
    for attempt in range(1, journal.MOST_FAILURES + 1):
        with pytest.raises(SourceError) as caught:
            pulls.pull()
        is_over = attempt == journal.MOST_FAILURES
        assert str(caught.value).endswith("from the first page." if is_over else "continues with this page.")
        assert pulls.rows("select pulled_at is not null, cardinality(broken) from ops.pull") == [
            (is_over, 1 if is_over else attempt)
        ]
    pulls.twilio.faults.clear()
    pulls.pull()
    assert pulls.rows("select count(*) from ops.pull") == [(2,)]


def test_failures_are_counted_for_each_page(pulls: Pulls) -> None:
    for page in range(1, 5):
        pulls.twilio.faults.set(*without_fault(min(page - 1, 1)), faults.CutJson())
        with pytest.raises(SourceError, match=f"page {page}: "):
            pulls.pull()
    pulls.twilio.faults.clear()
    assert pulls.pull().page_count == 4
    assert pulls.rows("select count(*) from ops.pull") == [(1,)]


def page_of(rows: list, next_link: str | None = None, **more: object) -> bytes:
    return json.dumps({"messages": rows, "next_page_uri": next_link, **more}).encode()


ROWS = [{"sid": f"SM{number}", "date_created": "Mon, 02 Mar 2026 09:00:00 +0000"} for number in range(4)]


@pytest.fixture
def scripted(warehouse: Warehouse, twilio: TwilioStandIn, server: Server) -> Callable[..., Pulls]:
    """Return a function that pulls from a server with the given answers."""

    def scripted(*bodies: bytes) -> Pulls:
        server.replies = [reply(200, body) for body in bodies]
        pulls = Pulls(warehouse, twilio)
        pulls.settings.provider_settings["TWILIO_BASE_URL"] = server.url
        return pulls

    return scripted


def link_to(token: str) -> str:
    return f"/2010-04-01/Accounts/{account_sid(ACCOUNT)}/Messages.json?PageToken={token}"


def test_a_repeated_page_is_refused(scripted: Callable[..., Pulls], server: Server) -> None:
    pulls = scripted(page_of(ROWS[:2], link_to("A")), page_of(ROWS[:2], link_to("B")), page_of(ROWS[2:]))
    with pytest.raises(SourceError, match="page 2: it has the same records as the page before"):
        pulls.pull()
    assert len(pulls.pages()) == 1
    assert pulls.pull().record_count == 4
    assert [asked.target.partition("?")[2] for asked in server.requests[1:]] == ["PageToken=A", "PageToken=A"]
    assert pulls.sids() == ["SM0", "SM1", "SM2", "SM3"]


def test_a_page_that_is_repeated_again_is_refused_again(pulls: Pulls) -> None:
    pulls.twilio.faults.set(page_faults.RepeatedPage(where="PageToken", times=journal.MOST_FAILURES - 1))
    for _ in range(journal.MOST_FAILURES - 1):
        with pytest.raises(SourceError, match="page 2: it has the same records as the page before"):
            pulls.pull()
        assert len(pulls.pages()) == 1
    pulls.pull()
    assert pulls.sids() == newest_first(SENT)


def test_an_empty_page_that_names_a_next_page_is_refused(scripted: Callable[..., Pulls]) -> None:
    pulls = scripted(page_of([], link_to("A")))
    with pytest.raises(SourceError, match="page 1: it is empty, but names a next page"):
        pulls.pull()


def test_a_short_page_is_refused(scripted: Callable[..., Pulls]) -> None:
    pulls = scripted(page_of(ROWS[:2], start=0, end=3))
    with pytest.raises(SourceError, match="page 1: it says that it holds 4 messages, and holds 2"):
        pulls.pull()
    assert pulls.pages() == []


GAP = [page_of(ROWS[:2], link_to("A"), start=0, end=1), page_of(ROWS[2:], start=3, end=4)]


@pytest.mark.parametrize(
    ("bodies", "page", "row"),
    [(GAP, 2, "row 3 of the list, expected row 2"), (GAP[1:], 1, "row 3 of the list, expected row 0")],
    ids=["in the middle", "before the first"],
)
def test_pages_that_leave_a_gap_are_refused(scripted: Callable[..., Pulls], bodies: list, page: int, row: str) -> None:
    pulls = scripted(*bodies)
    with pytest.raises(SourceError, match=f"page {page}: it begins with {row}"):
        pulls.pull()
    assert len(pulls.pages()) == page - 1


def test_a_continued_pull_checks_the_place_of_its_next_page(scripted: Callable[..., Pulls]) -> None:
    pulls = scripted(*GAP, GAP[1])
    for _ in range(2):
        with pytest.raises(SourceError, match="page 2: it begins with row 3 of the list, expected row 2"):
            pulls.pull()


def test_an_empty_page_that_was_named_is_requested_again(scripted: Callable[..., Pulls], server: Server) -> None:
    pulls = scripted(page_of(ROWS[:2], link_to("A")), page_of([]), page_of(ROWS[2:]))
    assert pulls.pull().record_count == 4
    assert len(server.requests) == 3


def test_a_named_page_that_is_empty_twice_is_refused(scripted: Callable[..., Pulls], server: Server) -> None:
    pulls = scripted(page_of(ROWS[:2], link_to("A")), page_of([]), page_of([]))
    with pytest.raises(SourceError, match="page 2: it is empty twice"):
        pulls.pull()
    assert len(server.requests) == 3 and len(pulls.pages()) == 1


def test_pages_that_alternate_under_new_tokens_are_refused(scripted: Callable[..., Pulls], server: Server) -> None:
    pulls = scripted(*(page_of(ROWS[:2] if turn % 2 else ROWS[2:], link_to(f"T{turn}")) for turn in range(50)))
    with pytest.raises(SourceError, match="page 3: it has only records of earlier pages of this list"):
        pulls.pull()
    assert len(server.requests) == 3


def test_rows_of_another_account_are_refused(scripted: Callable[..., Pulls]) -> None:
    pulls = scripted(page_of([{**ROWS[0], "account_sid": account_sid("south")}]))
    with pytest.raises(SourceError, match="page 1: it shows a row of another account"):
        pulls.pull()
    assert pulls.pages() == []


def test_a_second_answer_to_one_request_is_never_read(scripted: Callable[..., Pulls], server: Server) -> None:
    pulls = scripted()
    forged = reply(200, page_of([{"sid": "SM99"}]))
    first = reply(200, page_of(ROWS[:2], link_to("A")))
    server.replies = [Reply(first.data + forged.data), reply(200, page_of(ROWS[2:]))]
    pulls.pull()
    assert pulls.sids() == ["SM0", "SM1", "SM2", "SM3"]
    assert len(server.requests) == server.connection_count == 2


def test_the_limit_of_a_page_is_the_limit_of_a_loaded_body() -> None:
    assert Limits().body_bytes == LONGEST_BODY


def test_the_number_of_pages_of_a_list_is_bounded(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.pull.pages.MOST_PAGES", 3)
    with pytest.raises(SourceError, match="page 3: it names a next page, but a list may have 3 pages"):
        pulls.pull()


def test_a_malformed_row_does_not_prevent_landing_its_page(scripted: Callable[..., Pulls]) -> None:
    poison = [{"status": "sent"}, {"sid": 7}, "no row", None, [[]]]
    pulls = scripted(page_of([*ROWS, *poison]))
    pulled = pulls.pull()
    assert pulled.record_count == 9
    pulls.load(pulled)
    assert pulls.rows("select count(*) from private.rejected_record")[0][0] >= 5


# Alarms


def test_an_empty_pull_of_a_busy_time_is_an_alarm(warehouse: Warehouse, monkeypatch) -> None:
    monkeypatch.setattr(lists, "PAGE_SIZE", 50)
    with twilio_with(*every(MINUTE, MORNING.from_at, journal.NORMALLY_BUSY)) as busy:
        pulls = Pulls(warehouse, busy)
        pulls.load(pulls.pull())
    assert pulls.watermark() == tuple(MORNING)
    with twilio_with() as silent:
        pulls = Pulls(warehouse, silent)
        later = Window(MORNING.from_at + HOUR, NOON + HOUR)
        pulls.now = NOON + HOUR
        for _ in range(2):  # and the next pull raises it again
            with pytest.raises(
                SourceError, match=r"showed no record at all, but an earlier pull found 20 between .* same account\?"
            ):
                pulls.pull(later)
        assert pulls.rows("select count(*) from ops.pull where committed_at is null and broken <> '{}'") == [(2,)]
        assert pulls.watermark() == tuple(MORNING)
        night = Window(NOON + 10 * DAY, NOON + 10 * DAY + HOUR)
        pulls.now = night.until_at
        assert pulls.pull(night).record_count == 0, "no alarm for a quiet time"


def test_an_empty_pull_of_a_quiet_time_is_no_alarm(warehouse: Warehouse) -> None:
    with twilio_with(*every(MINUTE, MORNING.from_at, journal.NORMALLY_BUSY - 1)) as quiet:
        pulls = Pulls(warehouse, quiet)
        pulls.load(pulls.pull())
    with twilio_with() as silent:
        assert Pulls(warehouse, silent).pull().record_count == 0


# Several pulls at the same time


def test_pulls_of_one_feed_and_account_run_one_after_another(pulls: Pulls) -> None:
    order: list[str] = []
    with journal.alone(pulls.target, pulls.feed, ACCOUNT):
        thread = threading.Thread(target=lambda: (pulls.pull(), order.append("pulled")))
        waiting = threading.Event()
        pulls.said = NotifyingList(waiting)
        thread.start()
        assert waiting.wait(timeout=60)
        (message,) = pulls.said
        waits = "pull twilio_messages north: waiting for the pull that is under way, which is held by "
        assert re.fullmatch(waits + r"waybill:pull:twilio_messages \(backend \d+\)", message)
        assert pulls.asked() == []
        order.append("released")
    thread.join(timeout=60)
    assert order == ["released", "pulled"]


class NotifyingList(list):
    """A list that sets an event when an item is added."""

    def __init__(self, added: threading.Event) -> None:
        super().__init__()
        self._added = added

    def append(self, item: object) -> None:
        super().append(item)
        self._added.set()


@pytest.mark.parametrize(("feed", "account"), [(CALLS, ACCOUNT), (MESSAGES, "south")])
def test_pulls_of_other_feeds_and_accounts_do_not_wait(pulls: Pulls, feed: str, account: str) -> None:
    with journal.alone(pulls.target, FEEDS[feed], account):
        assert pulls.pull().page_count == 4
    assert not any("waiting" in line for line in pulls.said)


# Rows that change between pages


def test_a_row_sent_between_two_pages_of_a_sweep_is_found_by_the_next_run(warehouse: Warehouse) -> None:
    """It moves before the next page, so no page of this pull contains it, but a stretch of the next pull does."""
    older, younger = every(MINUTE, NOON - 3 * HOUR, 2), every(MINUTE, NOON - HOUR, 4)
    late = message(NOON - 2 * HOUR, sent=2 * HOUR + timedelta(seconds=30))
    with twilio_with(*older, late, *younger) as twilio:
        pulls = Pulls(warehouse, twilio)
        # it is sent half a minute later, between the first and the second page of the sweep
        twilio.faults.set(faults.TimePasses(where="json?PageSize=2&Page=1", times=1, seconds=60))
        pulled = pulls.pull(swept_from=MORNING.from_at)
        assert twilio.requests.by_fault == {"time_passes": 1}
        assert late.sid not in pulls.sids(), "the row was not where this test needs it"
        pulls.load(pulled)
        assert pulls.watermark() == tuple(MORNING)
        pulls.now = twilio.clock.at = NOON + HOUR
        one, again = pulls.run()
        assert one.from_at < NOON < one.until_at
        assert late.sid in pulls.sids(again.pull_id)
        assert pulls.rows("select count(*) from fact.event where provider_message_id = %s", (late.sid,)) == [(2,)]


def test_a_row_dated_back_between_two_pages_is_found_by_the_next_run(warehouse: Warehouse) -> None:
    """Its stretch was listed before the row moved into it, and the sweep had passed its new place."""
    rows = every(10 * MINUTE, MORNING.from_at, 8)
    late = message(NOON - 5 * HOUR - 5 * MINUTE, sent=None)
    late.change(NOON + timedelta(seconds=30), status="sent", date_sent=NOON - HOUR)
    with twilio_with(*rows, late) as twilio:
        pulls = Pulls(warehouse, twilio)
        twilio.faults.set(faults.TimePasses(where="json?PageSize=2&Page=1", times=1, seconds=60))
        pulls.load(pulls.pull(swept_from=MORNING.from_at))
        assert twilio.requests.by_fault == {"time_passes": 1}
        assert late.sid not in pulls.sids(), "the row was not where this test needs it"
        pulls.now = twilio.clock.at = NOON + HOUR
        _, again = pulls.run()
        assert late.sid in pulls.sids(again.pull_id)


def test_new_rows_at_the_top_do_not_push_rows_out_of_later_pages(warehouse: Warehouse) -> None:
    rows, new = every(10 * MINUTE, MORNING.from_at, 8), every(timedelta(seconds=20), NOON - MINUTE, 6)
    with twilio_with(*rows, *new, at=NOON - 2 * MINUTE) as twilio:
        twilio.clock.per_request = timedelta(seconds=30)
        pulls = Pulls(warehouse, twilio)
        pulls.pull(swept_from=MORNING.from_at)
        assert twilio.clock.at > NOON
        assert {row.sid for row in rows} <= set(pulls.sids())


# The inbox


def test_a_pull_of_the_inbox_records_files_that_are_not_loaded(warehouse: Warehouse) -> None:
    feed, settings, url = FEEDS["sendgrid_events"], warehouse.settings, warehouse.url
    inbox = settings.var / "inbox" / "acme" / feed.slug
    inbox.mkdir(parents=True)
    event = {"event": "open", "timestamp": 1772442851, "email": "ann@example.com", "sg_message_id": "m1.x"}
    (inbox / "a.json").write_text(json.dumps(event))
    first = pull_inbox(Target(settings, url), feed, "acme")
    assert (first.page_count, first.broken) == (1, ())
    outcome = ingest.load_pull(Target(settings, url), feed, first.pull_id)
    done, failed = outcome.done, outcome.failed
    assert [item.row.loaded_count for item in done] == [1] and failed == []
    assert pull_inbox(Target(settings, url), feed, "acme").page_count == 0
    (inbox / "b.json").write_text(json.dumps(event | {"timestamp": 1772442852}))
    second = pull_inbox(Target(settings, url), feed, "acme")
    assert second.page_count == 1
    assert warehouse.rows("select record_count, from_at, until_at from ops.pull") == [(0, None, None)] * 3


def test_an_unreadable_file_of_the_inbox_does_not_prevent_others(warehouse: Warehouse) -> None:
    feed, settings = FEEDS["sendgrid_events"], warehouse.settings
    inbox = settings.var / "inbox" / "acme" / feed.slug
    inbox.mkdir(parents=True)
    (inbox / "a.json").symlink_to(inbox / "gone")
    (inbox / "b.json").write_text("{}")
    pulled = pull_inbox(Target(settings, warehouse.url), feed, "acme")
    assert pulled.page_count == 1 and len(pulled.broken) == 1 and "a.json" in pulled.broken[0]
    with closing(connect(warehouse.url, LOADER)) as connection, connection.cursor() as cursor:
        assert journal.broken(cursor, pulled.pull_id) == list(pulled.broken)
