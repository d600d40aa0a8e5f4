"""The sections of the report pages: tables of sums, and charts of the tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from markupsafe import Markup
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.pages import charts
from waybill.pages.figures import MOST_ROWS, NOTHING, Measure, Row, Scope, Sums, Table, by_period, listed, sums

CHANNELS = {"email": "Email", "sms": "SMS", "ivr": "Calls"}

_TARGETED, _SENT, _DELIVERED = (Measure(word.title(), (word,)) for word in ("targeted", "sent", "delivered"))
_OPENED, _CLICKED = Measure("Opened", ("opened",)), Measure("Clicked", ("clicked",))
FUNNEL = (_TARGETED, _SENT, _DELIVERED, _OPENED, _CLICKED)
LOST = (
    Measure("Not sent: suppressed by the campaign system", ("not_sent_internally_suppressed",)),
    Measure("Not sent: incomplete or invalid", ("not_sent_incomplete_or_invalid",)),
    Measure("Not sent: system error", ("not_sent_system_error",)),
    Measure("Not sent: other", ("not_sent_other",)),
    Measure("Not sent yet", ("in_progress",)),
    Measure("Bounced for good", ("bounced_hard",)),
    Measure("Bounced for now, or blocked", ("bounced_soft",)),
    Measure("Not delivered: refused by the gateway, or not answered", ("not_delivered",)),
    Measure("Sent, no result yet", ("in_gateway",)),
    Measure("Delivered, reported as spam", ("spam_reported",)),
)
RATES = (
    Measure("Sent %", ("sent",), ("targeted",)),
    Measure("Delivered %", ("delivered",), ("sent",)),
    Measure("Opened %", ("opened",), ("delivered",)),
    Measure("Clicked %", ("clicked",), ("delivered",)),
)
LOSSES = ("not_sent", "bounced_hard", "bounced_soft", "not_delivered")
_LOST_TOTAL = Measure("Lost", LOSSES)
CAMPAIGN = (
    _LOST_TOTAL,
    _TARGETED,
    Measure("Not sent", ("not_sent",)),
    _SENT,
    Measure("Bounced", ("bounced_hard", "bounced_soft")),
    Measure("Not delivered", ("not_delivered",)),
    _DELIVERED,
    *RATES,
)
DELIVERABILITY = tuple(
    Measure(label, (f"{word}_count",))
    for label, word in (
        ("Delivered", "delivered"),
        ("Bounced", "bounced"),
        ("Blocked", "blocked"),
        ("Invalid", "invalid"),
        ("Spam", "spam_report"),
        ("Gateway suppressed", "gateway_suppressed"),
        ("Unclassified", "unclassified"),
    )
)
SMS = (
    _SENT,
    _DELIVERED,
    Measure("Undelivered", ("undelivered",)),
    Measure("No result yet", ("in_gateway",)),
    Measure("Segments", ("segments",)),
    Measure("Delivered %", ("delivered",), ("sent",)),
)
CALLS = (
    _SENT,
    Measure("Connected", ("completed",)),
    Measure("No answer", ("no_answer",)),
    Measure("Failed", ("failed",)),
    Measure("No result yet", ("in_gateway",)),
    Measure("Answered by a person", ("human",)),
    Measure("Seconds", ("duration_seconds",)),
    Measure("Connected %", ("completed",), ("sent",)),
)
LIVE = (
    _TARGETED,
    _SENT,
    _DELIVERED,
    Measure("Bounced", ("bounced_hard", "bounced_soft")),
    Measure("Not delivered", ("not_delivered",)),
    Measure("No result yet", ("in_gateway",)),
    Measure("Not sent", ("not_sent",)),
    Measure("Queued", ("in_progress_queued",)),
    Measure("About to be sent", ("in_progress_about_to_be_sent",)),
)
FRESHNESS = (
    Measure("Rejected records", ("rejected_count",)),
    Measure("Events without a message", ("unattributed_count",)),
    Measure("Events without a mapping", ("unknown_count",)),
)
_MESSAGES, _LEGS = Measure("Messages", ("message_count",)), Measure("Emails", ("leg_count",))
_CAMPAIGN_NAMES = {"campaign_id": "Campaign", "account": "Account", "channel": "Channel"}


Words = Mapping[tuple[str, str], str]
"""What the words of a column mean: (column, word) to words for people."""


@dataclass(frozen=True)
class Part:
    """A table with its charts."""

    table: Table
    charts: tuple[Markup, ...] = ()
    is_open: bool = True


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    slug: str
    title: str
    intro: str
    parts: tuple[Part, ...]


def overview(cursor: Cursor, scope: Scope, filling: date | None) -> Section:
    measures = (*FUNNEL, *LOST)
    by_channel = {row["channel"]: row for row in sums(cursor, scope, "account_daily", measures, ("channel",))}
    total = {c: sum(row[c] for row in by_channel.values()) for m in measures for c in m.columns}
    shown: list[tuple[str, dict[str, str], Sums]] = [("All", {}, total)] if len(by_channel) > 1 else []
    shown += [(CHANNELS[c], {"channel": c}, by_channel[c]) for c in CHANNELS if c in by_channel]

    def across(caption: str, lines: tuple[Measure, ...], columns: list[tuple[str, dict[str, str], Sums]]) -> Table:
        rows = tuple(Row((m.label,), "", tuple(m.cell(row, where) for _, where, row in columns)) for m in lines)
        return Table(caption, "account_daily", ("Messages",), lines, rows, tuple(name for name, *_ in columns))

    # Only emails have all steps: with texts and calls, too few messages would seem to be opened.
    title, steps, of = (
        ("Emails", FUNNEL, by_channel["email"]) if "email" in by_channel else ("Messages", FUNNEL[:3], total)
    )
    funnel = charts.funnel(f"{title}, step by step", [(step.label, of[step.columns[0]]) for step in steps])
    parts = [
        Part(across("From targeted to clicked, by channel", FUNNEL, shown), (funnel,)),
        Part(across("Rates, by channel", RATES, [column for column in shown if column[1]])),
        Part(across("What was lost on the way, and why", LOST, shown)),
    ]
    for channel in (channel for channel in CHANNELS if channel in by_channel):
        steps_of_channel = FUNNEL if channel == "email" else FUNNEL[:3]
        table = by_period(
            cursor,
            scope,
            "account_daily",
            f"{CHANNELS[channel]} by day",
            (*steps_of_channel, *RATES[: len(steps_of_channel) - 1]),
            {"channel": channel},
            filling,
        )
        parts.append(Part(table, (_chart(table, 1, 2, f"{CHANNELS[channel]}: delivered of sent"),), is_open=False))
    intro = (
        "A message counts on the day on which it was sent; a message that was not sent, on the day of its first event. "
        "Opens include those of machines. Calls and most text messages cannot be opened or clicked."
    )
    return Section("overview", "Overview", intro, tuple(parts))


def campaigns(cursor: Cursor, scope: Scope, words: Words) -> Section:
    why = {"campaign_id": "Campaign", "account": "Account", "failure_reason": "Reason"}
    not_sent = {**_CAMPAIGN_NAMES, "reason": "Reason"}
    lists = [
        listed(
            cursor, scope, "campaign_daily", "Campaigns, the greatest losses first", CAMPAIGN, _CAMPAIGN_NAMES, LOSSES
        ),
        listed(
            cursor,
            scope,
            "live_monitoring_reason",
            "Why messages were not sent (all days)",
            (_MESSAGES,),
            not_sent,
            ("message_count",),
            words,
        ),
        listed(
            cursor,
            scope,
            "email_failure_reason_daily",
            "Why emails failed (by day of the failure)",
            (_LEGS,),
            why,
            ("leg_count",),
            words,
        ),
        listed(
            cursor,
            scope,
            "sms_failure_reason_daily",
            "Why text messages failed",
            (_MESSAGES,),
            why,
            ("message_count",),
            words,
        ),
    ]
    intro = f"Lost: not sent, bounced or not delivered. Each list has at most {MOST_ROWS} rows."
    return Section("campaigns", "Campaigns", intro, _with_rows(*lists))


def deliverability(cursor: Cursor, scope: Scope, filling: date | None, words: Words) -> Section:
    report = "email_deliverability_daily"
    mailboxes = listed(
        cursor,
        scope,
        report,
        "Emails by mailbox provider",
        DELIVERABILITY,
        {"mailbox_provider": "Mailbox provider"},
        ("bounced_count", "blocked_count", "invalid_count", "spam_report_count"),
    )
    if not mailboxes.rows:
        return Section("deliverability", "Deliverability", "", ())
    daily = by_period(cursor, scope, report, "Emails by day of the event", DELIVERABILITY, None, filling)
    pictures = tuple(_chart(daily, index, None, DELIVERABILITY[index].label) for index in range(1, 5))
    reasons = listed(
        cursor,
        scope,
        "email_failure_reason_daily",
        "Reasons of failed emails, by mailbox provider",
        (_LEGS,),
        {"failure_reason": "Reason", "failure_class": "Class", "mailbox_provider": "Mailbox provider"},
        ("leg_count",),
        words,
    )
    intro = "An email counts on the day of the event, whenever it was sent; with two gateways it counts twice."
    return Section("deliverability", "Deliverability", intro, (Part(daily, pictures), *_with_rows(mailboxes, reasons)))


def text_messages(cursor: Cursor, scope: Scope, filling: date | None, words: Words) -> Section:
    countries = listed(
        cursor, scope, "sms_activity_daily", "Text messages by country", SMS, {"country": "Country"}, ("undelivered",)
    )
    if not countries.rows:
        return Section("sms", "SMS", "", ())
    daily = by_period(cursor, scope, "sms_activity_daily", "Text messages by day of sending", SMS, None, filling)
    reasons = listed(
        cursor,
        scope,
        "sms_failure_reason_daily",
        "Reasons of undelivered text messages",
        (_MESSAGES,),
        {"failure_reason": "Reason", "provider_code": "Code", "provider": "Gateway", "country": "Country"},
        ("message_count",),
        words,
    )
    chart = _chart(daily, 0, 1, "Text messages: delivered of sent")
    return Section("sms", "SMS", "", (Part(daily, (chart,)), *_with_rows(countries, reasons)))


def calls(cursor: Cursor, scope: Scope, filling: date | None) -> Section:
    countries = listed(
        cursor, scope, "ivr_activity_daily", "Calls by country", CALLS, {"country": "Country"}, ("no_answer", "failed")
    )
    if not countries.rows:
        return Section("calls", "Calls", "", ())
    daily = by_period(cursor, scope, "ivr_activity_daily", "Calls by day", CALLS, None, filling)
    chart = _chart(daily, 0, 1, "Calls: connected of sent")
    return Section("calls", "Calls", "", (Part(daily, (chart,)), *_with_rows(countries)))


def live(cursor: Cursor, scope: Scope) -> Section:
    table = listed(
        cursor,
        scope,
        "live_monitoring",
        "Campaigns now, over all days, the most messages waiting first",
        LIVE,
        _CAMPAIGN_NAMES,
        ("in_progress_queued", "in_progress_about_to_be_sent", "in_gateway"),
    )
    intro = "As of the last load, when this page was written; the other sections are as of the last build."
    return Section("live", "Live monitoring", intro, _with_rows(table))


def operations(cursor: Cursor, scope: Scope, feeds: Iterable[tuple[Any, ...]]) -> Section:
    times = {(account, feed): found for account, feed, *found in feeds}
    names = {"account": "Account", "feed": "Feed"}
    table = listed(cursor, scope, "freshness", "Feeds", FRESHNESS, names, ("rejected_count",))
    rows = tuple(
        row._replace(names=(*row.names, *map(utc, times.get((row.names[0], row.names[1]), ())))) for row in table.rows
    )
    headings = (*table.names, "Complete until (UTC)", "Last loaded (UTC)", "Last event (UTC)")
    return Section("operations", "Operations", "", _with_rows(replace(table, names=headings, rows=rows)))


def _with_rows(*tables: Table) -> tuple[Part, ...]:
    return tuple(Part(table) for table in tables if table.rows)


def _chart(table: Table, whole: int, part: int | None, title: str) -> Markup:
    parts = None if part is None else table.column(part)
    return charts.bars(title, [row.names[0] for row in table.rows], table.column(whole), parts)


def utc(at: datetime | None) -> str:
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
