"""Invented recipients and campaigns.

No address or number here belongs to a person: local parts are `sim.` and six digits, example domains are reserved
(RFC 2606), and numbers are from ranges that countries reserve for films and examples, with a country in `phonenumbers`.
"""

from random import Random
from typing import NamedTuple

MAILBOXES: tuple[tuple[str, str, int], ...] = (
    ("gmail.com", "gmail", 30),
    ("googlemail.com", "gmail", 3),
    ("yahoo.com", "yahoo", 7),
    ("yahoo.co.uk", "yahoo", 5),
    ("ymail.com", "yahoo", 1),
    ("aol.com", "yahoo", 4),
    ("outlook.com", "microsoft", 6),
    ("outlook.de", "microsoft", 4),
    ("hotmail.com", "microsoft", 6),
    ("live.nl", "microsoft", 2),
    ("msn.com", "microsoft", 1),
    ("icloud.com", "apple", 8),
    ("me.com", "apple", 2),
    ("mac.com", "apple", 1),
    ("example.com", "other", 8),
    ("mail.example.org", "other", 4),
    ("example.net", "other", 3),
    # resembles a large provider, but the whole domain is different
    ("yahoo.example.com", "other", 1),
    ("gmail.com.example.org", "other", 1),
)
"""Domain, its mailbox provider (docs/model.md), how common it is."""

NUMBERS: tuple[tuple[str, int, int, str, int], ...] = (
    ("+12025550{:03d}", 100, 199, "US", 30),
    ("+14155550{:03d}", 100, 199, "US", 10),
    ("+16135550{:03d}", 100, 199, "CA", 6),
    ("+442079460{:03d}", 0, 999, "GB", 16),
    ("+493023125{:03d}", 0, 999, "DE", 14),
    ("+331990012{:02d}", 0, 99, "FR", 8),
    ("+614915701{:02d}", 56, 59, "AU", 6),
    ("+4684650{:03d}", 400, 499, "SE", 4),
)
"""Fictional ranges: pattern, least and greatest number in it, country, how common it is."""


class Recipient(NamedTuple):
    """A recipient; `email` and `phone` are normalised."""

    email: str
    phone: str
    mailbox_provider: str
    country: str

    def without_at_sign(self) -> "Recipient":
        """Returns the recipient with a malformed address."""
        return self._replace(email=self.email.replace("@", "."), mailbox_provider="other")


class Campaign(NamedTuple):
    """One campaign of one channel.

    :ivar id: its id in the campaign system
    :ivar named_by: how SendGrid's records name it: argument, number, empty_argument, single_send, nothing
    :ivar categories: SendGrid's category: a list, one text, or None for no such field
    :ivar is_logged: whether the dispatch log has it (other campaigns go to the gateway directly)
    :ivar hours: 24 weights, one for each hour UTC
    :ivar template: the id of its template in the campaign system, or None
    """

    id: str
    channel: str
    share: int
    named_by: str
    categories: list[str] | str | None
    is_logged: bool
    hours: tuple[int, ...]
    template: str | None


_NIGHT_AND_DAY = (2, 2, 1, 1, 1, 2, 3, 5, 8, 9, 9, 8, 8, 8, 8, 7, 7, 8, 8, 8, 6, 5, 4, 4)
_MORNINGS = (0, 0, 0, 0, 0, 0, 2, 8, 30, 30, 12, 6, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0)
_EVENINGS = (2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 8, 16, 20, 16, 8, 5, 3, 6, 6)
_OFFICE = (0, 0, 0, 0, 0, 0, 0, 2, 8, 10, 10, 9, 5, 8, 9, 8, 6, 2, 0, 0, 0, 0, 0, 0)

CAMPAIGNS: tuple[Campaign, ...] = (
    Campaign("spring-sale", "email", 30, "argument", ["spring", "retail"], True, _MORNINGS, "tpl-spring-2"),
    Campaign("weekly-digest", "email", 22, "single_send", [], True, _EVENINGS, "tpl-digest"),
    Campaign("loyalty-points", "email", 16, "argument", "loyalty", True, _NIGHT_AND_DAY, "tpl-points"),
    Campaign("4711", "email", 8, "number", ["numbered"], True, _EVENINGS, "tpl-4711"),
    Campaign("receipts", "email", 12, "empty_argument", "receipts", False, _NIGHT_AND_DAY, "tpl-receipt"),
    Campaign("password-reset", "email", 6, "nothing", None, False, _NIGHT_AND_DAY, None),
    Campaign("account-news", "email", 6, "nothing", ["account-news", "all"], True, _OFFICE, "tpl-news"),
    Campaign("spring-sale-sms", "sms", 40, "nothing", None, True, _MORNINGS, "sms-spring"),
    Campaign("delivery-updates", "sms", 35, "nothing", None, True, _NIGHT_AND_DAY, "sms-parcel"),
    Campaign("one-time-codes", "sms", 25, "nothing", None, False, _NIGHT_AND_DAY, None),
    Campaign("appointment-reminders", "ivr", 50, "nothing", None, True, _OFFICE, "call-appointment"),
    Campaign("payment-reminders", "ivr", 35, "nothing", None, True, _OFFICE, "call-payment"),
    Campaign("service-line", "ivr", 15, "nothing", None, False, _NIGHT_AND_DAY, None),
)

ARCHIVE = Recipient("sim.990000@example.org", "+12025550100", "other", "US")
"""The recipient of blind copies."""

_RECIPIENTS_OF_ACCOUNT = 400
_STEP_BETWEEN_ACCOUNTS = 350
"""Less than the recipients of an account, so that two accounts share some people, which must not be mixed up."""


def recipient(seed: int, account_index: int, random: Random) -> Recipient:
    """Returns a recipient of this account; the same number is the same person in every account."""
    number = account_index * _STEP_BETWEEN_ACCOUNTS + random.randrange(_RECIPIENTS_OF_ACCOUNT)
    own = Random(f"{seed}/recipient/{number}")
    domain, mailbox_provider, _ = own.choices(MAILBOXES, [weight for *_, weight in MAILBOXES])[0]
    pattern, least, greatest, country, _ = own.choices(NUMBERS, [weight for *_, weight in NUMBERS])[0]
    phone = pattern.format(own.randint(least, greatest))
    return Recipient(f"sim.{number:06d}@{domain}", phone, mailbox_provider, country)


def campaign(channel: str, needs_log: bool, random: Random) -> Campaign:
    """Returns a campaign of the channel, by share; one in the dispatch log if the message needs that."""
    choices = [one for one in CAMPAIGNS if one.channel == channel and (one.is_logged or not needs_log)]
    return random.choices(choices, [one.share for one in choices])[0]
