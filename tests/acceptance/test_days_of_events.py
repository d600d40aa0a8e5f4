"""Days of events of emails, pulled from simulated APIs with faults, late events and deaths: they equal the truth."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.conftest import Warehouse
from tests.waybill.pull.servers import Moment
from waybill.feeds import FEEDS
from waybill.flow import ingest
from waybill.flow.slices import slices
from waybill.landing import objects as landing
from waybill.ledger import pulls as journal
from waybill.model.errors import SourceError
from waybill.pull.client import Client
from waybill.pull.limits import Limits
from waybill.settings import Access
from waybill.simulator.brevo.stand_in import BrevoStandIn
from waybill.simulator.email.stand_in import EmailStandIn, api_key
from waybill.simulator.http import faults, page_faults
from waybill.simulator.http.server import serving
from waybill.simulator.mailgun.stand_in import MailgunStandIn
from waybill.simulator.records import merged
from waybill.simulator.sparkpost.stand_in import SparkPostStandIn
from waybill.simulator.world import World
from waybill.warehouse.connection import Warehouse as Target

ACCOUNT = "north"
STEP = timedelta(hours=5)
TROUBLES: tuple[faults.Fault, ...] = (
    faults.TooManyRequests(every=11),
    faults.TooManyRequests(every=13, retry_after_seconds=2),
    faults.ServerError(every=17, status=503),
    faults.ConnectionReset(every=19),
    faults.ShortBody(every=23),
    faults.CutJson(every=47),
    faults.HtmlAsSuccess(every=53),
    faults.ErrorAsSuccess(every=59),
    page_faults.NoList(every=61),
    page_faults.LoopingLink(every=29),
    page_faults.ForeignLink(every=37),
    faults.TimePasses(every=7, seconds=120),
)
"""Each is retried, or fails a run whose repetition gets a correct page."""

PROVIDERS = {
    "brevo_events": (BrevoStandIn, None, {}),
    "mailgun_events": (MailgunStandIn, "id", {"MAILGUN_DOMAIN": f"mg.{ACCOUNT}.example"}),
    "sparkpost_events": (SparkPostStandIn, "event_id", {}),
}
"""The stand-in of each feed, the field with the id of an event (None: events have none), and settings."""


class Killed(BaseException):
    """Nothing catches it, like SIGKILL."""


class Deaths:
    """Dies now and then after a page was received, landed or recorded.

    :ivar count: the deaths so far
    """

    def __init__(self, patched: pytest.MonkeyPatch, every: int) -> None:
        self.count = 0
        self._turns = random.Random(3)
        self._left = every
        self._every = every
        for owner, name in ((Client, "get"), (landing, "land"), (landing, "note_read"), (journal, "note_page")):
            patched.setattr(owner, name, self._deadly(getattr(owner, name)))

    def _deadly(self, function: Callable) -> Callable:
        def deadly(*given: object, **named: object) -> object:
            result = function(*given, **named)
            self._left -= 1
            if self._left == 0:
                self.count += 1
                self._left = self._turns.randint(1, 2 * self._every)
                raise Killed
            return result

        return deadly


def settings_for(warehouse: Warehouse, slug: str, stand_in: EmailStandIn) -> Target:
    name = stand_in.sheet.slug.upper()
    given = {**PROVIDERS[slug][2], f"{name}_API_KEY": api_key(ACCOUNT, stand_in.sheet.slug)}
    given[f"{name}_BASE_URL"] = str(stand_in.url)
    settings = replace(warehouse.settings, accounts=(ACCOUNT,), provider_settings=given)
    return Target(settings, warehouse.url)


def client(access: Access) -> Client:
    moment = Moment()
    return Client(
        access.base_url,
        (access.user, access.secret),
        wire=access.wire,
        limits=Limits(read_seconds=5),
        clock=moment.clock,
        now=moment.now,
        sleep=moment.sleep,
        random=moment.random,
        say=moment.said.append,
    )


@pytest.mark.parametrize("slug", PROVIDERS)
def test_days_of_events_equal_the_truth(warehouse: Warehouse, slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, id_field, _ = PROVIDERS[slug]
    feed = FEEDS[slug]
    world = World(5, days=2, accounts=(ACCOUNT,), messages_per_day=500, email_providers=(feed.provider,))
    true = world.emails(ACCOUNT, feed.provider)
    monkeypatch.setattr(type(feed), "paging", replace(feed.paging, limit=3))
    red_count = 0
    with serving(kind(world, at=world.starts, per_request=timedelta(seconds=5))) as stand_in:
        end = max(stand_in.time_of(one) for one in true) + timedelta(hours=2)
        target = settings_for(warehouse, slug, stand_in)
        with pytest.MonkeyPatch.context() as patched:
            deaths = Deaths(patched, every=40)
            stand_in.faults.set(*TROUBLES)
            now = world.starts + feed.lateness  # the first window is as long
            while True:
                stand_in.clock.at = max(now, stand_in.clock.at)
                if now == end:
                    stand_in.faults.clear()
                while True:
                    try:
                        (one,) = slices(target, feed, now)
                        done = ingest.pull(target, feed, one, lambda at=now: at, client)
                        break
                    except SourceError:
                        red_count += 1
                    except Killed:
                        pass
                assert ingest.load_pull(target, feed, done.pull_id).failed == []
                if now == end:
                    break
                now = min(now + STEP, end)
        requests = stand_in.requests.all()
    came = sum(request.is_page for request in requests)
    ((noted, complete),) = warehouse.rows(
        "select (select count(*) from ops.pull_page), max(complete_until) from ops.watermark"
    )
    assert complete == end
    assert noted >= 20 and deaths.count >= 3 and red_count >= 3
    assert 0 <= came - noted <= deaths.count + red_count
    print(f"{len(requests)} requests, {noted} pages, {came - noted} again, {deaths.count} deaths, {red_count} red runs")
    found = warehouse.rows("select provider_event_id, event_type, event_at, failure_class from fact.event")
    assert {row[0] for row in found} == {id_field and str(one.fields[id_field]) for one in true if one.events}
    truth = Counter((one.event_type, one.at, one.failure_class) for one in merged(true))
    assert Counter(row[1:] for row in found) == truth
