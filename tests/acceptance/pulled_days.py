"""Days of simulated Twilio traffic, pulled step by step with all kinds of faults.

The pulls of each account run in a copy of this process. It is killed at random moments, and fails if the provider
contradicts itself. Failed pulls are started again, as by a scheduler.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.warehouses import started
from tests.conftest import KEY, Server
from waybill.feeds import FEEDS
from waybill.feeds.twilio import lists
from waybill.flow import ingest
from waybill.flow.slices import slices
from waybill.landing import objects as landing
from waybill.ledger import pulls as journal
from waybill.model.errors import SourceError
from waybill.pull.client import Client
from waybill.pull.limits import Limits
from waybill.settings import Access, Settings
from waybill.simulator.http import faults, page_faults
from waybill.simulator.http.request_log import Request
from waybill.simulator.http.server import serving
from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio.landed import records_in_bodies
from waybill.simulator.twilio.rows import CALLS, MESSAGES, account_sid, auth_token
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.simulator.world import World
from waybill.warehouse.connection import Warehouse as Target
from waybill.warehouse.connection import connected

ZONE = "Europe/Berlin"
LISTS = (MESSAGES, CALLS)
RED, KILLED = 4, -signal.SIGKILL
IMPATIENT = Limits(read_seconds=0.5, connect_seconds=5, page_seconds=5)
LEFT_ALONE = 0.15
"""Share of killed or failed processes that are not started again before the next step."""

MOST_CONCURRENT = 2
"""Concurrent requests of one account that the stand-in accepts: feeds are pulled one after the other, and a request
that a client gave up may still run."""

TROUBLES: tuple[faults.Fault, ...] = (
    # faults that the client retries
    faults.TooManyRequests(every=23),
    faults.TooManyRequests(every=29, retry_after_seconds=2),
    faults.TooManyRequests(every=83, retry_after_seconds=1, is_http_date=True),
    faults.ServerError(every=31),
    faults.ServerError(every=37, status=503, retry_after_seconds=1),
    faults.ServerError(every=59, status=502),
    faults.Unauthorized(every=61),
    faults.ConnectionReset(every=41),
    faults.ShortBody(every=43),
    faults.Late(every=359, seconds=60),
    faults.Silence(every=367),
    faults.Stall(every=373),
    # faults that fail a run; a repeated request gets a correct page
    faults.CutJson(every=307),
    faults.ErrorAsSuccess(every=311),
    faults.HtmlAsSuccess(every=313),
    page_faults.RepeatedPage(every=29, where="PageToken"),
    page_faults.LoopingLink(every=317),
    page_faults.LoopingLink(every=331, to="first"),
    page_faults.ForeignLink(every=337),
    page_faults.ForeignLink(every=347, form="no_scheme"),
    page_faults.ForeignLink(every=349, form="other_path"),
    faults.Redirect(every=353),
    # rows change and are added between pages
    faults.TimePasses(every=7, seconds=900),
)


@dataclass
class Interruptions:
    """Interruptions of the pulls of one account.

    :ivar kill_count: processes that were killed
    :ivar red_count: processes that failed because the provider contradicted itself
    :ivar again_count: complete pages that were not stored, so that they were requested again
    :ivar late_count: the part of them without an interruption: the client had stopped waiting for the answer
    """

    kill_count: int = 0
    red_count: int = 0
    again_count: int = 0
    late_count: int = 0


class PulledDays:
    """A world whose Twilio rows are pulled over HTTP.

    :param page_size: rows of a page; small, so that few messages are many pages
    :param kills: probability that the first, second, … attempt of an account in a step is killed; later ones are not
    """

    def __init__(
        self, postgres: Server, folder: Path, world: World, page_size: int, kills: tuple[float, ...], seed: int
    ) -> None:
        self.world = world
        self.interruptions = {account: Interruptions() for account in world.accounts}
        self.url = postgres.database(ZONE)
        self.twilio = TwilioStandIn(world, at=world.starts, most_concurrent=MOST_CONCURRENT)
        self._folder = folder
        self._said = folder / "said"
        self._said.touch()
        self._page_size = page_size
        self._kills = kills
        self._chooser = random.Random(seed)
        self._postgres = postgres
        self._running: dict[str, int] = {}

    @contextmanager
    def served(self) -> Iterator[None]:
        with serving(self.twilio), pytest.MonkeyPatch.context() as patched:
            patched.setattr(lists, "PAGE_SIZE", self._page_size)
            environment = {
                "WAREHOUSE_URL": self.url,
                "WAYBILL_VAR": str(self._folder),
                "RECIPIENT_HMAC_KEY": KEY,
                "REJECTED_CEILING": "1",
                "ACCOUNTS": ",".join(self.world.accounts),
                "TWILIO_BASE_URL": str(self.twilio.url),
            }
            for account in self.world.accounts:
                environment[f"TWILIO_ACCOUNT_SID__{account}"] = account_sid(account)
                environment[f"TWILIO_AUTH_TOKEN__{account}"] = auth_token(account)
            self.settings = Settings.from_environment(environment)
            try:
                yield
            finally:
                for pid in self._running.values():
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                self._postgres.drop(self.url)

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        with connected(self.url) as connection, connection, connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()

    def pull_until(self, now: datetime, is_last: bool = False) -> None:
        """Pull both feeds of all accounts up to now, each account in its own process. A process that died or failed is
        started again, sometimes only in the next step."""
        self.twilio.clock.at = max(now, self.twilio.clock.at)
        attempts = dict.fromkeys(self.world.accounts, 0)
        waiting = list(self.world.accounts)
        while waiting or self._running:
            for account in waiting:
                self._running[account] = started(self._attempt(account, now, attempts[account]))
                attempts[account] += 1
            waiting = [account for account in list(self._running) if self._is_to_be_started_again(account, is_last)]
            time.sleep(0.003)

    def _is_to_be_started_again(self, account: str, is_last: bool) -> bool:
        done, status = os.waitpid(self._running[account], os.WNOHANG)
        if not done:
            return False
        del self._running[account]
        ended = os.waitstatus_to_exitcode(status)
        assert ended in (0, RED, KILLED)
        self._check_requests(account, is_interrupted=ended != 0)
        self.interruptions[account].kill_count += ended == KILLED
        self.interruptions[account].red_count += ended == RED
        return ended != 0 and (is_last or self._chooser.random() > LEFT_ALONE)

    def _check_requests(self, account: str, is_interrupted: bool) -> None:
        """Check that a process that ended normally stored all pages that it waited for, and an interrupted one all but
        one."""
        sid, counts = account_sid(account), self.interruptions[account]
        came = sum(request.is_page and self.twilio.account_of(request.target) == sid for request in self.requests())
        ((noted,),) = self.rows(
            "select count(*) from ops.pull as p inner join ops.pull_page as g on g.pull_id = p.pull_id"
            " where p.account = %s",
            account,
        )
        counts.late_count += max(came - noted - counts.again_count - is_interrupted, 0)
        assert counts.late_count <= len(self.said(account, "in time"))
        counts.again_count = came - noted

    def requests(self) -> list[Request]:
        """Return the requests to the stand-in."""
        return self.twilio.requests.all()

    def said(self, account: str, words: str) -> list[str]:
        """Return the lines of the client about repeated requests."""
        lines = self._said.read_text().splitlines()
        return [line for line in lines if line.startswith(account_sid(account)) and words in line]

    def _attempt(self, account: str, now: datetime, number: int) -> Callable[[], None]:
        """Return the work of one process, which may kill itself at a random moment."""
        is_killed = number < len(self._kills) and self._chooser.random() < self._kills[number]
        deadly = self._chooser.randint(1, 90) if is_killed else None

        def attempt() -> None:
            die_at(deadly)
            try:
                for feed in LISTS:
                    self._pull_and_load(account, feed, now)
            except SourceError:
                os._exit(RED)

        return attempt

    def _pull_and_load(self, account: str, feed: str, now: datetime) -> None:
        """Load the pulls whose process died before the load, as by clearing that task; then pull up to now."""
        pulled = self.rows(
            "select pull_id from ops.pull where account = %s and feed = %s and pulled_at is not null"
            " and committed_at is null and broken = '{}'",
            account,
            feed,
        )
        for (pull_id,) in pulled:
            self._load(feed, pull_id)
        while self._complete_until(account, feed) != now:
            (one,) = slices(Target(self.settings, self.url), FEEDS[feed], now, account=account)
            done = ingest.pull(
                Target(self.settings, self.url), FEEDS[feed], one, now=lambda: now, connect_to=self.client
            )
            self._load(feed, done.pull_id)

    def _load(self, feed: str, pull_id: int) -> None:
        assert ingest.load_pull(Target(self.settings, self.url), FEEDS[feed], pull_id).failed == []

    def _complete_until(self, account: str, feed: str) -> datetime | None:
        found = self.rows("select complete_until from ops.watermark where account = %s and feed = %s", account, feed)
        return found[0][0] if found else None

    def client(self, access: Access) -> Client:
        """Return a client with short timeouts and short waits between attempts, which logs them."""

        def say(line: str) -> None:
            with self._said.open("a") as file:
                file.write(f"{access.account_id} {line}\n")

        return Client(
            access.base_url,
            (access.user, access.secret),
            limits=IMPATIENT,
            clock=time.monotonic,
            now=lambda: datetime.now(UTC),
            sleep=lambda seconds: time.sleep(min(seconds, 0.01)),
            random=random.random,
            say=say,
        )

    def landed(self) -> list[WrittenRecord]:
        """Return the records of the landed pages."""
        paths = self.rows("select path from ops.object where feed = any(%s)", list(LISTS))
        return records_in_bodies(self.world, [Path(self.settings.landing_url, path).read_bytes() for (path,) in paths])


def die_at(deadly: int | None) -> None:
    """Kill this process at one of its moments: after a page was received, landed or stored, or after a step of a
    load."""
    moment_count = 0

    def watch(owner: object, name: str) -> None:
        function = getattr(owner, name)

        def watched(*arguments: object, **named: object) -> object:
            nonlocal moment_count
            result = function(*arguments, **named)
            moment_count += 1
            if moment_count == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, watched)

    for owner, name in (
        (Client, "get"),
        (landing, "land"),
        (journal, "note_page"),
        (ingest, "stage_load"),
        (ingest, "validate_load"),
        (ingest, "publish_load"),
    ):
        watch(owner, name)
