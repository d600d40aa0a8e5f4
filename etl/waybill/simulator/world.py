"""A simulated world of campaigns with known truth, in the files that providers and the campaign system write.

Everything follows from the seed: no clock, no other state. Each message gets a fate, the fate becomes records, and the
records become files. `happenings` returns exactly the events that all those files contain together.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from random import Random

from waybill.simulator.brevo.events import BREVO
from waybill.simulator.dispatch_log import rows as dispatch_log
from waybill.simulator.dispatch_log.files import files as log_files
from waybill.simulator.email.files import EVERY as TWO_DAYS
from waybill.simulator.email.files import files as email_files
from waybill.simulator.email.sheet import Sheet
from waybill.simulator.mailgun.events import MAILGUN
from waybill.simulator.message import Fate, Message, drawn
from waybill.simulator.postmark.events import POSTMARK
from waybill.simulator.records import WrittenRecord, merged
from waybill.simulator.sendgrid import webhook
from waybill.simulator.sendgrid.fates import FATES as EMAIL_FATES
from waybill.simulator.sendgrid.records import FEED as SENDGRID
from waybill.simulator.sendgrid.records import SendGrid
from waybill.simulator.ses.events import SES
from waybill.simulator.sparkpost.events import SPARKPOST
from waybill.simulator.spool import SpoolFile, Tally
from waybill.simulator.truth.outcome import Happening
from waybill.simulator.twilio import calls, polls, text_messages
from waybill.simulator.twilio.rows import CALLS, MESSAGES, Row

FIRST_DAY = date(2026, 3, 26)
"""The first day of the demo: its week has the hour that European clocks skip (2026-03-29)."""

SHEETS = {sheet.slug: sheet for sheet in (MAILGUN, POSTMARK, SES, SPARKPOST, BREVO)}
"""The email providers besides SendGrid."""

EMAIL_PROVIDERS = tuple(SHEETS)
FILE_FEEDS = (SENDGRID, dispatch_log.FEED, *(sheet.feed for sheet in SHEETS.values()))
"""Feeds without an API: they are files even if Twilio's lists are read over HTTP."""

FEEDS = (*FILE_FEEDS, MESSAGES, CALLS)

SHARES = {"email": 0.52, "sms": 0.29, "ivr": 0.19}
FATES: dict[str, dict[str, Fate]] = {
    "email": {**dispatch_log.fates("email"), **EMAIL_FATES},
    "sms": {**dispatch_log.fates("sms"), **text_messages.FATES},
    "ivr": {**dispatch_log.fates("ivr"), **calls.FATES},
}
"""Channel to the possible fates of a message."""

EVERY_FATE_WITHIN = 0.4
"""Each fate occurs at least once among this first share of the messages."""

PROVIDER_SHARE = 0.03
"""The emails of another provider, as a share of all messages of the world."""

NUMBERS_OF_PROVIDER = 100_000
"""So many numbers of messages are free for each provider, so that dispatch ids differ."""


class World:
    """A simulated world.

    :param days: how many days messages are sent; the last files land at the end of these days
    :param messages_per_day: of all accounts and channels, on a working day
    :param email_providers: who sends emails besides SendGrid; each for one account, with records and files of its own
    """

    def __init__(
        self,
        seed: int,
        first_day: date = FIRST_DAY,
        days: int = 7,
        accounts: tuple[str, ...] = ("north", "south"),
        messages_per_day: int = 400,
        email_providers: Sequence[str] = (),
    ) -> None:
        self.seed = seed
        self.accounts = accounts
        self.file_feeds = FILE_FEEDS
        self.starts = datetime.combine(first_day, time(), UTC)
        self.ends = self.starts + timedelta(days=days)
        self._days = [self.starts + timedelta(days=number) for number in range(days)]
        self._messages_per_day = messages_per_day
        self._tally = Tally()
        self._fates: Counter[tuple[str, str]] = Counter()
        self._written: list[WrittenRecord] = []
        self._rows: dict[tuple[str, str], list[Row]] = {}
        for account_index, account in enumerate(accounts):
            for channel in FATES:
                self._make_messages(account_index, account, channel)
            self._ignore(account)
        self._move_and_repeat_log_rows()
        self._written = [one for one in self._written if one.arrives < self.ends]
        self._emails = {
            (accounts[index % len(accounts)], slug): list(self._emails_of(index, SHEETS[slug]))
            for index, slug in enumerate(email_providers)
        }
        for rows in self._rows.values():
            rows.sort(key=lambda row: row.created)

    def fates(self) -> Counter[tuple[str, str]]:
        """Returns (channel, fate) to the number of messages with that fate."""
        return self._fates

    def happenings(
        self, feeds: Collection[str] = FEEDS, until: datetime | None = None, shown: Iterable[WrittenRecord] = ()
    ) -> list[Happening]:
        """Returns the true events of these files and of other seen rows together, in order of time.

        :param feeds: the feeds of the files
        :param until: only files that landed up to then; default: all
        :param shown: rows that were seen in another way, such as in responses of Twilio's lists
        """
        return merged([*(one for file in self.files(feeds, until) for one in file.records), *shown])

    def files(self, feeds: Collection[str] = FEEDS, until: datetime | None = None) -> Iterator[SpoolFile]:
        """Returns every file of these feeds that landed up to `until` (default: all), in the order of landing."""
        files = [*self._spools, *(self._poll_files if {MESSAGES, CALLS} & set(feeds) else ())]
        files.sort(key=lambda file: (file.landed_after, file.account, file.feed, file.name))
        return (file for file in files if file.feed in feeds and (until is None or file.landed_after <= until))

    def emails(self, account: str, provider: str) -> Sequence[WrittenRecord]:
        """Returns the records of an account's emails at a provider, as it writes them, without the dispatch log.

        :param provider: one of `email_providers`; of the accounts, only one has emails there
        """
        return [one for one in self._emails.get((account, provider), ()) if one.feed != dispatch_log.FEED]

    def rows(self, account: str, feed: str) -> Sequence[Row]:
        """Returns every row of an account's messages or calls at Twilio, in order of creation.

        :param feed: `twilio_messages` or `twilio_calls`
        """
        return self._rows[account, feed]

    def poison(self) -> dict[tuple[str, str], int]:
        """Returns (account, feed) to the number of records to be rejected; the same bytes count once."""
        return {name: len(texts) for name, texts in self._read_tally().poison.items()}

    def ignored(self) -> dict[tuple[str, str], int]:
        """Returns (account, feed) to the number of records without an event; each occurrence counts."""
        return dict(self._read_tally().ignored)

    def records(self) -> dict[tuple[str, str], int]:
        """Returns (account, feed) to the number of records in its files, including poison and ignored ones."""
        return dict(self._read_tally().read)

    def _read_tally(self) -> Tally:
        _ = self._spools, self._poll_files
        return self._tally

    def _make_messages(self, account_index: int, account: str, channel: str) -> None:
        """Make all messages of one account and channel."""
        counts = [self._count(day, channel) for day in self._days]
        fates = FATES[channel]
        deck = list(fates)
        Random(f"{self.seed}/{account}/{channel}/deck").shuffle(deck)
        stride = max(1, int(sum(counts) * EVERY_FATE_WITHIN) // len(deck))
        weights = {name: fate.weight for name, fate in fates.items()}
        sendgrid = SendGrid(account)
        number = 0
        for day, count in zip(self._days, counts, strict=True):
            for _ in range(count):
                random = Random(f"{self.seed}/{account}/{channel}/{number}")
                turn, is_dealt = number // stride, number % stride == 0
                fate_name = deck[turn] if is_dealt and turn < len(deck) else drawn(random, weights)
                message = Message(account, channel, number, fate_name, random)
                message.plan(self.seed, account_index, day, fates[fate_name])
                self._fates[channel, fate_name] += 1
                self._add(message, sendgrid)
                number += 1

    def _count(self, day: datetime, channel: str) -> int:
        return _on_day(day, self._messages_per_day / len(self.accounts) * SHARES[channel])

    def _emails_of(self, index: int, sheet: Sheet) -> Iterator[WrittenRecord]:
        """Yields the records of all emails at one provider.

        :param index: of the provider
        """
        account_index = index % len(self.accounts)
        account = self.accounts[account_index]
        fates = sheet.fates
        weights = {name: fate.weight for name, fate in fates.items()}
        deck = list(fates)
        number = NUMBERS_OF_PROVIDER * (index + 1)
        for day in self._days:
            for _ in range(_on_day(day, self._messages_per_day * PROVIDER_SHARE)):
                random = Random(f"{self.seed}/{account}/{sheet.slug}/{number}")
                fate_name = deck.pop() if deck and number % 2 else drawn(random, weights)
                message = Message(account, "email", number, fate_name, random)
                message.plan(self.seed, account_index, day, fates[fate_name])
                self._fates[sheet.slug, fate_name] += 1
                yield from (one for one in sheet.records(message) if one.arrives < self.ends)
                number += 1

    def _add(self, message: Message, sendgrid: SendGrid) -> None:
        rows: list[Row] = []
        if message.fate_name in dispatch_log.fates(message.channel):
            records = dispatch_log.rows_without_gateway(message)
        elif message.channel == "email":
            records = sendgrid.records(message)
            if message.fate_name == "followed_by_text_message":
                self._send_text_message(message, max(happening.at for one in records for _, happening in one.events))
        elif message.channel == "sms":
            records, rows = text_messages.records_and_rows(message)
        else:
            records, rows = calls.records_and_rows(message, self._polls)
        self._keep(records, rows)

    def _send_text_message(self, email: Message, after: datetime) -> None:
        """Send a text message after an email that did not arrive: the same dispatch id, another message."""
        fate_name = drawn(email.random, {"delivered": 6, "refused:30005": 1})
        message = Message(email.account, "sms", email.number, fate_name, email.random)
        message.recipient, message.campaign = email.recipient, email.campaign
        message.dispatch_id, message.link = email.dispatch_id, "log"
        message.starts = after.replace(microsecond=0) + timedelta(minutes=5)
        self._keep(*text_messages.records_and_rows(message))

    def _keep(self, records: Iterable[WrittenRecord], rows: Iterable[Row]) -> None:
        self._written += records
        for row in rows:
            assert row.message is not None
            self._rows.setdefault((row.message.account, row.feed), []).append(row)

    def _ignore(self, account: str) -> None:
        """Add rows at Twilio that are to be ignored."""
        random = Random(f"{self.seed}/{account}/ignored")
        for day in self._days:
            for number in range(3):
                at = day + timedelta(seconds=random.randrange(86_000))
                inbound = text_messages.inbound(account, at, random)
                call = calls.ignored(account, at, random, number)
                self._rows.setdefault((account, MESSAGES), []).append(inbound)
                self._rows.setdefault((account, CALLS), []).append(call)

    def _move_and_repeat_log_rows(self) -> None:
        """Repeat some rows of the dispatch log, name the account in some, and move some to another account's log."""
        random = Random(f"{self.seed}/log")
        records, self._written = self._written, []
        for one in records:
            if one.feed == dispatch_log.FEED:
                way = random.random()
                if way < 0.03:
                    named = {**one.fields, "account": one.account}
                    one = one._replace(fields=named, account=self.accounts[0] if way < 0.02 else one.account)
                elif way < 0.05:
                    later = timedelta(hours=random.uniform(6, 30))
                    self._written.append(one._replace(arrives=one.arrives + later))
            self._written.append(one)

    @cached_property
    def _polls(self) -> list[datetime]:
        return polls.times(self.starts, self.ends)

    @cached_property
    def _poll_files(self) -> list[SpoolFile]:
        return [
            file
            for account in self.accounts
            for feed in (MESSAGES, CALLS)
            for at in self._polls
            for file in polls.files(account, feed, self._rows[account, feed], at, self.ends, self._tally)
        ]

    @cached_property
    def _spools(self) -> list[SpoolFile]:
        files: list[SpoolFile] = []
        for account in self.accounts:
            own = [one for one in self._written if one.account == account]
            events = [one for one in own if one.feed == SENDGRID]
            random = Random(f"{self.seed}/{account}/spool")
            files += webhook.spools(account, events, self.ends, random, self._tally)
            random = Random(f"{self.seed}/{account}/log-files")
            rows = [one for one in own if one.feed == dispatch_log.FEED]
            files += log_files(account, rows, self.starts, random, self._tally)
        for account, slug in self._emails:
            random = Random(f"{self.seed}/{account}/{slug}/spool")
            files += email_files(account, SHEETS[slug], self.emails(account, slug), self.starts, random, self._tally)
        for account in self.accounts:
            random = Random(f"{self.seed}/{account}/log-files-of-emails")
            emails = [one for (owner, _), found in self._emails.items() if owner == account for one in found]
            rows = [one for one in emails if one.feed == dispatch_log.FEED]
            files += log_files(account, rows, self.starts, random, self._tally, TWO_DAYS, "dispatch-emails")
        return files


def _on_day(day: datetime, working_day: float) -> int:
    return max(1, round(working_day * (0.75 if day.weekday() >= 5 else 1.0)))


def write(world: World, folder: Path, feeds: Collection[str] = FEEDS, until: datetime | None = None) -> int:
    """Write files to `<folder>/<account>/<feed>/<name>`, the layout of the inbox.

    :param feeds: the feeds of the files
    :param until: only files that landed up to then; a later call with a later moment adds the new files
    :returns: the number of new files; existing files do not change
    """
    count = 0
    for file in world.files(feeds, until):
        path = folder / file.account / file.feed / file.name
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # a reader of the inbox never sees half a file
        draft = folder / f".{file.account}-{file.feed}-{file.name}"
        draft.write_bytes(file.data)
        draft.rename(path)
        count += 1
    return count
