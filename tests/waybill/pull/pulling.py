"""A stand-in for Twilio with hand-made rows on a real socket, and pulls from it into the warehouse of a test."""

import json
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.conftest import Warehouse
from tests.waybill.pull.servers import Moment
from waybill.feeds import FEEDS
from waybill.feeds.api import Window
from waybill.flow import ingest
from waybill.flow.slices import Slice, slices
from waybill.ledger.loads import LedgerRow
from waybill.ledger.pulls import Pulled
from waybill.model.errors import WaybillError
from waybill.pull.client import Client
from waybill.pull.limits import Limits
from waybill.pull.run import pull_window
from waybill.settings import Access, Settings
from waybill.simulator.http.server import serving
from waybill.simulator.twilio.rows import CALLS, MESSAGES, Row, account_sid, auth_token, new_call, new_message
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.warehouse.connection import Warehouse as Target

ACCOUNT = "north"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MORNING = Window(NOON - 6 * HOUR, NOON)
"""One stretch of the grid."""


class Killed(BaseException):
    """Nothing catches it, like SIGKILL."""


@dataclass
class HandMade:
    """The world of a stand-in: rows, and the time of its end."""

    accounts: tuple[str, ...] = (ACCOUNT,)
    ends: datetime = NOON
    found: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    def rows(self, account: str, feed: str) -> list[Row]:
        return self.found.get((account, feed), [])


def message(
    created: datetime, sent: timedelta | None = MINUTE, status: str = "delivered", account: str = ACCOUNT
) -> Row:
    """Return a text message that was sent at a time. If that is None, it was never sent, and got its status a minute
    after its creation."""
    row = new_message(None, account, created, random.Random(f"{account}{created}{sent}{status}"))
    row.change(created + (sent or MINUTE), status=status, date_sent=None if sent is None else created + sent)
    return row


def call(created: datetime, account: str = ACCOUNT) -> Row:
    """Return a call that is answered a minute after its creation and ends another minute later."""
    row = new_call(None, account, created, random.Random(f"{account}{created}"))
    row.change(created + MINUTE, status="in-progress", start_time=created + MINUTE)
    row.change(created + 2 * MINUTE, status="completed", end_time=created + 2 * MINUTE, duration="60")
    return row


def every(step: timedelta, since: datetime, count: int, made: Callable[[datetime], Row] = message) -> list[Row]:
    return [made(since + number * step) for number in range(count)]


@contextmanager
def twilio_with(*rows: Row, account: str = ACCOUNT, at: datetime = NOON) -> Iterator[TwilioStandIn]:
    """Return a stand-in with exactly these rows."""
    world = HandMade((account,), NOON)
    for row in rows:
        world.found.setdefault((account, row.feed), []).append(row)
    with serving(TwilioStandIn(world, at=at)) as twilio:
        yield twilio


class _Said(logging.Handler):
    """Passes log lines to the pulls of the current test."""

    def __init__(self, pulls: "Pulls") -> None:
        super().__init__()
        self.pulls = pulls

    def emit(self, record: logging.LogRecord) -> None:
        self.pulls.said.append(record.getMessage())


class Pulls:
    """Pulls from a stand-in. Time passes only when a test says so.

    :ivar now: the current time
    :ivar said: the logged lines of progress
    """

    def __init__(
        self, warehouse: Warehouse, twilio: TwilioStandIn, feed: str = MESSAGES, account: str = ACCOUNT
    ) -> None:
        self.url, self.rows = warehouse.url, warehouse.rows
        self.twilio = twilio
        self.feed = FEEDS[feed]
        self.account = account
        self.now = NOON
        self.moment = Moment()
        self.said: list[str] = []
        log = logging.getLogger("waybill")
        log.setLevel(logging.INFO)
        for handler in [handler for handler in log.handlers if isinstance(handler, _Said)]:
            log.removeHandler(handler)
        log.addHandler(_Said(self))
        self.settings: Settings = replace(
            warehouse.settings,
            accounts=(account,),
            provider_settings={
                "TWILIO_ACCOUNT_SID": account_sid(account),
                "TWILIO_AUTH_TOKEN": auth_token(account),
                "TWILIO_BASE_URL": str(twilio.url),
            },
        )

    @property
    def target(self) -> Target:
        """The warehouse with the current settings."""
        return Target(self.settings, self.url)

    def client(self, access: Access) -> Client:
        return Client(
            access.base_url,
            (access.user, access.secret),
            limits=Limits(read_seconds=5),
            clock=self.moment.clock,
            now=self.moment.now,
            sleep=self.moment.sleep,
            random=self.moment.random,
            say=self.said.append,
        )

    def pull(self, window: Window = MORNING, swept_from: datetime | None = None) -> Pulled:
        return pull_window(
            self.target,
            self.feed,
            self.account,
            window,
            swept_from,
            self.client,
            lambda: self.now,
        )

    def load(self, pulled: Pulled) -> list[LedgerRow]:
        """Load what a pull landed; raises its errors."""
        done, failed = self.try_to_load(pulled)
        for error in failed:
            raise error
        return done

    def try_to_load(self, pulled: Pulled) -> tuple[list[LedgerRow], list[WaybillError]]:
        outcome = ingest.load_pull(self.target, self.feed, pulled.pull_id)
        return [item.row for item in outcome.done if item.is_new], outcome.failed

    def run(self) -> tuple[Slice, Pulled]:
        """Run pull and load without a window, as the scheduler does."""
        (one,) = slices(self.target, self.feed, self.now)
        pulled = ingest.pull(self.target, self.feed, one, lambda: self.now, self.client)
        self.load(pulled)
        return one, pulled

    def watermark(self) -> tuple[datetime, datetime] | None:
        found = self.rows(
            "select complete_from, complete_until from ops.watermark where account = %s and feed = %s",
            (self.account, self.feed.slug),
        )
        return found[0] if found else None

    def asked(self) -> list[str]:
        """Return path and query of all requests so far."""
        return [request.target for request in self.twilio.requests.all()]

    def pages(self) -> list[tuple]:
        """Return pull, list and number of every recorded page, in order."""
        return self.rows("select pull_id, listing, page_no from ops.pull_page order by pull_id, listing, page_no")

    def bodies(self, pull_id: int | None = None) -> list[dict]:
        """Return the bodies of the recorded pages."""
        found = self.rows(
            "select o.path from ops.pull_page as p inner join ops.object as o on o.object_id = p.object_id"
            " where %(pull_id)s is null or p.pull_id = %(pull_id)s order by p.pull_id, p.listing, p.page_no",
            {"pull_id": pull_id},
        )
        return [json.loads(Path(self.settings.landing_url, path).read_bytes()) for (path,) in found]

    def sids(self, pull_id: int | None = None) -> list[str]:
        """Return the ids of the rows on the recorded pages, in order."""
        key = {MESSAGES: "messages", CALLS: "calls"}[self.feed.slug]
        return [row["sid"] for body in self.bodies(pull_id) for row in body[key]]
