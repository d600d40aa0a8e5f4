"""The dispatch log: what the campaign system decided, and how its files look (docs/model.md)."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pyarrow
import pyarrow.parquet

from waybill.model.vocabulary import DISPATCH, NOT_SENT_CATEGORY
from waybill.simulator.message import Fate, Message
from waybill.simulator.telling import NO_KEY, Told, leg_key
from waybill.simulator.truth import Happening

FEED = "dispatch_log"
COLUMNS = (
    "dispatch_id",
    "occurred_at",
    "channel",
    "status",
    "recipient",
    "campaign_id",
    "template_id",
    "reason",
    "account",
    "provider",
    "provider_message_id",
)
KNOWN_GATEWAYS = ("sendgrid", "twilio")
UNKNOWN_GATEWAY = "homing_pigeon"
"""A gateway that no feed tells of."""

UNKNOWN_REASONS = ("moon_phase", None)
"""Neither is a reason of the vocabulary: both count as other, unclassified."""

_NOT_FOR = {
    "email": ("mobile_missing", "mobile_invalid", "ndnc", "unclassified"),
    "sms": ("email_missing", "unclassified"),
    "ivr": ("email_missing", "unclassified"),
}
_WITHOUT_RECIPIENT = ("email_missing", "mobile_missing", "data_missing")
_EVENT_TYPES = {
    "queued": "queued",
    "about_to_be_sent": "scheduled",
    "handed_over": "handed_over",
    "not_sent": "suppressed",
}


def fates(channel: str) -> dict[str, Fate]:
    """Fates of messages that no gateway ever speaks of."""
    reasons = [reason for reason in NOT_SENT_CATEGORY if reason not in _NOT_FOR[channel]]
    return {
        **{f"not_sent:{reason}": Fate(0.35, needs_log=True) for reason in reasons},
        **{f"not_sent:{reason}": Fate(0.2, needs_log=True) for reason in UNKNOWN_REASONS},
        "not_sent_twice": Fate(0.3, needs_log=True),
        "queued": Fate(1.2, needs_log=True),
        "about_to_be_sent": Fate(1.0, needs_log=True),
        "handed_over_in_silence": Fate(1.0, needs_log=True),
    }


def tell_without_gateway(message: Message) -> list[Told]:
    """The rows of a message with one of these fates."""
    fate, _, reason = message.fate_name.partition(":")
    told = _before_hand_over(message, always_queued=fate == "queued")
    if fate == "about_to_be_sent":
        told.append(row(message, message.later(message.starts, -30, 30), "about_to_be_sent"))
    elif fate == "handed_over_in_silence":
        gateway = "sendgrid" if message.channel == "email" else "twilio"
        told.append(row(message, message.later(message.starts, 0, 9), "handed_over", gateway=gateway))
    elif fate == "not_sent":
        word = None if reason == "None" else reason
        told.append(row(message, message.later(message.starts, 0, 90), "not_sent", reason=word))
    elif fate == "not_sent_twice":
        told.append(row(message, message.later(message.starts, 0, 90), "not_sent", reason="system_timeout"))
        told.append(row(message, message.later(message.starts, 3600, 9000), "not_sent", reason="frequency_capped"))
    return told


def tell_hand_over(message: Message, gateway: str, written_id: str, leg: tuple[str, ...]) -> list[Told]:
    """The rows of a message that goes to a gateway, up to `message.starts`, when the gateway takes it."""
    if not message.campaign.is_logged:
        return []
    told = _before_hand_over(message)
    at = message.later(message.starts, -4, -1)
    if message.link in ("argument", "no_id"):
        told.append(row(message, at, "handed_over", gateway=gateway))
    elif message.link == "late_id":
        told.append(row(message, at, "handed_over", gateway=gateway))
        again = row(message, message.later(at, 1, 2), "handed_over", gateway=gateway, written_id=written_id, leg=leg)
        lateness = timedelta(hours=message.random.uniform(5, 60))
        told.append(again._replace(arrives=again.arrives + lateness))
    else:
        told.append(row(message, at, "handed_over", gateway=gateway, written_id=written_id, leg=leg))
    return told


def _before_hand_over(message: Message, always_queued: bool = False) -> list[Told]:
    told = []
    if always_queued or message.random.random() < 0.3:
        told.append(row(message, message.later(message.starts, -600, -200), "queued"))
    if message.fate_name not in ("queued", "about_to_be_sent") and message.random.random() < 0.2:
        told.append(row(message, message.later(message.starts, -190, -40), "about_to_be_sent"))
    return told


def row(
    message: Message,
    at: datetime,
    status: str,
    *,
    gateway: str | None = None,
    written_id: str | None = None,
    leg: tuple[str, ...] | None = None,
    reason: str | None = None,
) -> Told:
    """One row and what it tells.

    :param leg: the gateway leg that `written_id` stands for
    """
    random = message.random
    shown = recipient = None
    if reason not in _WITHOUT_RECIPIENT and message.link != "no_recipient":
        shown = _as_people_write(message, reason)
        recipient = _normalised(message.channel, shown)
    own_leg = (message.channel, str(message.dispatch_id), *((recipient,) if recipient else ()))
    is_named = gateway in KNOWN_GATEWAYS and leg is not None and (gateway != "sendgrid" or shown is not None)
    campaign_id = message.campaign.id if random.random() < 0.9 else None
    template_id = message.campaign.template if random.random() < 0.8 else None
    is_invalid_number = reason == "mobile_invalid"
    happening = Happening(
        key=NO_KEY,
        at=at,
        account=message.account,
        channel=message.channel,
        provider=DISPATCH,
        event_type=_EVENT_TYPES[status],
        leg=own_leg,
        leg_key=leg_key(message.account, DISPATCH, own_leg),
        recipient=recipient,
        names_leg=(gateway, *leg) if is_named else None,
        gateway=gateway,
        dispatch_id=message.dispatch_id,
        campaign=(1, campaign_id) if campaign_id else None,
        template=(1, template_id) if template_id else None,
        mailbox_provider=message.recipient.mailbox_provider if shown and message.channel == "email" else None,
        country=message.recipient.country if shown and message.channel != "email" and not is_invalid_number else None,
        not_sent_category=NOT_SENT_CATEGORY.get(reason or "", "other") if status == "not_sent" else None,
        not_sent_reason=_counted_as(reason) if status == "not_sent" else None,
    )
    lateness = random.uniform(3 * 3600, 70 * 3600) if random.random() < 0.06 else random.uniform(5, 600)
    values = (
        message.dispatch_id,
        at,
        message.channel,
        status,
        shown,
        campaign_id,
        template_id,
        reason,
        None,
        gateway,
        written_id,
    )
    name = (message.account, FEED, *own_leg, status, at.isoformat(), gateway or "", written_id or "")
    record = dict(zip(COLUMNS, values, strict=True))
    return Told(message.account, FEED, at + timedelta(seconds=lateness), record, ((name, happening),))


def _counted_as(reason: str | None) -> str:
    return reason if reason in NOT_SENT_CATEGORY else "unclassified"


def _as_people_write(message: Message, reason: str | None) -> str:
    """The recipient as a campaign system has it: not always in its normal form."""
    if reason == "mobile_invalid":
        return "+999555000123"
    way = message.random.random()
    if message.channel == "email":
        address = message.recipient.email
        return address.upper() if way < 0.06 else f" {address} " if way < 0.09 else address
    phone = message.recipient.phone
    return f"{phone[:3]} {phone[3:6]}-{phone[6:]}" if way < 0.1 else phone


def _normalised(channel: str, shown: str) -> str:
    if channel == "email":
        return shown.strip().lower()
    return "+" + "".join(character for character in shown if character.isdigit())


def as_csv(rows: Sequence[dict[str, object]], random: Random) -> bytes:
    """Rows as a CSV file with a header; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**one, "occurred_at": _time_as_text(one["occurred_at"], random)} for one in rows)
    return text.getvalue().encode()


def as_ndjson(rows: Sequence[dict[str, object] | str], random: Random) -> bytes:
    """Rows as lines of JSON, what is missing null or not there; a text stands for itself."""
    lines = []
    for one in rows:
        if isinstance(one, str):
            lines.append(one)
            continue
        timed = {**one, "occurred_at": _time_as_text(one["occurred_at"], random)}
        if random.random() < 0.5:
            timed = {name: value for name, value in timed.items() if value is not None}
        lines.append(json.dumps(timed))
    return ("\n".join(lines) + "\n").encode()


def as_parquet(rows: Sequence[dict[str, object]]) -> bytes:
    """Rows as a Parquet file: times are times, everything else text."""
    kinds = {"occurred_at": pyarrow.timestamp("us", tz="UTC")}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), buffer)
    return buffer.getvalue()


def _time_as_text(value: object, random: Random) -> object:
    """The same instant in one of the ways that RFC 3339 allows; a text stays as it is."""
    if not isinstance(value, datetime):
        return value
    way = random.randrange(10)
    if way < 6:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if way < 8:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+00:00")
    return value.astimezone(timezone(timedelta(hours=2 if way == 8 else -5, minutes=0))).isoformat()
