"""The cells that the reports on emails must show: docs/model.md in plain Python, slow and simple on purpose."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from waybill.simulator.truth.cells import Cells, Day, Table, rate, sent
from waybill.simulator.truth.outcome import NONE, Happening, Message, first, latest


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
        "suspected_machine_open_count",
        "suspected_machine_click_count",
    )
    for message, _ in sent(messages, "email"):
        for leg in message.legs:
            dimensions = (message.account, leg.provider, message.campaign, message.mailbox_provider)
            opens, clicks = leg.of("opened"), leg.of("clicked")
            for e in opens:
                table.add((day(e.at), *dimensions), "open_count")
                table.add((day(e.at), *dimensions), "machine_open_count", 1 if e.is_machine else 0)
                table.add((day(e.at), *dimensions), "suspected_machine_open_count", 1 if suspected(e) else 0)
            for e in clicks:
                table.add((day(e.at), *dimensions), "click_count")
                table.add((day(e.at), *dimensions), "machine_click_count", 1 if e.is_machine else 0)
                table.add((day(e.at), *dimensions), "suspected_machine_click_count", 1 if suspected(e) else 0)
            for e in leg.of("unsubscribed"):
                table.add((day(e.at), *dimensions), "unsubscribe_count")
            human_opens = [e for e in opens if not e.is_machine]
            for measure, events in (
                ("unique_open_count", opens),
                ("unique_human_open_count", human_opens),
                ("unique_click_count", clicks),
            ):
                if at := first(events):
                    table.add((day(at), *dimensions), measure)
    return table.rows()


def suspected(e: Happening) -> bool:
    """Returns whether only the user agent shows a machine, and not the provider."""
    return not e.is_machine and e.machine_rule is not None


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
    for message, _ in sent(messages, "email"):
        for leg in message.legs:
            dimensions = (message.account, leg.provider, message.campaign, message.mailbox_provider)
            for measure, event_type in (
                ("processed_count", "processed"),
                ("deferred_count", "deferred"),
                ("delivered_count", "delivered"),
                ("spam_report_count", "spam_reported"),
                ("dropped_count", "dropped"),
            ):
                if at := first(leg.of(event_type)):
                    table.add((day(at), *dimensions), measure)
            failures = leg.of("bounced", "dropped")
            if failures:
                failure = latest(failures)
                measure = DELIVERABILITY_CLASS.get(failure.failure_class or "", "unclassified_count")
                table.add((day(failure.at), *dimensions), measure)
                if measure in ("hard_bounce_count", "soft_bounce_count"):
                    table.add((day(failure.at), *dimensions), "bounced_count")
    return table.rows()


def email_failure_reason_daily(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("leg_count")
    for message, _ in sent(messages, "email"):
        for leg in message.legs:
            failures = leg.of("bounced", "dropped")
            if failures:
                failure = latest(failures)
                dimensions = (message.account, leg.provider, message.campaign, message.mailbox_provider)
                why = (failure.failure_class, failure.failure_reason)
                table.add((day(failure.at), *dimensions, *why), "leg_count")
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
    for message, sent_at in sent(messages, "email"):
        grain = (
            day(sent_at),
            message.account,
            message.provider,
            message.campaign,
            message.template,
            message.mailbox_provider,
        )
        table.add(grain, "sent")
        if message.state == "bounced" and (bounce := message.deciding_failure):
            failure_class = bounce.failure_class
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
    return {grain: {**row, **_rates(row)} for grain, row in table.rows().items()}


def _rates(row: Mapping[str, int | Decimal]) -> dict[str, Decimal | None]:
    return {
        "delivery_rate": rate(row["delivered"], row["sent"]),
        "bounce_rate": rate(row["bounced_hard"] + row["bounced_soft"], row["sent"]),
        "open_rate": rate(row["opened"], row["delivered"]),
        "click_rate": rate(row["clicked"], row["delivered"]),
        "spam_rate": rate(row["spam_reported"], row["delivered"]),
        "unsubscribe_rate": rate(row["unsubscribed"], row["delivered"]),
        "click_to_open_rate": rate(row["clicked"], row["opened"]),
    }


LONGEST_LINK = 500


def link(url: str | None) -> str:
    """Returns the link without query and fragment, which differ by person and not by link."""
    return re.split(r"[?#]", url or "", maxsplit=1)[0][:LONGEST_LINK] or NONE


def email_link(messages: Iterable[Message], day: Day) -> Cells:
    table = Table("click_count", "unique_click_count", "unique_human_click_count")
    for message, sent_at in sent(messages, "email"):
        clicks = message.of("clicked")
        for url in {link(e.url) for e in clicks}:
            grain = (day(sent_at), message.account, message.campaign, url)
            of_link = [e for e in clicks if link(e.url) == url]
            table.add(grain, "click_count", len(of_link))
            table.add(grain, "unique_click_count")
            table.add(grain, "unique_human_click_count", int(any(not e.is_machine for e in of_link)))
    return table.rows()
