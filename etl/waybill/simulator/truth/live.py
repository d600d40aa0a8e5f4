"""What live monitoring and the totals must show: docs/model.md in plain Python, slow and obvious on purpose."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from waybill.simulator.truth.cells import Cells, Day, Grain, Table, rate
from waybill.simulator.truth.outcome import Message, first, latest


def live_monitoring(messages: Iterable[Message]) -> Cells:
    table = Table(
        "targeted",
        "sent",
        "delivered",
        "bounced_hard",
        "bounced_soft",
        "not_delivered",
        "in_gateway",
        "opened",
        "clicked",
        "marked_spam",
        "marked_unsubscribed",
        "not_sent",
        "not_sent_internally_suppressed",
        "not_sent_incomplete_or_invalid",
        "not_sent_system_error",
        "not_sent_other",
        "in_progress_queued",
        "in_progress_about_to_be_sent",
    )
    for message in messages:
        grain = (message.account, message.campaign, message.channel)
        table.add(grain, "targeted")
        table.add(grain, "sent", int(message.sent_at is not None))
        if message.state == "bounced" and (bounce := message.deciding_failure):
            is_hard = bounce.failure_class in ("invalid", "hard_bounce")
            table.add(grain, "bounced_hard" if is_hard else "bounced_soft")
        elif message.state == "in_progress":
            is_scheduled = message.has("scheduled")
            table.add(grain, "in_progress_about_to_be_sent" if is_scheduled else "in_progress_queued")
        else:
            table.add(grain, message.state)
        if message.state == "not_sent":
            table.add(grain, f"not_sent_{latest(message.of('suppressed')).not_sent_category}")
        table.add(grain, "opened", int(message.is_opened))
        table.add(grain, "clicked", int(message.is_clicked))
        table.add(grain, "marked_spam", int(message.has("spam_reported")))
        table.add(grain, "marked_unsubscribed", int(message.has("unsubscribed")))
    return table.rows()


def live_monitoring_reason(messages: Iterable[Message]) -> Cells:
    table = Table("message_count")
    for message in messages:
        if message.state == "not_sent":
            why = latest(message.of("suppressed"))
            dimensions = (message.account, message.campaign, message.channel)
            # an unknown reason stays in the event, and counts as unclassified
            reason = "unclassified" if why.not_sent_category == "other" else why.not_sent_reason
            table.add((*dimensions, why.not_sent_category, reason), "message_count")
    return table.rows()


def campaign_daily(messages: Iterable[Message], day: Day) -> dict[Grain, dict[str, int | Decimal]]:
    table = Table(*CAMPAIGN_MEASURES)
    for message in messages:
        at = message.sent_at or first(message.events)
        assert at is not None, "a message has an event"
        grain = (day(at), message.account, message.channel, message.campaign)
        table.add(grain, "targeted")
        table.add(grain, "sent", int(message.sent_at is not None))
        if message.state == "bounced" and (bounce := message.deciding_failure):
            is_hard = bounce.failure_class in ("invalid", "hard_bounce")
            table.add(grain, "bounced_hard" if is_hard else "bounced_soft")
        else:
            table.add(grain, message.state)
        if message.state == "not_sent":
            table.add(grain, f"not_sent_{latest(message.of('suppressed')).not_sent_category}")
        table.add(grain, "opened", int(message.is_opened))
        table.add(grain, "opened_human", int(message.is_opened_human))
        table.add(grain, "clicked", int(message.is_clicked))
        table.add(grain, "clicked_human", int(message.is_clicked_human))
        table.add(grain, "spam_reported", int(message.has("spam_reported")))
        table.add(grain, "unsubscribed", int(message.has("unsubscribed")))
    return table.rows()


CAMPAIGN_MEASURES = (
    "targeted",
    "sent",
    "delivered",
    "bounced_hard",
    "bounced_soft",
    "not_delivered",
    "in_gateway",
    "opened",
    "opened_human",
    "clicked",
    "clicked_human",
    "spam_reported",
    "unsubscribed",
    "not_sent",
    "not_sent_internally_suppressed",
    "not_sent_incomplete_or_invalid",
    "not_sent_system_error",
    "not_sent_other",
    "in_progress",
)


def account_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table(*CAMPAIGN_MEASURES)
    for (targeted_day, account, channel, _), row in campaign_daily(messages, day).items():
        for measure, count in row.items():
            table.add((targeted_day, account, channel), measure, count)
    return {grain: {**row, **total_rates(row)} for grain, row in table.rows().items()}


def campaign_summary(messages: Iterable[Message], day: Day) -> Cells:
    table = Table(*CAMPAIGN_MEASURES)
    days: dict[Grain, list[date]] = {}
    for (targeted_day, account, channel, campaign), row in campaign_daily(messages, day).items():
        assert isinstance(targeted_day, date)
        days.setdefault((account, campaign, channel), []).append(targeted_day)
        for measure, count in row.items():
            table.add((account, campaign, channel), measure, count)
    return {
        grain: {"first_day": min(days[grain]), "last_day": max(days[grain]), **row, **total_rates(row)}
        for grain, row in table.rows().items()
    }


def total_rates(row: Mapping[str, int | Decimal]) -> dict[str, Decimal | None]:
    """Returns the rates of sums."""
    return {
        "sent_rate": rate(row["sent"], row["targeted"]),
        "delivery_rate": rate(row["delivered"], row["sent"]),
        "bounce_rate": rate(row["bounced_hard"] + row["bounced_soft"], row["sent"]),
        "open_rate": rate(row["opened"], row["delivered"]),
        "click_rate": rate(row["clicked"], row["delivered"]),
        "spam_rate": rate(row["spam_reported"], row["delivered"]),
        "click_to_open_rate": rate(row["clicked"], row["opened"]),
    }
