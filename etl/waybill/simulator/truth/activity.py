"""The rows that the detail views must show: docs/model.md in plain Python, slow and simple on purpose.

The truth does not know keys, recipients, status codes and texts of providers, so these are left out.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from waybill.simulator.truth.outcome import (
    BOUNCE_CLASSES,
    DISPATCH,
    FAILURES,
    UNANSWERED,
    Happening,
    Message,
    first,
    greatest,
    latest,
    make_messages,
)
from waybill.simulator.truth.reports import words_of

STALE_AFTER = timedelta(hours=72)

Row = dict[str, object]
"""One message: column to value; `words` sorted; `why`, (kind, word) of the text in reason_in_words; `timeline`, (time,
event_type) of each event, sorted."""

_OF_EVERY_CHANNEL = (
    "account",
    "dispatch_id",
    "campaign_id",
    "template_id",
    "provider",
    "provider_message_id",
    "state",
    "words",
    "progress",
    "first_event_at",
    "sent_at",
    "sent_day",
    "processed_at",
    "is_delivered_then_bounced",
    "is_stale",
    "failure_class",
    "failure_reason",
    "not_sent_category",
    "not_sent_reason",
    "why",
    "provider_code",
    "timeline",
)
COLUMNS = {
    "email": (
        *_OF_EVERY_CHANNEL,
        "mailbox_provider",
        "deferred_at",
        "delivered_at",
        "opened_at",
        "human_opened_at",
        "clicked_at",
        "human_clicked_at",
        "spam_reported_at",
        "dropped_at",
        "bounced_at",
        "blocked_at",
        "invalid_at",
        "is_opened",
        "is_opened_human",
        "is_clicked",
        "is_clicked_human",
        "is_spam_reported",
        "is_unsubscribed",
    ),
    "sms": (
        *_OF_EVERY_CHANNEL,
        "country",
        "delivered_at",
        "opened_at",
        "dropped_at",
        "undelivered_at",
        "is_opened",
        "is_unsubscribed",
        "segments",
        "cost",
        "currency",
    ),
    "ivr": (
        *_OF_EVERY_CHANNEL,
        "country",
        "completed_at",
        "no_answer_at",
        "failed_at",
        "unanswered_type",
        "answered_by",
        "duration_seconds",
        "cost",
        "currency",
    ),
}
"""Channel to the columns of a row."""
VIEWS = {
    "email_activity": ("email", None),
    "bounced_email": ("email", "Bounced"),
    "blocked_email": ("email", "Blocked"),
    "invalid_email": ("email", "Invalid"),
    "spam_email": ("email", "Spam"),
    "sms_activity": ("sms", None),
    "ivr_activity": ("ivr", None),
}
"""View to the channel of its messages, and to the word that all of them have."""


def detail_rows(happenings: Iterable[Happening], zone: str, as_of: datetime | None) -> dict[str, list[Row]]:
    """Returns what every detail view must show, in no order.

    :param zone: name of the report time zone
    :param as_of: of the last published build; None: nothing was built yet
    """
    messages = [(message, activity(message, ZoneInfo(zone), as_of)) for message in make_messages(happenings)]
    return {
        view: [
            {column: row[column] for column in COLUMNS[channel]}
            for message, row in messages
            if message.channel == channel and (word is None or word in words_of_message(message))
        ]
        for view, (channel, word) in VIEWS.items()
    }


def activity(message: Message, zone: ZoneInfo, as_of: datetime | None) -> Row:
    """Returns every column of one message, for all channels."""
    state, failure = message.state, failure_of(message)
    not_sent = latest(message.of("suppressed")) if state == "not_sent" else None
    bounced = message.of("bounced")
    row: Row = {
        "account": message.account,
        "dispatch_id": message.dispatch_id,
        "campaign_id": message.campaign,
        "template_id": message.template,
        "provider": message.provider,
        "provider_message_id": provider_message_id(message),
        "mailbox_provider": message.mailbox_provider,
        "country": message.country,
        "state": state,
        "words": words_of_message(message),
        "progress": progress(message),
        "first_event_at": first(message.events),
        "sent_at": message.sent_at,
        "sent_day": message.sent_at and message.sent_at.astimezone(zone).date(),
        "bounced_at": first(e for e in bounced if e.failure_class != "invalid"),
        "blocked_at": first(e for e in bounced if e.failure_class == "blocked"),
        "invalid_at": first(e for e in message.of("bounced", "dropped") if e.failure_class == "invalid"),
        "no_answer_at": first(message.of("no_answer", "busy")),
        "failed_at": first(message.of("failed", "canceled")),
        "human_opened_at": first(e for e in message.of("opened") if not e.is_machine),
        "human_clicked_at": first(e for e in message.of("clicked") if not e.is_machine),
        "is_opened": message.is_opened,
        "is_opened_human": message.is_opened_human,
        "is_clicked": message.is_clicked,
        "is_clicked_human": message.is_clicked_human,
        "is_spam_reported": message.has("spam_reported"),
        "is_unsubscribed": message.has("unsubscribed"),
        "is_delivered_then_bounced": message.is_delivered_then_bounced,
        "is_stale": bool(
            state == "in_gateway" and as_of and message.sent_at and as_of - message.sent_at >= STALE_AFTER
        ),
        "failure_class": failure and failure.failure_class,
        "failure_reason": failure and failure.failure_reason,
        "provider_code": failure and failure.provider_code,
        "not_sent_category": not_sent and not_sent.not_sent_category,
        "not_sent_reason": not_sent_reason(message),
        "why": why(message),
        "timeline": sorted((e.at, e.event_type) for leg in message.legs for e in leg.events),
        "unanswered_type": unanswered_type(message),
        "answered_by": latest(message.of("completed")).answered_by if message.has("completed") else None,
        "segments": sum_if_known(message, lambda e: e.segments),
        "duration_seconds": sum_if_known(message, lambda e: e.duration_seconds),
    }
    for event_type in (
        "processed",
        "deferred",
        "delivered",
        "opened",
        "clicked",
        "spam_reported",
        "dropped",
        "undelivered",
        "completed",
    ):
        row[f"{event_type}_at"] = first(message.of(event_type))
    row["cost"], row["currency"] = cost(message)
    return row


def is_stale(message: Message, as_of: datetime | None) -> bool:
    if message.state != "in_gateway" or message.sent_at is None or as_of is None:
        return False
    return as_of - message.sent_at >= STALE_AFTER


def words_of_message(message: Message) -> list[str]:
    return sorted({word for e in message.events for word in words_of(e)})


def failure_of(message: Message) -> Happening | None:
    """Returns the latest failure with a class of a bounce; without one, the latest failure."""
    failures = message.of(*FAILURES)
    bounces = [e for e in failures if e.failure_class in BOUNCE_CLASSES]
    return latest(bounces or failures) if failures else None


def provider_message_id(message: Message) -> str | None:
    gateway_legs = [leg for leg in message.deciding_legs if leg.provider != DISPATCH and not leg.has_own_id_alone]
    return max(gateway_legs, key=lambda leg: leg.first).name[0] if gateway_legs else None


def progress(message: Message) -> str | None:
    if message.state != "in_progress":
        return None
    return "about_to_be_sent" if message.has("scheduled") else "queued"


def not_sent_reason(message: Message) -> str | None:
    """Returns the reason of the vocabulary; any other word is only in the timeline."""
    if message.state != "not_sent":
        return None
    suppressed = latest(message.of("suppressed"))
    return "unclassified" if suppressed.not_sent_category == "other" else suppressed.not_sent_reason


def unanswered_type(message: Message) -> str | None:
    if message.state not in ("bounced", "not_delivered") or not message.has(*UNANSWERED):
        return None
    return latest(message.of(*UNANSWERED)).event_type


def why(message: Message) -> tuple[str, str | None]:
    """Returns (kind, word) of the text that explains the state."""
    unanswered = unanswered_type(message)
    if message.channel == "ivr" and unanswered in ("no_answer", "busy", "canceled"):
        return "unanswered", unanswered
    if message.state in ("bounced", "not_delivered"):
        failure = failure_of(message)
        return ("failure", failure.failure_reason) if failure else ("unanswered", unanswered)
    if message.state == "not_sent":
        return "not_sent", not_sent_reason(message)
    return "state", progress(message) or message.state


def sum_if_known(message: Message, column: Callable[[Happening], int | None]) -> int | None:
    found = [value for leg in message.deciding_legs if (value := greatest(map(column, leg.events))) is not None]
    return sum(found) if found else None


def cost(message: Message) -> tuple[Decimal | int | None, str | None]:
    """Returns price and currency, summed over legs; None if there is no price, or several currencies."""
    prices = [(leg, greatest(e.price for e in leg.events)) for leg in message.deciding_legs]
    priced = [(leg, price) for leg, price in prices if price is not None]
    currencies = {
        max((e.currency for e in leg.events if e.currency), key=str.encode, default=None) for leg, _ in priced
    }
    if len(currencies) != 1:
        return None, None
    return sum(price for _, price in priced), currencies.pop()
