"""One message before anything happens to it: who, why, when, and how the systems will speak of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from waybill.simulator.people import Campaign, Recipient, campaign, recipient
from waybill.simulator.telling import Clock

EMAIL_LINKS = {
    # the log names the gateway's message: by its whole id, or as the smtp-id
    "log": 52,
    "log_smtp": 12,
    # only custom arguments on some of the gateway's events name the dispatch
    "argument": 12,
    "both": 10,
    # a second row, days later, brings the gateway's id
    "late_id": 6,
    # the log names the id and not the recipient, which teaches nothing: two messages for ever
    "no_recipient": 3,
    # the log and the custom argument name different dispatches: the lesser one has it
    "contradiction": 2,
}
TWILIO_LINKS = {"log": 88, "late_id": 7, "no_id": 5}
SURE_LINKS = {"log": 70, "log_smtp": 15, "both": 15}
"""For messages whose legs must find each other."""
MALFORMED = "dropped:Invalid"
"""The fate of an email whose address is none."""


class Fate(NamedTuple):
    """What becomes of a message.

    :ivar weight: how common
    :ivar needs_log: True where only the dispatch log can tell of it
    :ivar is_linked: True where the dispatch log must name the gateway's legs
    """

    weight: float
    needs_log: bool = False
    is_linked: bool = False


class Message:
    """:ivar starts: when it is to be sent; before the first look at `clock` it may be moved"""

    def __init__(self, account: str, channel: str, number: int, fate_name: str, random: Random) -> None:
        self.account = account
        self.channel = channel
        self.number = number
        self.fate_name = fate_name
        self.random = random
        self.clock = Clock()
        self.starts: datetime
        self.campaign: Campaign
        self.recipient: Recipient
        self.dispatch_id: str | None = None
        self.link = "none"

    def plan(self, seed: int, account_index: int, day_starts: datetime, fate: Fate) -> "Message":
        """Draw recipient, campaign, time of day and the way its dispatch id will be known."""
        self.recipient = recipient(seed, account_index, self.random)
        if self.fate_name == MALFORMED:
            self.recipient = self.recipient.without_at_sign()
        self.campaign = campaign(self.channel, fate.needs_log or fate.is_linked, self.random)
        hour = self.random.choices(range(24), self.campaign.hours)[0]
        self.starts = day_starts + timedelta(seconds=hour * 3600 + self.random.randrange(700, 3600))
        links = EMAIL_LINKS if self.channel == "email" else TWILIO_LINKS
        if fate.is_linked:
            links = SURE_LINKS if self.channel == "email" else {"log": 1}
        if self.campaign.is_logged:
            self.dispatch_id = f"{self.account[0]}{self.channel[0]}-{self.number:06d}"
            self.link = drawn(self.random, links)
        elif self.channel == "email" and self.random.random() < 0.3:
            self.dispatch_id = f"{self.account[0]}x-{self.number:06d}"
            self.link = "argument"
        return self

    def later(self, after: datetime, least_seconds: float, most_seconds: float) -> datetime:
        """A free second of this message, so long after a moment."""
        return self.clock.at(after + timedelta(seconds=self.random.uniform(least_seconds, most_seconds)))


def drawn(random: Random, weights: Mapping[str, float]) -> str:
    """One of the names, by weight."""
    return random.choices(list(weights), list(weights.values()))[0]
