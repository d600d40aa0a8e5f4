"""The base of simulated APIs that list the events of emails."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import ClassVar, Protocol
from urllib.parse import SplitResult, parse_qsl, urlsplit

from waybill.simulator.email.sheet import Sheet
from waybill.simulator.http.answer import Answer
from waybill.simulator.http.listed import EntryList, InvalidQueryError
from waybill.simulator.http.page import Page
from waybill.simulator.http.request_log import Request
from waybill.simulator.http.stand_in import Asked, StandIn
from waybill.simulator.records import Files, WrittenRecord
from waybill.simulator.truth.cells import Cells
from waybill.simulator.truth.outcome import Happening
from waybill.simulator.truth.reports import report_rows


class EmailWorld(Files, Protocol):
    """What these stand-ins ask the world."""

    def emails(self, account: str, provider: str) -> Sequence[WrittenRecord]:
        """Returns the records of an account's emails at a provider, as `World.emails`."""


class EmailStandIn(StandIn):
    """Lists of one provider for every account that has emails there.

    :param at: the time in the world; default: its end
    :param most_per_second: more requests of an account in a real second get 429; None: no limit
    """

    sheet: ClassVar[Sheet]
    longest_lag: ClassVar[timedelta]
    """The longest time between an event and its appearance in a list."""
    status_of_invalid: ClassVar[int] = 400
    """The status of the answer to a query that cannot be read."""

    def __init__(
        self,
        world: EmailWorld,
        at: datetime | None = None,
        per_request: timedelta = timedelta(0),
        latency_seconds: float = 0,
        most_per_second: int | None = None,
    ) -> None:
        super().__init__(at or world.ends, per_request, latency_seconds)
        self.world = world
        self.most_per_second = most_per_second
        self._keys = {
            api_key(account, self.sheet.slug): account
            for account in world.accounts
            if world.emails(account, self.sheet.slug)
        }
        self._lists = {
            (account, name): EntryList([(self.time_of(one), one) for one in listed], self.lag)
            for account in self._keys.values()
            for name, listed in self.lists(world.emails(account, self.sheet.slug)).items()
        }

    @abstractmethod
    def lists(self, emails: Sequence[WrittenRecord]) -> Mapping[str, Iterable[WrittenRecord]]:
        """Returns the lists of an account by name, with the records as the API lists them.

        :param emails: what the provider posts
        """

    def time_of(self, record: WrittenRecord) -> datetime:
        """Returns the time by which a list filters a record."""
        return record.events[0][1].at

    @abstractmethod
    def key_of(self, headers: Mapping[str, str]) -> str | None:
        """Returns the secret of a request."""

    @abstractmethod
    def page(self, account: str, parts: SplitResult, query: Mapping[str, str], moment: datetime) -> Page | Answer:
        """Returns a page. Raises InvalidQueryError."""

    def list_of(self, account: str, name: str) -> EntryList | None:
        """Returns one of the lists; None: there is no such list."""
        return self._lists.get((account, name))

    def lag(self, at: datetime, random: Random) -> datetime:
        """Returns the moment from which an event is listed: mostly soon, sometimes after the longest lag."""
        return at + self.longest_lag * random.random() ** 4

    def happenings(self, until: datetime | None = None, feeds: Sequence[str] | None = None) -> list[Happening]:
        """Returns the true events of the rows sent so far, and of the files that landed up to `until`.

        :param feeds: of the files; default: all but what this provider posts
        """
        if feeds is None:
            feeds = [feed for feed in self.world.file_feeds if feed != self.sheet.feed]
        return self.world.happenings(feeds, until, self.shown.records())

    def report_rows(self, zone: str, until: datetime | None = None) -> dict[str, Cells]:
        return report_rows(self.happenings(until), zone)

    def account_of(self, target: str, headers: Mapping[str, str] | None = None) -> str:
        return self._keys.get(self.key_of(headers or {}) or "", "")

    def accounts(self) -> list[dict[str, str]]:
        return [{"account": account, "key": key} for key, account in self._keys.items()]

    def found(self, request: Request, asked: Asked) -> Page | Answer:
        account = self.account_of(request.target, asked.headers)
        if not account:
            return self.refusal(401)
        if self._is_over_limit(request):
            return self.refusal(429)
        if asked.method != "GET":
            return self.refusal(405)
        parts = urlsplit(request.target)
        try:
            return self.page(account, parts, dict(parse_qsl(parts.query)), request.moment or self.clock.at)
        except InvalidQueryError as error:
            return self.refusal(self.status_of_invalid, message=str(error))

    def _is_over_limit(self, request: Request) -> bool:
        if self.most_per_second is None:
            return False
        recent = [one for one in self.requests.all() if 0 <= request.at_seconds - one.at_seconds < 1]
        return len(recent) > self.most_per_second


def api_key(account: str, provider: str) -> str:
    """Returns the key of an account; it is valid in the simulator only."""
    return Random(f"{account}/{provider}/key").randbytes(16).hex()


def whole(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Returns a parameter that is a whole number. Raises InvalidQueryError."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise InvalidQueryError(f"{name}: expected a whole number from {least} to {most}")
    return int(text)
