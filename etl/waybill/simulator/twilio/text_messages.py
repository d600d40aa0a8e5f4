"""The fates of a text message, and its rows."""

from datetime import datetime, timedelta
from random import Random

from waybill.simulator.dispatch_log import rows as dispatch_log
from waybill.simulator.message import Fate, Message
from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio.rows import ERRORS, PROVIDER, Row, new_message

_AT_CREATION = (21211, 21214, 21217, 21614, 21610, 21611, 21408, 30001, 30002, 30010, 63024)
"""Codes that Twilio gives before it sends: status `failed`, no date_sent."""

PRICES = {"US": "-0.00790", "CA": "-0.00790", "GB": "-0.04630", "DE": "-0.09940", "FR": "-0.07980"}
HOUR = 3600

FATES: dict[str, Fate] = {
    **{f"stuck_{status}": Fate(0.4) for status in ("accepted", "queued", "scheduled", "sending")},
    "delivered": Fate(30),
    "delivered_and_priced_at_once": Fate(8),
    "delivered_long_after_sent": Fate(6),
    "delivered_long_after_queued": Fate(2),
    "delivered_in_parts": Fate(0.5),
    "delivered_without_price": Fate(1),
    "delivered_in_other_currency": Fate(2),
    "delivered_in_small_letters": Fate(1),
    "delivered_in_segments": Fate(6),
    "credited": Fate(0.4),
    "sent_without_receipt": Fate(7),
    "sent_with_late_date": Fate(0.7),
    "sent_without_date": Fate(0.7),
    "read": Fate(3),
    "canceled": Fate(1),
    "failed_without_code": Fate(0.4),
    "code_comes_later": Fate(1.2),
    **{f"refused:{code}": Fate(0.12) for code in ERRORS if code is not None},
    "sent_again": Fate(1.5, is_linked=True),
    "sent_again_in_vain": Fate(0.6, is_linked=True),
}


def records_and_rows(message: Message) -> tuple[list[WrittenRecord], list[Row]]:
    """Returns the dispatch rows of a text message, and its rows at Twilio."""
    created = message.clock.at(message.starts + timedelta(seconds=1))
    row = _new(message, created)
    fate, _, code = message.fate_name.partition(":")
    sid = str(row.states[0][1]["sid"])
    records = dispatch_log.hand_over_rows(message, PROVIDER, sid, (sid,))
    if fate == "refused":
        _refuse(row, message, int(code))
    elif fate == "code_comes_later":
        at = _send(row, message)
        at = _step(row, message, at, 3, 60, status="undelivered")
        _step(row, message, at, 5 * HOUR, 9 * HOUR, error_code=30007, error_message="Carrier violation")
    elif fate == "failed_without_code":
        _step(row, message, created, 1, 9, status="failed")
    elif fate.startswith("sent_again"):
        again, rows = _send_again(row, message, is_in_vain=fate == "sent_again_in_vain")
        return records + again, rows
    elif not fate.startswith("stuck"):
        _deliver(row, message)
    return records, [row]


def _new(message: Message, created: datetime) -> Row:
    fate = message.fate_name
    first: dict[str, object] = {}
    if fate in ("stuck_accepted", "delivered_long_after_queued"):
        first = {"status": "accepted", "num_segments": "0", "messaging_service_sid": f"MG{'0' * 31}1"}
    elif fate in ("stuck_scheduled", "canceled"):
        first = {"status": "scheduled"}
    elif fate == "stuck_sending":
        # a row that shows its price while it is still pending
        first = {"status": "sending", "price": "-0.00790"}
    elif fate == "delivered_in_other_currency":
        first = {"price_unit": "EUR"}
    elif fate == "delivered_in_small_letters":
        first = {"price_unit": "usd"}
    elif fate == "delivered_in_segments":
        first = {"num_segments": str(message.random.choice((2, 2, 3, 4)))}
    return new_message(message, message.account, created, message.random, **first)


def _step(row: Row, message: Message, after: datetime, least: float, most: float, **fields: object) -> datetime:
    at = message.later(after, least, most)
    row.change(at, **fields)
    return at


def _send(row: Row, message: Message, least: float = 1, most: float = 5) -> datetime:
    at = message.later(row.states[-1][0], least, most)
    row.change(at, status="sent", date_sent=at)
    return at


def _price(row: Row, message: Message, after: datetime, price: str | None = None) -> None:
    price = price or PRICES.get(message.recipient.country, "-0.05500")
    _step(row, message, after, 30 * 60, 6 * HOUR, price=price)


def _deliver(row: Row, message: Message) -> None:
    """Add the states of a message that is delivered, or nearly."""
    fate = message.fate_name
    if fate == "canceled":
        _step(row, message, row.created, HOUR, 3 * HOUR, status="canceled")
        return
    if fate == "sent_without_date":
        _step(row, message, row.created, 1, 5, status="sent")
        return
    if fate == "sent_with_late_date":
        at = _step(row, message, row.created, 300, 900, status="sent")
        _step(row, message, at, 5 * HOUR, 7 * HOUR, date_sent=message.later(row.created, 1, 200))
        return
    late_sending = fate == "delivered_long_after_queued"
    sent = _send(row, message, 5 * HOUR, 6 * HOUR) if late_sending else _send(row, message)
    if late_sending:
        row.states[-1][1]["num_segments"] = "1"
    if fate == "sent_without_receipt":
        _price(row, message, sent)
        return
    slow = fate == "delivered_long_after_sent"
    status = "partially_delivered" if fate == "delivered_in_parts" else "delivered"
    at_once = {"price": "-0.00790"} if fate == "delivered_and_priced_at_once" else {}
    least, most = (5 * HOUR, 9 * HOUR) if slow else (2, 40)
    delivered = _step(row, message, sent, least, most, status=status, **at_once)
    if fate == "read":
        _step(row, message, delivered, HOUR, 9 * HOUR, status="read", price="-0.00790")
    elif fate == "credited":
        _price(row, message, delivered, "0.01500")
    elif fate not in ("delivered_without_price", "delivered_and_priced_at_once"):
        _price(row, message, delivered)


def _refuse(row: Row, message: Message, code: int) -> None:
    error = {"error_code": code, "error_message": f"Error {code}"}
    if code in _AT_CREATION:
        _step(row, message, row.created, 1, 3, status="failed", **error)
        return
    sent = _send(row, message)
    refused = _step(row, message, sent, 3, 600, status="undelivered", **error)
    if message.random.random() < 0.5:
        _price(row, message, refused)


def _send_again(row: Row, message: Message, is_in_vain: bool) -> tuple[list[WrittenRecord], list[Row]]:
    """Send again with a second sid for the same dispatch, after the first one failed; returns the new rows."""
    _refuse(row, message, 30003)
    at = message.later(row.states[-1][0], 300, 3600)
    handed_at = message.later(at, -30, -1)
    second = new_message(message, message.account, at, message.random)
    sid = str(second.states[0][1]["sid"])
    handed = dispatch_log.row(message, handed_at, "handed_over", gateway=PROVIDER, written_id=sid, leg=(sid,))
    if is_in_vain:
        _refuse(second, message, 30005)
    else:
        delivered = _step(second, message, _send(second, message), 2, 40, status="delivered")
        _price(second, message, delivered)
    return [handed], [row, second]


def inbound(account: str, at: datetime, random: Random) -> Row:
    """Returns an inbound text message, which is to be ignored."""
    sender = f"+1202555010{random.randrange(10)}"
    fields: dict[str, object] = {"direction": "inbound", "status": "received", "date_sent": at, "from": sender}
    return new_message(None, account, at, random, price="-0.00750", **fields)
