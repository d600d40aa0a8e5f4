"""What the reports must show, from what really happened: DESIGN section 7 in plain Python.

No SQL, no increments, nothing shared with `etl`: slow and obvious on purpose. The simulator's world and the tests'
model of the feeds both end in `Happening`s, and this module turns them into the cells of every report.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from simulator.outcome import NONE, UNANSWERED, Happening, Message, first, greatest, latest, make_messages

__all__ = ["Cells", "Happening", "report_rows"]

Cells = dict[tuple, dict[str, object]]
"""One report: grain (in the order of section 7) to measures by column name."""

Day = Callable[[datetime], date]
"""The local day of an instant."""

SIX_PLACES = Decimal("0.000001")


class Table:
    """Adds up the cells of one report."""

    def __init__(self, *measures: str) -> None:
        self.measures = measures
        self.cells: Cells = {}

    def add(self, grain: tuple, measure: str, amount: int | Decimal = 1) -> None:
        row = self.cells.setdefault(grain, dict.fromkeys(self.measures, 0))
        row[measure] += amount

    def rows(self) -> Cells:
        """Rows whose measures are all zero do not exist."""
        return {grain: row for grain, row in self.cells.items() if any(row.values())}


def report_rows(happenings: Iterable[Happening], zone: str) -> dict[str, Cells]:
    """What every report must show.

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
        "email_campaign": email_campaign(messages, day),
        "sms_activity_daily": sms_activity_daily(messages, day),
        "ivr_activity_daily": ivr_activity_daily(messages, day),
        "message_cost_daily": message_cost_daily(messages, day),
        "communication_activity_daily": communication_activity_daily(messages, day),
    }


def sent(messages: Iterable[Message], channel: str) -> list[Message]:
    return [m for m in messages if m.channel == channel and m.sent_at]


def email_engagement_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table(
        "open_count",
        "machine_open_count",
        "unique_open_count",
        "unique_human_open_count",
        "click_count",
        "machine_click_count",
        "unique_click_count",
        "unsubscribe_count",
    )
    for message in sent(messages, "email"):
        for leg in message.legs:
            dimensions = (message.account, leg.provider, message.campaign, message.mailbox_provider)
            opens, clicks = leg.of("opened"), leg.of("clicked")
            for e in opens:
                table.add((day(e.at), *dimensions), "open_count")
                table.add((day(e.at), *dimensions), "machine_open_count", 1 if e.is_machine else 0)
            for e in clicks:
                table.add((day(e.at), *dimensions), "click_count")
                table.add((day(e.at), *dimensions), "machine_click_count", 1 if e.is_machine else 0)
            for e in leg.of("unsubscribed"):
                table.add((day(e.at), *dimensions), "unsubscribe_count")
            human_opens = [e for e in opens if not e.is_machine]
            for measure, events in (
                ("unique_open_count", opens),
                ("unique_human_open_count", human_opens),
                ("unique_click_count", clicks),
            ):
                if events:
                    table.add((day(first(events)), *dimensions), measure)
    return table.rows()


DELIVERABILITY_CLASS = {
    "hard_bounce": "hard_bounce_count",
    "soft_bounce": "soft_bounce_count",
    "blocked": "blocked_count",
    "invalid": "invalid_count",
    "gateway_suppressed": "gateway_suppressed_count",
}


def email_deliverability_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table(
        "processed_count",
        "deferred_count",
        "delivered_count",
        "spam_report_count",
        "hard_bounce_count",
        "soft_bounce_count",
        "bounced_count",
        "blocked_count",
        "invalid_count",
        "gateway_suppressed_count",
        "unclassified_count",
        "dropped_count",
    )
    for message in sent(messages, "email"):
        for leg in message.legs:
            dimensions = (message.account, leg.provider, message.campaign, message.mailbox_provider)
            for measure, event_type in (
                ("processed_count", "processed"),
                ("deferred_count", "deferred"),
                ("delivered_count", "delivered"),
                ("spam_report_count", "spam_reported"),
                ("dropped_count", "dropped"),
            ):
                if leg.of(event_type):
                    table.add((day(first(leg.of(event_type))), *dimensions), measure)
            failures = leg.of("bounced", "dropped")
            if failures:
                failure = latest(failures)
                measure = DELIVERABILITY_CLASS.get(failure.failure_class, "unclassified_count")
                table.add((day(failure.at), *dimensions), measure)
                if measure in ("hard_bounce_count", "soft_bounce_count"):
                    table.add((day(failure.at), *dimensions), "bounced_count")
    return table.rows()


def email_campaign(messages: Iterable[Message], day: Day) -> Cells:
    table = Table(
        "sent",
        "delivered",
        "bounced_hard",
        "bounced_soft",
        "blocked",
        "invalid",
        "not_delivered",
        "in_gateway",
        "opened",
        "opened_human",
        "clicked",
        "clicked_human",
        "spam_reported",
        "unsubscribed",
    )
    for message in sent(messages, "email"):
        grain = (
            day(message.sent_at),
            message.account,
            message.provider,
            message.campaign,
            message.template,
            message.mailbox_provider,
        )
        table.add(grain, "sent")
        if message.state == "bounced":
            failure_class = message.deciding_failure.failure_class
            is_hard = failure_class in ("invalid", "hard_bounce")
            table.add(grain, "bounced_hard" if is_hard else "bounced_soft")
            if failure_class in ("blocked", "invalid"):
                table.add(grain, failure_class)
        else:
            table.add(grain, message.state)
        table.add(grain, "opened", int(message.is_opened))
        table.add(grain, "opened_human", int(message.is_opened_human))
        table.add(grain, "clicked", int(message.is_clicked))
        table.add(grain, "clicked_human", int(message.is_clicked_human))
        table.add(grain, "spam_reported", int(message.has("spam_reported")))
        table.add(grain, "unsubscribed", int(message.has("unsubscribed")))
    rows = table.rows()
    for row in rows.values():
        row["delivery_rate"] = rate(row["delivered"], row["sent"])
        row["bounce_rate"] = rate(row["bounced_hard"] + row["bounced_soft"], row["sent"])
        row["open_rate"] = rate(row["opened"], row["delivered"])
        row["click_rate"] = rate(row["clicked"], row["delivered"])
        row["spam_rate"] = rate(row["spam_reported"], row["delivered"])
        row["unsubscribe_rate"] = rate(row["unsubscribed"], row["delivered"])
        row["click_to_open_rate"] = rate(row["clicked"], row["opened"])
    return rows


def rate(count: int, of: int) -> Decimal | None:
    """Six places, rounded half away from zero; none of nothing."""
    return (Decimal(count) / Decimal(of)).quantize(SIX_PLACES, ROUND_HALF_UP) if of else None


def sms_activity_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("sent", "delivered", "undelivered", "in_gateway", "segments")
    for message in sent(messages, "sms"):
        grain = (day(message.sent_at), message.account, message.provider, message.campaign, message.country)
        table.add(grain, "sent")
        is_undelivered = message.state in ("bounced", "not_delivered")
        table.add(grain, "undelivered" if is_undelivered else message.state)
        table.add(grain, "segments", message.sum_of_legs("segments"))
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
    for message in sent(messages, "ivr"):
        grain = (day(message.sent_at), message.account, message.provider, message.campaign, message.country)
        table.add(grain, "sent")
        table.add(grain, "duration_seconds", message.sum_of_legs("duration_seconds"))
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
            price = greatest(leg, "price")
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
    """The words that people know an event by; they overlap."""
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
        told: dict[str, datetime] = {}
        for e in message.events:
            for word in words_of(e):
                told[word] = min(told.get(word, e.at), e.at)
        for word, at in told.items():
            table.add((day(at), message.account, message.channel, word), "message_count")
    return table.rows()
