"""The sightings of a record of each feed: copied columns and identities. Classes are derived later."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

from tests.reference.sighting import (
    IgnoredError,
    RejectedError,
    Sighting,
    as_text,
    hide_id,
    hide_label,
    hide_recipient,
    instant,
    milliseconds,
    normalise_email,
    normalise_phone,
    plausible,
    replace_recipient,
)
from waybill.model.identity import Keyring
from waybill.model.vocabulary import CHANNELS

DISPATCH_LOG_RANK, CUSTOM_RANK, PROVIDER_RANK, CATEGORY_RANK = 1, 2, 3, 4
DISPATCH_STATUSES = ("queued", "about_to_be_sent", "handed_over", "not_sent")
ONLY_PROCESSED = {
    "twilio_messages": ("accepted", "queued", "scheduled", "sending"),
    "twilio_calls": ("queued",),
}
CALL_ENDED = ("completed", "busy", "no-answer", "failed", "canceled")
SENDGRID_OWN = {
    "type": ("bounce",),
    "bounce_classification": ("bounce",),
    "status": ("bounce",),
    "reason": ("bounce", "dropped", "cancel_drop"),
    "response": ("deferred", "delivered"),
    "url": ("click", "group_unsubscribe", "group_resubscribe"),
    "useragent": ("open", "click", "group_unsubscribe", "group_resubscribe"),
}
"""SendGrid's fields by word; for other words a field of that name is the customer's."""
INBOUND = ("inbound", "trunking-originating")


def text_of(record: dict, name: str) -> str | None:
    value = record.get(name)
    return value if isinstance(value, str) and value else None


def first_ranked(*choices: tuple[int, str | None]) -> tuple[int, str] | None:
    return next((choice for choice in choices if choice[1]), None)


def split_smtp_id(written: str) -> tuple[str, str]:
    """Return SendGrid's id and the sender's id of an `smtp-id`, of which one is empty. The host decides."""
    whole = written.strip().strip("<>").strip()
    local, _, host = whole.rpartition("@")
    if re.match(r"(ismtpd|geopod)|(.*\.)?sendgrid\.net$", host) and "@" in whole:
        return local, ""
    return "", whole


def sendgrid_message_id(sg_message_id: str, smtp_id: str) -> str:
    """Return `sg_message_id` up to `.filter` or `.recvd`; if it is missing or names a filter, the id in `smtp-id`."""
    written = sg_message_id.strip()
    in_smtp_id, _ = split_smtp_id(smtp_id)
    if not written or written.startswith("filter"):
        return in_smtp_id or written
    for end in (".filter", ".recvd"):
        written = written.split(end)[0]
    return written


def named_message_id(written: str) -> str:
    """Return the id of a dispatch row, which may have either form."""
    return sendgrid_message_id("", written) if "@" in written else sendgrid_message_id(written, "")


def sendgrid_events(keyring: Keyring, account: str, record: dict, landed_at: datetime) -> list[Sighting]:
    word = (text_of(record, "event") or "").strip()
    if not word:
        raise RejectedError("event_word")
    record = {name: value for name, value in record.items() if name not in SENDGRID_OWN or word in SENDGRID_OWN[name]}
    timestamp = record.get("timestamp")
    if isinstance(timestamp, bool) or not isinstance(timestamp, int):
        raise RejectedError("time")
    at = instant(timestamp, landed_at).replace(microsecond=0)
    written = text_of(record, "email")
    if written is None or not written.strip():
        raise RejectedError("address")
    address = normalise_email(written)
    recipient_key = keyring.recipient_key(account, address)

    def hidden(text: str | None) -> str | None:
        return hide_recipient(text, written, address, recipient_key) or None

    def named(text: str | None) -> str | None:
        return hide_label(keyring, account, text, written, address)

    written_id = text_of(record, "sg_message_id")
    smtp_id = text_of(record, "smtp-id")
    message_id = sendgrid_message_id(written_id or "", smtp_id or "")
    _, own_id = split_smtp_id(smtp_id or "")
    own_leg = ("own", own_id, recipient_key.hex()) if own_id else None
    named_by = message_id or (hidden(f"<{own_id}>") if own_id else "")
    identity = [named_by, recipient_key.hex(), word, str(milliseconds(at) // 1000)]
    if word in ("open", "click"):
        identity += [hidden(text_of(record, "ip")) or "", hidden(text_of(record, "useragent")) or ""]
    if word == "click":
        offset = record.get("url_offset")
        compact = json.dumps(offset, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        identity += [hidden(text_of(record, "url")) or "", "" if offset is None else compact]
    if word.startswith("group_"):
        identity.append(as_text(record.get("asm_group_id")) or "")

    categories = record.get("category")
    categories = categories if isinstance(categories, list) else [categories]
    campaign = first_ranked(
        (CUSTOM_RANK, named(as_text(record.get("campaign_id")))),
        (PROVIDER_RANK, named(as_text(record.get("singlesend_id")))),
        (PROVIDER_RANK, named(as_text(record.get("marketing_campaign_id")))),
        *((CATEGORY_RANK, named(as_text(category))) for category in categories),
    )
    template = first_ranked(
        (CUSTOM_RANK, named(as_text(record.get("template_id")))),
        (PROVIDER_RANK, named(as_text(record.get("sg_template_id")))),
    )
    flag = record.get("sg_machine_open")
    type_and_classification = [text_of(record, "type"), text_of(record, "bounce_classification")]
    leg = (message_id, recipient_key.hex()) if message_id else own_leg
    return [
        Sighting(
            key=keyring.event_key(milliseconds(at), account, "sendgrid", identity),
            at=at,
            account=account,
            channel="email",
            provider="sendgrid",
            feed="sendgrid_events",
            word=word,
            leg=leg,
            leg_key=keyring.leg_key(account, "sendgrid", leg) if leg else None,
            own_leg_key=keyring.leg_key(account, "sendgrid", own_leg) if own_leg else None,
            dispatch_id=hide_id(keyring, account, as_text(record.get("dispatch_id"))),
            campaign=campaign,
            template=template,
            recipient=(recipient_key, address),
            code="/".join(part or "" for part in type_and_classification) if any(type_and_classification) else None,
            status_code=text_of(record, "status"),
            reason=text_of(record, "reason") or text_of(record, "response"),
            url=replace_recipient(text_of(record, "url"), written, address, "<recipient>") or None,
            is_machine=flag if isinstance(flag, bool) and word in ("open", "click") else None,
            user_agent=text_of(record, "useragent"),
        )
    ]


def twilio_time(record: dict, name: str, landed_at: datetime) -> datetime | None:
    """Return a time in RFC 2822 with a zone; null and empty are absent."""
    value = record.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RejectedError("time")
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        raise RejectedError("time") from None
    return plausible(at, landed_at)


def whole_number(value: object) -> int | None:
    text = as_text(value)
    return int(text) if text and text.isdigit() else None


def money(value: object) -> Decimal | None:
    """Return the price with the opposite sign of Twilio's: a cost is positive."""
    text = as_text(value)
    try:
        return -Decimal(text) if text else None
    except InvalidOperation:
        return None


def twilio_row(keyring: Keyring, account: str, feed: str, record: dict, landed_at: datetime) -> list[Sighting]:
    """Return `processed` at the creation of a row, and its own status if that differs."""
    sid, status = text_of(record, "sid"), text_of(record, "status")
    if record.get("direction") in INBOUND or status in ("receiving", "received") or record.get("parent_call_sid"):
        raise IgnoredError
    if sid is None or status is None:
        raise RejectedError("sid" if sid is None else "status")
    created_at = twilio_time(record, "date_created", landed_at)
    if created_at is None:
        raise RejectedError("time")
    written = text_of(record, "to")
    number = normalise_phone(written) if written and any(c.isdigit() for c in written) else None
    processed = Sighting(
        key=keyring.event_key(milliseconds(created_at), account, "twilio", (sid, "processed")),
        at=created_at,
        account=account,
        channel="sms" if feed == "twilio_messages" else "ivr",
        provider="twilio",
        feed=feed,
        word="processed",
        leg=(sid,),
        leg_key=keyring.leg_key(account, "twilio", (sid,)),
        recipient=(keyring.recipient_key(account, number), number) if number else None,
    )
    paid = {
        "price": money(record.get("price")),
        "currency": (text_of(record, "price_unit") or "").strip().upper() or None,
        "segments": whole_number(record.get("num_segments")),
        "duration_seconds": whole_number(record.get("duration")),
    }
    if status in ONLY_PROCESSED[feed]:
        return [replace(processed, **paid)]
    own_at = None
    if feed == "twilio_messages" and status == "sent":
        own_at = twilio_time(record, "date_sent", landed_at)
    if feed == "twilio_calls" and status in ("ringing", "in-progress"):
        own_at = twilio_time(record, "start_time", landed_at)
    if feed == "twilio_calls" and status in CALL_ENDED:
        own_at = twilio_time(record, "end_time", landed_at)
    own_at = own_at or twilio_time(record, "date_updated", landed_at)
    if own_at is None:
        raise RejectedError("time")
    own = replace(
        processed,
        key=keyring.event_key(milliseconds(created_at), account, "twilio", (sid, status)),
        at=own_at,
        word=status,
        code=as_text(record.get("error_code")),
        answered_by=text_of(record, "answered_by"),
        **paid,
    )
    return [processed, own]


def twilio_messages(keyring: Keyring, account: str, record: dict, landed_at: datetime) -> list[Sighting]:
    return twilio_row(keyring, account, "twilio_messages", record, landed_at)


def twilio_calls(keyring: Keyring, account: str, record: dict, landed_at: datetime) -> list[Sighting]:
    return twilio_row(keyring, account, "twilio_calls", record, landed_at)


def occurred_at_of(value: object, landed_at: datetime) -> datetime:
    """Return a time in ISO 8601 with a zone, or in epoch seconds or milliseconds (digits in a text file)."""
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return instant(value, landed_at)
    try:
        return plausible(datetime.fromisoformat(value.strip()), landed_at)
    except (ValueError, AttributeError):
        raise RejectedError("time") from None


def dispatch_log(keyring: Keyring, account: str, record: dict, landed_at: datetime) -> list[Sighting]:
    account = as_text(record.get("account")) or account
    status, channel = as_text(record.get("status")), as_text(record.get("channel"))
    if status not in DISPATCH_STATUSES:
        raise RejectedError("status")
    if channel not in CHANNELS:
        raise RejectedError("channel")
    at = occurred_at_of(record.get("occurred_at"), landed_at)
    written = as_text(record.get("recipient"))
    recipient = None
    if written and channel == "email":
        recipient = normalise_email(written)
    elif written:
        if not any(c.isdigit() for c in written):
            raise RejectedError("address")
        recipient = normalise_phone(written)
    recipient_key = keyring.recipient_key(account, recipient) if recipient else None

    def named(text: str | None) -> str | None:
        return hide_id(keyring, account, text)

    dispatch_id = named(as_text(record.get("dispatch_id")))
    if dispatch_id is None:
        raise RejectedError("dispatch_id")
    gateway = as_text(record.get("provider"))
    message_id = as_text(record.get("provider_message_id"))
    if message_id and gateway == "sendgrid":
        message_id = named_message_id(message_id) or None
    occurred_text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    whom = (recipient_key.hex(),) if recipient_key else ()
    identity = (channel, dispatch_id, *(whom or ("",)), status, occurred_text, gateway or "", message_id or "")
    leg = (channel, dispatch_id, *whom)
    campaign_id, template_id = named(as_text(record.get("campaign_id"))), named(as_text(record.get("template_id")))
    return [
        Sighting(
            key=keyring.event_key(milliseconds(at), account, "dispatch", identity),
            at=at,
            account=account,
            channel=channel,
            provider="dispatch",
            feed="dispatch_log",
            word=status,
            leg=leg,
            leg_key=keyring.leg_key(account, "dispatch", leg),
            gateway=gateway,
            names_message=message_id,
            dispatch_id=dispatch_id,
            campaign=(DISPATCH_LOG_RANK, campaign_id) if campaign_id else None,
            template=(DISPATCH_LOG_RANK, template_id) if template_id else None,
            recipient=(recipient_key, recipient) if recipient else None,
            not_sent_reason=as_text(record.get("reason")) if status == "not_sent" else None,
        )
    ]


FEEDS: dict[str, Callable[[Keyring, str, dict, datetime], list[Sighting]]] = {
    "sendgrid_events": sendgrid_events,
    "twilio_messages": twilio_messages,
    "twilio_calls": twilio_calls,
    "dispatch_log": dispatch_log,
}
