"""The true outcome of every message: docs/model.md (identity, outcome) in plain Python.

No SQL, no increments, no code of the product: slow and simple on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TypeVar
from uuid import UUID

BEFORE_THE_GATEWAY = ("queued", "scheduled", "suppressed")
FAILURES = ("bounced", "dropped", "undelivered", "failed")
BOUNCE_CLASSES = ("invalid", "hard_bounce", "soft_bounce", "blocked")
UNANSWERED = ("no_answer", "busy", "failed", "canceled")
DISPATCH = "dispatch"
NONE = "(none)"

Value = TypeVar("Value", bool, int, Decimal, str, tuple[int, str])


@dataclass(frozen=True)
class Happening:
    """One true event, merged from all its sightings.

    Texts are as in the facts. `campaign` and `template` are (rank of the source from 1, id); the sources by rank:
    dispatch log, custom argument or tag, provider's own, category. `leg` names the leg within (account, provider); None
    if the record names no message. `names_leg` is (provider, *leg) of the gateway leg that a row of the dispatch log
    names completely. `recipient` identifies the recipient within the account. `own_leg_key` is the key of
    the leg of the sender's own Message-ID and the recipient, if the record has that id. `url` is the link of a click.
    `key`, `leg_key` and `recipient` are only compared with each other.
    """

    key: UUID
    at: datetime
    account: str
    channel: str
    provider: str
    event_type: str
    leg: tuple[str, ...] | None
    leg_key: UUID | None
    own_leg_key: UUID | None = None
    recipient: str | None = None
    names_leg: tuple[str, ...] | None = None
    gateway: str | None = None
    dispatch_id: str | None = None
    campaign: tuple[int, str] | None = None
    template: tuple[int, str] | None = None
    mailbox_provider: str | None = None
    country: str | None = None
    failure_class: str | None = None
    failure_reason: str | None = None
    provider_code: str | None = None
    not_sent_category: str | None = None
    not_sent_reason: str | None = None
    url: str | None = None
    is_machine: bool | None = None
    machine_rule: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    segments: int | None = None
    duration_seconds: int | None = None
    answered_by: str | None = None


@dataclass
class Leg:
    """One message as one system names it, with its events, at least one."""

    account: str
    provider: str
    name: tuple[str, ...]
    key: UUID
    events: list[Happening]

    @property
    def channel(self) -> str:
        return self.events[0].channel

    @property
    def first(self) -> tuple[datetime, UUID]:
        """The time of its first event; for equal times the leg_key decides."""
        return min(e.at for e in self.events), self.key

    @cached_property
    def recipient(self) -> str | None:
        return max((e.recipient for e in self.events if e.recipient is not None), default=None)

    @property
    def own_leg_key(self) -> UUID | None:
        """The leg of the sender's own Message-ID; the least one if the events differ."""
        return min((e.own_leg_key for e in self.events if e.own_leg_key is not None), default=None)

    @property
    def has_own_id_alone(self) -> bool:
        """Whether it is named by the sender's Message-ID alone, not by an id of the gateway."""
        return self.own_leg_key == self.key

    def of(self, *event_types: str) -> list[Happening]:
        return [e for e in self.events if e.event_type in event_types]


@dataclass
class Message:
    """The legs of one account, channel, dispatch id and intended recipient; or one leg without a dispatch id.

    :ivar copies: the legs that went to a recipient that no row of the dispatch log names

    What follows from the legs is kept: `make_messages` has added all of them before anybody asks.
    """

    legs: list[Leg]
    dispatch_id: str | None = None
    copies: list[Leg] = field(default_factory=list)

    @cached_property
    def deciding_legs(self) -> list[Leg]:
        """All legs; without the copies if the intended recipient has a gateway leg."""
        others = [leg for leg in self.legs if leg not in self.copies]
        has_recipients = any(leg.provider != DISPATCH and leg.recipient is not None for leg in others)
        return others if has_recipients else self.legs

    @property
    def account(self) -> str:
        return self.legs[0].account

    @property
    def channel(self) -> str:
        return self.legs[0].channel

    @cached_property
    def events(self) -> list[Happening]:
        return [e for leg in self.deciding_legs for e in leg.events]

    def of(self, *event_types: str) -> list[Happening]:
        return [e for e in self.events if e.event_type in event_types]

    def has(self, *event_types: str) -> bool:
        return bool(self.of(*event_types))

    @property
    def sent_at(self) -> datetime | None:
        """The time of its first event at a gateway."""
        return first(e for e in self.events if e.event_type not in BEFORE_THE_GATEWAY)

    @property
    def is_unsubscribed_email(self) -> bool:
        return self.channel == "email" and self.has("unsubscribed")

    @property
    def is_clicked(self) -> bool:
        return self.has("clicked") or self.is_unsubscribed_email

    @property
    def is_opened(self) -> bool:
        return self.has("opened") or self.is_clicked

    @property
    def is_clicked_human(self) -> bool:
        return any(not e.is_machine for e in self.of("clicked")) or self.is_unsubscribed_email

    @property
    def is_opened_human(self) -> bool:
        return any(not e.is_machine for e in self.of("opened")) or self.is_clicked_human

    @property
    def deciding_failure(self) -> Happening | None:
        """The failure that makes it `bounced` (rule 2), if there is one."""
        bounces = [e for e in self.of(*FAILURES) if e.failure_class in BOUNCE_CLASSES]
        if not bounces:
            return None
        latest_bounce = latest(bounces)
        is_delivered_later = any(e.at > latest_bounce.at for e in self.of("delivered", "completed"))
        return None if is_delivered_later else latest_bounce

    @property
    def state(self) -> str:
        """The state: the first rule that applies."""
        if self.is_opened or self.has("spam_reported"):
            return "delivered"
        if self.deciding_failure:
            return "bounced"
        if self.has("delivered", "completed"):
            return "delivered"
        if self.has(*FAILURES, "no_answer", "busy", "canceled"):
            return "not_delivered"
        if self.sent_at:
            return "in_gateway"
        return "not_sent" if self.has("suppressed") else "in_progress"

    @property
    def failure(self) -> Happening | None:
        """The failure that explains `bounced` or `not_delivered`; None if nothing failed (canceled, busy)."""
        if self.state == "bounced":
            return self.deciding_failure
        failures = self.of(*FAILURES) if self.state == "not_delivered" else []
        return latest(failures) if failures else None

    @property
    def is_delivered_then_bounced(self) -> bool:
        return self.state == "bounced" and self.has("delivered", "completed")

    @property
    def provider(self) -> str:
        """The provider of the gateway leg that began last; without one, that of the latest `handed_over`."""
        gateway_legs = [leg for leg in self.deciding_legs if leg.provider != DISPATCH]
        if gateway_legs:
            return max(gateway_legs, key=lambda leg: leg.first).provider
        handed_over = self.of("handed_over")
        return (latest(handed_over).gateway if handed_over else None) or NONE

    @property
    def campaign(self) -> str:
        return best_sourced(e.campaign for e in self.events)

    @property
    def template(self) -> str:
        return best_sourced(e.template for e in self.events)

    @property
    def mailbox_provider(self) -> str:
        return self._of_recipient("mailbox_provider")

    @property
    def country(self) -> str:
        return self._of_recipient("country")

    def _of_recipient(self, column: str) -> str:
        """Returns the value of the dispatch log, else that of the gateway; of several, the least."""
        found = [(e.provider != DISPATCH, getattr(e, column).encode()) for e in self.events if getattr(e, column)]
        return min(found)[1].decode() if found else NONE

    def sum_of_legs(self, column: Callable[[Happening], int | None]) -> int:
        """Returns the sum over the legs of the greatest value of each leg."""
        return sum(greatest(map(column, leg.events)) or 0 for leg in self.deciding_legs)


def first(events: Iterable[Happening]) -> datetime | None:
    return min((e.at for e in events), default=None)


def latest(events: Iterable[Happening]) -> Happening:
    """Returns the last event by time, then by event key."""
    return max(events, key=lambda e: (e.at, e.key))


def least(values: Iterable[Value | None]) -> Value | None:
    return min((value for value in values if value is not None), default=None)


def greatest(values: Iterable[Value | None]) -> Value | None:
    return max((value for value in values if value is not None), default=None)


def best_sourced(choices: Iterable[tuple[int, str] | None]) -> str:
    """Returns the name from the best source; of several, the least in bytes."""
    named = [(rank, name.encode()) for rank, name in filter(None, choices)]
    return min(named)[1].decode() if named else NONE


def make_legs(happenings: Iterable[Happening]) -> list[Leg]:
    """Returns the legs: an event belongs to one leg for ever, or to no leg if it names no message."""
    legs: dict[tuple[str, ...], Leg] = {}
    for e in happenings:
        if e.leg is not None and e.leg_key is not None:
            name = (e.account, e.provider, *e.leg)
            legs.setdefault(name, Leg(e.account, e.provider, e.leg, e.leg_key, [])).events.append(e)
    return list(legs.values())


class _Places:
    """Assigns legs to messages."""

    def __init__(self, happenings: list[Happening], legs: list[Leg]) -> None:
        self.taught: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for e in happenings:
            if e.names_leg is not None and e.dispatch_id is not None:
                self.taught[(e.account, *e.names_leg)].add(e.dispatch_id)
        self.intended: dict[tuple[str | None, ...], set[str]] = defaultdict(set)
        self.carriers: dict[UUID, list[Leg]] = defaultdict(list)
        for leg in legs:
            if leg.provider == DISPATCH and leg.recipient is not None:
                self.intended[leg.account, leg.channel, self.dispatch_id(leg)].add(leg.recipient)
            if leg.own_leg_key is not None and not leg.has_own_id_alone:
                self.carriers[leg.own_leg_key].append(leg)

    def dispatch_id(self, leg: Leg) -> str | None:
        """Returns the least dispatch id of its events and of the rows of the dispatch log that name it."""
        named = {e.dispatch_id for e in leg.events if e.dispatch_id is not None}
        named |= self.taught[(leg.account, leg.provider, *leg.name)]
        return min(named, key=str.encode) if named else None

    def of(self, leg: Leg) -> tuple[tuple[str | None, ...], str | None, bool]:
        """Returns the identity of its message, the dispatch id, and whether the leg is a copy."""
        if leg.has_own_id_alone and self.carriers[leg.key]:
            return self.of(min(self.carriers[leg.key], key=lambda carrier: carrier.key))
        dispatch_id = self.dispatch_id(leg)
        if dispatch_id is None:
            return ("leg", leg.account, leg.provider, *leg.name), None, False
        intended = self.intended[leg.account, leg.channel, dispatch_id]
        is_named = leg.recipient in intended
        whom = leg.recipient if is_named else min(intended, default=None)
        is_copy = bool(leg.provider != DISPATCH and leg.recipient is not None and intended and not is_named)
        return ("message", leg.account, leg.channel, dispatch_id, whom), dispatch_id, is_copy


def make_messages(happenings: Iterable[Happening]) -> list[Message]:
    """Returns the messages: legs of one dispatch id and intended recipient are one message."""
    happenings = list(happenings)
    legs = make_legs(happenings)
    places = _Places(happenings, legs)
    messages: dict[tuple[str | None, ...], Message] = {}
    for leg in legs:
        key, dispatch_id, is_copy = places.of(leg)
        message = messages.setdefault(key, Message([], dispatch_id))
        message.legs.append(leg)
        if is_copy:
            message.copies.append(leg)
    return list(messages.values())
