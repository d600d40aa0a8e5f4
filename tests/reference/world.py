"""The small world of random traffic: few people, messages, campaigns and hours, so that records collide.

What a real provider never changes about a message (its recipient, its creation) follows from its number. What real
providers report differently at different times is chosen for each record.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

ACCOUNTS = ("acme", "borealis")
EMAILS = (
    "ana@gmail.com",
    "bo.lind@yahoo.co.uk",
    "cy+news@outlook.de",
    "di@icloud.com",
    "eve@shop.example",
    "finn@mail.example.org",
)
ARCHIVE = "archive@acme.example"
MALFORMED = ("ana.gmail.com", "bo lind", "cy+news(at)outlook.de")
"""Malformed addresses; SendGrid drops messages to them."""
NUMBERS = ("+12125550101", "+14165550123", "+442079460123", "+4915228817386", "+493023125001", "+12125550142")
CAMPAIGNS = ("spring", "summer", "Winter Sale", "c-4711")
TEMPLATES = ("t-hello", "t-bye")
DISPATCHES = ("d0", "d1", "d2", "d3", "d4", "d5")
NEVER_SENT = "d9"
UNKNOWN_REASON = "a word nobody knows"

SEASONS: tuple[tuple[datetime, ...], ...] = tuple(
    tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts)
    for texts in (
        ("2026-03-02T10:00:00", "2026-03-02T23:00:00", "2026-03-03T05:00:00", "2026-03-03T00:00:00"),
        # Berlin: 2026-03-29 has 23 hours, midnights at 23:00 and 22:00 UTC, no 02:00-03:00
        ("2026-03-28T23:00:00", "2026-03-29T00:00:00", "2026-03-29T01:00:00", "2026-03-29T22:00:00"),
        # Berlin: 2025-10-26 has 25 hours, 02:00-03:00 twice
        ("2025-10-25T22:00:00", "2025-10-26T00:00:00", "2025-10-26T01:00:00", "2025-10-26T23:00:00"),
        # New York: 2026-03-08 has 23 hours
        ("2026-03-08T05:00:00", "2026-03-08T06:00:00", "2026-03-08T07:00:00", "2026-03-09T04:00:00"),
        # New York: 2025-11-02 has 25 hours
        ("2025-11-02T04:00:00", "2025-11-02T05:00:00", "2025-11-02T06:00:00", "2025-11-03T05:00:00"),
    )
)
"""Days of traffic by their central instants (UTC): local midnights and clock changes."""

OFFSETS = (0, -1, 1, 60, -60, 1800, -3600, 3600, 7200)
"""Seconds around those instants."""


@dataclass
class Choices:
    """A number as a sequence of choices: one drawn number makes one record, and zero makes the plainest record."""

    number: int

    def below(self, count: int) -> int:
        self.number, chosen = divmod(self.number, count)
        return chosen

    def of(self, *options: object) -> object:
        """Return one of the options; the first is the plain one."""
        return options[self.below(len(options))]

    def one(self, options: Sequence) -> object:
        return options[self.below(len(options))]

    def rarely(self, one_in: int) -> bool:
        return self.below(one_in) == one_in - 1

    def time(self, season: Sequence[datetime]) -> datetime:
        return self.one(season) + timedelta(seconds=self.one(OFFSETS))


def landing(season: Sequence[datetime], minute: int) -> datetime:
    """Return when a file lands: after all events that can be in it."""
    return max(season) + timedelta(days=2, minutes=minute)


def written_email(choose: Choices, address: str) -> str:
    return choose.of(address, address.upper(), f" {address.title()} ", address)


def with_recipient(choose: Choices, text: str, recipient: str) -> str:
    """Return a text that sometimes contains the recipient: plain, encoded, or in capitals."""
    if not choose.rarely(8):
        return text
    return f"{text}/{choose.of(recipient, recipient.upper(), quote(recipient, safe=''))}"


# --- sendgrid_events -------------------------------------------------------------------------------------------------

SENDGRID_WORDS = (
    *("processed", "delivered", "bounce", "open", "click", "open", "bounce", "dropped", "deferred"),
    *("spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe", "delivered", "something_new"),
)
ENGAGEMENT = ("open", "click", "spamreport", "unsubscribe", "group_unsubscribe")
BOUNCES: tuple[dict, ...] = (
    {"type": "bounce", "bounce_classification": "Invalid Address", "reason": "550 user unknown"},
    {"type": "blocked", "bounce_classification": "Reputation", "status": "5.7.26", "reason": "550 unauthenticated"},
    {"type": "bounce", "bounce_classification": "Mailbox Unavailable", "reason": "552 mailbox is full"},
    {"type": "bounce", "bounce_classification": "Unclassified", "reason": "554 no"},
    {"type": "expired", "reason": "unable to get mx info"},
    {"bounce_classification": "Technical Failure", "reason": "no host"},
    {"type": "bounce", "bounce_classification": "Frequency or Volume Too High", "reason": "421 slow down"},
    {"type": "bounce", "bounce_classification": "Content", "status": "4.7.1", "reason": "later"},
    {"type": "bounce", "status": "5.1.10", "reason": "550 recipient not found"},
    {"type": "bounce", "status": "5.2.2", "reason": "552 5.2.2 no room"},
    {"reason": "refused"},
    {"type": "bounce", "bounce_classification": "Mailbox Unavailable", "reason": "452 over quota"},
)
DROPS = ("Bounced Address", "Invalid", "Unsubscribed Address", "Invalid SMTPAPI header", "Spam Reporting Address")
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "YahooMailProxy", "Mozilla/5.0", None)


def sendgrid_id(number: int) -> str:
    return f"Msg{number}.TnSTr2b0aZxWw"


def own_message_id(choose: Choices, number: int) -> str:
    """Return the Message-ID of the sender's own program: mostly one for each message, equal up to the first dot."""
    return f"<1772359200.{number + choose.of(0, 0, 0, 0, 1)}.own@mail.acme.example>"


def sendgrid_record(choose: Choices, season: Sequence[datetime]) -> dict:
    number = choose.below(8)
    address = EMAILS[(number + choose.of(0, 0, 0, 1)) % len(EMAILS)]
    if choose.rarely(6):
        address = ARCHIVE  # a blind copy has the ids of the message
    word = choose.one(SENDGRID_WORDS)
    if word in ENGAGEMENT and number % 2 == 0 and not choose.rarely(6):
        word = choose.of("bounce", "delivered", "dropped")  # otherwise nearly all messages would end as delivered
    if word in ("dropped", "bounce") and choose.rarely(4):
        address = MALFORMED[number % len(MALFORMED)]
    at = choose.time(season) if choose.rarely(2) else season[number % len(season)]
    seconds = int(at.timestamp())
    record: dict = {
        "email": written_email(choose, address),
        "timestamp": choose.of(seconds, seconds, seconds * 1000, seconds * 1000 + 999),
        "event": word,
        "sg_event_id": f"event-{choose.below(1000)}",
    }
    written = choose.below(8)
    if written < 6:
        record["sg_message_id"] = sendgrid_id(number) + choose.of(
            f".recvd-6f7d9c-4x2lp-1-68A1F0C2-{choose.below(3)}.0", f".filter0001.{choose.below(3)}.5515E0B88.0", ""
        )
        if word == "dropped" and choose.rarely(2):
            record["sg_message_id"] = f"filter0093p1las1.{number}.69A41A10.0"
    if written > 1 and not (written == 7 and word == "bounce"):
        record["smtp-id"] = choose.of(
            f"<{sendgrid_id(number)}@geopod-ismtpd-9>", own_message_id(choose, number), own_message_id(choose, number)
        )
    if word == "bounce":
        kind = dict(BOUNCES[(number + seconds) % len(BOUNCES)])
        record |= kind
        if kind.get("status") == "5.7.26" and choose.rarely(2):
            record["status"] = None
    if word == "dropped":
        record["reason"] = DROPS[(number + seconds) % len(DROPS)]
    if word in ("open", "click"):
        record["ip"] = choose.of("192.0.2.51", "198.51.100.24", None)
        record["useragent"] = choose.one(AGENTS)
    if word == "open" and choose.rarely(2):
        record["sg_machine_open"] = choose.of(True, False)
    if word == "click":
        record["url"] = clicked_url(choose, address)
        record["url_offset"] = choose.of(None, {"index": 0, "type": "html"}, {"type": "html", "index": 1})
    if word.startswith("group_"):
        record["asm_group_id"] = choose.of(21, "21", 22)
    naming = choose.below(8)
    if naming in (1, 2, 3, 4):
        dispatch = DISPATCHES[number % len(DISPATCHES)] if naming < 4 else choose.one(DISPATCHES)
        record["dispatch_id"] = with_recipient(choose, dispatch, address)
    record |= sendgrid_campaign(choose, address)
    return record


def clicked_url(choose: Choices, address: str) -> str | None:
    path = with_recipient(choose, f"https://acme.example/{choose.of('offer', 'news')}", address)
    return choose.of(
        f"{path}?u=1", path, with_recipient(choose, f"{path}?u=2", address), f"{path}#top?u=3", "?u=4", None
    )


def sendgrid_campaign(choose: Choices, address: str) -> dict:
    record: dict = {}
    if choose.rarely(3):
        record["campaign_id"] = choose.of(with_recipient(choose, choose.one(CAMPAIGNS), address), "", 4711, True)
    if choose.rarely(3):
        record[choose.of("singlesend_id", "marketing_campaign_id")] = choose.of("ss-1", "ss-2", " ")
    if choose.rarely(3):
        record["category"] = choose.of("invoice", ["newsletter", "eu"], [], ["", "eu"], [2026])
    if choose.rarely(3):
        record[choose.of("template_id", "sg_template_id")] = choose.one(TEMPLATES)
    return record


def sendgrid_poison(choose: Choices, season: Sequence[datetime]) -> dict:
    record = sendgrid_record(choose, season)
    name, value = choose.of(
        ("timestamp", None),
        ("timestamp", "yesterday"),
        ("timestamp", 915148800),
        ("timestamp", 4102444700),
        ("timestamp", 4133980800000),
        ("timestamp", 10**30),
        ("timestamp", True),
        ("event", None),
        ("event", 5),
        ("email", "ana@gmail.com, bo@gmail.com"),
        ("email", None),
    )
    return record | {name: value}


# --- twilio ----------------------------------------------------------------------------------------------------------

MESSAGE_STATUSES = (
    *("delivered", "sent", "queued", "undelivered", "failed", "accepted", "sending", "scheduled", "read"),
    *("canceled", "partially_delivered", "delivered", "received", "brand_new"),
)
CALL_STATUSES = (
    *("completed", "no-answer", "queued", "ringing", "in-progress", "busy", "failed", "canceled", "completed"),
)
ERRORS = (None, 30005, 30007, 30003, 21610, 30002, 30009, 63024, "30034")


def rfc2822(at: datetime) -> str:
    return format_datetime(at)


def twilio_sid(feed: str, number: int) -> str:
    return f"{'SM' if feed == 'twilio_messages' else 'CA'}{number:032x}"


def twilio_record(choose: Choices, season: Sequence[datetime], feed: str) -> dict:
    number = choose.below(6)
    created_at = season[number % len(season)] + timedelta(seconds=OFFSETS[number])
    is_message = feed == "twilio_messages"
    status = choose.one(MESSAGE_STATUSES if is_message else CALL_STATUSES)
    to = NUMBERS[number]
    record: dict = {
        "sid": twilio_sid(feed, number),
        "status": status,
        "date_created": rfc2822(created_at),
        "date_updated": rfc2822(created_at + timedelta(seconds=choose.of(9, 1800, 3600, -60, 86400))),
        "direction": choose.of("outbound-api", "outbound-api", "outbound-reply", "outbound-api"),
        "to": choose.of(to, to, f"{to[:3]} {to[3:6]} {to[6:]}", f"whatsapp:{to}" if is_message else to),
        "from": "+12125550199",
        "price": choose.of(None, "-0.00790", "-0.0130", "0.00100", "", "-1"),
        "price_unit": choose.of("USD", "usd", None, "EUR"),
    }
    if choose.rarely(24):
        record["direction"] = "inbound"
    if is_message:
        record["date_sent"] = choose.of(None, rfc2822(created_at + timedelta(seconds=choose.of(1, 3600, 600))))
        record["error_code"] = choose.one(ERRORS) if status in ("failed", "undelivered") else None
        record["num_segments"] = choose.of("1", "0", "3", None)
    else:
        started_at = created_at + timedelta(seconds=choose.of(4, 1800))
        record["start_time"] = choose.of(rfc2822(started_at), None, "")
        record["end_time"] = choose.of(rfc2822(started_at + timedelta(seconds=choose.of(27, 3600))), None, "")
        record["duration"] = choose.of("27", "0", "", None, "61")
        record["answered_by"] = choose.of(None, "human", "machine_end_beep", "fax", "unknown", "machine_start")
        record["parent_call_sid"] = "CA" + "f" * 32 if choose.rarely(24) else choose.of(None, "")
    return record


def twilio_poison(choose: Choices, season: Sequence[datetime], feed: str) -> dict:
    record = twilio_record(choose, season, feed) | {"direction": "outbound-api", "parent_call_sid": None}
    if record["status"] == "received":
        record["status"] = "delivered"
    wrong = choose.of(
        {"sid": None},
        {"status": None},
        {"sid": ""},
        {"date_created": None},
        {"date_created": "soon"},
        {"date_created": "Mon, 02 Mar 2026 09:15:00"},
        {"date_created": "Mon, 02 Mar 1998 09:15:00 +0000"},
        {"status": "brand_new", "date_updated": None},
        {"status": "canceled", "date_updated": "later", "end_time": None},
    )
    return record | wrong


# --- dispatch_log ----------------------------------------------------------------------------------------------------

CHANNELS = ("email", "sms", "ivr")
STATUSES = ("handed_over", "queued", "about_to_be_sent", "not_sent", "handed_over")
REASONS = ("unsubscribed", "mobile_missing", "system_timeout", UNKNOWN_REASON, None)
DISPATCH_COLUMNS = (
    *("dispatch_id", "occurred_at", "channel", "status", "recipient", "campaign_id", "template_id", "reason"),
    *("account", "provider", "provider_message_id"),
)


def dispatch_record(choose: Choices, season: Sequence[datetime], in_text: bool) -> dict:
    channel = choose.one(CHANNELS)
    number = choose.below(8)
    person = (number + choose.of(0, 0, 0, 1, 2)) % 6
    address = EMAILS[person] if channel == "email" else NUMBERS[person]
    at = choose.time(season)
    has_recipient = not choose.rarely(4)
    dispatch = DISPATCHES[number % len(DISPATCHES)] if number < 7 else NEVER_SENT
    recipient = None
    if has_recipient:
        recipient = written_email(choose, address) if channel == "email" else choose.of(address, f" {address}")
        dispatch = with_recipient(choose, dispatch, address)
    record: dict = {
        "dispatch_id": dispatch,
        "occurred_at": written_time(choose, at, in_text),
        "channel": channel,
        "status": choose.one(STATUSES),
        "recipient": recipient,
        "campaign_id": choose.of(None, choose.one(CAMPAIGNS), ""),
        "template_id": choose.of(None, choose.one(TEMPLATES)),
        "reason": choose.one(REASONS),
        "account": choose.of(None, None, None, *ACCOUNTS),
    }
    if dispatch == NEVER_SENT:
        record["status"] = choose.of("not_sent", "queued", "about_to_be_sent", "not_sent")
    elif record["status"] == "handed_over" or choose.rarely(6):
        record["provider"] = choose.of(None, "sendgrid" if channel == "email" else "twilio", "acme_gateway")
        record["provider_message_id"] = choose.of(None, named_message(choose, channel, number))
        if choose.rarely(4):
            record["provider"] = "sendgrid" if channel == "email" else "twilio"
            record["provider_message_id"] = named_message(choose, channel, number)
    return record


def written_time(choose: Choices, at: datetime, in_text: bool) -> object:
    seconds = int(at.timestamp())
    offset = at + timedelta(hours=2)
    return choose.of(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        offset.strftime("%Y-%m-%dT%H:%M:%S.250000+02:00"),
        str(seconds) if in_text else seconds,
        str(seconds * 1000 + 7) if in_text else seconds * 1000 + 7,
    )


def named_message(choose: Choices, channel: str, number: int) -> str:
    if channel == "email":
        name = sendgrid_id(number)
        return choose.of(
            name, f"{name}.recvd-1-2.0", f"<{name}@geopod-ismtpd-9>", f"<{name}@ismtpd0006p1.sendgrid.net>"
        )
    sid = twilio_sid("twilio_messages" if channel == "sms" else "twilio_calls", number % 6)
    return choose.of(sid, f" {sid} ")


def dispatch_poison(choose: Choices, season: Sequence[datetime], in_text: bool) -> dict:
    record = dispatch_record(choose, season, in_text)
    wrong = choose.of(
        {"status": "delivered"},
        {"status": None},
        {"channel": "fax"},
        {"dispatch_id": None},
        {"dispatch_id": " "},
        {"occurred_at": "2026-03-02T10:15:00"},
        {"occurred_at": "soon"},
        {"occurred_at": None},
        {"occurred_at": "1999-12-31T23:59:59Z"},
        {"channel": "sms", "recipient": "nobody", "dispatch_id": "d1"},
    )
    return record | wrong


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
