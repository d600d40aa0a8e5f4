"""What live monitoring must show: docs/model.md in plain Python, slow and obvious on purpose."""

from collections.abc import Iterable

from waybill.simulator.truth.cells import Cells, Table
from waybill.simulator.truth.outcome import Message, latest


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
