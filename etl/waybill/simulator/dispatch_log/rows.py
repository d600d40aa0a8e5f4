"""The rows of the dispatch log, as the campaign system writes them (docs/model.md)."""

from datetime import datetime, timedelta

from waybill.model.vocabulary import DISPATCH, NOT_SENT_CATEGORY
from waybill.simulator.message import Fate, Message
from waybill.simulator.records import NO_KEY, WrittenRecord, leg_key
from waybill.simulator.truth.reports import Happening

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
EMAIL_GATEWAYS = ("sendgrid", "brevo", "mailgun", "postmark", "ses", "sparkpost")
"""One of their ids can cover several recipients."""

KNOWN_GATEWAYS = (*EMAIL_GATEWAYS, "twilio")
UNKNOWN_GATEWAY = "homing_pigeon"
"""A gateway without a feed."""

UNKNOWN_REASONS = ("moon_phase", None)
"""Reasons that are not in the vocabulary: they count as other, unclassified."""

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
    """Returns the fates of messages that no gateway reports."""
    reasons = [reason for reason in NOT_SENT_CATEGORY if reason not in _NOT_FOR[channel]]
    return {
        **{f"not_sent:{reason}": Fate(0.35, needs_log=True) for reason in reasons},
        **{f"not_sent:{reason}": Fate(0.2, needs_log=True) for reason in UNKNOWN_REASONS},
        "not_sent_twice": Fate(0.3, needs_log=True),
        "queued": Fate(1.2, needs_log=True),
        "about_to_be_sent": Fate(1.0, needs_log=True),
        "handed_over_in_silence": Fate(1.0, needs_log=True),
    }


def rows_without_gateway(message: Message) -> list[WrittenRecord]:
    """Returns the rows of a message with one of these fates."""
    fate, _, reason = message.fate_name.partition(":")
    records = _before_hand_over(message, always_queued=fate == "queued")
    if fate == "about_to_be_sent":
        records.append(row(message, message.later(message.starts, -30, 30), "about_to_be_sent"))
    elif fate == "handed_over_in_silence":
        gateway = "sendgrid" if message.channel == "email" else "twilio"
        records.append(row(message, message.later(message.starts, 0, 9), "handed_over", gateway=gateway))
    elif fate == "not_sent":
        word = None if reason == "None" else reason
        records.append(row(message, message.later(message.starts, 0, 90), "not_sent", reason=word))
    elif fate == "not_sent_twice":
        records.append(row(message, message.later(message.starts, 0, 90), "not_sent", reason="system_timeout"))
        records.append(row(message, message.later(message.starts, 3600, 9000), "not_sent", reason="frequency_capped"))
    return records


def hand_over_rows(message: Message, gateway: str, written_id: str, leg: tuple[str, ...]) -> list[WrittenRecord]:
    """Returns the rows of a message up to `message.starts`, when a gateway accepts it."""
    if not message.campaign.is_logged:
        return []
    records = _before_hand_over(message)
    at = message.later(message.starts, -4, -1)
    if message.link in ("argument", "no_id"):
        records.append(row(message, at, "handed_over", gateway=gateway))
    elif message.link == "late_id":
        records.append(row(message, at, "handed_over", gateway=gateway))
        again = row(message, message.later(at, 1, 2), "handed_over", gateway=gateway, written_id=written_id, leg=leg)
        lateness = timedelta(hours=message.random.uniform(5, 60))
        records.append(again._replace(arrives=again.arrives + lateness))
    else:
        records.append(row(message, at, "handed_over", gateway=gateway, written_id=written_id, leg=leg))
    return records


def _before_hand_over(message: Message, always_queued: bool = False) -> list[WrittenRecord]:
    records = []
    if always_queued or message.random.random() < 0.3:
        records.append(row(message, message.later(message.starts, -600, -200), "queued"))
    if message.fate_name not in ("queued", "about_to_be_sent") and message.random.random() < 0.2:
        records.append(row(message, message.later(message.starts, -190, -40), "about_to_be_sent"))
    return records


def row(
    message: Message,
    at: datetime,
    status: str,
    *,
    gateway: str | None = None,
    written_id: str | None = None,
    leg: tuple[str, ...] | None = None,
    reason: str | None = None,
) -> WrittenRecord:
    """Returns one row with its event.

    :param leg: the gateway leg that `written_id` names
    """
    random = message.random
    shown = recipient = None
    if reason not in _WITHOUT_RECIPIENT and message.link != "no_recipient":
        shown = _as_written(message, reason)
        recipient = _normalised(message.channel, shown)
    own_leg = (message.channel, str(message.dispatch_id), *((recipient,) if recipient else ()))
    names_leg = None
    if gateway in KNOWN_GATEWAYS and leg is not None and (gateway not in EMAIL_GATEWAYS or shown is not None):
        names_leg = (gateway, *leg)
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
        names_leg=names_leg,
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
    fields: dict[str, object] = dict(zip(COLUMNS, values, strict=True))
    return WrittenRecord(message.account, FEED, at + timedelta(seconds=lateness), fields, ((name, happening),))


def _counted_as(reason: str | None) -> str:
    return reason if reason in NOT_SENT_CATEGORY else "unclassified"


def _as_written(message: Message, reason: str | None) -> str:
    """Returns the recipient as a campaign system writes it: not always normalised."""
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
