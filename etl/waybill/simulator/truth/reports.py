"""The cells that every report must show, from the true events: docs/model.md in plain Python.

No SQL, no increments, no code of the product: slow and simple on purpose. The simulator's world and the reference model
of the tests both produce `Happening`s; this module turns them into the cells of every report.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from waybill.simulator.truth.cells import Cells, Day, Grain, Table, seconds, sent
from waybill.simulator.truth.email import (
    email_campaign,
    email_deliverability_daily,
    email_engagement_daily,
    email_failure_reason_daily,
    email_link,
)
from waybill.simulator.truth.live import (
    account_daily,
    campaign_daily,
    campaign_summary,
    live_monitoring,
    live_monitoring_reason,
)
from waybill.simulator.truth.outcome import (
    DISPATCH,
    NONE,
    UNANSWERED,
    Happening,
    Message,
    first,
    greatest,
    latest,
    make_messages,
)

__all__ = ["Cells", "Happening", "report_rows"]


def report_rows(happenings: Iterable[Happening], zone: str) -> dict[str, Cells]:
    """Returns what every report must show.

    :param zone: name of the report time zone
    :returns: report name to grain to measures by column name
    """
    messages = make_messages(happenings)
    local = ZoneInfo(zone)

    def day(at: datetime) -> date:
        return at.astimezone(local).date()

    return {
        "email_engagement_daily": email_engagement_daily(messages, day),
        "email_deliverability_daily": email_deliverability_daily(messages, day),
        "email_failure_reason_daily": email_failure_reason_daily(messages, day),
        "email_campaign": email_campaign(messages, day),
        "email_link": email_link(messages, day),
        "sms_activity_daily": sms_activity_daily(messages, day),
        "sms_failure_reason_daily": sms_failure_reason_daily(messages, day),
        "ivr_activity_daily": ivr_activity_daily(messages, day),
        "message_cost_daily": message_cost_daily(messages, day),
        "communication_activity_daily": communication_activity_daily(messages, day),
        "delivery_latency_daily": delivery_latency_daily(messages, day),
        "live_monitoring": live_monitoring(messages),
        "live_monitoring_reason": live_monitoring_reason(messages),
        "campaign_daily": campaign_daily(messages, day),
        "account_daily": account_daily(messages, day),
        "campaign_summary": campaign_summary(messages, day),
    }


def sms_activity_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("sent", "delivered", "undelivered", "in_gateway", "segments")
    for message, sent_at in sent(messages, "sms"):
        grain = (day(sent_at), message.account, message.provider, message.campaign, message.country)
        table.add(grain, "sent")
        is_undelivered = message.state in ("bounced", "not_delivered")
        table.add(grain, "undelivered" if is_undelivered else message.state)
        table.add(grain, "segments", message.sum_of_legs(lambda e: e.segments))
    return table.rows()


def sms_failure_reason_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("message_count")
    for message, sent_at in sent(messages, "sms"):
        if message.state in ("bounced", "not_delivered"):
            dimensions = (message.account, message.provider, message.campaign, message.country)
            failure = message.failure
            why: Grain = (NONE, NONE, NONE)
            if failure:
                why = (failure.failure_class, failure.failure_reason, failure.provider_code or NONE)
            table.add((day(sent_at), *dimensions, *why), "message_count")
    return table.rows()


def ivr_activity_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table(
        "sent",
        "completed",
        "no_answer",
        "failed",
        "in_gateway",
        "busy",
        "canceled",
        "human",
        "machine",
        "duration_seconds",
    )
    for message, sent_at in sent(messages, "ivr"):
        grain = (day(sent_at), message.account, message.provider, message.campaign, message.country)
        table.add(grain, "sent")
        table.add(grain, "duration_seconds", message.sum_of_legs(lambda e: e.duration_seconds))
        if message.state == "delivered":
            table.add(grain, "completed")
            answered_by = latest(message.of("completed")).answered_by or ""
            table.add(grain, "human", int(answered_by == "human"))
            table.add(grain, "machine", int(answered_by.startswith("machine") or answered_by == "fax"))
        elif message.state == "in_gateway":
            table.add(grain, "in_gateway")
        else:
            why = latest(message.of(*UNANSWERED)).event_type
            table.add(grain, "no_answer" if why in ("no_answer", "busy") else "failed")
            if why in ("busy", "canceled"):
                table.add(grain, why)
    return table.rows()


def message_cost_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("priced_leg_count", "cost")
    for message in messages:
        for leg in message.legs:
            price = greatest(e.price for e in leg.events)
            if price is None or not message.sent_at:
                continue
            currency = max((e.currency for e in leg.events if e.currency), key=str.encode, default=NONE)
            grain = (
                day(message.sent_at),
                message.account,
                message.channel,
                leg.provider,
                message.campaign,
                message.country,
                currency,
            )
            table.add(grain, "priced_leg_count")
            table.add(grain, "cost", price)
    return table.rows()


def words_of(e: Happening) -> list[str]:
    """Returns the words that people use for an event; they overlap."""
    if e.channel == "email":
        words = {
            "processed": ["Processed"],
            "delivered": ["Delivered"],
            "opened": ["Open"],
            "clicked": ["Click"],
            "spam_reported": ["Spam"],
            "dropped": ["Dropped"],
        }.get(e.event_type, [])
        if e.event_type == "bounced" and e.failure_class != "invalid":
            words = ["Bounced", "Blocked"] if e.failure_class == "blocked" else ["Bounced"]
        if e.event_type in ("bounced", "dropped") and e.failure_class == "invalid":
            words = [*words, "Invalid"]
        return words
    if e.channel == "sms":
        return {"delivered": ["Delivered"], "undelivered": ["Undelivered"], "dropped": ["Undelivered"]}.get(
            e.event_type, []
        )
    return {
        "completed": ["Completed"],
        "no_answer": ["No-Answer"],
        "busy": ["No-Answer"],
        "failed": ["Failed"],
        "canceled": ["Failed"],
    }.get(e.event_type, [])


def communication_activity_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("message_count")
    for message in messages:
        first_at: dict[str, datetime] = {}
        for e in message.events:
            for word in words_of(e):
                first_at[word] = min(first_at.get(word, e.at), e.at)
        for word, at in first_at.items():
            table.add((day(at), message.account, message.channel, word), "message_count")
    return table.rows()


def delivery_latency_daily(messages: Iterable[Message], day: Day) -> Cells:
    waits: dict[Grain, dict[str, list[Decimal]]] = {}
    for message in messages:
        began_at = first(e for leg in message.deciding_legs if leg.provider != DISPATCH for e in leg.events)
        delivered_at = first(message.of("delivered"))
        human_opened_at = first(e for e in message.of("opened") if not e.is_machine)
        for measure, at in (("delivery", delivered_at), ("human_open", human_opened_at)):
            if at and began_at and message.sent_at:
                grain = (
                    day(message.sent_at),
                    message.account,
                    message.channel,
                    message.provider,
                    message.mailbox_provider,
                )
                of_grain = waits.setdefault(grain, {"delivery": [], "human_open": []})
                of_grain[measure].append(seconds(at - began_at))
    return {
        grain: {name: cell for measure, found in of_grain.items() for name, cell in percentiles(measure, found).items()}
        for grain, of_grain in waits.items()
    }


def percentiles(measure: str, waits: list[Decimal]) -> dict[str, int | Decimal | None]:
    """Returns the number of waits, and the least wait that 50, 90 and 99 percent of them do not exceed."""
    cells: dict[str, int | Decimal | None] = {f"{measure}_count": len(waits)}
    for percent in (50, 90, 99):
        position = -(-len(waits) * percent // 100)
        cells[f"{measure}_p{percent}_seconds"] = sorted(waits)[position - 1] if waits else None
    return cells
