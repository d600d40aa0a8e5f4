"""What really became of every message: docs/model.md (identity, outcome) in plain Python.

No SQL, no increments, nothing shared with `etl`: slow and obvious on purpose.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

BEFORE_THE_GATEWAY = ("queued", "scheduled", "suppressed")
FAILURES = ("bounced", "dropped", "undelivered", "failed")
BOUNCE_CLASSES = ("invalid", "hard_bounce", "soft_bounce", "blocked")
UNANSWERED = ("no_answer", "busy", "failed", "canceled")
DISPATCH = "dispatch"
NONE = "(none)"


@dataclass(frozen=True)
class Happening:
    """One true event, after everything that was ever said of it is merged.

    Texts are as the facts hold them. `campaign` and `template` are (rank of the source from 1, id), ranks as in
    section 6: dispatch log, custom argument or tag, provider's own, category. `leg` names the leg within (account,
    provider), None where the record names no message; `names_leg` is (provider, *leg) of the gateway leg that a row
    of the dispatch log names, where it names one fully. `recipient` names whom it is about, within the account.
    `own_leg_key` is the key of the leg that the sender's own Message-ID makes with the recipient, where the record has
    that id. `url` is that of a click. `key`, `leg_key` and `recipient` matter only by their order, and where they are
    the same.
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
    """What one system calls one message: its events, at least one."""

    account: str
    provider: str
    name: tuple[str, ...]
    events: list[Happening]

    @property
    def channel(self) -> str:
        return self.events[0].channel

    @property
    def key(self) -> UUID:
        return self.events[0].leg_key

    @property
    def first(self) -> tuple[datetime, UUID]:
        """When it began; the greater leg_key breaks a tie."""
        return min(e.at for e in self.events), self.key

    @property
    def recipient(self) -> str | None:
        return max((e.recipient for e in self.events if e.recipient is not None), default=None)

    @property
    def own_leg_key(self) -> UUID | None:
        """The leg of the sender's own Message-ID, the least should its events differ."""
        return min((e.own_leg_key for e in self.events if e.own_leg_key is not None), default=None)

    @property
    def has_own_id_alone(self) -> bool:
        """Whether it is known by the sender's Message-ID, and by nothing of the gateway's."""
        return self.own_leg_key == self.key

    def of(self, *event_types: str) -> list[Happening]:
        return [e for e in self.events if e.event_type in event_types]


@dataclass
class Message:
    """The legs of one account, channel, dispatch id and intended recipient; or one leg without a dispatch id.

    :ivar legs: all of them
    :ivar copies: those of them that went to somebody whom no row of the dispatch log names
    """

    legs: list[Leg]
    dispatch_id: str | None = None
    copies: list[Leg] = field(default_factory=list)

    @property
    def deciding_legs(self) -> list[Leg]:
        """Without the copies, where the intended recipient has a gateway leg."""
        others = [leg for leg in self.legs if leg not in self.copies]
        has_recipients = any(leg.provider != DISPATCH and leg.recipient is not None for leg in others)
        return others if has_recipients else self.legs

    @property
    def account(self) -> str:
        return self.legs[0].account

    @property
    def channel(self) -> str:
        return self.legs[0].channel

    @property
    def events(self) -> list[Happening]:
        return [e for leg in self.deciding_legs for e in leg.events]

    def of(self, *event_types: str) -> list[Happening]:
        return [e for e in self.events if e.event_type in event_types]

    def has(self, *event_types: str) -> bool:
        return bool(self.of(*event_types))

    @property
    def sent_at(self) -> datetime | None:
        """Its first gateway-side event."""
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
        """The failure that makes it `bounced`, where one does (rule 2)."""
        bounces = [e for e in self.of(*FAILURES) if e.failure_class in BOUNCE_CLASSES]
        if not bounces:
            return None
        latest_bounce = latest(bounces)
        is_delivered_later = any(e.at > latest_bounce.at for e in self.of("delivered", "completed"))
        return None if is_delivered_later else latest_bounce

    @property
    def state(self) -> str:
        """Section 6: the first rule that applies."""
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
        """What it is put down to that it is bounced or not delivered; None where nothing failed (canceled, busy)."""
        if self.state == "bounced":
            return self.deciding_failure
        failures = self.of(*FAILURES) if self.state == "not_delivered" else []
        return latest(failures) if failures else None

    @property
    def is_delivered_then_bounced(self) -> bool:
        return self.state == "bounced" and self.has("delivered", "completed")

    @property
    def provider(self) -> str:
        """The gateway leg that began last; without one, what the latest `handed_over` names."""
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
        """The dispatch log's, else the gateway's; then the least."""
        told = [(e.provider != DISPATCH, getattr(e, column).encode()) for e in self.events if getattr(e, column)]
        return min(told)[1].decode() if told else NONE

    def sum_of_legs(self, column: str) -> int:
        """Greatest per leg, summed over legs."""
        return sum(greatest(leg, column) or 0 for leg in self.deciding_legs)


def first(events: Iterable[Happening]) -> datetime | None:
    return min((e.at for e in events), default=None)


def latest(events: Iterable[Happening]) -> Happening:
    """*Later* means by time, then by event key."""
    return max(events, key=lambda e: (e.at, e.key))


def greatest(leg: Leg, column: str) -> int | Decimal | None:
    return max((getattr(e, column) for e in leg.events if getattr(e, column) is not None), default=None)


def best_sourced(choices: Iterable[tuple[int, str] | None]) -> str:
    """From the best source, then the least in bytes."""
    named = [(rank, name.encode()) for rank, name in filter(None, choices)]
    return min(named)[1].decode() if named else NONE


def make_legs(happenings: Iterable[Happening]) -> list[Leg]:
    """Section 5: an event belongs to one leg for ever; one that names no message belongs to none."""
    legs: dict[tuple, Leg] = {}
    for e in happenings:
        if e.leg is not None:
            name = (e.account, e.provider, *e.leg)
            legs.setdefault(name, Leg(e.account, e.provider, e.leg, [])).events.append(e)
    return list(legs.values())


class _Places:
    """Which message each leg is part of: section 5."""

    def __init__(self, happenings: list[Happening], legs: list[Leg]) -> None:
        self.taught: dict[tuple, set[str]] = defaultdict(set)
        for e in happenings:
            if e.names_leg is not None and e.dispatch_id is not None:
                self.taught[(e.account, *e.names_leg)].add(e.dispatch_id)
        self.intended: dict[tuple, set[str]] = defaultdict(set)
        self.carriers: dict[UUID, list[Leg]] = defaultdict(list)
        for leg in legs:
            if leg.provider == DISPATCH and leg.recipient is not None:
                self.intended[leg.account, leg.channel, self.dispatch_id(leg)].add(leg.recipient)
            if leg.own_leg_key is not None and not leg.has_own_id_alone:
                self.carriers[leg.own_leg_key].append(leg)

    def dispatch_id(self, leg: Leg) -> str | None:
        """The least of those that its events name, and rows of the dispatch log that name it."""
        named = {e.dispatch_id for e in leg.events if e.dispatch_id is not None}
        named |= self.taught[(leg.account, leg.provider, *leg.name)]
        return min(named, key=str.encode) if named else None

    def of(self, leg: Leg) -> tuple[tuple, str | None, bool]:
        """What tells its message apart, the dispatch id of that, and whether the leg is a copy in it."""
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
    """Section 5: legs of one dispatch id and intended recipient are one message, however the id was learnt."""
    happenings = list(happenings)
    legs = make_legs(happenings)
    places = _Places(happenings, legs)
    messages: dict[tuple, Message] = {}
    for leg in legs:
        key, dispatch_id, is_copy = places.of(leg)
        message = messages.setdefault(key, Message([], dispatch_id))
        message.legs.append(leg)
        if is_copy:
            message.copies.append(leg)
    return list(messages.values())
