"""What a provider of email says of itself, and its events as records with their truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from waybill.simulator.dispatch_log import rows as dispatch_log
from waybill.simulator.email.lives import FAILURE, MACHINE, Step, fates, steps_of
from waybill.simulator.message import Fate, Message
from waybill.simulator.records import NO_KEY, WrittenRecord, leg_key
from waybill.simulator.truth.outcome import Happening

_MACHINE_PROGRAM = "Mozilla/5.0"
_PROGRAMS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)
UNKNOWN_WORD = "teleported"

Fields = dict[str, object]


class Failure(NamedTuple):
    """One failure as a provider reports it.

    :ivar failure_class: written by hand from the provider's page in docs/feeds, as is `failure_reason`
    :ivar code: as in `provider_code`
    :ivar event_type: `bounced` or `dropped`
    :ivar word: the provider's word of the event
    :ivar text: of the remote server or of the provider
    :ivar fields: what the sheet needs to write the event
    """

    failure_class: str
    failure_reason: str
    code: str
    event_type: str
    word: str
    text: str
    fields: Mapping[str, object]


class Sent(NamedTuple):
    """One email at a provider.

    :ivar message_id: as the provider's events write it
    :ivar arguments: what the sender gave with it: ids of dispatch, campaign and template
    """

    message: Message
    message_id: str
    arguments: Mapping[str, str]

    @property
    def email(self) -> str:
        return self.message.recipient.email

    @property
    def sender(self) -> str:
        return f"news@mail.{self.message.account}.example"

    @property
    def tags(self) -> list[str]:
        """The categories of its campaign."""
        categories = self.message.campaign.categories
        return [categories] if isinstance(categories, str) else list(categories or ())


class Event(NamedTuple):
    """One event of an email.

    :ivar program: user agent of an open or a click, else None
    :ivar url: of a click, else None
    """

    event_type: str
    word: str
    at: datetime
    is_machine: bool
    failure: Failure | None
    ip: str
    program: str | None
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A provider of email.

    :ivar feed: of the events that it posts
    :ivar words: event type to the provider's word; the provider does not report other types
    :ivar machine_words: the same for events of programs, if the provider has other words for them
    :ivar failures: kind to failure
    :ivar late_kind: of the failure that can follow a delivery
    :ivar new_message_id: returns an id as events write it
    :ivar event: returns an event as the provider writes it
    :ivar posted: returns it as the provider posts it
    :ivar beside: returns what the provider posts about the same event, which is to be ignored
    :ivar leg_id: returns the id as Waybill stores it
    :ivar id_in_log: returns the id as the answer to the sender has it
    :ivar flagged: event types that the provider marks as a machine's
    :ivar has_tags: whether its events have the categories of the sender
    :ivar has_campaign: whether its events name the campaign in a field of their own
    :ivar has_fractions: whether its times have fractions of seconds
    """

    slug: str
    feed: str
    words: Mapping[str, str]
    machine_words: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, Failure]
    late_kind: str
    new_message_id: Callable[[Message], str]
    event: Callable[[Sent, Event], Fields]
    posted: Callable[[Fields], Fields] = lambda event: event
    beside: Callable[[Sent, Event], Sequence[Fields]] = lambda sent, event: ()
    leg_id: Callable[[str], str] = lambda message_id: message_id
    id_in_log: Callable[[str], str] = lambda message_id: message_id
    flagged: tuple[str, ...] = ()
    has_tags: bool = False
    has_campaign: bool = False
    has_fractions: bool = True

    @property
    def fates(self) -> dict[str, Fate]:
        return fates(self.failures, self.late_kind)

    def records(self, message: Message) -> list[WrittenRecord]:
        """Returns the events of one email, and its rows of the dispatch log."""
        sent = Sent(message, self.new_message_id(message), _arguments(message))
        leg = (self.leg_id(sent.message_id), sent.email)
        in_log = self.id_in_log(sent.message_id) if message.link == "log_smtp" else sent.message_id
        return [*dispatch_log.hand_over_rows(message, self.slug, in_log, leg), *self._events(sent, leg)]

    def _events(self, sent: Sent, leg: tuple[str, str]) -> list[WrittenRecord]:
        records: list[WrittenRecord] = []
        random, at = sent.message.random, sent.message.starts
        for step in steps_of(sent.message.fate_name):
            at = sent.message.later(at, step.least_seconds, step.most_seconds)
            event = self._event(sent, step, at)
            if event is None:
                continue
            arrives = at + timedelta(seconds=_delay(random))
            name = (sent.message.account, self.slug, *leg, event.word, event.at.isoformat())
            events = ((name, self._happening(sent, leg, event)),)
            records.append(WrittenRecord(sent.message.account, self.feed, arrives, self.event(sent, event), events))
            for ignored in self.beside(sent, event):
                records.append(WrittenRecord(sent.message.account, self.feed, arrives, ignored, ()))
        return records

    def _event(self, sent: Sent, step: Step, at: datetime) -> Event | None:
        """Returns the event of a step; None if the provider does not report it."""
        random = sent.message.random
        failure = self.failures[step.detail] if step.event_type == FAILURE else None
        event_type = failure.event_type if failure else step.event_type
        is_machine = step.detail == MACHINE
        words = {**self.words, **self.machine_words} if is_machine else self.words
        word = failure.word if failure else words.get(event_type)
        if word is None and event_type != "unknown":
            return None
        if self.has_fractions:
            at += timedelta(milliseconds=random.randrange(1, 1000))
        is_seen = event_type in ("opened", "clicked")
        return Event(
            event_type,
            word or UNKNOWN_WORD,
            at,
            is_machine,
            failure,
            f"192.0.2.{random.randrange(1, 255)}",
            (_MACHINE_PROGRAM if is_machine else random.choice(_PROGRAMS)) if is_seen else None,
            _url(sent.message, random) if event_type == "clicked" else None,
        )

    def _happening(self, sent: Sent, leg: tuple[str, str], event: Event) -> Happening:
        message, failure = sent.message, event.failure
        campaigns = (
            (2, sent.arguments.get("campaign_id")),
            (3, message.campaign.id if self.has_campaign else None),
            (4, next(iter(sent.tags), None) if self.has_tags else None),
        )
        template = sent.arguments.get("template_id")
        return Happening(
            key=NO_KEY,
            at=event.at,
            account=message.account,
            channel="email",
            provider=self.slug,
            event_type=event.event_type,
            leg=leg,
            leg_key=leg_key(message.account, self.slug, leg),
            recipient=sent.email,
            dispatch_id=sent.arguments.get("dispatch_id"),
            campaign=next(((rank, name) for rank, name in campaigns if name), None),
            template=(2, template) if template else None,
            mailbox_provider=message.recipient.mailbox_provider,
            failure_class=failure and failure.failure_class,
            failure_reason=failure and failure.failure_reason,
            provider_code=failure and failure.code,
            url=event.url,
            is_machine=event.is_machine if event.event_type in self.flagged else None,
            machine_rule="mozilla_alone" if event.program == _MACHINE_PROGRAM else None,
        )


def _arguments(message: Message) -> dict[str, str]:
    """Returns what the sender gives with an email."""
    found: dict[str, str] = {}
    if message.campaign.named_by in ("argument", "number"):
        found["campaign_id"] = message.campaign.id
        if message.campaign.template and message.random.random() < 0.8:
            found["template_id"] = message.campaign.template
    if message.link in ("argument", "both", "contradiction"):
        found["dispatch_id"] = message.id_in_arguments
    return found


def _url(message: Message, random: Random) -> str:
    return f"https://www.{message.account}.example/{message.campaign.id}/offer-{random.randrange(4)}"


def _delay(random: Random) -> float:
    """Returns seconds until the event is posted; some posts come hours later."""
    return random.uniform(3600, 20 * 3600) if random.random() < 0.03 else random.uniform(2, 45)
