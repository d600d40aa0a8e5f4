"""One message before it is sent: recipient, campaign, time, and how the systems name it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from waybill.simulator.people import Campaign, Recipient, campaign, recipient
from waybill.simulator.records import Clock

EMAIL_LINKS = {
    # the log names the gateway's message by its whole id, or in another spelling, such as SendGrid's smtp-id
    "log": 52,
    "log_smtp": 12,
    # only custom arguments on some of the gateway's events name the dispatch
    "argument": 12,
    "both": 10,
    # a second row, days later, has the gateway's id
    "late_id": 6,
    # the log names the id but no recipient, so nothing can be joined: two messages for ever
    "no_recipient": 3,
    # the log and the custom argument name different dispatches: the lesser one counts
    "contradiction": 2,
}
TWILIO_LINKS = {"log": 88, "late_id": 7, "no_id": 5}
SURE_LINKS = {"log": 70, "log_smtp": 15, "both": 15}
"""For messages whose legs must be joined."""
MALFORMED = "dropped:Invalid"
"""The fate of an email with a malformed address."""


class Fate(NamedTuple):
    """One possible course of a message.

    :ivar weight: how common it is
    :ivar needs_log: whether only the dispatch log reports it
    :ivar is_linked: whether the dispatch log must name the gateway's legs
    """

    weight: float
    needs_log: bool = False
    is_linked: bool = False


class Message:
    """A message of the simulated world.

    :ivar starts: when it is to be sent; it may change until the first use of `clock`
    """

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
        """Choose recipient, campaign, time of day and the link to its dispatch id."""
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

    @property
    def id_in_arguments(self) -> str:
        """The dispatch id that the custom arguments have: another one if they contradict the log."""
        if self.link != "contradiction":
            return str(self.dispatch_id)
        return f"{self.dispatch_id}-old" if self.number % 2 else f"0-{self.dispatch_id}"

    def later(self, after: datetime, least_seconds: float, most_seconds: float) -> datetime:
        """Returns a free second of this message, within a range after a moment."""
        return self.clock.at(after + timedelta(seconds=self.random.uniform(least_seconds, most_seconds)))


def drawn(random: Random, weights: Mapping[str, float]) -> str:
    """Returns one of the names, by weight."""
    return random.choices(list(weights), list(weights.values()))[0]
